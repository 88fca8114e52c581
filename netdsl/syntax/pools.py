"""Pools in words, `3×3 max pool, stride 2`, and what they are here."""

from __future__ import annotations

import re

from netdsl.syntax.foreign import names_of
from netdsl.syntax.here import BLANK, BY, MAP, D, Here, Say, X, code

# What a number behind a pool belongs to, when it is not its size.
_OF_CHANNELS = r"\s*,\s*\d{2,}"
_OF_LAYER = (
    r"\s*(?:-\s*(?:d|way)\b|(?:filters|channels|conv\w*|fc)\b"
    rf"(?!{BLANK}+{D}(?!\s*{X})))"  # else the layer has its own
)
_POOL = (
    rf"(?P<global>[Gg]lobal\s+)?"
    rf"(?P<kind>[Mm]ax|[Aa]vg|[Aa]verage)(?:[ -][Pp]|p)ool(?:ing)?\b(?![-\w(]|\s*/\s*s)"
    rf"(?:(?:{BLANK}*,)?{BLANK}*(?P<behind>{D})\s*{X}\s*{D}(?!\d|{_OF_CHANNELS})"
    rf"|{BLANK}+(?P<number>{D})\b(?!\s*{X}|{_OF_LAYER}))?"
    # Zagoruyko and Komodakis 2016, table 1, have the window in square brackets.
    rf"(?:{BY}(?P<stride>{D}))?(?:{MAP})?(?:{BLANK}*\[\s*(?P<window>{D})\s*{X}\s*{D}\s*\])?"
)
# What stands behind a pool that is none of the whole map: any layer with arguments, but a head.
_OF_HEADS = (
    "Act", "Classifier", "Connected", "Dropout", "FC", "Flatten", "Layer", "Norm", "Softmax",
    *names_of("Act", "FC", "Flatten", "Norm"),
)  # fmt: skip
_GOES_ON = re.compile(
    rf"conv|pool|\b(?<!soft-)(?:Max|Avg|BB|Bott|GAP|C\d|{D}C\d)|\d\s*{X}\s*{D}\s*,"
    rf"|\b(?!(?:{'|'.join(_OF_HEADS)})(?:[123]d)?(?![a-z]))(?-i:[A-Z][A-Za-z]*)(?:\s?\d|\s?\()",
    re.IGNORECASE,
)
_ANY_POOL = re.compile(rf"(?<![\w.])(?<!\d[x×✕⨯]\d\s)(?<!\d\s[x×✕⨯]\s\d\s){_POOL}")
# A convolution whose arguments are still being read at the end of a text, and a size among them.
_BEGUN = re.compile(r"\b(?:DWConv|Deconv|Conv)([^A-Z\n,;|()→>]*)\Z")
_HAS_SIZE = re.compile(rf"\d\s*{X}\s*\d|\bk=?\d")


def _pool_behind_size(match: re.Match[str]) -> Here | None:
    """Return a pool with the size before it; None where a convolution there has none yet."""
    layer = _BEGUN.search(match.string[max(0, match.start() - 64) : match.start()])
    is_its = layer is not None and not _HAS_SIZE.search(layer[1])
    return None if is_its else _pool_of(match, match["before"])


def _pool(match: re.Match[str]) -> Here | None:
    return _pool_of(match, None)


def _pool_of(match: re.Match[str], before: str | None) -> Here | None:
    size = before or match["behind"] or match["number"] or match["window"]
    is_max = match["kind"].lower() == "max"
    # 1×1 is the size of what comes out: He et al. have a column of them before that of the layers.
    is_whole = size == "1" or (size is None and not is_max and _is_of_whole_map(match))
    if match["global"] or (not is_max and is_whole):
        return code('Torch "nn.AdaptiveMaxPool2d" 1' if is_max else "GAP")
    if size == "1":  # which would change nothing
        return None
    help = None if size or is_max else "or, over the whole map, `GAP`"
    size = size or "2"
    # A pool of the whole map has no stride; with one below its size it would pad here.
    strides = {None, size} | ({"1"} if match["h"] == match["w"] == "1" else set())
    stride = "" if match["stride"] in strides else f" s{match['stride']}"
    shape = f" :{match['c']}x{match['h']}x{match['w']}" if match["c"] else ""
    return Here(f"`{'Max' if is_max else 'Avg'} {size}{stride}{shape}`", help)


def _is_of_whole_map(match: re.Match[str]) -> bool:
    """Say whether an average pool without a size ends the maps, and is the first of its kind."""
    if _GOES_ON.search(match.string, match.end()):
        return False
    pools = _ANY_POOL.finditer(match.string, 0, match.start())
    sized = ("behind", "number", "global")
    return all(any(map(one.group, sized)) or one["kind"] in ("max", "Max") for one in pools)


def _pool_of_no_kind(match: re.Match[str]) -> Here:
    size = match["k"] or "2"
    arguments = size if match["stride"] in (None, size) else f"{size} s{match['stride']}"
    return Here(f"`Max {arguments}`", f"or `Avg {arguments}`: which of them is not said")


POOLS: tuple[tuple[re.Pattern[str], Say], ...] = (
    (
        re.compile(rf"(?<![\w.×✕⨯])\$?(?P<before>{D})\s*{X}\s*{D}\$?{BLANK}+{_POOL}"),
        _pool_behind_size,
    ),
    (re.compile(rf"(?<![\w.×✕⨯]){_POOL}"), _pool),
    # Springenberg et al. 2015, table 1; in Lin et al. 2014 the first two words.
    (
        re.compile(
            rf"\b[Gg]lobal\s+averaging\b(?:\s+over\s+{D}\s*{X}\s*{D}\s+spatial\s+dimensions\b)?"
        ),
        lambda match: code("GAP"),
    ),
)
# Where nothing says whether it takes the largest or the mean: told after the rows of tables.
OF_NO_KIND: tuple[re.Pattern[str], Say] = (
    re.compile(
        rf"(?<![\w.=@×✕⨯-])pool(?:ing)?\b(?![(.=:-]|\s+=)"
        rf"(?:(?:{BLANK}*,)?{BLANK}*(?P<k>{D})\s*{X}\s*{D}(?!\d|{_OF_CHANNELS}))?"
        rf"(?:{BY}(?P<stride>{D}))?"
    ),
    _pool_of_no_kind,
)
