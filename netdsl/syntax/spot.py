"""The spot of a syntax error, and the tables that know what was meant there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest

from netdsl.errors import Diagnostic, Source, Span
from netdsl.syntax.lexemes import Lexeme
from netdsl.syntax.words import Words

LENGTH = 40  # of a text that is suggested; a longer one would not be read


@dataclass(frozen=True, slots=True)
class Spot:
    """The word at which the grammar gave up, `words[index]`, and what it is part of.

    `place` is what was being read: a "layer", the options of a "combine", a "setting", … or, where
    nothing was begun, "item" in the body and "entry" in the header.
    """

    source: Source
    words: Words
    index: int
    place: str

    def word(self, offset: int) -> Lexeme:
        """Return the word so many words behind the faulty one; past the last an empty "end"."""
        i, words = self.index + offset, self.words.all
        if 0 <= i < len(words):
            return words[i]
        end = words[-1].end if words and i >= 0 else 0
        return Lexeme("end" if i >= 0 else "start", "", end, end)

    def kinds(self, first: int, last: int) -> str:
        """Return the kinds of the words from one offset to another, with spaces between."""
        return " ".join(self.word(i).kind for i in range(first, last + 1))

    def span(self, first: int = 0, last: int | None = None) -> Span:
        """Return the range from one word to another, by offset from the faulty one."""
        last = first if last is None else last
        return Span(self.source, self.word(first).start, self.word(last).end)

    def written(self, first: int, last: int) -> str:
        """Return some words as on one line, with neither comments nor line breaks between them."""
        gaps = (" " * (self.word(i).end < self.word(i + 1).start) for i in range(first, last))
        words = (self.word(i).text for i in range(first, last + 1))
        return "".join(word + gap for word, gap in zip_longest(words, gaps, fillvalue=""))

    def whole_word(self) -> tuple[str, int]:
        """Return a word with what is glued to it, as in `ReLU6`, and the offset of its end."""
        last = 0
        while self.glued(last) and self.word(last + 1).kind in ("number", "word", "short", "layer"):
            last += 1
        return self.written(0, last), last

    def glued(self, offset: int) -> bool:
        """Whether no space stands between a word and the next one."""
        return self.word(offset).end == self.word(offset + 1).start

    def last(self, kind: str) -> int:
        """Return the offset of the last word of a kind before the faulty one."""
        return next(
            i for i in range(-1, -self.index - 2, -1) if self.word(i).kind in (kind, "start")
        )

    def partner(self, offset: int) -> int | None:
        """Return the offset of the bracket that belongs to this one, if one does."""
        other = self.words.partners.get(self.word(offset).start)
        return None if other is None else self.words.index(other) - self.index


@dataclass(frozen=True, slots=True)
class Mistake:
    """A row of the tables of mistakes: where it is made, between which words, and what to say.

    `place`, `before` and `at` are patterns of the place, of the kinds of the three words before
    the faulty one (at their end) and of its own and the next two (at their start). `say` may find
    that the row does not apply after all.
    """

    place: str
    before: str
    at: str
    say: Callable[[Spot], Diagnostic | None]

    def find(self, spot: Spot) -> Diagnostic | None:
        """Return what to say if this is the mistake that was made."""
        fits = (
            re.fullmatch(self.place, spot.place)
            and re.search(rf"(?:^| )(?:{self.before})$", spot.kinds(-3, -1))
            and re.match(rf"(?:{self.at})(?: |$)", spot.kinds(0, 2))
        )
        return self.say(spot) if fits else None
