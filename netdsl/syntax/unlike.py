"""What a call of torch or Keras may compute otherwise than the layer that it is written as here."""

from __future__ import annotations

import re

from netdsl.syntax import foreign_layers
from netdsl.syntax.foreign_calls import given_by, layer_of_call


def unlike_here(match: re.Match[str]) -> str | None:
    """Say what a call computes otherwise than its layer here, if anything.

    >>> from netdsl.syntax.foreign_calls import CALL
    >>> unlike_here(CALL.match("AvgPool2D(3, strides=1, padding='same')"))
    'Keras counts no padding in an average'
    >>> unlike_here(CALL.match("(1): Upsample(scale_factor=2.0, mode='bilinear')"))
    'torch does not print `align_corners`, which is off here'
    >>> unlike_here(CALL.match("nn.BatchNorm2d(8)"))
    """
    return _of_keras(match) or _not_printed(match) or _over_width(match)


def _of_keras(match: re.Match[str]) -> str | None:
    """Say what the padding of a layer that is "same" is in Keras and not here, if anything."""
    here, given = layer_of_call(match) or "", given_by(match)
    if "2D" not in match["name"] or given is None or given.get("p") != "same":
        return None
    found = []
    if n := foreign_layers.shift_from_keras(here, given):
        found.append(
            "Keras pads less in front where the stride divides the size: sizes are the same, "
            f"maps shifted by {'one' if n == 1 else n}"
        )
    if foreign_layers.rounds_down(here, given):
        found.append("Keras rounds up sizes that the stride does not divide")
    if here == "Avg" and foreign_layers.is_padded(given):
        found.append("Keras counts no padding in an average")
    return "; ".join(found) or None


def _over_width(match: re.Match[str]) -> str | None:
    """Say what the norm of a map is over in torch and not here, if a call may be one."""
    if match["name"] != "LayerNorm":
        return None
    return "here it is over the channels of a map; torch has it over the last dimension, the width"


def _not_printed(match: re.Match[str]) -> str | None:
    """Say what torch leaves out where it prints a layer, if that changes what it computes."""
    if not match[0].startswith("("):
        return None
    if match["name"] == "Upsample" and "bilinear" in match["arguments"]:
        return "torch does not print `align_corners`, which is off here"
    if match["name"] == "AvgPool2d":
        return (
            "torch prints neither `ceil_mode`, which is `ceil` here, "
            "nor `count_include_pad`, which is always on here"
        )
    return None
