"""A network to what is left of it after one change at a time, derived from the network itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import get_args

from netdsl.errors import NetDSLError
from netdsl.experiment.rewrite import bare, half_as_wide, without_layer, without_option
from netdsl.experiment.variant import Value
from netdsl.ir.settings import Policy
from netdsl.lower import Loader, Overrides, inline
from netdsl.lower.mentions import layers_in
from netdsl.network import Network, build
from netdsl.ops.blocks import ORDERS, RESIDUAL_BLOCKS, WITH_SHORTCUT
from netdsl.ops.wiring import ShortcutAdd, StochasticDepth
from netdsl.syntax import parse, to_text, tree


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a network: in words, and as a file and what `-D` and `--scale` say of it.

    `text` is the changed source, empty where the network's own does.
    """

    words: str
    text: str = ""
    params: Mapping[str, Value] = field(default_factory=dict)
    scale: str | None = None
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Ablation:
    """The changes that make another network, and why others are left out."""

    changes: tuple[Change, ...]
    left_out: tuple[str, ...]


def ablate(base: Network) -> Ablation:
    """Return every change of one kind that this network knows and that makes another of it."""
    seen, changes, left_out = {_shape(base): "the network itself"}, list[Change](), list[str]()
    for change in _changes(base):
        try:
            network = changed(base, change)
        except NetDSLError as error:
            left_out.append(f"{change.words}: {error.diagnostics[0].message}")
            continue
        if (same := seen.get(_shape(network))) is not None:
            left_out.append(f"{change.words}: the same as {same}")
        elif change.scale is not None and network.params >= base.params:
            left_out.append(f"{change.words}: {network.params:,} parameters are no fewer")
        else:
            seen[_shape(network)] = change.words
            changes.append(change)
    return Ablation(tuple(changes), tuple(left_out))


def changed(base: Network, change: Change) -> Network:
    """Return the network with a change."""
    names = {**base.overrides.names, **change.params}
    if change.plain:
        names["residual"] = False
    file, loader = (
        (parse(change.text, base.name), Loader()) if change.text else (base.file, base.loader)
    )
    return build(file, Overrides(names, change.scale or base.overrides.scale), loader)


def _changes(base: Network) -> Iterator[Change]:
    """Yield all that could be changed, whether or not it makes another network."""
    file = inline(base.file, base.loader)
    written = layers_in((file.header, file.body))
    blocks = [name for name in RESIDUAL_BLOCKS if name in written]
    ops = [node.op for node in base.checked]
    sums = [op for op in ops if isinstance(op, ShortcutAdd)]
    drops = any(isinstance(op, StochasticDepth) for op in ops)
    if sums:
        words = "shortcuts and stochastic depth off" if drops else "shortcuts off"
        yield Change(words, plain=True)
        for policy in () if all(op.written for op in sums) else get_args(Policy):
            said = {"shortcut": policy}
            yield _edited(
                file, without_option(file, "shortcut", WITH_SHORTCUT), f"shortcut {policy}", said
            )
    normless = bare(without_option(file, "norm"), "Norm")
    yield _edited(file, normless, "norm off", {"norm": "none"})
    undropped = without_layer(without_option(file, "dropout", blocks), "Dropout")
    options = {f"{name}.dropout": 0 for name in blocks}
    yield _edited(file, undropped, "dropout off", options)
    if drops:
        steady = without_option(file, "drop_path")
        yield _edited(file, steady, "stochastic depth off", {"drop_path": 0})
    for order in ORDERS if blocks else ():
        orders = {f"{name}.order": order for name in blocks}
        yield _edited(file, without_option(file, "order", blocks), f"order {order}", orders)
    narrow, scale = half_as_wide(file, base.overrides.scale)
    yield Change("half width", _text(narrow), scale=scale)


def _edited(file: tree.File, edited: tree.File, words: str, said: Mapping[str, Value]) -> Change:
    """Return a change by overrides, and by another text only where these do not reach."""
    return Change(words, "" if edited == file else _text(edited), dict(said))


def _text(file: tree.File) -> str:
    """Return a text without what it expects of the network that it was."""
    header = tuple(entry for entry in file.header if not isinstance(entry, tree.Expect))
    return to_text(replace(file, header=header, comments=()))


def _shape(network: Network) -> tuple[object, ...]:
    """Return what tells a network from others: its nodes, but for where they were written."""
    return tuple((n.name, n.op, n.inputs, n.shape) for n in network.checked)
