"""A syntax error in the user's words.

Lark can say which terminals it would have taken, which helps nobody: for `Conv 64)` that is the end
of the input. So the mistakes that people make are listed in tables, and the first row that fits the
spot speaks. A row is found by what was being read, by the words before the error and by those that
follow; a mistake that no row knows is told as what was expected there.
"""

from __future__ import annotations

from netdsl.errors import Diagnostic
from netdsl.syntax.header_mistakes import HEADER
from netdsl.syntax.item_mistakes import ITEMS
from netdsl.syntax.repeat_mistakes import REPEATS
from netdsl.syntax.spot import Spot
from netdsl.syntax.value_mistakes import VALUES

MISTAKES = (*VALUES, *HEADER, *REPEATS, *ITEMS)

_EXPECTED = {
    "entry": "a header entry or a layer",
    "item": "a layer",
    "layer": "an argument or the next layer",
    "list": "a value",
    "bracket": "a value",
    "repeat": "a number",
}


def diagnose(spot: Spot) -> Diagnostic:
    """Return what to tell the user about a spot."""
    found = (mistake.find(spot) for mistake in MISTAKES)
    return next((diagnostic for diagnostic in found if diagnostic), None) or _unknown(spot)


def _unknown(spot: Spot) -> Diagnostic:
    word = spot.word(0)
    if word.kind == "other":
        return Diagnostic("E0101", f"unexpected character `{word.text}`", spot.span())
    expected = _EXPECTED.get(spot.place)
    mark = f"expected {expected}" if expected else ""
    message = f"unexpected `{word.text}`" if word.text else "the text ends too early"
    return Diagnostic("E0102", message, spot.span(), mark=mark)
