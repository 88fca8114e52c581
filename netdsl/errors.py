"""What can go wrong and where in the source: code, message, characters, help."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from netdsl.amounts import counted
from netdsl.excerpt import Mark, excerpt
from netdsl.spans import LINE_ENDS as LINE_ENDS
from netdsl.spans import Source as Source
from netdsl.spans import Span as Span

Severity = Literal["error", "warning", "note"]

MOST = 20  # errors of a text that are told, and as many findings that are none


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
        """What its code begins with: E is an error, W a warning, N a note."""
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
        told = (Mark(label.span, "-", label.text) for label in self.labels)
        marks = (Mark(self.span, "^", self.mark), *told) if self.span else ()
        head = f"{self.severity}[{self.code}]: {self.message}"
        return "\n".join(excerpt(head, marks, self.help))

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
        counted(number, noun)
        for number, noun in (
            (len(errors) - MOST, "more error"),
            (len(others) - MOST, "more warning"),
        )
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


def _record(span: Span) -> dict[str, object]:
    line, column = span.position
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "start": span.start,
        "end": span.end,
    }
