"""Ranges of texts to the lines that show them, each range underlined, below what is said."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from netdsl.spans import Span

_WIDTH = 120  # letters; a line of more than twice as many is cut to some around its mark
_FAR = 6 * _WIDTH  # letters between two marks, beyond which each has an excerpt of its own
_PICTURES = 0x2400  # U+2400 is the picture of U+0000, and so on
_PICTURES_OF, _DELETE = 0x20, 0x7F
_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


class Mark(NamedTuple):
    """A range, the sign that it is underlined with, and the remark beside it, if there is one."""

    span: Span
    sign: str
    remark: str

    @property
    def row(self) -> int:
        """The line of its first character, counted from 1."""
        return self.span.position[0]

    @property
    def column(self) -> int:
        """The characters before it in that line."""
        return self.span.position[1] - 1


def excerpt(head: str, marks: Sequence[Mark], help: str | None) -> Iterator[str]:
    """Yield the head, the lines that hold the marks, the primary one first, and what helps."""
    yield head
    gutter = _gutter(marks)
    if marks:
        yield from _excerpt(marks, gutter)
    if help is not None:
        yield f"{' ' * gutter} = help: {help}"


def width(text: str) -> int:
    """Return how many columns of a terminal a text fills.

    >>> width("网络 1"), width("Net 1")
    (6, 5)
    """
    return sum(map(_width, text))


def _excerpt(marks: Sequence[Mark], gutter: int) -> Iterator[str]:
    """The lines of the primary range and of the others, in the order of the text, file by file."""
    span = marks[0].span
    for source in dict.fromkeys(mark.span.source for mark in marks):
        here = sorted((m for m in marks if m.span.source == source), key=lambda m: m.span.start)
        first = span if source == span.source else here[0].span
        row, column = first.position
        arrow = "-->" if source == span.source else ":::"
        yield f"{' ' * gutter}{arrow} {source.name}:{row}:{column}"
        yield f"{' ' * gutter} |"
        for number, on_row in groupby(here, lambda mark: mark.row):
            for near in _near(on_row):
                text, shift = _clip(source.line(near[0].span.start), near)
                yield f"{number:>{gutter}} | {_printable(text)}".rstrip()
                for line in _underline(near, text, shift):
                    yield f"{' ' * gutter} | {line}"


def _near(marks: Iterable[Mark]) -> Iterator[list[Mark]]:
    """The marks of one line, those apart that are too far from one another to be shown in one."""
    near: list[Mark] = []
    for mark in marks:
        if near and mark.span.start - near[0].span.start > _FAR:
            yield near
            near = []
        near.append(mark)
    yield near


def _underline(marks: list[Mark], line: str, shift: int) -> Iterator[str]:
    """The marks under one line; the last one's remark beside its mark, the others' below."""
    columns = [mark.column - shift for mark in marks]
    canvas = [" "] * (len(line) + 1)
    for (span, sign, _), column in zip(marks, columns, strict=True):
        for i in range(
            column, min(column + max(1, span.end - span.start), max(len(line), column + 1))
        ):
            if canvas[i] != "^":
                canvas[i] = sign
    *earlier, (_, _, last) = marks
    yield f"{_same_width(line, ''.join(canvas).rstrip())} {last}".rstrip()
    for (_, _, remark), column in reversed(list(zip(earlier, columns, strict=False))):
        if remark:
            yield f"{_same_width(line, ' ' * column)}{remark}"


def _same_width(line: str, marks: str) -> str:
    """Make each mark as wide as its character of the line above, so that it stays under it."""
    return "".join(
        "\t" if c == "\t" and m == " " else m * max(_width(c), m != " ")
        for m, c in zip(marks, line.ljust(len(marks)), strict=False)
    )


def _width(character: str) -> int:
    """Return how many columns of a terminal a character fills."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf") and not _turns(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _printable(line: str) -> str:
    """Show what a terminal would obey: control characters, and those that turn text around."""
    return "".join(map(_sign, line))


def _sign(character: str) -> str:
    code = ord(character)
    if character != "\t" and code < _PICTURES_OF:
        return chr(_PICTURES + code)
    if code == _DELETE:
        return "␡"
    unsafe = unicodedata.category(character) == "Cc" and character != "\t"
    return "�" if unsafe or _turns(character) else character


def _turns(character: str) -> bool:
    return unicodedata.bidirectional(character) in _TURNING


def _clip(line: str, marks: list[Mark]) -> tuple[str, int]:
    """Cut a very long line to a window around its first mark; return what was cut before it too."""
    columns = [mark.column for mark in marks]
    if len(line) <= 2 * _WIDTH:
        return line, 0
    shift = max(0, min(columns) - _WIDTH // 2)
    return line[shift : max(shift + 2 * _WIDTH, max(columns) + _WIDTH // 2)], shift


def _gutter(marks: Sequence[Mark]) -> int:
    """Return how wide the numbers of the lines are, with a blank before them."""
    return 1 + max((len(str(mark.row)) for mark in marks), default=0)
