"""Nodes to words: what table and drawing call a shortcut and a primitive node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from netdsl.amounts import sized
from netdsl.ir import Graph, Node, Size
from netdsl.lower.bound import value_text
from netdsl.ops.convolution import Convolution, TransposedConvolution
from netdsl.ops.dense import Linear
from netdsl.ops.pool import Pool
from netdsl.ops.regularise import Dropout
from netdsl.ops.wiring import AveragePad, Pad, ShortcutAdd, StochasticDepth


@dataclass(frozen=True, slots=True)
class ShortcutKind:
    """What a shortcut does to the value that it carries, and the word for it.

    One that is written out has layers of its own, which stand `beside` those of the branch.
    """

    form: Literal["identity", "padding", "projection", "beside"]
    word: str


def shortcuts(graph: Graph) -> list[ShortcutKind]:
    """Return the kind of every shortcut of the network, in its order."""
    return [shortcut_kind(graph, node) for node in graph if isinstance(node.op, ShortcutAdd)]


def shortcut_kind(graph: Graph, add: Node) -> ShortcutKind:
    """Return what stands at the second operand of a `ShortcutAdd`."""
    assert isinstance(add.op, ShortcutAdd), add
    if add.op.written:
        return ShortcutKind("beside", "written out")
    _, shortcut = graph.inputs(add)
    if shortcut.name == f"{add.layer}.shortcut_norm":
        (shortcut,) = graph.inputs(shortcut)
    if shortcut.name != f"{add.layer}.shortcut":
        return ShortcutKind("identity", "identity")
    op = shortcut.op
    if isinstance(op, Convolution):
        pooled = "avg-pool + " * (f"{shortcut.name}_pool" in graph)
        return ShortcutKind("projection", f"{pooled}{sized(op.kernel, '×')}")
    assert isinstance(op, Pad), op
    return ShortcutKind("padding", _padding(op))


def _padding(op: Pad) -> str:
    averages = isinstance(op, AveragePad) and op.stride != (1, 1)
    words = ["avg-pool"] * averages + ["zero-pad"] * (op.channels > 0)
    return " + ".join(words) or "subsample"


def kinds_in_order(kinds: Iterable[ShortcutKind]) -> str:
    """Return kinds in their order, equal neighbours counted.

    >>> pad, same = ShortcutKind("padding", "zero-pad"), ShortcutKind("identity", "identity")
    >>> kinds_in_order([pad, same, same])
    'zero-pad, then identity ×2'
    """
    runs = [(kind.word, len(list(run))) for kind, run in groupby(kinds)]
    return ", then ".join(word if n == 1 else f"{word} ×{n}" for word, n in runs)


def primitive(graph: Graph, node: Node) -> str:
    """Return what a node does, in the words of torch: `Conv2d 3×3, 64, stride 2`.

    A shortcut without weights is called what its kind is, with the channels that it pads to.
    """
    op = node.op
    call = op.call(*graph.input_shapes(node))
    name = call.target.removeprefix("nn.") if call else type(op).__name__
    if isinstance(op, Convolution | TransposedConvolution):
        groups = "" if op.groups == 1 else f", groups {op.groups}"
        return f"{name} {sized(op.kernel, '×')}, {op.channels}{_stride(op.stride)}{groups}"
    if isinstance(op, Pool):
        return f"{name} {sized(op.k, '×')}{_stride(op.stride, usual=op.k)}"
    if isinstance(op, Pad):
        channels = f" to {node.shape.channels}" if op.channels else ""
        return f"{_padding(op)}{channels}{_stride(op.stride)}"
    if isinstance(op, StochasticDepth):
        return f"{name}, survival {op.survival:.3g}"
    if isinstance(op, Dropout):
        return f"{name} {value_text(op.p)}"
    return f"{name} {op.features}" if isinstance(op, Linear) else name


def _stride(stride: Size, usual: Size = (1, 1)) -> str:
    return "" if stride == usual else f", stride {sized(dict.fromkeys(stride), '×')}"
