"""From one syntax error to the next: report it, drop what it is part of, go on behind that."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from lark import Token
from lark.exceptions import UnexpectedInput, UnexpectedToken

from netdsl.errors import Diagnostic
from netdsl.syntax.begun import Begun
from netdsl.syntax.brackets import COUNTED
from netdsl.syntax.follow import Consequences
from netdsl.syntax.foreign import setting_here
from netdsl.syntax.lexemes import Lexeme
from netdsl.syntax.mistakes import diagnose
from netdsl.syntax.scan import Scan
from netdsl.syntax.spot import Spot
from netdsl.syntax.words import TERMINALS, Words

_PASSED_IN = ("entry", "item", "default", "scale", "expect", "combine")


class Recovery:
    """What Lark calls at each error of a source; `faults` are all findings so far."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self.found: list[Diagnostic] = []
        self.consequences = Consequences(scan)
        self.resumed_at = (-1, 0)  # a word, and how deep the parser was there

    @property
    def faults(self) -> list[Diagnostic]:
        """What was found here and before the grammar was asked."""
        return [*self.consequences.known(), *self.found]

    @property
    def is_full(self) -> bool:
        """Whether so much is wrong that the text is not read on."""
        return len(self.found) == COUNTED

    @cached_property
    def words(self) -> Words:
        """The words of the source; nobody needs them where nothing is wrong."""
        return Words(self.scan.text, self.scan.brackets)

    def __call__(self, error: UnexpectedInput) -> bool:
        """Report an error and set the parser behind it; false where nothing is left to read."""
        parser: Any = error.interactive_parser
        begun = Begun(parser.parser_state)
        spot = Spot(self.scan.source, self.words, self._index(error), begun.place)
        if not self.consequences.is_consequence(spot, begun):
            self.found.append(diagnose(spot))
            self.consequences.note(spot)
        if spot.index == len(self.words) or self.is_full:
            return False
        behind = self._behind(spot, begun, parser)
        index = behind or self._next(spot, begun, parser)
        parser.lexer_thread.state.line_ctr.char_pos = self.words.offset(index)
        stuck_at, self.resumed_at = self.resumed_at, (index, len(parser.parser_state.state_stack))
        return bool(behind) or self.resumed_at != stuck_at

    def _index(self, error: UnexpectedInput) -> int:
        """Return which word the parser gave up at; at the end, how many there are."""
        start = error.pos_in_stream
        if isinstance(error, UnexpectedToken):
            if error.token.type == "$END":
                return len(self.words)
            start = error.token.start_pos
        return self.words.index(start or 0)

    def _behind(self, spot: Spot, begun: Begun, parser: Any) -> int:
        """Return the next word if this one can be passed over as if it were not there, else 0."""
        word = spot.word(0)
        is_separator = word.kind in ("comma", "arrow") and spot.place in _PASSED_IN
        if not is_separator and word.start not in self.scan.brackets.stray:
            return 0
        if spot.place == "item" and begun.parts:  # the bracket may have ended more than it should
            begun.drop()
            parser.feed_token(_hole(word))
        return spot.index + 1

    def _next(self, spot: Spot, begun: Begun, parser: Any) -> int:
        """Drop what was begun; return the word at which something new starts."""
        word, index = spot.word(0), spot.index
        for token in begun.opened[:1]:
            index = max(index, self.words.behind(self.words.index(token.start_pos or 0)))
        begun.drop()
        if begun.in_header:
            value, last = spot.whole_word()
            is_value = spot.place == "setting" and setting_here(spot.word(-1).text, value)
            if is_value:
                return spot.index + last + 1
            return self.words.next_entry(index, begun=spot.place != "entry")
        parser.feed_token(_hole(word))
        if word.start in self.scan.brackets.unclosed.values():
            _leave(parser, TERMINALS[word.kind], _hole(word))
        return self.words.next_item(index, parser.accepts())


def _hole(word: Lexeme) -> Token:
    """Return a layer that stands for what could not be read, so that no body is without one."""
    return Token("LAYER", word.text, start_pos=word.start, end_pos=word.end)


def _leave(parser: Any, closing: str, hole: Token) -> None:
    """Drop what a bracket runs into, out to where it can close something."""
    state = parser.parser_state
    while closing not in parser.accepts():
        Begun(state).drop()
        opened = state.value_stack[1:]
        if opened:
            state.state_stack.pop()
            state.value_stack.pop()
            Begun(state).drop()
        parser.feed_token(hole)
        if not opened:
            break
