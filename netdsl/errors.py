"""What can go wrong, where in the source, and how it is shown: code, message, line, caret."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

Severity = Literal["error", "warning", "note"]

MOST = 20  # errors of a text that are told, and as many findings that are none
LINE_ENDS = "\r\n\x85\u2028\u2029"  # each ends a line, `\r\n` together a single one
_LINE_END = re.compile(f"[{LINE_ENDS}]")
_WIDTH = 120  # letters; a line of more than twice as many is cut to some around its mark
_FAR = 6 * _WIDTH  # letters between two marks, beyond which each has an excerpt of its own
_PICTURES = 0x2400  # U+2400 is the picture of U+0000, and so on
_PICTURES_OF, _DELETE = 0x20, 0x7F
_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


@dataclass(frozen=True, slots=True)
class Source:
    """A text and the name that its diagnostics call it by."""

    name: str
    text: str = field(repr=False)

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column of a character, both counted from 1.

        >>> Source("net.arch", "Conv 64\\nAvg 2").position(12)
        (2, 5)
        """
        begin = self._begin(offset)
        ended = sum(self.text.count(end, 0, begin) for end in LINE_ENDS)
        return ended - self.text.count("\r\n", 0, begin) + 1, offset - begin + 1

    def line(self, offset: int) -> str:
        """Return the line that holds a character, without its end."""
        end = _LINE_END.search(self.text, offset)
        return self.text[self._begin(offset) : end.start() if end else None]

    def _begin(self, offset: int) -> int:
        return max(self.text.rfind(end, 0, offset) for end in LINE_ENDS) + 1


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of characters in a source."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """Return the range from the start of this one to the end of `other`."""
        return Span(self.source, self.start, other.end)


@dataclass(frozen=True, slots=True)
class Label:
    """A remark on a further range: where an operand came from, which bracket was opened."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a stable code, a message with its numbers, and the characters it is about."""

    code: str
    message: str
    span: Span | None = None
    labels: tuple[Label, ...] = ()
    mark: str = ""
    help: str | None = None

    @property
    def severity(self) -> Severity:
        return {"E": "error", "W": "warning", "N": "note"}[self.code[0]]  # type: ignore[return-value]

    def show(self) -> str:
        """Return the message over the lines as they were written, each range underlined.

        >>> source = Source("net.arch", "Max16 Avg4")
        >>> span = Span(source, 6, 10)
        >>> print(Diagnostic("E0301", "Avg 4 does not fit", span, mark="input 8x2x2").show())
        error[E0301]: Avg 4 does not fit
          --> net.arch:1:7
           |
         1 | Max16 Avg4
           |       ^^^^ input 8x2x2
        """
        return "\n".join(_lines(self))

    def within(self, calls: Iterable[Span]) -> Diagnostic:
        """Return it with the calls of definitions that it stands in, the innermost first."""
        return replace(self, labels=(*self.labels, *(Label(one, "called here") for one in calls)))

    def record(self) -> dict[str, object]:
        """Return what `--format json` prints: offsets count from 0, lines and columns from 1."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "help": self.help,
            "span": _record(self.span) if self.span else None,
            "mark": self.mark,
            "labels": [{"text": label.text, **_record(label.span)} for label in self.labels],
        }


def by_place(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return findings in the order of their places, those of no place first."""
    return tuple(sorted(findings, key=lambda one: one.span.start if one.span else -1))


def first_by_place(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the first `MOST` errors and as many other findings, and how many more there are.

    >>> unknown = [Diagnostic("E0202", f"unknown setting `{one}`") for one in range(1022)]
    >>> first_by_place(unknown)[-1].message
    '… and 1,002 more errors'
    """
    told = by_place(dict.fromkeys(findings))
    errors = [one for one in told if one.severity == "error"]
    others = [one for one in told if one.severity != "error"]
    more = [
        f"{number:,} more {noun}{'' if number == 1 else 's'}"
        for number, noun in ((len(errors) - MOST, "error"), (len(others) - MOST, "warning"))
        if number > 0
    ]
    if not more:
        return told
    first = by_place((*errors[:MOST], *others[:MOST]))
    return (*first, Diagnostic("N0122", f"… and {' and '.join(more)}"))


class NetDSLError(Exception):
    """What is wrong with a network, or with weights for it; holds all findings of one run.

    What is wrong with a training, its data or its run folder is a `TrainError`, which is no such
    error: it has no place in a text.
    """

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.diagnostics = tuple(dict.fromkeys(diagnostics))

    def __str__(self) -> str:
        return "\n\n".join(diagnostic.show() for diagnostic in self.diagnostics)


class NetDSLWarning(UserWarning):
    """What is legal and probably not meant, as `netdsl build` shows it of a network."""


class Misfit(Exception):
    """A finding without a place: ops raise it, and who knows the span makes a diagnostic of it."""

    def __init__(self, code: str, message: str, *, help: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help


def fail(
    code: str,
    message: str,
    span: Span | None = None,
    *,
    labels: Iterable[Label] = (),
    help: str | None = None,
) -> NetDSLError:
    """Return an error of one finding, to be raised."""
    return NetDSLError(Diagnostic(code, message, span, tuple(labels), help=help))


def _lines(diagnostic: Diagnostic) -> Iterator[str]:
    yield f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"
    if diagnostic.span is not None:
        yield from _excerpt(diagnostic, diagnostic.span)
    if diagnostic.help is not None:
        indent = " " * (_gutter(diagnostic) if diagnostic.span else 1)
        yield f"{indent} = help: {diagnostic.help}"


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


def _record(span: Span) -> dict[str, object]:
    line, column = span.source.position(span.start)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "start": span.start,
        "end": span.end,
    }
