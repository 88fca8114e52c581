"""What stands in for arguments that are not written: defaults of layers, and settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from netdsl.ir import Settings
from netdsl.lower.bound import Bound, value_text
from netdsl.lower.reads import Reads
from netdsl.ops import Argument, LayerType, arguments


@dataclass(slots=True)
class Defaults:
    """What stands in for an argument that is not written, and what of it did."""

    settings: Settings = field(default_factory=Settings)
    layers: dict[str, dict[str, Any]] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)  # layers that were bound
    width: Fraction = Fraction(1)
    as_written: bool = True  # nothing is chosen from outside, or by a scale of the file
    open: set[str] = field(default_factory=set)  # settings and defaults that a parameter decides
    reads: Reads = field(default_factory=Reads)

    def settle(self, name: str) -> bool:
        """Say whether the file alone decides a setting or default: no caller, scale, parameter."""
        return self.as_written and name not in self.open


def fill(
    code: str, known: Mapping[str, Argument], defaults: Defaults, bound: Bound
) -> dict[str, Any]:
    """Return all values: what was given, else the default of the layer, else the setting."""
    own = dict(defaults.layers.get(code, {}))
    if code == "FC":
        own.pop("act", None)  # NOTE: of hidden ones alone, which the builder knows, not of the last
    defaults.filled.add(code)
    said = {**own, **bound.values}
    left = [a for a in known.values() if a.setting and a.name not in said]
    defaults.reads.settings |= {a.setting for a in left}
    return {**{a.name: getattr(defaults.settings, a.setting) for a in left}, **said}


def note_reads(
    layer: Any, owner: str, bound: Bound, defaults: Defaults, known: Mapping[str, str]
) -> None:
    """Note which options and defaults this layer reads, and which change nothing in it."""
    idle = {**known, **dict(_idle(layer, owner, bound, defaults))}
    for option, span in bound.spans.items():
        defaults.reads.option(owner, option, span, idle.get(option))
    for option in defaults.layers.get(owner, {}).keys() - bound.values.keys():
        defaults.reads.default(f"{owner}.{option}", idle.get(option))


def is_settled(argument: Argument, owner: str, bound: Bound, defaults: Defaults) -> bool:
    """Say whether the file alone decides what an argument is: no caller, scale or parameter."""
    if argument.name in bound.values:
        return argument.name not in bound.open
    is_default = argument.name in defaults.layers.get(owner, {})
    name = f"{owner}.{argument.name}" if is_default else argument.setting
    return defaults.settle(name)


def _idle(layer: Any, owner: str, bound: Bound, defaults: Defaults) -> Iterator[tuple[str, str]]:
    """Yield the options that change nothing beside the values of others, and why."""
    cls: LayerType = type(layer)
    known = arguments(cls)
    for argument in known.values():
        if argument.needs:
            other, values = argument.needs
            value = getattr(layer, other)
            if value not in values and is_settled(known[other], owner, bound, defaults):
                yield argument.name, f"`{other}` is {value_text(value)}"
