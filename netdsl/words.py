"""Nodes to words: what table, drawing and source call a layer, a shortcut and a primitive node."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Literal

from netdsl.amounts import sized
from netdsl.ir import Graph, Node, Op, Size
from netdsl.lower.bound import option_text, value_text
from netdsl.ops import CATALOGUE
from netdsl.ops.act import Activation
from netdsl.ops.blocks import OF_THE_SHORTCUT, RESIDUAL_BLOCKS
from netdsl.ops.convolution import Convolution, TransposedConvolution
from netdsl.ops.dense import Linear
from netdsl.ops.norm import Normalization
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


def in_order(kinds: Iterable[ShortcutKind]) -> str:
    """Return kinds in their order, equal neighbours counted.

    >>> pad, same = ShortcutKind("padding", "zero-pad"), ShortcutKind("identity", "identity")
    >>> in_order([pad, same, same])
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


@dataclass(frozen=True, slots=True)
class Label:
    """What a layer is called where it is shown, in a `text` that can be `merged` with others.

    It is of the kind `code`; where `times` is more than 1, that many equal layers stand for it.
    """

    code: str
    text: str
    times: int = 1

    @property
    def said(self) -> str:
        """The text without what goes without saying, for one of those layers."""
        text = concise(self.code, self.text)
        return text if self.times == 1 else text.partition(", ")[0]


def label(code: str, text: str, nodes: Sequence[Node]) -> Label:
    """Return what a layer is called, given its text and its nodes.

    A residual block without its shortcut is the convolutions that are left of it, where those are
    what `Conv` makes; otherwise, as with dropout of its own or norms that come first, it stays what
    it is. Dropout that a header gives all blocks is in no block's text, with or without shortcut.
    """
    layers = [node.op for node in nodes if isinstance(node.op, Convolution)]
    options = {word.partition("=")[0] for word in text.split()}
    if "dropout" not in options:
        nodes = [node for node in nodes if not isinstance(node.op, Dropout)]
    if (
        code not in RESIDUAL_BLOCKS
        or any(isinstance(node.op, ShortcutAdd) for node in nodes)
        or not _are_convolutions(nodes)
        or options & {"norm", "act", "bias"}
    ):
        return Label(code, text)
    plain = all(op.kernel == (3, 3) for op in layers)
    words = [_words(op, kernel=not plain) for op in layers]
    times = len(words) if len(set(words)) == 1 else 1
    return Label("Conv", f"Conv {', '.join(words)}", times)


def _are_convolutions(nodes: Sequence[Node]) -> bool:
    """Whether nodes are convolutions, each with the same norm and activation behind it, if any."""
    kinds: dict[type[Op], str] = {Convolution: "c", Normalization: "n", Activation: "a"}
    letters = [[kinds[cls] for cls in kinds if isinstance(node.op, cls)] for node in nodes]
    before, *behind = "".join((*found, "?")[0] for found in letters).split("c")
    return not before and len({*behind}) == 1 and behind[0] in ("", "n", "a", "na")


def _words(op: Convolution, *, kernel: bool) -> str:
    size = f" {op.kernel[0]}x{op.kernel[1]}" if kernel else ""
    groups = f" g{op.groups}" if op.groups != 1 else ""
    return f"{op.channels}{size} {option_text('s', op.stride)}{groups}"


def without_shortcut(code: str, text: str) -> str:
    """Return the text of a residual block without the options that are about its shortcut.

    >>> without_shortcut("BB", "BB 32 s2 pre norm=none shortcut=project drop_path=0.2")
    'BB 32 s2 pre norm=none'
    >>> without_shortcut("Res", "Res act=relu norm=none shortcut=project")
    'Res act=relu'
    """
    about = {*OF_THE_SHORTCUT, "drop_path"} - ({"norm", "bias"} if code != "Res" else set())
    return " ".join(word for word in text.split() if word.partition("=")[0] not in about)


def concise(code: str, text: str) -> str:
    """Return the text of a layer without a stride of 1 that goes without saying.

    >>> concise("BB", "BB 32 s1"), concise("Max", "Max 3 s1"), concise("Conv", "Conv 8 s1, 8 s2")
    ('BB 32', 'Max 3 s1', 'Conv 8, 8 s2')
    """
    silent = any(f.name == "s" and f.default in (1, (1, 1)) for f in fields(CATALOGUE[code]))
    return _joined(word for word in _split(text) if word != "s1" or not silent)


def merged(texts: Sequence[str]) -> str | None:
    """Write several layers as one: a word that differs becomes a list, and its last value stays.

    None where they have not equally many words.

    >>> merged(["BB 32 s2", "BB 32 s1", "BB 32 s1"])
    'BB 32 s=[2,1]'
    """
    lines = [_split(text) for text in texts]
    if len({len(words) for words in lines}) > 1:
        return None
    return _joined(map(_word, zip(*lines, strict=True)))


def _split(text: str) -> list[str]:
    """The words of a text; a comma between layers is one."""
    return text.replace(", ", " , ").split()


def _joined(words: Iterable[str]) -> str:
    return " ".join(words).replace(" , ", ", ")


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
