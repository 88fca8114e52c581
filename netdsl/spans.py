"""A text that is read, and ranges of its characters, with their lines and columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LINE_ENDS = "\r\n\x85\u2028\u2029"  # each ends a line, `\r\n` together a single one
_LINE_END = re.compile(f"[{LINE_ENDS}]")


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
        """Its characters, as they were written."""
        return self.source.text[self.start : self.end]

    @property
    def position(self) -> tuple[int, int]:
        """Line and column of its first character, both counted from 1."""
        return self.source.position(self.start)

    def to(self, other: Span) -> Span:
        """Return the range from the start of this one to the end of `other`."""
        return Span(self.source, self.start, other.end)
