"""A definition to its variants: every combination of the grid, for the networks that have it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from itertools import product
from typing import Any, cast

from netdsl.experiment.budget import OF_IMAGES, merged
from netdsl.experiment.definition import Definition
from netdsl.experiment.variant import Value, Variant
from netdsl.ir import Settings
from netdsl.lower import Overrides, inline, read_header
from netdsl.lower.mentions import layers_in
from netdsl.shelf import open_arch
from netdsl.suggest import meant
from netdsl.train import Choices, ExitCode, TrainError
from netdsl.train.choices import OTHER_WORDS, read_choices
from netdsl.train.resolve import over
from netdsl.train.settings import TYPES

_FIELDS = ("plain", "scale", "recipe", "data", "input", "classes", "limit", "weights")
_LENGTHS = {"epochs", "iterations"}  # of which each goes before the other


def expand(definition: Definition) -> tuple[Variant, ...]:
    """Return the rows of the comparison, the budget on top of all else.

    A name of the grid that no network knows is an error that names both.
    """
    varied = [
        (variant, {name for name in definition.grid if name not in fixed and _knows(variant, name)})
        for variant, fixed in zip(definition.networks, definition.fixed, strict=True)
    ]
    for name in definition.grid:
        if not any(name in names for _, names in varied):
            raise _unknown(name, definition)
    found = [one for variant, names in varied for one in _combined(variant, names, definition)]
    rows = _beside_twins(found)
    budgets = [merged(definition.layers, variant.budgets) for variant in rows]
    cut = tuple(_within(row, budget) for row, budget in zip(rows, budgets, strict=True))
    if len({row.identity for row in cut}) < len({row.identity for row in rows}):
        _refuse_overridden(definition, set().union(*budgets))
    return cut


def _refuse_overridden(definition: Definition, said: Set[str]) -> None:
    """Raise where a budget says what the grid varies, and so makes some of its rows the same."""
    said = said | (_LENGTHS if said & _LENGTHS else set())
    if names := ", ".join(name for name in definition.grid if name in said):
        fact = f"the budget overrides {names} of [grid], and makes rows the same"
        raise TrainError(fact, f"leave {names} out of the budget or of [grid]", ExitCode.USAGE)


def _beside_twins(variants: list[Variant]) -> list[Variant]:
    """Return the variants with each plain twin behind the network that it is the twin of."""
    alike: dict[str, list[Variant]] = {}
    for variant in variants:
        alike.setdefault(f"{variant.arch} {variant.label} {variant.details()}", []).append(variant)
    for twins in alike.values():
        _refuse_numbers_of_no_twin(twins)
    return [variant for twins in alike.values() for variant in twins]


def _refuse_numbers_of_no_twin(twins: list[Variant]) -> None:
    if any(one.paper.get("plain") for one in twins) and not any(one.plain for one in twins):
        name = twins[0].label or twins[0].arch
        fact = f"{name} has a paper's numbers of a plain twin, and no twin"
        raise TrainError(fact, 'say plain = "both"', ExitCode.USAGE)


def _combined(variant: Variant, names: set[str], definition: Definition) -> list[Variant]:
    axes = [[(name, value) for value in definition.grid[name]] for name in definition.grid
            if name in names]  # fmt: skip
    found = [_with(variant, dict(values)) for values in product(*axes)]
    if variant.paper and len({repr(one.details()) for one in found}) > 1:
        fact = f"{variant.label or variant.arch} has a paper's numbers"
        help = f"the grid makes {len(found)} networks of it: list them, each with its own numbers"
        raise TrainError(fact, help, ExitCode.USAGE)
    has_twins = len({one.plain for one in found}) > 1
    return [one.beside_twin() for one in found] if has_twins else found


def _with(variant: Variant, values: dict[str, Value]) -> Variant:
    """Return the variant with values of the grid: fields, parameters of the network, settings."""
    fields: dict[str, Any] = {name: values[name] for name in values if name in _FIELDS}
    rest = {name: value for name, value in values.items() if name not in fields}
    params = {k: v for k, v in rest.items() if _has(variant, k)}
    chosen = read_choices({k: v for k, v in rest.items() if k not in params}, "[grid]: ")
    settings = _over(variant.set, chosen)
    return replace(variant, params={**variant.params, **params}, set=settings, **fields)


def _within(variant: Variant, budget: Mapping[str, object]) -> Variant:
    """Return the variant as a budget lets it be trained."""
    fields: dict[str, Any] = {name: budget[name] for name in OF_IMAGES if name in budget}
    chosen = {name: value for name, value in budget.items() if name not in (*fields, "seeds")}
    return replace(variant, set=_over(variant.set, chosen), **fields)


def _over(below: Mapping[str, object], above: Mapping[str, object]) -> Mapping[str, object]:
    return dict(over(cast(Choices, below), cast(Choices, above)))


def _knows(variant: Variant, name: str) -> bool:
    return name in _FIELDS or _has(variant, name) or (name in TYPES and name != "seed")


def _has(variant: Variant, name: str) -> bool:
    """Say whether a network has such a parameter or setting, or a layer with such an option."""
    if "." in name:
        source = open_arch(variant.arch)
        file = inline(source.file, source.loader)
        return name.partition(".")[0] in layers_in((file.header, file.body))
    return name in _parameters(variant) or name in Settings.__dataclass_fields__


def _unknown(name: str, definition: Definition) -> TrainError:
    if any(name in fixed for fixed in definition.fixed):
        return TrainError(
            f"[grid]: every network says itself what {name} is",
            "leave it out of the networks or of the grid", ExitCode.USAGE,
        )  # fmt: skip
    if name == "seed":
        help = "say seeds = [0, 1, 2] above [grid], for all networks"
        return TrainError("[grid]: seed is given", help, ExitCode.USAGE)
    arches = ", ".join(dict.fromkeys(variant.arch for variant in definition.networks))
    known = list(dict.fromkeys(n for v in definition.networks for n in _parameters(v)))
    help = f"their parameters: {', '.join(known)}" if known else "they have no parameters"
    names = [*known, *Settings.__dataclass_fields__, *_FIELDS, *(TYPES.keys() - {"seed"})]
    help = meant(name, names, OTHER_WORDS) or help
    fact = f"[grid]: {name!r} is no parameter of {arches}, and no setting"
    return TrainError(fact, help, ExitCode.USAGE)


def _parameters(variant: Variant) -> list[str]:
    source = open_arch(variant.arch)
    said = Overrides({}, variant.scale or source.scale)
    return list(read_header(source.file, said, source.loader, lambda finding: None).parameters)
