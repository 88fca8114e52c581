"""A finding to the lines that show it: its message over the text, each range underlined."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netdsl.errors import Diagnostic, Source, Span

_WIDTH = 120  # letters; a line of more than twice as many is cut to some around its mark
_FAR = 6 * _WIDTH  # letters between two marks, beyond which each has an excerpt of its own
_PICTURES = 0x2400  # U+2400 is the picture of U+0000, and so on
_PICTURES_OF, _DELETE = 0x20, 0x7F
_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def lines(diagnostic: Diagnostic) -> Iterator[str]:
    """Yield the message, the lines that it is about with their marks, and what helps."""
    yield f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"
    if diagnostic.span is not None:
        yield from _excerpt(diagnostic, diagnostic.span)
    if diagnostic.help is not None:
        indent = " " * (_gutter(diagnostic) if diagnostic.span else 1)
        yield f"{indent} = help: {diagnostic.help}"


def width(text: str) -> int:
    """Return how many columns of a terminal a text fills.

    >>> width("网络 1"), width("Net 1")
    (6, 5)
    """
    return sum(map(_width, text))


def _excerpt(diagnostic: Diagnostic, span: Span) -> Iterator[str]:
    """The lines of the primary range and of its labels, in the order of the text, file by file."""
    gutter = _gutter(diagnostic)
    marks = [
        (span, "^", diagnostic.mark),
        *((label.span, "-", label.text) for label in diagnostic.labels),
    ]
    sources = list(dict.fromkeys(s.source for s, _, _ in marks))
    for source in sources:
        here = sorted((m for m in marks if m[0].source == source), key=lambda m: m[0].start)
        first = span if source == span.source else here[0][0]
        row, column = source.position(first.start)
        arrow = "-->" if source == span.source else ":::"
        yield f"{' ' * gutter}{arrow} {source.name}:{row}:{column}"
        yield f"{' ' * gutter} |"
        rows = list(dict.fromkeys(source.position(m[0].start)[0] for m in here))
        for number in rows:
            on_row = [m for m in here if source.position(m[0].start)[0] == number]
            for near in _near(on_row):
                text, shift = _clip(source.line(near[0][0].start), near, source)
                yield f"{number:>{gutter}} | {_printable(text)}".rstrip()
                for line in _underline(near, source, text, shift):
                    yield f"{' ' * gutter} | {line}"


def _near(marks: list[tuple[Span, str, str]]) -> Iterator[list[tuple[Span, str, str]]]:
    """The marks of one line, those apart that are too far from one another to be shown in one."""
    near: list[tuple[Span, str, str]] = []
    for mark in marks:
        if near and mark[0].start - near[0][0].start > _FAR:
            yield near
            near = []
        near.append(mark)
    yield near


def _underline(
    marks: list[tuple[Span, str, str]], source: Source, line: str, shift: int
) -> Iterator[str]:
    """The marks under one line; the last one's remark beside its mark, the others' below."""
    columns = [source.position(span.start)[1] - 1 - shift for span, _, _ in marks]
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


def _clip(line: str, marks: list[tuple[Span, str, str]], source: Source) -> tuple[str, int]:
    """Cut a very long line to a window around its first mark; return what was cut before it too."""
    columns = [source.position(span.start)[1] - 1 for span, _, _ in marks]
    if len(line) <= 2 * _WIDTH:
        return line, 0
    shift = max(0, min(columns) - _WIDTH // 2)
    return line[shift : max(shift + 2 * _WIDTH, max(columns) + _WIDTH // 2)], shift


def _gutter(diagnostic: Diagnostic) -> int:
    spans = [diagnostic.span, *(label.span for label in diagnostic.labels)]
    rows = [span.source.position(span.start)[0] for span in spans if span is not None]
    return 1 + max(len(str(row)) for row in rows)
