"""Summaries of networks as Keras and torchsummary print them, which lack kernels and strides."""

from __future__ import annotations

import re

from netdsl.syntax.foreign import layer_here
from netdsl.syntax.here import BLANK, D, Here, Say, code, left_away
from netdsl.syntax.lexemes import FOLLOW

_LINE = rf"(?<![^\n])[│┃|]?{BLANK}*"
_GAP = rf"(?:{BLANK}|[│┃|])+"
_COUNT = rf"{_GAP}(?P<count>\d[\d,]*)(?:{BLANK}|[│┃|])*(?![^\n])"
# `conv2d_1 (Conv2D) (None, 26, 26, 32) 320`, and `Conv2d-1 [-1, 32, 26, 26] 320`.
_OF_KERAS = rf"\w+{BLANK}+\((?P<kind>[A-Z]\w*)\){_GAP}\((?:None|\?),[ ]"
_OF_TORCH = r"(?P<kind>[A-Z]\w*)-\d+\s+\[-1,[ ]"
_THREE = rf"(?P<a>{D})(?:,[ ](?P<b>{D}),[ ](?P<c>{D}))?"
_HEADING = rf"{_LINE}Layer \(type(?::depth-idx)?\)[^\n]*"
_RULE = r"(?<![^\n])[=_─━┏┓┡┩├┤└┘┳╇┼┴-]{9,}"
_TOTAL = r"(?<![^\n])(?:Total|Trainable|Non-trainable) params: [^\n]*"
_DIMENSIONS = "[12][dD]$"
_KIND = re.compile(r"\(([A-Z]\w*)\)|(?<!\w)([A-Z]\w*)-\d")


def _of_keras(match: re.Match[str]) -> Here | None:
    """Return a row of Keras, where activations may be part of their layers."""
    h, w, c = match["a"], match["b"], match["c"]
    if match["kind"] == "BatchNormalization":
        return code("Norm eps=0.001 momentum=0.01")
    options = "" if _next_kind(match).startswith("BatchNorm") else " norm=none act=…"
    return _row(match["kind"], f"{c}x{h}x{w}" if w else h, options)


def _of_torch(match: re.Match[str]) -> Here | None:
    """Return a row of torchsummary; a convolution has what stands in the next rows."""
    c, h, w = match["a"], match["b"], match["c"]
    behind = layer_here(re.sub(_DIMENSIONS, "", _next_kind(match))) or ""
    options = {"Norm": "", "Act": " norm=none"}.get(behind.split(" ")[0], " norm=none act=none")
    return _row(match["kind"], f"{c}x{h}x{w}" if w else c, options)


def _next_kind(match: re.Match[str]) -> str:
    """Return what the layer of the next row is."""
    found = _KIND.search(match.string, match.end(), match.end() + 999)
    return (found[1] or found[2]) if found else ""


def _row(kind: str, shape: str, options: str) -> Here | None:
    """Return the layer of a row with its output, and dots for what the summary does not say."""
    if kind == "InputLayer":
        return code(f"input {shape}")
    bare = re.sub(_DIMENSIONS, "", kind)
    layer = bare if bare in ("Conv", "Dropout", "Flatten") else layer_here(bare)
    if layer == "Conv":
        lacks = "kernel, stride, padding and other options"
        here = f"`Conv {shape.partition('x')[0]} …{options}`, with its {lacks} in place of `…`"
        return Here(here, f"what comes out of it is asserted by `:{shape}`")
    if layer in ("Max", "Avg"):
        return Here(f"`{layer} … :{shape}`, with its kernel, stride and padding in place of `…`")
    if layer == "Dropout":
        return Here("`Dropout …`, with its probability in place of `…`")
    if layer == "FC":
        return code(f"FC {shape}")
    return code(layer) if layer else None


SUMMARIES: tuple[tuple[re.Pattern[str], Say], ...] = (
    (re.compile(f"{_LINE}{_OF_KERAS}{_THREE}\\){_COUNT}"), _of_keras),
    (re.compile(f"{_LINE}{_OF_TORCH}{_THREE}\\]{_COUNT}"), _of_torch),
    (
        re.compile(f"{_HEADING}|{_RULE}|{_TOTAL}"),
        lambda match: left_away(FOLLOW),
    ),
)
