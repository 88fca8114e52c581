r"""What a form of a paper is written here, and what the patterns of forms have in common."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Here:
    """What is written here in place of a form, in words; nothing where it is left away.

    A dense layer may say how many numbers it takes, a cell how many channels its block has and, in
    a table without sizes, how it is written where it is `halved`: where it halves the map. A norm
    or an activation may have the options that a `default` of that name sets: `"Norm", "eps=0.001"`.
    The first layer of Keras may say the `input`, as `1x28x28`, which goes in front. What `repeats`
    the layer behind it parts that from all that follows.
    """

    words: str = ""
    help: str | None = None
    takes: int | None = None
    block: int | None = None
    halved: str | None = None
    numbers: tuple[str, str] | None = None
    input: str | None = None
    repeats: bool = False

    @property
    def code(self) -> str | None:
        """What is written in place of the form; None where that is said in words."""
        return self.words[1:].partition("`")[0] if self.words[:1] in ("", "`") else None

    @property
    def remark(self) -> str:
        """What the words say behind the code, as that it brings a norm."""
        return self.words[1:].partition("`")[2]

    def written(self, code: str) -> Here:
        """Return the same with another code."""
        return replace(self, words=f"`{code}`{self.remark}")


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a text, from one character to another, and what it is here.

    A call says all that is computed; a name alone is a form only where a layer brings what it is.
    """

    start: int
    end: int
    here: Here
    is_call: bool = False
    is_name: bool = False

    def is_defined(self, text: str) -> bool:
        """Say whether a call defines what a `forward` calls: `self.conv = nn.Conv2d(1, 8, 3)`."""
        return self.is_call and is_defined(text, self.start)


def is_defined(text: str, start: int) -> bool:
    """Say whether the call at a place stands in a definition or a printed module."""
    return _DEFINED.match(text, start) is not None


Say = Callable[[re.Match[str]], Here | None]

INPUT_SAID = re.compile(r"\binput\W{1,9}[0-9]")  # in the header of a text

# What is defined before it is called, in a way that is not read here.
_DEFINED = re.compile(r"self\.|\([^\W\d]\w*\):")

X = r"(?:[x×✕⨯]|\$?\\times\$?)"
D = r"[0-9]{1,9}(?![0-9])"  # a number; longer ones are none that is meant
N = rf"({D})"
SIZE = rf"{N}\s*{X}\s*{N}"
# NOTE: nowhere do two runs of blanks meet: a long one would be parted in every way between them.
BY = r"(?:\s*,)?\s*(?:stride\s*(?:=\s*)?|/\s*|[sS]\s*=\s*|[sS](?=[0-9]))"
STRIDE = rf"(?:{BY}(?P<stride>{D}))?"
# The name of a row, and the size of what comes out of it, as in `conv3_x 28×28`.
NAME = r"\b(?:block|conv|group|stage)_?\d+(?:_\w+)?"
ROW = (
    rf"(?:{NAME}\s+|(?<![^\n]))\$?(?:(?P<c>[0-9]{{1,5}})\s*{X}\s*)?"
    rf"(?P<h>[0-9]{{1,5}})\s*{X}\s*(?P<w>[0-9]{{1,5}})\$?"
)
OUTPUT = rf"(?:{ROW}\s+)?"
# The size of a map in a column of its own, and what stands in the columns behind it.
BLANK = r"[^\S\n]"
MAP = (
    rf"{BLANK}+(?P<h>[0-9]{{1,5}})\s*{X}\s*(?P<w>[0-9]{{1,5}})\s*{X}\s*(?P<c>[0-9]{{1,5}})\b"
    rf"(?P<beside>(?:{BLANK}+\d+(?:\.\d+)?[KMG]?(?![\w.×]|{BLANK}*{X}))*)"
)

# What stands behind the name of a row, `conv4_16`, and not behind a layer, `conv3_64`.
IN_ROW = rf"(?={BLANK}+(?:[$\[(⎡⎛]|{D}\s*{X}\s*{D}(?![^\n,;\d]{{0,19}}pool)))"


def height_and_width(match: re.Match[str]) -> tuple[str, str]:
    """Return the size that a row has in front; of two orders the one of a square map."""
    c, h, w = match["c"], match["h"], match["w"]
    return (c, h) if c == h != w else (h, w)


def kernel(k: str, other: str) -> str:
    """Return a kernel as an argument; nothing for the usual one."""
    return "" if k == other == "3" else f" {k}x{other}"


def conv(k: str, other: str, channels: str, stride: str | None = None) -> str:
    """Return a convolution of a kernel.

    >>> conv("7", "7", "64", "2"), conv("3", "3", "64")
    ('Conv 64 7x7 s2', 'Conv 64')
    """
    return f"Conv {channels}{kernel(k, other)}{f' s{stride}' if stride not in (None, '1') else ''}"


def code(text: str) -> Here:
    """Return what is written in place of a form."""
    return Here(f"`{text}`")


def left_away(why: str) -> Here:
    """Return what is said of a form that is left away."""
    return Here(help=why)
