"""Nodes to words: what table and drawing call a shortcut and a primitive node."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Literal

from netdsl.amounts import sized
from netdsl.ir import Graph, Node
from netdsl.ops import CATALOGUE
from netdsl.ops.convolution import Convolution, TransposedConvolution
from netdsl.ops.dense import Linear
from netdsl.ops.wiring import AveragePad, Pad, ShortcutAdd


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
    averages = isinstance(op, AveragePad) and op.stride != (1, 1)
    words = ["avg-pool"] * averages + ["zero-pad"] * (op.channels > 0)
    return ShortcutKind("padding", " + ".join(words) or "subsample")


def in_order(kinds: Iterable[ShortcutKind]) -> str:
    """Return kinds in their order, equal neighbours counted.

    >>> pad, same = ShortcutKind("padding", "zero-pad"), ShortcutKind("identity", "identity")
    >>> in_order([pad, same, same])
    'zero-pad, then identity ×2'
    """
    runs = [(kind.word, len(list(run))) for kind, run in groupby(kinds)]
    return ", then ".join(word if n == 1 else f"{word} ×{n}" for word, n in runs)


def primitive(graph: Graph, node: Node) -> str:
    """Return what a node does, in the words of torch: `Conv2d 3×3, 64, stride 2`."""
    op = node.op
    call = op.call(*graph.input_shapes(node))
    name = call.target.removeprefix("nn.") if call else type(op).__name__
    if isinstance(op, Convolution | TransposedConvolution):
        kernel = sized(op.kernel, "×")
        strides = sized(dict.fromkeys(op.stride), "×")
        stride = "" if op.stride == (1, 1) else f", stride {strides}"
        groups = "" if op.groups == 1 else f", groups {op.groups}"
        return f"{name} {kernel}, {op.channels}{stride}{groups}"
    return f"{name} {op.features}" if isinstance(op, Linear) else name


def concise(code: str, text: str) -> str:
    """Return the text of a layer without a stride of 1 that goes without saying.

    >>> concise("BB", "BB 32 s1"), concise("Max", "Max 3 s1")
    ('BB 32', 'Max 3 s1')
    """
    silent = any(f.name == "s" and f.default in (1, (1, 1)) for f in fields(CATALOGUE[code]))
    return " ".join(word for word in text.split() if word != "s1" or not silent)


def merged(texts: Sequence[str]) -> str:
    """Write several layers as one: a word that differs becomes a list, and its last value stays.

    >>> merged(["BB 32 s2", "BB 32 s1", "BB 32 s1"])
    'BB 32 s=[2,1]'
    """
    lines = [text.split() for text in texts]
    if len({len(words) for words in lines}) > 1:
        return texts[0]
    return " ".join(_word(column) for column in zip(*lines, strict=True))


_WORD = re.compile(r"(?:([a-z_]+)=|([a-z])(?=\d+$))?(.*)")


def _word(column: Sequence[str]) -> str:
    if len(set(column)) == 1:
        return column[0]
    parts = [match.groups("") for match in map(_WORD.fullmatch, column) if match]
    key = parts[0][0] or parts[0][1]
    values = [value for _, _, value in parts]
    while len(values) > 1 and values[-1] == values[-2]:
        values.pop()
    return f"{key}{'=' * bool(key)}[{','.join(values)}]"
