"""The arguments of a layer as they were given, and the words that say them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from netdsl.amounts import sized
from netdsl.errors import Label, Span, fail
from netdsl.lower.values import plain
from netdsl.syntax.shorthand import LETTERS


@dataclass(slots=True)
class Bound:
    """The arguments as they were given: by field, with their places, and as canonical words."""

    values: dict[str, Any] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    open: set[str] = field(default_factory=set)  # fields that a parameter has a say in

    def put(
        self, name: str, value: Any, span: Span, owner: str, *,
        is_open: bool = False, help: str | None = None,
    ) -> None:  # fmt: skip
        """Keep one argument; a second one for the same field is an error, which `help` mends."""
        self.open |= {name} if is_open else set()
        if name in self.values:
            message = f"{owner} has its `{name}` twice"
            first = Label(self.spans[name], "first here")
            raise fail("E0207", message, span, labels=[first], help=help)
        self.values[name] = value
        self.spans[name] = span


def option_text(key: str, value: Any) -> str:
    """Write an option as short as it may be: `s2`, `k=3x5`, `act=none`."""
    text = value_text(value)
    return f"{key}{text}" if key in LETTERS and text.isdecimal() else f"{key}={text}"


def value_text(value: Any) -> str:
    """Write an argument's value as it stands in a source."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        h, w = value[0], value[-1]
        return str(h) if len(value) == 2 and h == w else sized(value)
    return _float_text(value) if isinstance(value, float) else plain(value)


def _float_text(value: float) -> str:
    """Write a number without what no source has: an exponent above 0, and digits that are lost.

    >>> _float_text(0.1), _float_text(1e6), _float_text(0.12345671), _float_text(1e-6)
    ('0.1', '1000000', '0.12345671', '1e-06')
    """
    text = f"{value:g}"
    if "+" not in text and float(text) == value:
        return text
    return str(int(value)) if value.is_integer() else repr(value)
