"""Which errors only follow from others: a person is told the fault, not what comes of it."""

from __future__ import annotations

from bisect import bisect_left

from netdsl.errors import Diagnostic
from netdsl.syntax.begun import Begun
from netdsl.syntax.lexemes import KEYWORDS
from netdsl.syntax.scan import Scan
from netdsl.syntax.spot import Spot

_BRACKETED = ("combine", "default", "scale", "expect", "def")


class Consequences:
    """What is to be expected after the faults that were reported so far."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self.brackets = scan.brackets
        # Where an `Add` without its bracket is told: each `|` behind it belongs to its branches.
        self.bare = len(scan.text)
        # Where an entry of the header is told that stands behind layers: so do all behind it.
        self.entry = len(scan.text)
        # Words that are told: an error right behind one of them follows from it.
        self.spoiled: set[int] = set()
        # Brackets and quotes that make no sense, but will be right once what is told is mended.
        self.explained: set[int] = set()

    def note(self, spot: Spot) -> None:
        """Take note of what will come of an error that is reported."""
        word = spot.word(0)
        if spot.place == "combine":
            self.bare = min(self.bare, word.start)
        if spot.place in _BRACKETED or word.kind == "bar":
            self.explained.update(sorted(i for i in self.brackets.stray if i > word.start)[:1])
        if word.kind in KEYWORDS:
            self.entry = min(self.entry, word.start)
        if word.kind in ("comma", "arrow"):
            self.spoiled.add(word.start)
        if spot.kinds(-2, -1) == "layer open":
            opened = spot.word(-1).start
            closed = self.brackets.partners.get(opened, -1)
            self.spoiled.add(closed)
            self.explained.update(
                i for i in self.scan.blanks if opened < i < closed and self._quotes(i)
            )

    def _quotes(self, offset: int) -> bool:
        return self.scan.source.text[offset] in "'‘’"

    def known(self) -> list[Diagnostic]:
        """Return the faults found before the grammar was asked, less those that only follow.

        After an `Add` without brackets the next one to close nothing is the end of its branches.
        """
        faults = self.scan.faults
        return [f for f in faults if f.span is None or f.span.start not in self.explained]

    def is_consequence(self, spot: Spot, begun: Begun) -> bool:
        """Whether an error only follows from a fault that is reported already."""
        word, before = spot.word(0), spot.word(-1)
        return (
            self._is_blanked(before.start, word.end)
            or word.start in self.brackets.stray
            or word.start in self.brackets.unclosed
            or word.start in self.brackets.unclosed.values()
            or before.start in self.brackets.stray
            or before.start in self.spoiled
            or (word.kind == "bar" and self.bare < word.start)
            or (word.kind in KEYWORDS and self.entry < word.start)
            or self._is_left_open(spot, begun)
            or self._closes_list(spot)
        )

    def _is_blanked(self, start: int, end: int) -> bool:
        blanks = self.scan.blanks
        return bisect_left(blanks, start) < bisect_left(blanks, end)

    def _is_left_open(self, spot: Spot, begun: Begun) -> bool:
        """Whether a bracket that nothing closes leads to the error."""
        if any(token.start_pos in self.brackets.unclosed for token in begun.opened):
            return True
        here, unclosed = spot.word(0).start, self.brackets.unclosed.items()
        left = [i for i, outer in unclosed if i < here and (outer is None or here < outer)]
        ends = spot.word(0).kind in ("end", "times", *KEYWORDS) or spot.word(-1).kind == "times"
        return any(ends or self.scan.text[i] == "{" for i in left)

    def _closes_list(self, spot: Spot) -> bool:
        """Whether a `]` that nothing opens ends this layer: `Conv 64, 128]`."""
        for word in spot.words.all[spot.index :]:
            if word.kind in ("layer", "combine") or word.start in self.brackets.stray:
                return word.text == "]"
        return False
