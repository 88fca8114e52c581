r"""What papers, LaTeX and torch write otherwise, and what it is here: `[3×3, 64]×2`, `\times`."""

from __future__ import annotations

import re

from netdsl.syntax.cells import CELLS
from netdsl.syntax.chains import CHAINS
from netdsl.syntax.classes import CLASSES
from netdsl.syntax.foreign import layer_here, layer_with
from netdsl.syntax.foreign_calls import (
    CHANGES_NOTHING,
    LEFT_TO_THE_LOSS,
    call_here,
    features_of,
    layer_of_call,
    why_left_away,
)
from netdsl.syntax.foreign_functions import function_here, unlike_class
from netdsl.syntax.here import (
    BLANK,
    OUTPUT,
    STRIDE,
    D,
    Here,
    N,
    Say,
    X,
    code,
    conv,
    height_and_width,
    left_away,
)
from netdsl.syntax.inputs import input_of, is_channels_last
from netdsl.syntax.lexemes import BETWEEN_LAYERS, FOLLOW
from netdsl.syntax.macros import MACROS
from netdsl.syntax.markup import MARKUP
from netdsl.syntax.mobilenets import MOBILENETS
from netdsl.syntax.patterns import PATTERNS
from netdsl.syntax.pools import OF_NO_KIND, POOLS
from netdsl.syntax.sized import SIZED
from netdsl.syntax.summaries import SUMMARIES
from netdsl.syntax.tables import BESIDE, TABLES
from netdsl.syntax.torch_arguments import LARGEST_KERNEL, TAKES, words_of, written_here
from netdsl.syntax.unlike import unlike_here

# A row by itself may name its layer: `Conv 3×3, 64`, `3×3 conv. 64`.
_CONV = r"conv(?:2d|[a-z]*)"
_K = f"(?:{'|'.join(map(str, range(LARGEST_KERNEL, 0, -1)))})"
_ROW = (
    rf"{OUTPUT}(?:\b[Cc]onv\w*(?:\s*,)?\s*)?\$?(?P<k>{_K})\s*{X}\s*(?P<other>{_K})(?![0-9])\$?"
    rf"\s*(?:{_CONV}\.?(?:\s*,)?|(?P<comma>,))\s*(?P<channels>[0-9]{{1,9}})(?![\w.]){STRIDE}"
    rf"(?:(?(comma)\s|\Z)\s*{X}\s*(?P<times>[0-9]{{1,9}})(?![0-9]))?(?!\s*[x×])"
    r"(?:\s+(?:filters|channels|maps)\b)?"
)
_IMAGE = r"(?:RGB|colou?r|gr[ea]y(?:scale)?|images?|pixels?)\b"
_INPUT = (
    rf"\binput(?:{BLANK}image)?(?:\s*:)?(?P<open>\s*\()?\s*(?P<a>[0-9]{{1,5}})\s*{X}\s*(?P<b>[0-9]{{1,5}})"
    rf"(?:\s*{X}\s*(?P<c>[0-9]{{1,5}}))?(?![0-9]|\s*{X})"
    rf"(?P<words>(?:[\s,-]{{1,9}}{_IMAGE})*)(?(open)\s*\))"
)
# The least height and width that an image has.
_SMALLEST = 8
# A layer whose arguments are listed, all but the first with a name or as a size.
_LIST = rf"(?<![\w.])(?P<layer>Conv|Deconv|Max|Avg)\s+{D}"
_ITEM = rf"(?:{D}{X}{D}|[a-z_]+\s*=\s*(?:{D}(?:{X}{D})?|same|valid))"
_NEAR = 99  # characters before `10-way softmax`, in which the last layer stands
# Layers whose number is one of channels, filters, or units.
_WITH_CHANNELS = ("BB", "Bott", "Conv", "Deconv", "FC")


def _input(match: re.Match[str]) -> Here | None:
    """Return the shape of `input: 224 x 224 x 3 image`; None for one in our own order.

    Two numbers that are neither a square nor said to be of an image may be anything: `1x784`.
    """
    a, b, c = match["a"], match["b"], match["c"]
    is_bare = not match["open"] and not match["words"]
    if c is None:
        if min(int(a), int(b)) < _SMALLEST or (a != b and not match["words"]):
            return None
        if re.search("gr[ea]y", match["words"]):
            return code(f"input 1x{a}x{b}")
        is_said = re.search("RGB|colou?r", match["words"])
        return Here(f"`input 3x{a}x{b}`", None if is_said else f"or, in grey, `input 1x{a}x{b}`")
    is_last = is_channels_last(a, b, c)
    if not is_last and is_bare:
        return None
    return code(f"input {c}x{a}x{b}" if is_last else f"input {a}x{b}x{c}")


def _conv_of(match: re.Match[str]) -> Here:
    return code(conv(match["k"], match["other"], match["channels"], match["stride"]))


def _counted(match: re.Match[str]) -> Here | None:
    """Return the layer of `Conv 64 filters` and of `64 filters`; None behind any other word."""
    name, number = match["layer"], match["number"]
    if name is None:
        return code(f"{'FC' if match['of_fc'] else 'Conv'} {number}")
    here = layer_with(name, number) or f"{layer_here(name) or name} {number}"
    return code(here) if here.split()[0] in _WITH_CHANNELS else None


def _dense(match: re.Match[str]) -> Here:
    """Return the dense layer of `1000-d fc`; `softmax-10` is one unless it stands behind it.

    So is `10-way softmax`, unless the layer before it has 10 channels or numbers already.
    """
    number = match["classes"] or match["way"] or match["behind"] or match["softmax"]
    before = match.string[max(0, match.start() - _NEAR) : match.start()]
    if match["softmax"] and re.search(rf"(?<!\d){number}\W*\Z", before):
        return left_away(LEFT_TO_THE_LOSS)
    if match["scores"] and _last_number(before) in (number, match["or"]):
        return left_away(LEFT_TO_THE_LOSS)
    return code(f"FC {number}")


def _last_number(text: str) -> str | None:
    """Return the last number of a text that is neither of a size nor a repeat."""
    numbers = re.findall(rf"(?<![\w.])(?:{D}\s*{X}\s*{D}|{X}\s*{D}|({D}))(?![\w.])", text)
    return next(filter(None, reversed(numbers)), None)


def _abbreviated(match: re.Match[str]) -> Here | None:
    """Return the layer of `Conv.`; None for any other word before a point, as `Fig.`."""
    return code(match[1]) if match[1] in TAKES else None


def _listed(match: re.Match[str]) -> Here | None:
    """Return a layer whose arguments have commas between them, `Conv 64, k=3, s=1`."""
    arguments = match[0][len(match["layer"]) :]
    here = written_here(match["layer"], words_of(re.sub(r"\s*=\s*", "=", arguments)))
    return None if here is None else code(f"{match['layer']} {here}")


def _row(match: re.Match[str]) -> Here:
    layer = conv(match["k"], match["other"], match["channels"], match["stride"])
    layer = f"({layer})x{match['times']}" if match["times"] else layer
    shape = f" :{'x'.join((match['channels'], *height_and_width(match)))}" if match["h"] else ""
    return code(f"{layer}{shape}")


def call(match: re.Match[str]) -> Here | None:
    if why := why_left_away(match):
        return left_away(why)
    here, layer = call_here(match), layer_of_call(match)
    if here is None and layer is not None:
        return Here(f"`{layer} …`; not all that stands in its brackets is known here")
    if here is None:
        return None
    of_first = input_of(match["name"], match["arguments"])
    return Here(f"`{here}`", unlike_here(match), takes=features_of(match), input=of_first)


def _input_of_keras(match: re.Match[str]) -> Here:
    return code(f"input {match['c']}x{match['h']}x{match['w']}")


def _last_in_row(match: re.Match[str]) -> Here | None:
    """Return what is said of the last `&` of a row of LaTeX; None for one that is alone in it."""
    row = match.string[match.string.rfind("\n", 0, match.start()) + 1 : match.start()]
    return left_away(BETWEEN_LAYERS) if "&" in row else None


def function(match: re.Match[str]) -> Here | None:
    name, here = function_here(match)
    if why := CHANGES_NOTHING.get(name):
        return left_away(why)
    return None if here is None else Here(f"`{here}`", unlike_class(match))


FORMS: tuple[tuple[re.Pattern[str], Say], ...] = (
    *CLASSES,
    *PATTERNS,
    *MACROS,
    *CELLS,
    *MOBILENETS,
    *SIZED,
    *SUMMARIES,
    *MARKUP,
    (re.compile(_INPUT), _input),
    *POOLS,
    *CHAINS,
    (
        re.compile(rf"(?<![\w.(]){_ROW}"),
        _row,
    ),
    (
        re.compile(
            rf"\b[Cc](?:onv)?\d*\s*:\s*(?P<channels>{D})\s*,\s*(?P<k>{D})\s*{X}\s*(?P<other>{D})"
            rf"(?![\d.]|\s*{X}){STRIDE}"
        ),
        _conv_of,
    ),
    (
        re.compile(
            rf"\b[Cc]onv\.?\s+(?P<k>{D})\s*{X}\s*(?P<other>{D})(?:\s*,)?\s*stride\s+(?P<stride>{D})"
            rf"\s*,\s*(?P<channels>{D})(?![\d.])"
        ),
        _conv_of,
    ),
    (
        re.compile(r"\bConv(?:[-+](?:BN|BatchNorm|ReLU))+(?=\s+\d)", re.IGNORECASE),
        lambda match: code("Conv"),
    ),
    (
        re.compile(r"(?<![\w.-])(Avg|BB|Bott|Conv|Dropout|FC|Max|Up)-([0-9][0-9.]{0,8})(?![\w.-])"),
        lambda match: code(f"{match[1]} {match[2]}"),
    ),
    (
        re.compile(
            rf"(?:\b(?P<layer>[A-Z][A-Za-z]*)\s+)?(?<![\w.×✕⨯])(?<![x×✕⨯]\s)(?P<number>{D})\s+"
            r"(?:(?P<of_fc>neurons|units)|channels|filters|kernels|maps)\b(?!\s*=)"
        ),
        _counted,
    ),
    (re.compile(rf"{_LIST}(?:\s*,\s*{_ITEM}){{2,9}}(?![\w=.]|\s*{X})"), _listed),
    *TABLES,
    (re.compile(r"(?<![\w.])([A-Z][A-Za-z]*)\.(?=\s)"), _abbreviated),
    (
        re.compile(
            rf"\bfc-(?P<classes>{D})\b|\bsoft-?max-(?P<softmax>{D})\b"
            rf"|\b(?:(?P<or>{D})\s+or\s+)?(?P<way>{D})(?:-(?:d|way)|d)"
            r"\s+(?:fc|(?P<scores>soft-?max)|fully[ -]connected)\b"
            rf"|\bfully[ -]connected(?:\s*,)?\s+\$?(?P<behind>{D})(?:\s*{X}\s*1\b)?\$?",
            re.IGNORECASE,
        ),
        _dense,
    ),
    (
        re.compile(rf"(?<![\w.])({D}{X}{D})\s*/\s*({D})"),
        lambda match: code(f"{match[1]} s{match[2]}"),
    ),
    (
        re.compile(r"(?<!=)(?<!\bact\s)\b(?:[Ll]eaky[ -]|l)[Rr][Ee][Ll][Uu]\b"),
        lambda match: code("Act leaky_relu"),
    ),
    (
        re.compile(rf"\b[Uu]p-?[Cc]onv(?:olution)?\s+({D})\s*{X}\s*\1\s*,\s*{N}"),
        lambda match: code(f"Deconv {match[2]} s{match[1]}"),
    ),
    OF_NO_KIND,
    (
        re.compile(rf"(?:,\s*)?\b(?:with\s+)?stride\s+(?:(?:of|[rs]\s*=)\s*)?({D})|,\s*/\s*({D})"),
        lambda match: code(f"s{match[1] or match[2]}"),
    ),
    (re.compile(rf"(?:,\s*)?\bpad(?:ding)?\s+({D})"), lambda match: code(f"p{match[1]}")),
    (
        re.compile(
            rf"(?:,\s*)?\bsoft-?max\b(?!-\d|\s*=)|\bSoftmax\s*/\s*s{D}\s+Classifier{BESIDE}"
        ),
        lambda match: left_away(LEFT_TO_THE_LOSS),
    ),
    (
        re.compile(
            r"(?:\b[a-z]\w*(?:\s*=\s*|(?P<add>\.add\(\s*)))?(?:\b(?:tf\.)?keras\.)?(?:\blayers\.)?"
            r"\bInput(?:Layer)?\(\s*(?:(?:input_|batch_)?shape\s*=\s*)?"
            rf"\(\s*(?P<h>{D})\s*,\s*(?P<w>{D})\s*,\s*(?P<c>{D})\s*(?:,\s*)?\)\s*\)(?(add)\s*\))(?:\s*,)?"
        ),
        _input_of_keras,
    ),
    (
        re.compile(r"(?:\b(?:self\.)?[a-z]\w*\s*=\s*)?\b(?:\w+\.){0,3}Sequential\((?:\s*[\[)])?"),
        lambda match: left_away(FOLLOW),
    ),
    (re.compile(r"\$?\\times(?![a-z])\$?"), lambda match: code("x")),
    (re.compile(r"\$?\\(?:to|(?:long)?rightarrow)(?![a-z])\$?"), lambda match: code("->")),
    (
        re.compile(r"\\\\(?:\s*\\hline)?|\\hline|&(?=[^\n&\\]*[&\\])|(?<=\n)[ \t]*&|\$"),
        lambda match: left_away(BETWEEN_LAYERS),
    ),
    (re.compile("&"), _last_in_row),
)
