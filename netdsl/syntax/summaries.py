"""Summaries of networks as Keras and torchsummary print them, which lack kernels and strides."""

from __future__ import annotations

import re

from netdsl.syntax.foreign import layer_here
from netdsl.syntax.here import BLANK, D, Here, Say, code, left_away
from netdsl.syntax.lexemes import FOLLOW

_LINE = rf"(?<![^\n])[│┃|]?{BLANK}*"
_ENDS = rf"(?:{BLANK}|[│┃|])*(?![^\n])"
_GAP = rf"(?:{BLANK}|[│┃|])+"
_COUNT = rf"{_GAP}(?P<count>\d[\d,]*){_ENDS}"
_THREE = rf"(?P<a>{D})(?:,[ ](?P<b>{D}),[ ](?P<c>{D}))?"
# `conv2d_1 (Conv2D) (None, 26, 26, 32) 320`. A long name goes on in the next line, from anywhere.
_OF_KERAS = (
    rf"{_LINE}\w+(?:{BLANK}+\((?P<kind>[A-Z]\w*)(?P<closed>\))?)?"
    rf"{_GAP}\[?\((?:None|\?),[ ]{_THREE}\)\]?{_COUNT}"
    rf"(?(closed)|\n{_LINE}\(?(?P<rest>\w*)\){_ENDS})"
)
# `Conv2d-1 [-1, 32, 26, 26] 320`.
_OF_TORCH = rf"{_LINE}(?P<kind>[A-Z]\w*)-\d+\s+\[-1,[ ]{_THREE}\]{_COUNT}"
_HEADING = rf"{_LINE}Layer \(type(?::depth-idx)?\)[^\n]*"
# The name that a network of Keras has is in quotes, and blank for forms.
_NAME = rf"(?<![^\n])Model:{BLANK}*(?![^\n])"
_RULE = r"(?<![^\n])[=_─━┏┓┡┩├┤└┘┳╇┼┴-]{9,}"
_TOTAL = (
    r"(?<![^\n])(?:(?:Total|Trainable|Non-trainable) params: "
    r"|(?:(?:Input|Forward/backward pass|Params) size|Estimated Total Size) \(MB\): )[^\n]*"
)
_DIMENSIONS = "[12][dD]$"
_KIND = re.compile(r"\(([A-Z]\w*)|(?<!\w)([A-Z]\w*)-\d")


def _of_keras(match: re.Match[str]) -> Here | None:
    """Return a row of Keras, where activations may be part of their layers."""
    h, w, c = match["a"], match["b"], match["c"]
    kind = (match["kind"] or "") + (match["rest"] or "")
    if kind == "BatchNormalization":
        return code("Norm eps=0.001 momentum=0.01")
    behind = _next_kind(match)  # as far as it stands in its first line
    is_normed = behind != "" and "BatchNormalization".startswith(behind)
    return _row(kind, (c, h, w) if w else (h,), "" if is_normed else " norm=none act=…")


def _of_torch(match: re.Match[str]) -> Here | None:
    """Return a row of torchsummary; a convolution has what stands in the next rows."""
    a, b, c = match["a"], match["b"], match["c"]
    behind = layer_here(re.sub(_DIMENSIONS, "", _next_kind(match))) or ""
    options = {"Norm": "", "Act": " norm=none"}.get(behind.split(" ")[0], " norm=none act=none")
    return _row(match["kind"], (a, b, c) if c else (a,), options)


def _next_kind(match: re.Match[str]) -> str:
    """Return what the layer of the next row is."""
    found = _KIND.search(match.string, match.end(), match.end() + 999)
    return (found[1] or found[2]) if found else ""


def _row(kind: str, dims: tuple[str, ...], options: str) -> Here | None:
    """Return the layer of a row with its output, and dots for what the summary does not say."""
    shape = "x".join(dims)
    if kind == "InputLayer":
        return code(f"input {shape}")
    bare = re.sub(_DIMENSIONS, "", kind)
    layer = bare if bare in ("Conv", "Dropout", "Flatten") else layer_here(bare)
    if layer in ("Conv", "Deconv", "DWConv"):
        lacks = "kernel, stride, padding and other options"
        channels = "" if layer == "DWConv" else f"{dims[0]} "
        here = f"`{layer} {channels}…{options}`, with its {lacks} in place of `…`"
        return Here(here, f"what comes out of it is asserted by `:{shape}`")
    if layer in ("Max", "Avg"):
        return Here(f"`{layer} … :{shape}`, with its kernel, stride and padding in place of `…`")
    if layer == "Dropout":
        return Here("`Dropout …`, with its probability in place of `…`")
    if layer == "Up":
        help = "with `bilinear` behind it, if that is its mode"
        return Here(f"`UpTo {'x'.join(dims[1:])}`", help)
    return code(_whole(layer, dims)) if layer else None


def _whole(layer: str, dims: tuple[str, ...]) -> str:
    """Return a layer of which the output says all."""
    if layer == "AvgTo":
        return "GAP" if dims[1:] == ("1", "1") else f"AvgTo {'x'.join(dims[1:])}"
    return f"FC {dims[0]}" if layer == "FC" else re.sub(r"\b64\b", dims[0], layer)


SUMMARIES: tuple[tuple[re.Pattern[str], Say], ...] = (
    (re.compile(_OF_KERAS), _of_keras),
    (re.compile(_OF_TORCH), _of_torch),
    (
        re.compile(f"{_HEADING}|{_NAME}|{_RULE}|{_TOTAL}"),
        lambda match: left_away(FOLLOW),
    ),
)
