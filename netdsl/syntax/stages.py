"""Cells of He et al. one behind the other: which of them halve the map, and their shortcuts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from netdsl.syntax.here import Form

_PROJECTED = (
    "where channels change, the ResNets and ResNeXts of ImageNet have projections: "
    "`shortcut project` in the header"
)
_NARROWEST = 64  # of their blocks
_SIGNS = re.compile(r"(?:\s|,|;|->|→)*")
_BLOCK = re.compile(r"\b(?:BB|Bott) (?P<channels>[0-9]{1,9})(?P<factor>\*\w+)?")


def with_stages(text: str, forms: Sequence[Form]) -> list[Form]:
    """Return forms in which a cell is told with what the one before says of it.

    He et al. 2015, section 3.3: if the size of the map is halved, the number of filters is doubled.
    Where a table has no sizes, a cell that doubles those of the cell before it is said to halve.
    """
    told = list(forms)
    before: Form | None = None  # the last form of which something is written
    end, is_next = 0, False
    for place, form in enumerate(told):
        is_next = is_next and _SIGNS.fullmatch(text, end, form.start) is not None
        if before is not None and is_next and _doubles(before, form):
            told[place] = _halved(form)
        if form.here.words:
            before, is_next = form, True
        end = form.end
    if "shortcut" not in text and (first := _first_widening(forms)) is not None:
        told[first] = _with_help(told[first], _PROJECTED)
    return told


def _doubles(before: Form, form: Form) -> bool:
    """Say whether a cell has twice the channels of the one before it."""
    one, two = _BLOCK.search(before.here.words), _BLOCK.search(form.here.words)
    if form.here.halved is None or one is None or two is None:
        return False
    is_double = 2 * int(one["channels"]) == int(two["channels"])
    return is_double and one["factor"] == two["factor"]


def _halved(form: Form) -> Form:
    """Return a cell that is told to halve the map, and how it is written if it does not."""
    here, first = form.here, form.here.help or ""
    kept = f"where its channels double, a cell of He et al. halves the map; else it is {here.words}"
    rest = first.partition("`; ")[2]  # behind how it is written where it halves the map
    help = f"{kept}; {rest}" if rest else kept
    return replace(form, here=replace(here, words=f"`{here.halved}`", help=help))


def _first_widening(forms: Sequence[Form]) -> int | None:
    """Return the place of the first cell that changes channels, in tables as of ImageNet."""
    blocks = [form.here.block for form in forms if form.here.block is not None]
    if not blocks or min(blocks) < _NARROWEST:
        return None
    width = None
    for place, form in enumerate(forms):
        if form.here.block is not None and width not in (None, form.here.block):
            return place
        conv = re.match(r"`Conv ([0-9]{1,9})", form.here.words)
        width = int(conv[1]) if conv else form.here.block or width
    return None


def _with_help(form: Form, help: str) -> Form:
    help = f"{form.here.help}; {help}" if form.here.help else help
    return replace(form, here=replace(form.here, help=help))
