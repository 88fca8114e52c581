"""Rows of the tables of papers, with columns for the size of a map: `conv 3×3/2 112×112×64`."""

from __future__ import annotations

import re

from netdsl.padding import pool_padding, same_padding
from netdsl.syntax.foreign_calls import LEFT_TO_THE_LOSS
from netdsl.syntax.here import (
    BLANK,
    IN_ROW,
    MAP,
    NAME,
    SIZE,
    STRIDE,
    D,
    Here,
    Say,
    X,
    code,
    conv,
    kernel,
    left_away,
)
from netdsl.syntax.lexemes import part_of_whole

# Howard et al. 2017, table 1: type and stride, shape of the filter, size of the input.
_REPEATED = rf"{D}\s*{X}\s*Conv\b"
BESIDE = rf"(?:\s+{D}\s*{X}\s*{D}\s*{X}\s*{D}(?!\s*{X}|{BLANK}*(?!{_REPEATED})\d|\s*dw))?"
_MOBILE, _MOBILE_DW = (
    rf"\s*/\s*s(?P<{dw}stride>{D})\s+(?P<{dw}k>{D})\s*{X}\s*(?P<{dw}other>{D})\s*{X}\s*{D}"
    for dw in ("", "dw_")
)
_CONV_ROW = rf"\bConv{_MOBILE}\s*{X}\s*(?P<channels>{D}){BESIDE}"
_DW_ROW = rf"\bConv\s+dw{_MOBILE_DW}\s*dw{BESIDE}"
# Szegedy et al. 2015, table 1: type, patch size / stride, output size; in Szegedy et al. 2016,
# table 1, the size of the input.
_PATCH = (
    rf"[^\S\n]+(?P<k>[0-9]{{1,2}})\s*{X}\s*(?P<other>[0-9]{{1,2}})"
    rf"(?:\s*/\s*(?P<stride>[0-9]))?{MAP}"
)
_TYPED = re.compile(rf"\b(?:(?P<is_conv>conv(?:olution)?)|pool(?:ing)?)(?:[^\S\n]padded)?{_PATCH}")
_NEAR = 4096  # characters before and behind a row, in which its table stands
_NEXT = re.compile(rf"(?<![\w×])({D})\s*{X}\s*({D})\s*{X}\s*({D})(?![\w×])")
_HEAD = re.compile(rf"\b(?:dropout{BLANK}*\((?P<part>\d+)%\)|(?P<name>linear|softmax)){MAP}")
# Names of rows of Huang et al. 2017, table 1, and sizes of maps in a column of their own.
_STAGE = (
    rf"(?:Convolution|Pooling|(?:Dense Block|Transition Layer){BLANK}*\(\d\)|Classification Layer)"
)
# Blocks that papers call otherwise than their code, and a network that comes along with them.
_BLOCKS = {
    "bottleneck": "mobilenet_v2",
    "bneck": "mobilenet_v3_large",
    "fire": "squeezenet1_1",
    "inception": "googlenet",
    "MBConv": "efficientnet_b0",
}


def _typed(match: re.Match[str]) -> Here | None:
    """Return a row whose size is that of its output, or of its input, if the first one's is."""
    if not match["is_conv"] and match["k"] == match["h"]:
        return code("GAP")
    stride, shape, padding = match["stride"] or "1", (match["h"], match["w"], match["c"]), ""
    text, start, end = match.string, match.start(), match.end()
    first = _TYPED.search(text, max(0, start - _NEAR))
    if first and first["c"] in ("1", "3"):
        found = _NEXT.search(text, end, end + _NEAR)
        if found is None:
            return None
        shape = found[1], found[2], found[3]
        padding = _padding(match, max(int(stride), 1), int(shape[0]))
    h, w, channels = shape
    help = "numbers of other columns are left away" if match["beside"] else None
    layer = f"Max {match['k']}" + (f" s{stride}" if stride != match["k"] else "")
    if match["is_conv"]:
        layer = conv(match["k"], match["other"], channels, stride)
    else:
        help = "or `Avg`, where the pool is one of means"
    return Here(f"`{layer}{padding} :{channels}x{h}x{w}`", help)


def _head(match: re.Match[str]) -> Here:
    """Return a row of the head of Szegedy et al. 2015, whose size is that of its output."""
    if match["part"]:
        return code(f"Dropout {part_of_whole(match['part'])}")
    return code(f"FC {match['c']}") if match["name"] == "linear" else left_away(LEFT_TO_THE_LOSS)


def _padding(match: re.Match[str], stride: int, behind: int) -> str:
    """Return no padding where the sizes of the maps ask for none, and not for the usual one."""
    k, before = int(match["k"]), int(match["h"])
    usual = same_padding(k, stride) if match["is_conv"] else pool_padding(k, stride)
    bare, padded = ((before + 2 * (p or 0) - k) // stride + 1 for p in (0, usual))
    return " p0" if bare == behind and (usual is None or padded != behind) else ""


def _mobile(match: re.Match[str]) -> Here:
    return code(_mobile_conv(match) if match["stride"] else _mobile_dw(match))


def _mobile_pair(match: re.Match[str]) -> Here:
    """Return the two rows beside which one `5×` stands, before them or between them."""
    times = match["times"] or match["between"]
    return code(f"({_mobile_dw(match)}  {_mobile_conv(match)})x{times}")


def _mobile_conv(match: re.Match[str]) -> str:
    return conv(match["k"], match["other"], match["channels"], match["stride"])


def _mobile_dw(match: re.Match[str]) -> str:
    stride = "" if match["dw_stride"] == "1" else f" s{match['dw_stride']}"
    return f"DWConv{kernel(match['dw_k'], match['dw_other'])}{stride}"


def _three(match: re.Match[str]) -> Here | None:
    """Return the convolution of `16 × 8 × 8` or `8 × 8 × 16`, whose kernel is square and small."""
    a, b, c = match["a"], match["b"], match["c"]
    k, channels = (b, a) if b == c else (a, c)
    is_square = len(k) < 3 and b in (a, c)
    return code(conv(k, k, channels, match["stride"])) if is_square else None


def _maps(match: re.Match[str]) -> Here:
    """Return the layer of `C1: feature maps 6@28x28`, or of `64@3x3`."""
    if (match["letter"] or "").startswith("S"):
        return code("Avg 2")
    if len(match["k"]) == 1 and not match["letter"]:
        return code(conv(match["k"], match["other"], match["channels"]))
    return Here(
        f"`Conv {match['channels']}`",
        f"{match['k']}x{match['other']} is the size of its maps; "
        f"a kernel is written as in `Conv {match['channels']} 5x5`",
    )


def _block(match: re.Match[str]) -> Here:
    network = _BLOCKS[match["block"] or match["numbered"]]
    return Here("as a block of your own, by `def`", f"`netdsl fmt {network}` shows how")


def _without_channels(match: re.Match[str]) -> Here:
    layer = conv(match[1], match[2], "…", match["stride"])
    return Here(f"`{layer}`, with the number of its channels in place of `…`")


def _of_row(match: re.Match[str]) -> Here:
    return left_away("a column is written without the names of its rows and their sizes")


def _in_math(match: re.Match[str]) -> Here:
    """Return the kernel of `Conv 64 $5\\times5$`; any other size is that of a row."""
    before = match.string[max(0, match.start() - 64) : match.start()]
    if match["size"] and re.search(r"\b(?:DWConv|Deconv|Conv)\b[^$&()|,;:\n]*\Z", before):
        return code("x".join(re.split(rf"\s*{X}\s*", match["size"])))
    return _of_row(match)


def _squared(match: re.Match[str]) -> Here:
    """Return what `224² × 3` is: the input, in the first row."""
    if match.string[: match.start()].strip():
        return left_away("the size of a map follows from the layers before it")
    return code(f"input {match[2]}x{match[1]}x{match[1]}")


TABLES: tuple[tuple[re.Pattern[str], Say], ...] = (
    (_TYPED, _typed),
    (_HEAD, _head),
    (
        re.compile(
            rf"(?<![\w.×])(?:(?P<times>{D})\s*{X}\s*)?{_DW_ROW}"
            rf"(?(times)|\s+(?P<between>{D})\s*{X})\s+{_CONV_ROW}"
        ),
        _mobile_pair,
    ),
    (re.compile(rf"{_CONV_ROW}|{_DW_ROW}"), _mobile),
    (
        re.compile(rf"\bAvg\s*Pool\s*/\s*s{D}\s+Pool\s+({D})\s*{X}\s*{D}{BESIDE}"),
        lambda match: code(f"Avg {match[1]}"),
    ),
    (
        re.compile(rf"\bFC\s*/\s*s{D}\s+{D}\s*{X}\s*({D}){BESIDE}"),
        lambda match: code(f"FC {match[1]}"),
    ),
    (
        re.compile(
            rf"\b[Cc]onv(?:olution)?\.?\s+(?P<a>{D})\s*{X}\s*(?P<b>{D})\s*{X}\s*(?P<c>{D})"
            rf"(?![\d.]|\s*{X}){STRIDE}"
        ),
        _three,
    ),
    (
        re.compile(
            r"(?:\b(?P<letter>[CS]\d{1,2})\s*:\s*)?(?:\bf(?:\.|eature)\s*maps\s+|\b[Cc]onv\.?\s+)?"
            rf"(?<![\w@.])(?P<channels>{D})@(?P<k>{D})\s*{X}\s*(?P<other>{D})"
        ),
        _maps,
    ),
    (
        re.compile(
            r"\b(?:(?P<block>bottleneck|bneck|fire|inception)\d{0,2}|(?P<numbered>MBConv)\d)"
            rf"(?:\s*\(\d[a-z]\))?(?:(?:,|{BLANK})+k?\d[\d.]*(?:{X}{D})*[KM]?(?![\w.×]))+"
        ),
        _block,
    ),
    # Lin et al. 2014, as their code calls convolutions of 1x1.
    (
        re.compile(rf"\bcccp\d{{0,2}}{BLANK}+({D})(?![\w.])"),
        lambda match: code(f"Conv {match[1]} 1x1"),
    ),
    (re.compile(rf"(?<![\w.])({D})²\s*{X}\s*({D})"), _squared),
    # Huang et al. 2017, table 1, leave the channels to their text.
    (
        re.compile(
            rf"(?:(?<![^\n&{{])|(?<=[&{{]\s))(?:{_STAGE}{BLANK}+)?(?:{D}\s*{X}\s*{D}{BLANK}+)?"
            rf"\$?{SIZE}\$?\s*conv(?:\s*,\s*stride\s+(?P<stride>[0-9]))?"
            rf"(?!\w|{BLANK}*,?{BLANK}*\d|{BLANK}*[.;\]])"
        ),
        _without_channels,
    ),
    (
        re.compile(
            rf"(?<![^\n])(?:{_STAGE}(?:{BLANK}+{D}\s*{X}\s*{D})?|{D}\s*{X}\s*{D})"
            rf"(?={BLANK}+(?:{D}\s*{X}\s*{D}{BLANK}+(?:[a-z]+{BLANK}+){{0,2}}pool|\[))"
        ),
        _of_row,
    ),
    (
        re.compile(
            rf"\$(?P<size>{D}(?:\s*{X}\s*{D})+)\$|\bconv{D}\\_\w+"
            rf"|(?<![\w.$]){D}(?:\s*\$\\times\$\s*{D})+(?={BLANK}*&)"
        ),
        _in_math,
    ),
    (re.compile(rf"\bconv{D}_\w+\s*\((?=[A-Z])"), lambda match: code("(")),
    (
        re.compile(rf"{NAME}\s+{SIZE}(?=\s+(?:[A-Za-z\[(]|{D}\s*{X}))"),
        _of_row,
    ),
    (
        re.compile(
            rf"\b(?:block|conv|group|stage)_?{D}(?={BLANK}*&)|\bconv{D}_(?:[A-Za-z]\w*|[0-9]{{1,2}}{IN_ROW}"
            rf"|[0-9](?={BLANK}+(?:Conv|BB|Bott)\b))\b(?!\s*[=:(])"
        ),
        _of_row,
    ),
)
