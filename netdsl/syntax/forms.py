r"""What papers, LaTeX and torch write otherwise, and what it is here: `[3×3, 64]×2`, `\times`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from netdsl.syntax.foreign_calls import (
    CHANGES_NOTHING,
    LEFT_TO_THE_LOSS,
    call_here,
    features_of,
    function_here,
    layer_of_call,
    why_left_away,
)
from netdsl.syntax.lexemes import BETWEEN_LAYERS


@dataclass(frozen=True, slots=True)
class Here:
    """What is written here in place of a form, in words; nothing where it is left away.

    A dense layer may say how many numbers it takes.
    """

    words: str = ""
    help: str | None = None
    takes: int | None = None


Say = Callable[[re.Match[str]], Here | None]

_X = r"(?:[x×✕⨯]|\$?\\times\$?)"
_N = r"([0-9]{1,9})(?![0-9])"
_SIZE = rf"{_N}\s*{_X}\s*{_N}"
# NOTE: nowhere do two runs of blanks meet: a long one would be parted in every way between them.
_BY = r"(?:\s*,)?\s*(?:stride\s*(?:=\s*)?|/\s*|[sS]\s*=\s*|[sS](?=[0-9]))"
_STRIDE = rf"(?:{_BY}([0-9]+))?"
# A matrix, and what LaTeX makes it of.
_OPEN = r"\$?(?:(?:\\left)?\[\s*(?:\\begin\{array\}\{\w+\})?|\\begin\{[a-z]*matrix\})"
_CLOSE = r"\s*(?:(?:\\end\{array\}\s*)?(?:\\right)?\]|\\end\{[a-z]*matrix\})"
_ROW = rf"{_SIZE}\s*(?:conv\w*\s*)?,\s*{_N}"
# A row by itself may name its layer: `Conv 3×3, 64`, `3×3 conv. 64`.
_CONV = r"conv(?:2d|[a-z]*)"
_NAMED = rf"(?:\b[Cc]onv\w*(?:\s*,)?\s*)?{_SIZE}\s*(?:{_CONV}\.?(?:\s*,)?|,)\s*{_N}"
# What a number behind a pool belongs to, when it is not its size.
_GAP = r"[^\S\n]"
_OF_CHANNELS = r"\s*,\s*\d{2,}"
_OF_LAYER = r"\s*(?:-\s*(?:d|way)\b|(?:filters|channels|conv\w*|fc)\b)"
# Howard et al. 2017, table 1: type and stride, shape of the filter, size of the input.
_BESIDE = rf"(?:\s+\d+\s*{_X}\s*\d+\s*{_X}\s*\d+(?!\s*{_X}|\s*\d|\s*dw))?"
_MOBILE = rf"\s*/\s*s(?P<stride>\d+)\s+(?P<k>\d+)\s*{_X}\s*(?P<other>\d+)\s*{_X}\s*\d+"
# Szegedy et al. 2015, table 1: type, patch size / stride, output size.
_MAP = rf"{_GAP}+(?P<h>\d+)\s*{_X}\s*(?P<w>\d+)\s*{_X}\s*(?P<c>\d+)\b"
_POOL = (
    rf"(?P<global>[Gg]lobal\s+)?"
    rf"(?P<kind>[Mm]ax|[Aa]vg|[Aa]verage)(?:[ -][Pp]|p)ool(?:ing)?\b(?![-\w(]|\s*/\s*s)"
    rf"(?:(?:{_GAP}*,)?{_GAP}*(?P<behind>\d+)\s*{_X}\s*\d+(?!\d|{_OF_CHANNELS})"
    rf"|{_GAP}+(?P<number>\d+)\b(?!\s*{_X}|{_OF_LAYER}))?"
    rf"(?:{_BY}(?P<stride>\d+))?(?:{_MAP})?"
)
# What stands behind a pool that is none of the whole map.
_GOES_ON = re.compile(rf"conv|pool|\b(?:Max|Avg|BB|Bott|C\d|\d+C\d)|\d\s*{_X}\s*\d+\s*,", re.I)
_ANY_POOL = re.compile(rf"(?<![\w.])(?<!\d[x×✕⨯]\d\s)(?<!\d\s[x×✕⨯]\s\d\s){_POOL}")
# A convolution whose arguments are still being read at the end of a text, and a size among them.
_BEGUN = re.compile(r"\b(?:DWConv|Deconv|Conv)([^A-Z\n,;|()→>]*)\Z")
_HAS_SIZE = re.compile(rf"\d\s*{_X}\s*\d|\bk=?\d")
# Ciresan et al. 2012: `32C3-MP2-64C3-MP2-512N-10`.
_DASH = r"\s*[-–—]\s*"
_TERSE = r"(?:\d+[Cc]\d+|[Cc]\d+|(?:MP|AP|P)\d*|GAP|\d+(?:FC|N)|FC\d+|\d+)"


def _size(k: str, other: str) -> str:
    return "" if k == other == "3" else f" {k}x{other}"


def _conv(k: str, other: str, channels: str, stride: str | None = None) -> str:
    return f"Conv {channels}{_size(k, other)}{f' s{stride}' if stride else ''}"


def _code(text: str) -> Here:
    return Here(f"`{text}`")


def _left_away(why: str) -> Here:
    return Here(help=why)


def _matrix(match: re.Match[str]) -> Here:
    """Return the block or the convolutions of a cell of He et al. 2015, table 1."""
    rows = [tuple(row.groups()) for row in re.finditer(_ROW, match[0])]
    sizes, channels = [row[:2] for row in rows], [int(row[2]) for row in rows]
    times = f"x{match['times']}" if match["times"] else ""
    if sizes == [("3", "3")] * 2 and channels[0] == channels[1]:
        inside = f"BB {channels[0]}"
    elif sizes == [("1", "1"), ("3", "3"), ("1", "1")] and 0 < channels[0] == channels[1]:
        e, rest = divmod(channels[2], channels[0])
        inside = f"Bott {channels[2]}{'' if e == 4 else f' e{e}'}" if not rest else ""
    else:
        inside = ""
    if not inside:
        inside = " ".join(_conv(*row) for row in rows)
        return _code(f"({inside}){times}" if times else inside)
    halved = f"({inside} s=[2, 1]){times}" if times else f"{inside} s2"
    whole = f"({inside}){times}" if times else inside
    return Here(f"`{whole}`", f"or, where it halves the map, `{halved}`")


def _pool_behind_size(match: re.Match[str]) -> Here | None:
    """Return a pool with the size before it; None where a convolution there has none yet."""
    layer = _BEGUN.search(match.string[max(0, match.start() - 64) : match.start()])
    is_its = layer is not None and not _HAS_SIZE.search(layer[1])
    return None if is_its else _pool_of(match, match["before"])


def _pool(match: re.Match[str]) -> Here | None:
    return _pool_of(match, None)


def _pool_of(match: re.Match[str], before: str | None) -> Here | None:
    size = before or match["behind"] or match["number"]
    is_max = match["kind"].lower() == "max"
    # 1×1 is the size of what comes out: He et al. have a column of them before that of the layers.
    is_whole = size == "1" or (size is None and not is_max and _is_of_whole_map(match))
    if match["global"] or (not is_max and is_whole):
        return _code('Torch "nn.AdaptiveMaxPool2d" 1' if is_max else "GAP")
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


def _googlenet(match: re.Match[str]) -> Here:
    stride = match["stride"] if match["stride"] != "1" else None
    layer = _conv(match["k"], match["other"], match["c"], stride)
    return _code(f"{layer} :{match['c']}x{match['h']}x{match['w']}")


def _mobile(match: re.Match[str]) -> Here:
    if match["stride"]:
        stride = match["stride"] if match["stride"] != "1" else None
        return _code(_conv(match["k"], match["other"], match["channels"], stride))
    size = _size(match["dw_k"], match["dw_other"])
    stride = "" if match["dw_stride"] == "1" else f" s{match['dw_stride']}"
    return _code(f"DWConv{size}{stride}")


def _terse(match: re.Match[str]) -> Here | None:
    """Return the layers of `32C3-MP2-10`; None where none of them is a convolution."""
    layers = [_terse_layer(word) for word in re.split(_DASH, match["chain"])]
    return _code("  ".join(layers)) if any(one.startswith("Conv") for one in layers) else None


def _terse_layer(word: str) -> str:
    if of := re.fullmatch(r"(\d*)[Cc](\d+)", word):
        return _conv(of[2], of[2], of[1]) if of[1] else f"Conv {of[2]}"
    if of := re.fullmatch(r"(MP|AP|P)(\d*)", word):
        return f"{'Avg' if of[1] == 'AP' else 'Max'} {of[2] or 2}"
    return "GAP" if word == "GAP" else f"FC {re.sub('[^0-9]', '', word)}"


def call(match: re.Match[str]) -> Here | None:
    if why := why_left_away(match):
        return _left_away(why)
    here, layer = call_here(match), layer_of_call(match)
    if here is None and layer is not None:
        return Here(f"`{layer} …`; not all that stands in its brackets is known here")
    if here is None:
        return None
    return Here(f"`{here}`", takes=features_of(match))


def function(match: re.Match[str]) -> Here | None:
    name, here = function_here(match)
    if why := CHANGES_NOTHING.get(name):
        return _left_away(why)
    return None if here is None else _code(here)


FORMS: tuple[tuple[re.Pattern[str], Say], ...] = (
    (
        re.compile(
            rf"(?<![=\w]){_OPEN}\s*{_ROW}(?![\dx×.])(?:(?:\s*(?:[;,&]|\\\\))?\s*{_ROW})*"
            rf"(?:\s*\\\\)?{_CLOSE}"
            rf"(?:\s*(?:{_X}|\*)\s*(?P<times>\d+))?"
        ),
        _matrix,
    ),
    (
        re.compile(rf"(?<![\w.×✕⨯])(?P<before>\d+)\s*{_X}\s*\d+{_GAP}+{_POOL}"),
        _pool_behind_size,
    ),
    (re.compile(rf"(?<![\w.×✕⨯]){_POOL}"), _pool),
    (
        re.compile(
            rf"\bconv(?:olution)?[^\S\n]+(?P<k>\d+)\s*{_X}\s*(?P<other>\d+)"
            rf"\s*/\s*(?P<stride>\d+){_MAP}"
        ),
        _googlenet,
    ),
    (
        re.compile(
            rf"\bConv{_MOBILE}\s*{_X}\s*(?P<channels>\d+){_BESIDE}|"
            rf"\bConv\s+dw{_MOBILE.replace('<', '<dw_')}\s*dw{_BESIDE}"
        ),
        _mobile,
    ),
    (
        re.compile(rf"\bAvg\s*Pool\s*/\s*s\d+\s+Pool\s+(\d+)\s*{_X}\s*\d+{_BESIDE}"),
        lambda match: _code(f"Avg {match[1]}"),
    ),
    (
        re.compile(rf"\bFC\s*/\s*s\d+\s+\d+\s*{_X}\s*(\d+){_BESIDE}"),
        lambda match: _code(f"FC {match[1]}"),
    ),
    (
        re.compile(
            rf"(?<![\w.=*+/@-])(?P<chain>{_TERSE}(?:{_DASH}{_TERSE})+)(?:(?:{_DASH})?[Ss]oft-?max)?"
            r"(?![\w-])"
        ),
        _terse,
    ),
    (
        re.compile(rf"(?<![\w.(]){_NAMED}(?![\w.]|\s*[x×]){_STRIDE}"),
        lambda match: _code(_conv(*match.groups())),
    ),
    (
        re.compile(rf"\bconv(\d{{1,2}})(?:{_X}\d{{1,2}})?-(\d+)\b", re.IGNORECASE),
        lambda match: _code(_conv(match[1], match[1], match[2])),
    ),
    (
        re.compile(
            r"\bfc-(\d+)\b|\b(\d+)-(?:d|way)\s+(?:fc|soft-?max|fully[ -]connected)\b"
            r"|\bfully[ -]connected(?:\s*,)?\s+(\d+)",
            re.IGNORECASE,
        ),
        lambda match: _code(f"FC {match[1] or match[2] or match[3]}"),
    ),
    (
        re.compile(rf"(?<![\w.])(\d+{_X}\d+)\s*/\s*(\d+)"),
        lambda match: _code(f"{match[1]} s{match[2]}"),
    ),
    (re.compile(r"\b(?:[Ll]eaky[ -]|l)[Rr]e[Ll][Uu]\b"), lambda match: _code("Act leaky_relu")),
    (
        re.compile(rf"\b[Uu]p-?[Cc]onv(?:olution)?\s+(\d+)\s*{_X}\s*\1\s*,\s*{_N}"),
        lambda match: _code(f"Deconv {match[2]} s{match[1]}"),
    ),
    (
        re.compile(
            rf"(?<![\w.=@×✕⨯-])pool(?:ing)?\b(?![(.=:-]|\s+=)"
            rf"(?:(?:{_GAP}*,)?{_GAP}*(?P<k>\d+)\s*{_X}\s*\d+(?!\d|{_OF_CHANNELS}))?"
            rf"(?:{_BY}(?P<stride>\d+))?"
        ),
        _pool_of_no_kind,
    ),
    (re.compile(r"(?:,\s*)?\bstride\s+(\d+)"), lambda match: _code(f"s{match[1]}")),
    (re.compile(r"(?:,\s*)?\bpad(?:ding)?\s+(\d+)"), lambda match: _code(f"p{match[1]}")),
    (
        re.compile(rf"(?:,\s*)?\bsoft-?max\b|\bSoftmax\s*/\s*s\d+\s+Classifier{_BESIDE}"),
        lambda match: _left_away(LEFT_TO_THE_LOSS),
    ),
    (
        re.compile(r"\b(?:\w+\.){0,3}Sequential\((?:\s*\[)?"),
        lambda match: _left_away("layers follow one another as they stand"),
    ),
    (re.compile(r"\$?\\times(?![a-z])\$?"), lambda match: _code("x")),
    (re.compile(r"\$?\\(?:to|(?:long)?rightarrow)(?![a-z])\$?"), lambda match: _code("->")),
    (
        re.compile(r"\\\\(?:\s*\\hline)?|\\hline|&(?=[^\n&\\]*[&\\])|\$"),
        lambda match: _left_away(BETWEEN_LAYERS),
    ),
    (
        re.compile(r"(?<![\w@.])([a-z]\w*)\s*:(?=\s*[A-Z(])"),
        lambda match: Here(f"behind the layer, as a label: `@{match[1]}`"),
    ),
)
