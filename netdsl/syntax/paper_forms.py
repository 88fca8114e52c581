r"""Forms of papers, LaTeX and torch that are written otherwise here: `[3×3, 64]×2`, `\times`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from netdsl.errors import Diagnostic, Source, Span
from netdsl.syntax.brackets import MOST
from netdsl.syntax.foreign_calls import CALL, call_here
from netdsl.syntax.lexemes import BETWEEN_LAYERS
from netdsl.syntax.tree import Comment

Say = Callable[[re.Match[str]], str | None]  # what to write in place of a form

_X = r"(?:[x×✕⨯]|\$?\\times\$?)"
_N = r"([0-9]{1,9})(?![0-9])"
_SIZE = rf"{_N}\s*{_X}\s*{_N}"
# NOTE: nowhere do two runs of blanks meet: a long one would be parted in every way between them.
_BY = r"(?:\s*,)?\s*(?:stride\s*(?:=\s*)?|/\s*)"
_STRIDE = rf"(?:{_BY}([0-9]+))?"
# A matrix, and what LaTeX makes it of.
_OPEN = r"\$?(?:(?:\\left)?\[\s*(?:\\begin\{array\}\{\w+\})?|\\begin\{[a-z]*matrix\})"
_CLOSE = r"\s*(?:(?:\\end\{array\}\s*)?(?:\\right)?\]|\\end\{[a-z]*matrix\})"
_ROW = rf"{_SIZE}\s*(?:conv\w*\s*)?,\s*{_N}"
# A row by itself may name its layer: `Conv 3×3, 64`, `3×3 conv. 64`.
_NAMED = rf"(?:\b[Cc]onv\w*(?:\s*,)?\s*)?{_SIZE}\s*(?:conv\w*\.?(?:\s*,)?|,)\s*{_N}"
# Howard et al. 2017, table 1: type and stride, shape of the filter, size of the input.
_BESIDE = rf"(?:\s+\d+\s*{_X}\s*\d+\s*{_X}\s*\d+(?!\s*{_X}|\s*\d|\s*dw))?"
_MOBILE = rf"\s*/\s*s(?P<stride>\d+)\s+(?P<k>\d+)\s*{_X}\s*(?P<other>\d+)\s*{_X}\s*\d+"
# Ciresan et al. 2012: `32C3-MP2-64C3-MP2-512N-10`.
_DASH = r"\s*[-–—]\s*"
_TERSE = r"(?:\d+[Cc]\d+|[Cc]\d+|(?:MP|AP|P)\d*|GAP|\d+(?:FC|N)|FC\d+|\d+)"
_LEFT_AWAY = "left away: "


def forms_of_papers(
    source: Source, comments: Sequence[Comment], faults: Sequence[Diagnostic]
) -> list[Diagnostic]:
    """Return the faults of a text with those inside of known forms told as these forms.

    Where one of them is at fault, the first twenty of the text are told. What is read as it is
    written, and then does not fit, is no such form, whatever it looks like.
    """
    misread = [fault for fault in faults if fault.code.startswith(("E01", "E02"))]
    found = list(islice(_found(source, comments), MOST))
    spans = [form.span for form in found if form.span]
    if not any(_is_inside(fault.span, span) for fault in misread for span in spans):
        return list(faults)
    left = [fault for fault in faults if not any(_is_inside(fault.span, span) for span in spans)]
    return [*(fault for fault in left if not _is_behind(fault, spans)), *found]


def _is_behind(fault: Diagnostic, spans: Sequence[Span]) -> bool:
    """Say whether a fault is but the comma behind a form, which may stand behind a layer."""
    if fault.code != "E0111" or fault.span is None:
        return False
    written = len(fault.span.source.text[: fault.span.start].rstrip())
    return any(span.source is fault.span.source and span.end == written for span in spans)


def _found(source: Source, comments: Sequence[Comment]) -> Iterator[Diagnostic]:
    """Yield the forms of a text from its start on; where two overlap, the one listed first."""
    text = _blanked(source.text, [(c.span.start, c.span.end) for c in comments])
    bare = _blanked(text, [match.span() for match in re.finditer(r'"[^"\n]*"', text)])
    found: list[tuple[int, re.Match[str], Say]]
    found = [(match.start(), match, _call) for match in CALL.finditer(text)]
    found += [(match.start(), match, say) for form, say in _FORMS for match in form.finditer(bare)]
    own, end = _own_names(bare), 0
    for start, match, say in sorted(found, key=lambda one: one[0]):  # stable: in the order listed
        words = [match["name"]] if say is _call else re.findall(r"\w+", match[0])
        if start < end or not own.isdisjoint(words):
            continue
        if (here := say(match)) is not None:
            end = match.end()
            yield _told(Span(source, start, end), here)


def _own_names(text: str) -> set[str]:
    """Return what a text gives a name: a block may be called `Dense`, a parameter `pool`."""
    names = set(re.findall(r"\b([a-z]\w*)\s*=", text))
    for block, formals in re.findall(r"\bdef\s+([A-Z][A-Za-z_]*)(\([^()]*)?", text):
        names |= {block, *re.findall(r"[a-z]\w*", formals)}
    return names


def _told(span: Span, here: str) -> Diagnostic:
    written = " ".join(span.text.split())
    shown = written if len(written) <= 40 else f"{written[:40]}…"
    if here.startswith(_LEFT_AWAY):
        help = here.removeprefix(_LEFT_AWAY)
        return Diagnostic("E0121", f"`{shown}` is left away here", span, help=help)
    return Diagnostic("E0121", f"`{shown}` is written {here}", span)


def _is_inside(inner: Span | None, outer: Span) -> bool:
    if inner is None or inner.source is not outer.source:
        return False
    return outer.start <= inner.start < outer.end


def _blanked(text: str, ranges: Sequence[tuple[int, int]]) -> str:
    """Return a text of the same length with blanks in some ranges of it."""
    pieces, behind = [], 0
    for start, end in ranges:
        pieces += [text[behind:start], " " * (end - start)]
        behind = end
    return "".join(pieces) + text[behind:]


def _size(k: str, other: str) -> str:
    return "" if k == other == "3" else f" {k}x{other}"


def _conv(k: str, other: str, channels: str, stride: str | None = None) -> str:
    return f"Conv {channels}{_size(k, other)}{f' s{stride}' if stride else ''}"


def _matrix(match: re.Match[str]) -> str:
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
    inside = inside or " ".join(_conv(*row) for row in rows)
    return f"`({inside}){times}`" if times else f"`{inside}`"


def _pool(match: re.Match[str]) -> str:
    size = match["before"] or match["behind"] or match["number"]
    stride = match["stride"]
    if match["kind"].lower() != "max" and not size:
        return "`GAP`"
    size = size or "2"
    kind = "Max" if match["kind"].lower() == "max" else "Avg"
    return f"`{kind} {size}{f' s{stride}' if stride and stride != size else ''}`"


def _mobile(match: re.Match[str]) -> str:
    if match["stride"]:
        stride = match["stride"] if match["stride"] != "1" else None
        return f"`{_conv(match['k'], match['other'], match['channels'], stride)}`"
    size = _size(match["dw_k"], match["dw_other"])
    stride = "" if match["dw_stride"] == "1" else f" s{match['dw_stride']}"
    return f"`DWConv{size}{stride}`"


def _terse(match: re.Match[str]) -> str | None:
    """Return the layers of `32C3-MP2-10`; None where none of them is a convolution."""
    layers = [_terse_layer(word) for word in re.split(_DASH, match["chain"])]
    return f"`{'  '.join(layers)}`" if any(one.startswith("Conv") for one in layers) else None


def _terse_layer(word: str) -> str:
    if of := re.fullmatch(r"(\d*)[Cc](\d+)", word):
        return _conv(of[2], of[2], of[1]) if of[1] else f"Conv {of[2]}"
    if of := re.fullmatch(r"(MP|AP|P)(\d*)", word):
        return f"{'Avg' if of[1] == 'AP' else 'Max'} {of[2] or 2}"
    return "GAP" if word == "GAP" else f"FC {re.sub('[^0-9]', '', word)}"


def _call(match: re.Match[str]) -> str | None:
    here = call_here(match)
    brings = ", which brings its norm and activation" if here and here.startswith("Conv") else ""
    return f"`{here}`{brings}" if here else None


_FORMS: tuple[tuple[re.Pattern[str], Say], ...] = (
    (
        re.compile(
            rf"(?<![=\w]){_OPEN}\s*{_ROW}(?![\dx×.])(?:(?:\s*(?:[;,&]|\\\\))?\s*{_ROW})*"
            rf"(?:\s*\\\\)?{_CLOSE}"
            rf"(?:\s*{_X}\s*(?P<times>\d+))?"
        ),
        _matrix,
    ),
    (
        re.compile(
            rf"(?<![\w.])(?:(?P<before>\d+)\s*{_X}\s*\d+\s+)?(?:[Gg]lobal\s+)?"
            rf"(?P<kind>[Mm]ax|[Aa]vg|[Aa]verage)(?:[ -][Pp]|p)ool(?:ing)?\b(?![-\w(])"
            rf"(?:(?:\s*,)?\s*(?P<behind>\d+)\s*{_X}\s*\d+|\s+(?P<number>\d+)\b(?!\s*{_X}))?"
            rf"(?:{_BY}(?P<stride>\d+))?",
        ),
        _pool,
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
        lambda match: f"`Avg {match[1]}`",
    ),
    (
        re.compile(rf"\bFC\s*/\s*s\d+\s+\d+\s*{_X}\s*(\d+){_BESIDE}"),
        lambda match: f"`FC {match[1]}`",
    ),
    (
        re.compile(
            rf"(?<![\w.=*+/@-])(?P<chain>{_TERSE}(?:{_DASH}{_TERSE})+)(?:(?:{_DASH})?[Ss]oft-?max)?"
            r"(?![\w-])"
        ),
        _terse,
    ),
    (
        re.compile(rf"(?<![\w.(]){_NAMED}(?![\d.]|\s*[x×]){_STRIDE}"),
        lambda match: f"`{_conv(*match.groups())}`",
    ),
    (
        re.compile(rf"\bconv(\d{{1,2}})(?:{_X}\d{{1,2}})?-(\d+)\b", re.IGNORECASE),
        lambda match: f"`{_conv(match[1], match[1], match[2])}`",
    ),
    (
        re.compile(
            r"\bfc-(\d+)\b|\b(\d+)-(?:d|way)\s+(?:fc|soft-?max|fully[ -]connected)\b"
            r"|\bfully[ -]connected(?:\s*,)?\s+(\d+)",
            re.IGNORECASE,
        ),
        lambda match: f"`FC {match[1] or match[2] or match[3]}`",
    ),
    (
        re.compile(rf"(?<![\w.])(\d+{_X}\d+)\s*/\s*(\d+)"),
        lambda match: f"`{match[1]} s{match[2]}`",
    ),
    (re.compile(r"(?:,\s*)?\bstride\s+(\d+)"), lambda match: f"`s{match[1]}`"),
    (
        re.compile(rf"(?:,\s*)?\bsoft-?max\b|\bSoftmax\s*/\s*s\d+\s+Classifier{_BESIDE}"),
        lambda match: f"{_LEFT_AWAY}the loss takes the scores of the last FC",
    ),
    (
        re.compile(r"\b(?:\w+\.){0,3}Sequential\((?:\s*\[)?"),
        lambda match: f"{_LEFT_AWAY}layers follow one another as they stand",
    ),
    (re.compile(r"\$?\\times(?![a-z])\$?"), lambda match: "`x`"),
    (re.compile(r"\$?\\(?:to|(?:long)?rightarrow)(?![a-z])\$?"), lambda match: "`->`"),
    (
        re.compile(r"\\\\(?:\s*\\hline)?|\\hline|&(?=[^\n&\\]*[&\\])|\$"),
        lambda match: _LEFT_AWAY + BETWEEN_LAYERS,
    ),
    (
        re.compile(r"(?<![\w@.])([a-z]\w*)\s*:(?=\s*[A-Z(])"),
        lambda match: f"behind the layer, as a label: `@{match[1]}`",
    ),
)
