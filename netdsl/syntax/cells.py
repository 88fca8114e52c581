"""Cells of He et al. 2015, table 1, `[3×3, 64; 3×3, 64]×2`, and what PDF and LaTeX make of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from netdsl.syntax.here import OUTPUT, ROW, SIZE, STRIDE, Here, N, Say, X, conv, height_and_width

# A matrix, and what LaTeX makes of it.
_BEGIN, _END = (rf"\\{one}\{{(?:array|tabular|[a-z]*matrix)\}}" for one in ("begin", "end"))
_COLUMNS = r"(?:\s*\{[^{}\n]{1,19}\})?"
_SIZED = r"(?:\\(?:left|right|[Bb]igg?[lr]?)\s*)?"
_OPEN = (
    rf"(?:(?:\$|\\\()\s*)?"
    rf"(?:{_SIZED}[\[(]\s*(?:{_BEGIN}{_COLUMNS}\s*)?|{_BEGIN}{_COLUMNS}\s*)"
)
_CLOSE = rf"\s*(?:(?:{_END}\s*)?{_SIZED}[\])]|{_END})(?:\s*(?:\$|\\\)))?"
# Zagoruyko and Komodakis 2016 widen their blocks, `3×3, 16×k`; Xie et al. 2017 group, `C=32`.
# He et al. 2016 have norm and activation before each convolution.
_BEFORE = r"(?:BN[\s,-]{1,9}ReLU[\s,-]{1,9})?"
_PLAIN = rf"{_BEFORE}(?:[Cc]onv\w*,?\s*)?\$?{SIZE}\$?\s*(?:conv\w*\s*)?,[\s~]*{N}"
_WIDER = rf"(?:\s*{X}\s*([0-9]{{1,4}}|[a-wyz])(?![\w.×])|(?![x×.\d]))"
_GROUPS = r"(?:\s*,\s*C\s*=\s*([0-9]{1,4}))?"
_ROW = rf"{_PLAIN}{_WIDER}{_GROUPS}"
_TEXT = r"\\(?:text|math)(?:rm|sf)?\{"
_LINE = rf"(?:{_TEXT})?{_ROW}\}}?"
_NEXT = r"(?:\s*(?:[;,&]|\\\\(?:\[[-.\w]{1,9}\])?))?\s*"
_COUNT = r"[0-9]{1,9}[a-wyzA-Z]?(?!\w)|[a-wyzA-Z](?!\w)"
_TIMES = rf"(?:\s*(?:{X}|\*)\s*(?:{_COUNT})\$?)?"
# Brackets as a PDF draws them, a piece for each row, and rows that have lost them.
_DRAWN = rf"[⎡⎢⎣⎛⎜⎝]\s*{_ROW}\s*[⎤⎥⎦⎞⎟⎠]{_TIMES}"
_THREE, _ONE = rf"3\s*{X}\s*3\s*,\s*", rf"1\s*{X}\s*1\s*,\s*"
_LOST = (
    rf"(?:{_ONE}(?P<middle>[0-9]+){_TIMES}\s+{_THREE}(?P=middle){_TIMES}\s+{_ONE}[0-9]+{_TIMES}"
    rf"|{_THREE}(?P<basic>[0-9]+){_TIMES}\s+{_THREE}(?P=basic)(?![0-9]){_TIMES})"
)
_MATRIX = rf"{_OPEN}{_LINE}(?:{_NEXT}{_LINE})*(?:\s*\\\\)?{_CLOSE}\$?{_TIMES}"
# Huang et al. 2017, table 1, leave the channels to their text.
_OF_DENSE = rf"(?:{_TEXT})?\$?{SIZE}\$?(?:\s|&|{_TEXT})*conv\}}?"
_PIECES = rf"{_DRAWN}(?:\s*{_DRAWN}){{0,3}}"
_OUTPUT = re.compile(rf"{ROW}(?=\s+(?:\$?[0-9]+\s*{X}|{_OPEN}|[⎡⎛]))")
_INPUT = re.compile(r"\binput\s+(?P<c>[0-9]{1,5})x(?P<h>[0-9]{1,5})x(?P<w>[0-9]{1,5})")
# What a row has behind its size: a layer, as `7×7, 64, stride 2`, or a cell, or a pool and a cell.
_SIGNS = re.compile(r"(?:[\s,;&|$]|\\\\|\\hline)*")
_POOL = r"(?:max|average|avg)[ -]?pool(?:ing)?\b"
_FIRST = re.compile(rf"(?!{_LOST}){SIZE}\s*(?:,\s*{N}|{_POOL}){STRIDE}", re.IGNORECASE)
_CELL = re.compile(f"{_MATRIX}|{_PIECES}|{_LOST}")
_NEAR = 20_000  # characters before a cell, in which its table and the input stand


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a cell: its kernel, channels, the name of what widens them, and its groups."""

    k: str
    other: str
    channels: int
    factor: str
    groups: str

    @property
    def width(self) -> str:
        return f"{self.channels}*{self.factor}" if self.factor else f"{self.channels}"

    @property
    def conv(self) -> str:
        groups = f" g{self.groups}" if self.groups else ""
        return f"{conv(self.k, self.other, self.width)}{groups}"


def _cell(match: re.Match[str]) -> Here | None:
    """Return the block or the convolutions of a cell, of the size that the table says.

    None where norm and activation stand before convolutions that are no block.
    """
    rows = [_row(found) for found in re.finditer(_ROW, match["cell"])]
    return _told(match, rows, re.sub(_ROW, " ", match["cell"]))


def _lost(match: re.Match[str]) -> Here | None:
    """Return the block of rows without their brackets; None where nothing repeats them."""
    rest = re.sub(_PLAIN, " ", match["cell"])
    rows = [_row(found) for found in re.finditer(f"{_PLAIN}()()", match["cell"])]
    return _told(match, rows, rest) if re.search(r"\d", rest) else None


def _row(found: re.Match[str]) -> _Row:
    k, other, channels, wider, groups = found.groups()
    if wider and wider.isdecimal():
        return _Row(k, other, int(channels) * int(wider), "", groups or "")
    return _Row(k, other, int(channels), wider or "", groups or "")


def _told(match: re.Match[str], rows: list[_Row], rest: str) -> Here | None:
    times, name = _times(rest)
    block = _block(rows)
    if before := len(re.findall(r"\bBN\b", match["cell"])):
        if not block or before != len(rows):
            return None
        block += " pre"
    inside = block or " ".join(row.conv for row in rows)
    whole = f"({inside}){times}" if times else inside
    halved = f"({inside} s=[2, 1]){times}" if times else f"{inside} s2"
    helps = [
        f"`{one}` is a parameter of the header, as in `{one} = 2`"
        for one in dict.fromkeys(filter(None, [name, *(row.factor for row in rows)]))
        if not re.search(rf"(?<!\w){one}\s*=", match.string)
    ]
    shape = ""
    if match["h"] and not rows[-1].factor and (block or not rows[1:]):
        shape = f" :{'x'.join((str(rows[-1].channels), *height_and_width(match)))}"
    halves = _halves(match) if block else False
    if halves is None:
        helps.insert(0, f"or, where it halves the map, `{halved}{shape}`")
    width = rows[-1].channels if block and not rows[-1].factor else None
    here = f"`{halved if halves else whole}{shape}`"
    is_sized = match["h"] or _last(_OUTPUT, match)
    other = halved if block and not is_sized else None
    return Here(here, "; ".join(helps) or None, block=width, halved=other)


def _times(rest: str) -> tuple[str, str]:
    """Return the repeat of a cell as it is written here, and the name in it."""
    count = r"(?=\w)(?P<number>[0-9]*)(?P<name>[a-wyzA-Z]?)(?!\w)"
    found = re.search(rf"(?<![a-z])(?:{X}|\*)\s*{count}", rest)
    if found is None:
        return "", ""
    number, name = found["number"], found["name"].lower()
    if number and name:
        return f"x{number}*{name}", name
    return (f"x{number}" if number else f"x {name}"), name


def _block(rows: list[_Row]) -> str:
    """Return the residual block that has these rows; nothing where none has."""
    kernels, widths = [(row.k, row.other) for row in rows], [row.channels for row in rows]
    groups = [row.groups for row in rows]
    if len({row.factor for row in rows}) > 1 or 0 in widths:
        return ""
    if kernels == [("3", "3")] * 2 and widths[0] == widths[1] and not any(groups):
        return f"BB {rows[0].width}"
    if kernels == [("1", "1"), ("3", "3"), ("1", "1")] and widths[0] == widths[1]:
        if groups[0] or groups[2]:
            return ""
        e, rest = divmod(widths[2], widths[0])
        options = ("" if e == 4 else f" e{e}") + (f" g{groups[1]}" if groups[1] else "")
        return "" if rest else f"Bott {rows[2].width}{options}"
    return ""


def _halves(match: re.Match[str]) -> bool | None:
    """Say whether a cell halves the map; None where the sizes of its table leave that open."""
    if not match["h"]:
        return None
    before = _last(_OUTPUT, match) or _last(_INPUT, match)
    if before is None or not _is_next(before, match):
        return None
    sizes = [tuple(map(int, height_and_width(row))) for row in (before, match)]
    if sizes[0] == sizes[1]:
        return False
    return True if tuple((one + 1) // 2 for one in sizes[0]) == sizes[1] else None


def _last(pattern: re.Pattern[str], match: re.Match[str]) -> re.Match[str] | None:
    """Return the last place before a cell that a pattern has, not far before it."""
    near = max(0, match.start() - _NEAR)
    found = [*pattern.finditer(match.string, near, match.start())]
    return found[-1] if found else None


def _is_next(before: re.Match[str], match: re.Match[str]) -> bool:
    """Say whether nothing but one layer and one cell of the row before stands between two rows.

    A layer more may be of either row: what PDFs make of a table has the pool before its size.
    """
    end = before.end()
    for pattern in (_SIGNS, _FIRST, _SIGNS, _CELL, _SIGNS):
        found = pattern.match(match.string, end, match.start())
        end = found.end() if found else end
    return end == match.start()


def _block_of(network: str) -> Say:
    help = f"`netdsl fmt {network}` shows how"
    return lambda match: Here("as a block of your own, by `def`", help)


CELLS: tuple[tuple[re.Pattern[str], Say], ...] = (
    (
        re.compile(rf"(?<![=\w]){OUTPUT}(?P<cell>{_MATRIX})"),
        _cell,
    ),
    (re.compile(rf"{OUTPUT}(?P<cell>{_PIECES})"), _cell),
    (re.compile(rf"(?<![\w.×=]){OUTPUT}(?P<cell>{_LOST})"), _lost),
    # Huang et al. 2017, table 1.
    (
        re.compile(
            rf"(?<![=\w]){_OPEN}{_OF_DENSE}{_NEXT}{_OF_DENSE}(?:\s*\\\\)?{_CLOSE}\$?"
            rf"\s*{X}\s*[0-9]+\$?"
        ),
        _block_of("densenet121"),
    ),
    # Hu et al. 2018, table 1.
    (
        re.compile(
            rf"(?<![=\w])\[\s*{_ROW}(?:{_NEXT}{_ROW}){{1,3}}{_NEXT}fc\s*(?:,\s*)?"
            rf"\[\s*[0-9]{{1,4}}\s*,\s*[0-9]{{1,4}}\s*\]\s*\]\s*{X}\s*[0-9]+"
        ),
        _block_of("se_resnet50"),
    ),
    # Liu et al. 2022, table 9.
    (
        re.compile(rf"(?<![=\w])\[\s*d{SIZE}\s*,[^\[\]]{{1,99}}\]\s*{X}\s*[0-9]+"),
        _block_of("convnext_tiny"),
    ),
)
