"""The words of a faulty text, and the way through them to where the parser can go on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Set

from netdsl.syntax.brackets import Brackets
from netdsl.syntax.lexemes import KEYWORDS, lexemes

_ITEMS = ("layer", "combine")
_ENTRIES = (*_ITEMS, *KEYWORDS, "word")
TERMINALS = {"close": "RPAR", "end_list": "RSQB", "end_brace": "RBRACE", "bar": "BAR"}


class Words:
    """All words of a text by their index; `partners` pairs the offsets of its brackets."""

    def __init__(self, text: str, brackets: Brackets) -> None:
        self.text = text
        self.all = lexemes(text)
        self.starts = [word.start for word in self.all]
        self.partners = {closed: opened for opened, closed in brackets.partners.items()}
        self.partners |= brackets.partners
        self.ends = set(brackets.unclosed.values())

    def __len__(self) -> int:
        return len(self.all)

    def index(self, offset: int) -> int:
        """Return which word holds a character, or is the last before it."""
        return bisect_right(self.starts, offset) - 1

    def offset(self, i: int) -> int:
        """Return where a word starts; behind the last one, where the text ends."""
        return self.starts[i] if i < len(self.starts) else len(self.text)

    def behind(self, i: int) -> int:
        """Return the next word, or the one behind the bracket that closes this one."""
        start = self.starts[i]
        return self.index(max(start, self.partners.get(start, start))) + 1

    def next_item(self, i: int, closing: Set[str]) -> int:
        """Return which word from the given one on is the first to start an item, or to end all."""
        while i < len(self):
            kind = self.all[i].kind
            ends = TERMINALS.get(kind) in closing or self.starts[i] in self.ends
            if kind in _ITEMS or ends or self._opens_items(i):
                return i
            i = self._behind_entry(i) if kind in KEYWORDS else self.behind(i)
        return i

    def next_entry(self, i: int, *, begun: bool) -> int:
        """Return which word from the given one on is the first to start a line and an entry.

        Where no entry was begun, a layer within a line may follow as well.
        """
        while i < len(self):
            layer = self.all[i].kind in _ITEMS or self._opens_items(i)
            starts = layer or self.all[i].kind in _ENTRIES
            if starts and (self._is_first_of_line(i) or (layer and not begun)):
                return i
            i = self.behind(i)
        return i

    def _behind_entry(self, i: int) -> int:
        """Return which word follows a header entry such as `def`."""
        i += 1
        if i < len(self) and self.all[i].kind in (*_ITEMS, "word"):
            i += 1
        while i < len(self) and self.all[i].kind in ("open", "brace"):
            i = self.behind(i)
        return i

    def _is_first_of_line(self, i: int) -> bool:
        return i == 0 or "\n" in self.text[self.all[i - 1].end : self.starts[i]]

    def _opens_items(self, i: int) -> bool:
        """Whether a word is the bracket of a group, not of an expression or of options."""
        if self.all[i].kind != "open":
            return False
        while i < len(self) and self.all[i].kind == "open":
            i += 1
        return i < len(self) and self.all[i].kind in _ITEMS
