"""Mistakes about what stands behind a layer or group: its label, its asserted shape, its `!`."""

from __future__ import annotations

from netdsl.errors import Diagnostic
from netdsl.syntax.lexemes import ANY, VALUE
from netdsl.syntax.spot import Mistake, Spot


def _label_behind_shape(spot: Spot) -> Diagnostic:
    label, shape = spot.word(0).text, spot.word(-1).text
    message = f"a label stands before the shape: `{label} :{shape}`"
    return Diagnostic("E0118", message, spot.span())


def _second_mark(spot: Spot) -> Diagnostic:
    label = spot.word(0).text if spot.word(0).kind == "label" else None
    message = f"a layer or group has one {'label' if label else 'shape'}"
    help = _how_to_read(label) if label else None
    return Diagnostic("E0118", message, spot.span(), help=help)


def _label_alone(spot: Spot) -> Diagnostic:
    label = spot.word(0).text
    help = _how_to_read(label)
    if spot.word(-1).text == "{":
        help = f"what comes into a definition is named by `Act none {label}`, which does nothing"
    return Diagnostic("E0118", f"`{label}` stands behind no layer", spot.span(), help=help)


def _how_to_read(label: str) -> str:
    """Return how a label is read, for those who write it in front of the layer that reads it."""
    return f"a label is read where a branch begins, as in `Add( | {label} )`"


def _argument_behind_mark(spot: Spot) -> Diagnostic:
    noun = "label" if spot.word(-1).kind == "label" else "shape"
    message = f"the arguments of a layer stand before its {noun}"
    return Diagnostic("E0118", message, spot.span())


def _pin_elsewhere(spot: Spot) -> Diagnostic:
    message = "`!` stands only directly behind a channel count or a repeat: `16!`, `x3!`"
    return Diagnostic("E0118", message, spot.span())


_SIZE = "colon (?:number|dims)"

MARKS = (
    Mistake("item", _SIZE, "label", _label_behind_shape),
    Mistake("item", f"label|{_SIZE}", "label|colon", _second_mark),
    Mistake("item", f"label|{_SIZE}", f"{VALUE}|list|pin", _argument_behind_mark),
    Mistake("item|entry", ANY, "label", _label_alone),
    Mistake(ANY, ANY, "pin", _pin_elsewhere),
)
