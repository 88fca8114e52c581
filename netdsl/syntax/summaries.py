"""Summaries of networks by Keras, torchsummary and torchinfo, which lack kernels and strides."""

from __future__ import annotations

import re
from itertools import islice

from netdsl.syntax.classes import BLOCK_OF_ITS_OWN, OF_MODULE
from netdsl.syntax.foreign import layer_here
from netdsl.syntax.foreign_calls import CHANGES_NOTHING, is_class
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
# `│    └─Conv2d: 2-1 [1, 32, 26, 26] 320`, and of one that holds others `├─Sequential: 1-1 -- --`.
_INFO_COUNT = rf"{_GAP}(?:\(?\d[\d,]*\)?|--|\(recursive\)){_ENDS}"
_INFO = re.compile(
    rf"(?<![^\n])[│ \t]*[├└]─(?P<kind>[A-Z]\w*)(?:{BLANK}+\(\w+\))?:{BLANK}+(?P<depth>{D})-{D}"
    rf"{_GAP}(?:\[{D},[ ]{_THREE}\]|(?P<bare>--)){_INFO_COUNT}"
)
_INFO_NAME = rf"(?<![^\n])[A-Z]\w*{_GAP}(?:\[[\d, ]+\]|--){_INFO_COUNT}(?=\n[├└]─)"
_HEADING = rf"{_LINE}Layer \(type(?::depth-idx)?\)[^\n]*"
# The name that a network of Keras has is in quotes, and blank for forms.
_NAME = rf"(?<![^\n])Model:{BLANK}*(?![^\n])"
_RULE = r"(?<![^\n])[=_─━┏┓┡┩├┤└┘┳╇┼┴-]{9,}"
_TOTAL = (
    rf"(?<![^\n]){BLANK}?(?:(?:Total|Trainable|Non-trainable|Optimizer) params: "
    r"|Total mult-adds \([^()\n]*\): "
    r"|(?:(?:Input|Forward/backward pass|Params) size|Estimated Total Size) \(MB\): )[^\n]*"
)
_DIMENSIONS = "[12][dD]$"
# Layers with what a summary does not say of them.
_LACKING = {
    "Act": "Act …",
    "Act leaky_relu": "Act leaky_relu slope=…",
    "Norm group": "Norm group groups=…",
}
_PROBABILITY = "with its probability in place of `…`"
_OF_MAPS = Here(f'`Torch "nn.Dropout2d" …`, {_PROBABILITY}')
# Layers whose output says nothing of them.
_WITHOUT_SHAPE = {
    **{kind: left_away(why) for kind, why in CHANGES_NOTHING.items()},
    "Dropout": Here(f"`Dropout …`, {_PROBABILITY}"),
    **dict.fromkeys(("Dropout2d", "SpatialDropout2D"), _OF_MAPS),
}
_FEW = 9  # rows, in which the next layer stands
_TO_ONE = ('Torch "nn.AdaptiveMaxPool2d" 1',)
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
    return _row(match["kind"], (a, b, c) if c else (a,), _lacks(_next_kind(match)))


def _of_info(match: re.Match[str]) -> Here | None:
    """Return a row of torchinfo; a module of no class of torch is a block."""
    kind = match["kind"]
    if kind == "Sequential":
        return left_away(FOLLOW)
    if not is_class(kind) and not (layer_here(kind) or "").startswith("Torch"):
        return BLOCK_OF_ITS_OWN
    if match["bare"]:
        return None
    a, b, c = match["a"], match["b"], match["c"]
    rows = islice(_INFO.finditer(match.string, match.end()), _FEW)
    behind = next((row["kind"] for row in rows if row["kind"] != "Sequential"), "")
    return _row(kind, (a, b, c) if c else (a,), _lacks(behind))


def _lacks(behind: str) -> str:
    """Return the options of a convolution for what does not stand behind it in torch."""
    layer = layer_here(re.sub(_DIMENSIONS, "", behind)) or ""
    return {"Norm": "", "Act": " norm=none"}.get(layer.split(" ")[0], " norm=none act=none")


def _next_kind(match: re.Match[str]) -> str:
    """Return what the layer of the next row is."""
    found = _KIND.search(match.string, match.end(), match.end() + 999)
    return (found[1] or found[2]) if found else ""


def _row(kind: str, dims: tuple[str, ...], options: str) -> Here | None:
    """Return the layer of a row with its output, and dots for what the summary does not say."""
    shape = "x".join(dims)
    if kind == "InputLayer":
        return code(f"input {shape}")
    if kind in _WITHOUT_SHAPE:
        return _WITHOUT_SHAPE[kind]
    bare = re.sub(_DIMENSIONS, "", kind)
    layer = bare if bare in ("Conv", "Flatten") else layer_here(bare)
    if layer in ("Conv", "Deconv", "DWConv"):
        lacks = "kernel, stride, padding and other options"
        channels = "" if layer == "DWConv" else f"{dims[0]} "
        here = f"`{layer} {channels}…{options}`, with its {lacks} in place of `…`"
        return Here(here, f"what comes out of it is asserted by `:{shape}`")
    if layer in ("Max", "Avg"):
        return Here(f"`{layer} … :{shape}`, with its kernel, stride and padding in place of `…`")
    if layer == "Up":
        help = "with `bilinear` behind it, if that is its mode"
        return Here(f"`UpTo {'x'.join(dims[1:])}`", help)
    return code(_LACKING.get(layer) or _whole(layer, dims)) if layer else None


def _whole(layer: str, dims: tuple[str, ...]) -> str:
    """Return a layer of which the output says all."""
    if layer == "AvgTo":
        return "GAP" if dims[1:] == ("1", "1") else f"AvgTo {'x'.join(dims[1:])}"
    if layer == "FC":
        return f"FC {dims[0]}"
    here = re.sub(r"\b64\b", dims[0], layer)
    is_whole = here != layer or (layer in _TO_ONE and dims[1:] == ("1", "1"))
    return here if is_whole else re.sub(r'(?<=") [0-9].*', " …", here)


SUMMARIES: tuple[tuple[re.Pattern[str], Say], ...] = (
    (re.compile(_OF_KERAS), _of_keras),
    (re.compile(_OF_TORCH), _of_torch),
    (_INFO, _of_info),
    (re.compile(_INFO_NAME), lambda match: left_away(OF_MODULE)),
    (
        re.compile(f"{_HEADING}|{_NAME}|{_RULE}|{_TOTAL}"),
        lambda match: left_away(FOLLOW),
    ),
)
