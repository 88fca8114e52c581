"""Layers as they are written to texts for those who read: shorter, merged, without a shortcut."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from netdsl.ir import Node, Op
from netdsl.lower.bound import option_text
from netdsl.ops import CATALOGUE
from netdsl.ops.act import Activation
from netdsl.ops.blocks import OF_THE_SHORTCUT, RESIDUAL_BLOCKS
from netdsl.ops.convolution import Convolution
from netdsl.ops.norm import Normalization
from netdsl.ops.regularise import Dropout
from netdsl.ops.wiring import ShortcutAdd


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
