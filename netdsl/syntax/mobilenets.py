"""Rows of the tables of MobileNetV2 and V3 that are layers: `112²×32 conv2d 1x1 - 1280 1 1`."""

from __future__ import annotations

import re

from netdsl.syntax.here import BLANK, D, Here, Say, X, code, conv, left_away

# The side of the map that comes in, squared, which PDFs set apart, and its channels.
_MAP = (
    rf"(?<![^\n]){BLANK}*(?P<side>{D})(?:²|\^2|{BLANK}2(?={BLANK}*{X})|{BLANK}*{X}{BLANK}*{D})"
    rf"{BLANK}*{X}{BLANK}*(?P<comes>{D}){BLANK}+"
)
_NONE = "[-–—]"
_CONV = rf"conv2d(?:,?{BLANK}+(?P<k>{D}){X}{D})?"
# Sandler et al. 2018, table 2: expansion, channels, repeats, stride.
_V2 = rf"{BLANK}+{_NONE}{BLANK}+(?P<c>{D}|k){BLANK}+(?:1|{_NONE})(?:{BLANK}+(?P<s>[12]|{_NONE}))?"
# Howard et al. 2019, table 1: expansion, channels, SE, activation, stride.
_V3 = (
    rf"(?P<bare>,?{BLANK}+NBN)?{BLANK}+{_NONE}{BLANK}+(?P<c>{D}|k){BLANK}+{_NONE}"
    rf"{BLANK}+(?P<act>HS|RE|{_NONE}){BLANK}+(?P<s>[12])"
)
_ENDS = rf"(?={BLANK}*(?:\n|\Z))"
_POOL = rf"(?:avg)?pool,?{BLANK}+(?P<k>{D}){X}{D}(?:{BLANK}+(?:{_NONE}|1)){{3,5}}"
_ACTS = {"HS": " act=hardswish", "RE": " act=relu"}


def _conv_of_v2(match: re.Match[str]) -> Here:
    layer = _conv(match, "")
    if match["comes"] != "3":
        return layer
    return Here(layer.words, "the text of the paper has ReLU6: `act relu6` in the header")


def _conv_of_v3(match: re.Match[str]) -> Here:
    norm = " norm=none" if match["bare"] else ""
    return _conv(match, f"{_ACTS.get(match['act'], ' act=none')}{norm}")


def _conv(match: re.Match[str], options: str) -> Here:
    """Return a convolution; the last one, of a map of 1x1, gives the scores."""
    if match["c"] == "k":
        return Here("`FC classes`", "`classes` is set in the header, as in `classes 1000`")
    k, stride = match["k"] or "3", match["s"] if (match["s"] or "-").isdecimal() else None
    layer = f"{conv(k, k, match['c'], stride)}{options}"
    is_first = match["comes"] in ("1", "3") and not re.search(r"\binput\s+\d", match.string)
    side = match["side"]
    return code(f"input {match['comes']}x{side}x{side}  {layer}" if is_first else layer)


def _pool(match: re.Match[str]) -> Here | None:
    return code("GAP") if match["k"] == match["side"] else None


MOBILENETS: tuple[tuple[re.Pattern[str], Say], ...] = (
    (re.compile(f"{_MAP}{_CONV}{_V3}{_ENDS}"), _conv_of_v3),
    (re.compile(f"{_MAP}{_CONV}{_V2}{_ENDS}"), _conv_of_v2),
    (re.compile(f"{_MAP}{_POOL}{_ENDS}"), _pool),
    (
        re.compile(rf"(?<![^\n]){BLANK}*Input{BLANK}+Operator(?:{BLANK}+(?:exp size|[tcns]\b))*"),
        lambda match: left_away("a column is written without its heading"),
    ),
)
