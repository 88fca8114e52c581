"""Pieces of text to lines: filled to a width, broken where the source was, comments in between."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from netdsl.errors import Span
from netdsl.syntax.flat import GAP
from netdsl.syntax.tree import Comment

WIDTH = 120


class Page:
    """A text that is written piece by piece, each with the range that it had in the source.

    A piece goes to the line of the one before it unless the source has a line break between the
    two or the line is full. Comments come in by themselves, ahead of the first piece behind them.
    """

    def __init__(self, whole: Span, comments: Sequence[Comment]) -> None:
        self.source = whole.source
        self.comments = comments
        self.lines: list[str] = []
        self.indent = 0
        self.blank_due = False
        self._shown = 0  # of the comments
        self._end = 0  # of what was written last, in the source
        self._gap = ""  # to the next piece on this line, empty where none may follow
        self._ended = True  # by a comment
        self._tight = True  # no blank line may follow

    def write(self, text: str, span: Span, *, fresh: bool = False) -> None:
        """Write a piece: on the line, if there is room and it is not fresh, else on the next."""
        start, end = self._range(span)
        self._flush(start)
        breaks = self._breaks(start)
        fresh = fresh or self.blank_due
        stays = self._gap and not fresh and (not breaks or self._gap != GAP)
        if stays and len(self.lines[-1] + self._gap + text) <= WIDTH:
            self.lines[-1] += self._gap + text
        else:
            self._line(text, blank=breaks > 1)
        self._settle(end, gap=GAP)

    def begin(self, text: str, span: Span, indent: int) -> None:
        """Write a line behind which everything is indented."""
        start, _ = self._range(span)
        self.write(text, Span(self.source, start, start), fresh=True)
        self.indent += indent
        self._gap, self._tight = "", True

    def bar(self, span: Span) -> None:
        """Write the sign between two branches; the next piece stands beside it."""
        start, end = self._range(span)
        self._flush(start)
        self.indent -= 2
        self._line("|", blank=False)
        self.indent += 2
        self._settle(end, gap=" ")

    def finish(self, text: str, inner: Span, span: Span, indent: int) -> None:
        """Write the line that ends what was indented."""
        self._flush(self._range(inner)[1])
        self.indent -= indent
        self._line(text, blank=False)
        self._settle(self._range(span)[1], gap="")

    def text(self) -> str:
        """Return what was written, with the comments that are left."""
        self._flush(len(self.source.text))
        return "".join(f"{line}\n" for line in self.lines)

    def has_comment(self, span: Span) -> bool:
        """Whether a comment stands inside a range of the source."""
        start, end = self._range(span)
        first = bisect_left(self.comments, start, key=_start)
        return first < bisect_left(self.comments, end, key=_start)

    def _flush(self, before: int) -> None:
        """Write the comments that start before an offset."""
        while self._shown < len(self.comments):
            comment = self.comments[self._shown]
            if comment.span.start >= before:
                break
            self._shown += 1
            if comment.own_line or self._ended:
                self._line(comment.text, blank=self._breaks(comment.span.start) > 1)
            else:
                self.lines[-1] += GAP + comment.text
            self._settle(comment.span.end, gap="")
            self._ended = True

    def _line(self, text: str, *, blank: bool) -> None:
        if self.lines and (self.blank_due or (blank and not self._tight)):
            self.lines.append("")
            self.blank_due = False
        self.lines.append(" " * self.indent + text)

    def _settle(self, end: int, *, gap: str) -> None:
        self._end = max(self._end, end)
        self._gap, self._ended, self._tight = gap, False, False

    def _breaks(self, start: int) -> int:
        return self.source.text.count("\n", self._end, start)

    def _range(self, span: Span) -> tuple[int, int]:
        """Return the offsets of a range; one of another source is where this page has got to."""
        if span.source is not self.source:
            return self._end, self._end
        return span.start, span.end


def _start(comment: Comment) -> int:
    return comment.span.start
