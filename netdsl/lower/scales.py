"""A `scale` of the header to the values that it sets."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from netdsl.errors import fail
from netdsl.lower.convert import convert
from netdsl.lower.names import SETTINGS, refuse_twice, words_beside
from netdsl.lower.values import Scope, evaluate, number
from netdsl.syntax import tree


def scale_values(entry: tree.Scale) -> dict[str, Any]:
    """Return what a scale sets; `width` and `depth` are factors above 0.

    It is read ahead of all else, so that none of its values can mention a parameter.
    """
    refuse_twice(entry.options)
    return {option.key: _scale_value(option) for option in entry.options}


def _scale_value(option: tree.Option) -> Any:
    span = option.value.span
    if option.key in ("width", "depth"):
        factor = Fraction(number(option.value, Scope({})))
        if factor <= 0:
            message = f"`{option.key}` of a scale must be above 0, not {option.value}"
            raise fail("E0206", message, span)
        return factor
    if option.key in SETTINGS:
        return convert(SETTINGS[option.key], option.value, Scope({}), "")
    return evaluate(option.value, Scope({}), words_beside(()))
