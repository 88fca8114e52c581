"""The input that the first layer of Keras says, `input_shape=(28, 28, 1)`, to that of a network."""

from __future__ import annotations

import re
from dataclasses import replace

from netdsl.syntax.here import INPUT_SAID, Form

_SHAPE = re.compile(r"\binput_shape\s*=\s*(\([^()]*\)|[^,()]+)")
_CAPITAL = re.compile(r"(?<![\w.])[A-Z]")
_LEFT_AWAY = "its `input_shape` is left away: the header says it, as in `input 3x224x224`"
_UNKNOWN = "…"


def is_channels_last(a: str, b: str, c: str) -> bool:
    """Say whether the sizes of an input are those of a square with few channels behind them.

    >>> is_channels_last("224", "224", "3"), is_channels_last("3", "224", "224")
    (True, False)
    """
    return a == b and 4 * int(c) < int(a)


def input_of(name: str, arguments: str) -> str | None:
    """Return the input that a layer of Keras says, channels first; `…` for one that is not known.

    >>> input_of("Conv2D", "8, 3, input_shape=(28, 20, 3)"), input_of("Conv2D", "8, 3")
    ('3x28x20', None)
    >>> input_of("Flatten", "input_shape=(28, 20)"), input_of("Dense", "input_shape=size")
    ('1x28x20', '…')
    """
    said = _SHAPE.search(arguments)
    if said is None:
        return None
    sizes = re.findall(r"[^\s,()]+", said[1])
    if name == "Flatten" and len(sizes) == 2:
        return "x".join(("1", *sizes)) if all(map(str.isdecimal, sizes)) else _UNKNOWN
    if not all(map(str.isdecimal, sizes)) or len(sizes) not in (1, 3):
        return _UNKNOWN
    is_first = "channels_first" in arguments
    return "x".join(sizes if is_first else [*sizes[2:], *sizes[:2]])


def with_input(text: str, forms: list[Form]) -> list[Form]:
    """Return forms with the input in front of the first layer that says it, unless a text has one.

    Where other layers may stand before it, or the input is not known, that is told.
    """
    place = next((i for i, form in enumerate(forms) if form.here.input), None)
    has_input = INPUT_SAID.search(text) or any(
        (form.here.code or "").startswith("input ") for form in forms
    )
    if place is None or has_input:
        return forms
    here = forms[place].here
    if here.input == _UNKNOWN or _has_layers_before(text, forms[: place + 1]):
        here = replace(here, help=f"{here.help}; {_LEFT_AWAY}" if here.help else _LEFT_AWAY)
    else:
        here = here.written(f"input {here.input}  {here.code}")
    return [*forms[:place], replace(forms[place], here=here), *forms[place + 1 :]]


def _has_layers_before(text: str, forms: list[Form]) -> bool:
    """Say whether a layer may stand before the last of some forms, as one of them or between."""
    before = forms[:-1]
    between = zip([0, *(form.end for form in before)], forms, strict=True)
    return any(form.here.code for form in before) or any(
        _CAPITAL.search(text, end, form.start) for end, form in between
    )
