"""Rows of the tables of SqueezeNet and EfficientNet: sizes say what the rows leave open."""

from __future__ import annotations

import re

from netdsl.padding import pool_padding, same_padding
from netdsl.syntax.here import BLANK, D, Here, Say, X, code, conv

_START, _ENDS = rf"(?<![^\n]){BLANK}*", rf"(?={BLANK}*(?:\n|\Z))"
_NEAR = 4096  # characters before and behind a row, in which its table stands
# Iandola et al. 2016, table 1: name, size of what comes out, filter and stride, `(x96)`.
_SQUEEZE = (
    rf"{_START}(?P<kind>conv|maxpool|avgpool)\d{{0,2}}{BLANK}+(?P<h>{D})\s?{X}\s?(?P<w>{D})\s?{X}"
    rf"\s?(?P<c>{D}){BLANK}+(?P<k>{D}){X}(?P<other>{D})\s?/\s?(?P<stride>[1-9])"
    rf"(?:{BLANK}*\([x×]{D}\))?"
)
_MAPS = re.compile(rf"(?<![\w.×])(?:{D}\s?{X}\s?)?({D})\s?{X}\s?{D}(?:\s?{X}\s?{D})?(?![\w×]|/)")
# Tan and Le 2019, table 1: stage, operator, size of what comes in, channels, layers; in the table
# of Tan and Le 2021 the third column is the stride.
_EFFICIENT = (
    rf"{_START}(?:{D}{BLANK}+)?Conv(?P<k>{D}){X}(?P<other>{D})(?P<head>{BLANK}*&{BLANK}*Pooling"
    rf"{BLANK}*&{BLANK}*FC)?{BLANK}+(?:(?P<side>{D})\s?{X}\s?{D}|(?P<stride>[12]|[-–—]))"
    rf"{BLANK}+(?P<channels>{D}){BLANK}+1{_ENDS}"
)
_COMES_IN = re.compile(rf"{BLANK}({D})\s?{X}\s?{D}{BLANK}+{D}{BLANK}+{D}{_ENDS}")


def _squeeze(match: re.Match[str]) -> Here:
    """Return a row with the padding that the sizes of the maps before and behind it ask for."""
    shape = f":{match['c']}x{match['h']}x{match['w']}"
    k, stride, behind = (int(match[one]) for one in ("k", "stride", "h"))
    sides = _MAPS.findall(match.string, max(0, match.start() - _NEAR), match.start())
    before = int(sides[-1]) if sides else 0
    is_conv = match["kind"] == "conv"
    if match["kind"] == "avgpool" and behind == 1 and before in (0, k):
        return code(f"GAP {shape}")
    usual = same_padding(k, stride) if is_conv else pool_padding(k, stride)
    bare, padded = ((before + 2 * (p or 0) - k) // stride + 1 for p in (0, usual))
    padding = " p0" * (bare == behind and padded != behind)
    if is_conv:
        return code(
            f"{conv(match['k'], match['other'], match['c'], match['stride'])}{padding} {shape}"
        )
    layer = f"{'Max' if match['kind'] == 'maxpool' else 'Avg'} {k}"
    return code(f"{layer}{'' if stride == k else f' s{stride}'}{padding} {shape}")


def _efficient(match: re.Match[str]) -> Here:
    """Return a row with the stride that halves its map to that of the next row."""
    stride = match["stride"]
    if match["side"]:
        following = _COMES_IN.search(match.string, match.end(), match.end() + _NEAR)
        stride = "2" if following and 2 * int(following[1]) == int(match["side"]) else None
    layer = conv(match["k"], match["other"], match["channels"], stride if stride == "2" else None)
    if match["head"]:
        here = f"`{layer}  GAP  FC classes`"
        return Here(here, "`classes` is set in the header, as in `classes 1000`")
    return Here(f"`{layer}`", "the text of the paper has SiLU: `act silu` in the header")


SIZED: tuple[tuple[re.Pattern[str], Say], ...] = (
    (re.compile(_SQUEEZE), _squeeze),
    (re.compile(_EFFICIENT), _efficient),
)
