"""What stands around the layers of a pasted column: line numbers, bullets, names, broken words."""

from __future__ import annotations

import re

from netdsl.syntax.here import GAP, Here, Say, code, left_away

_LINE = r"(?<![^\n])"
# Words for layers that have a number behind them, as in `Stage 1: …`.
_COUNTED = "(?:Block|Group|Layer|Level|Module|Part|Phase|Stage|Step|Unit)"
_NUMBERED = re.compile(rf"{GAP}*\(?(\d{{1,3}})[.:)]?(?={GAP}+\S)")


def _number(match: re.Match[str]) -> Here | None:
    """Return what is said of the number of a line, if the line before or behind has its own."""
    text, number = match.string, int(match["number"])
    before = text.rfind("\n", 0, max(match.start() - 1, 0)) + 1 if match.start() else None
    behind = text.find("\n", match.end()) + 1
    beside = [
        (int(found[1]), step)
        for start, step in ((before, -1), (behind or None, 1))
        if start is not None and (found := _NUMBERED.match(text, start))
    ]
    is_one = any(other == number + step for other, step in beside)
    return left_away("lines of layers have no numbers") if is_one else None


def _label(match: re.Match[str]) -> Here:
    label = "".join((match["label"] or match["counted"]).lower().split())
    return left_away(f"where a branch reads it, it stands behind the layer as a label: `@{label}`")


def _row_of_table(match: re.Match[str]) -> Here:
    """Return the cells of a row of Markdown; nothing of its head and of the rule below."""
    if not re.search(r"\d", match["cells"]) and not match["cells"].strip()[:1].isupper():
        return left_away("layers follow one another as they stand")
    return code("  ".join(" ".join(cell.split()) for cell in match["cells"].split("|")))


LAYOUT: tuple[tuple[re.Pattern[str], Say], ...] = (
    (re.compile(rf"{_LINE}{GAP}{{0,9}}\|(?P<cells>[^\n]+)\|{GAP}*(?![^\n])"), _row_of_table),
    (
        re.compile(rf"{_LINE}{GAP}{{0,9}}\(?(?P<number>\d{{1,3}})[.:)]?(?={GAP}+[A-Za-z(\[])"),
        _number,
    ),
    (
        re.compile(rf"{_LINE}{GAP}{{0,9}}[-*](?={GAP}+[A-Z(])"),
        lambda match: left_away("layers follow one another as they stand"),
    ),
    (
        re.compile(rf"\A\s*(?P<name>(?:Column|Model|Net|Network){GAP}+(?:\d+|[A-Z](?!\w)))"),
        lambda match: Here(f'`name "{match["name"]}"`', "or leave the name of a column away"),
    ),
    # A printed module of torch.
    (
        re.compile(r"\A\s*[A-Z]\w*\(\s*(?=\(\w+\): )|(?<=\n)\]?\)\s*\Z"),
        lambda match: left_away("layers follow one another as they stand"),
    ),
    (
        re.compile(r"(?<![\w@])([A-Z][a-z]+)-\n\s*([a-z]+)(?![\w(])"),
        lambda match: code(f"{match[1]}{match[2]}"),
    ),
    (
        re.compile(
            rf"(?<![\w@.])(?:(?P<label>[a-z]\w*|[A-Z][A-Za-z]*\d*)|(?P<counted>{_COUNTED}{GAP}+\d+))"
            r"\s*:(?=\s*[A-Z(])"
        ),
        _label,
    ),
)
