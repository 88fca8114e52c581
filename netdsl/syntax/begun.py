"""Parser stacks to what was being read: the layer, list or header entry that an error cuts off."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from lark import Token, Tree

from netdsl.syntax import tree
from netdsl.syntax.lexemes import COMBINERS

_BRACKETS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
_ENTRIES = {"DEFAULT": "default", "SCALE": "scale", "EXPECT": "expect", "DEF": "def"}
_ITEMS = {"LAYER": "layer", "LPAR": "item"}
_ITEMS |= dict.fromkeys(map(str.upper, COMBINERS), "combine")


class Begun:
    """What a parser has read since the last place where an item or a header entry could start.

    Its stacks hold one state more than values; the states tell where such a place is.
    """

    def __init__(self, state: Any) -> None:
        self.state = state
        self.size = _size(state)
        self.parts = state.value_stack[len(state.value_stack) - self.size :]
        self.tokens = [part for part in self.parts if isinstance(part, Token)]

    @property
    def opened(self) -> list[Token]:
        """The brackets that were opened in it and not closed again, the outermost first."""
        opened: list[Token] = []
        for token in self.tokens:
            if token.type in _BRACKETS:
                opened.append(token)
            elif opened and token.type == _BRACKETS[opened[-1].type]:
                opened.pop()
        return opened

    @property
    def first(self) -> Any:
        """The token or node that it starts with, if it holds anything."""
        part = self.parts[0] if self.parts else None
        while isinstance(part, Tree) and part.children:
            part = part.children[0]
        return part

    @property
    def kind(self) -> str:
        """What it is, by what it starts with: "layer", "combine", "setting", "default", …"""
        first = self.first
        if isinstance(first, Token):
            return {**_ENTRIES, **_ITEMS}.get(first.type, "item")
        if isinstance(first, tree.Name):
            return "setting"
        return "entry" if isinstance(first, tree.Header) else "item"

    @property
    def in_header(self) -> bool:
        """Whether it is a header entry, or stands where one could start."""
        if not self.parts:
            return "entry" in _actions(self.state, 0)
        return self.kind in ("setting", "entry", *_ENTRIES.values())

    @property
    def place(self) -> str:
        """What of it was being read: its kind, or a "list", "bracket" or "repeat" inside."""
        kind = self.kind
        values = self.opened[1:] if kind in _ENTRIES.values() else self.opened
        if values:
            return "list" if values[-1].type == "LSQB" else "bracket"
        types = [token.type for token in self.tokens]
        if "TIMES" in types and isinstance(self.parts[-1], Token):
            return "repeat"
        end = "RBRACE" if kind == "def" else "RPAR"
        finished = end in types or (kind == "setting" and self.parts[1:])
        if finished or not self.parts:
            return "entry" if self.in_header else "item"
        return kind

    def drop(self) -> None:
        """Take it off the stacks."""
        del self.state.state_stack[len(self.state.state_stack) - self.size :]
        del self.state.value_stack[len(self.state.value_stack) - self.size :]


def _size(state: Any) -> int:
    """Count the values above the last place where something could start, outside what is closed."""
    closed = 0
    for i, part in enumerate(reversed(state.value_stack)):
        if not closed and _actions(state, i) & {"item", "entry"}:
            return i
        closed = max(0, closed + _closes(part))
    return len(state.value_stack)


def _closes(part: Any) -> int:
    """Return 1 for a bracket that closes a body, -1 for what opened one, else 0."""
    if isinstance(part, Tree):
        return -(part.data == "_combine")
    kind = part.type if isinstance(part, Token) else ""
    return (kind in ("RPAR", "RBRACE")) - (kind in ("LPAR", "LBRACE"))


def _actions(state: Any, below: int) -> Set[str]:
    """Return the terminals and rules that a state so far below the top can take."""
    if below == len(state.value_stack):
        return {"entry", "item"}
    actions: dict[str, Any] = state.parse_conf.parse_table.states[state.state_stack[-1 - below]]
    return actions.keys()
