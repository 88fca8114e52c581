"""What stands around the layers of a pasted column: numbers, names, broken words, tags, rules."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache

from netdsl.syntax.classes import BLOCK_OF_ITS_OWN, OF_MODULE
from netdsl.syntax.foreign import SETTINGS_HERE, layer_here, value_here
from netdsl.syntax.headed import (
    RULE,
    TABLE_ROW,
    cells_of,
    columns_of,
    is_heading,
    is_nothing,
    layer_with,
    said_of,
)
from netdsl.syntax.here import BLANK, D, Here, Say, code, left_away
from netdsl.syntax.lexemes import BETWEEN_LAYERS, COMBINERS, FOLLOW
from netdsl.syntax.torch_arguments import TAKES

_LINE = r"(?<![^\n])"
# Words for layers that have a number behind them, as in `Stage 1: …`.
_COUNTED = "(?:Block|Group|Layer|Level|Module|Part|Phase|Stage|Step|Unit)"
_NUMBER = re.compile(rf"{_LINE}{BLANK}{{0,9}}\(?(?P<number>\d{{1,3}})[.:)]?(?={BLANK}+[A-Za-z(\[])")
_OWN_LAYERS = {name.lower() for name in (*TAKES, *COMBINERS)}
_SETTINGS = (
    "name", "input", "classes", "norm", "act", "init", "bias", "shortcut", "shortcut_kernel",
    "shortcut_norm", "residual", "drop_path", *SETTINGS_HERE,
)  # fmt: skip
_OF_MAPS = re.compile(r"(?:in|out)put[ -](?:dim|res|shape|size)", re.IGNORECASE)
# The heading of a table with a column for each network, as in He et al. 2015, table 1.
_COLUMN = (
    r"(?:\d+[ -](?:weight )?layers?|[A-F](?:-LRN)?"
    r"|(?:[A-Z]{1,9}-)?[A-Z][A-Za-z]{0,19}Ne[tX]t?-?\w{1,9})(?![\w-])"
)
_COLUMNS = re.compile(
    rf"{_LINE}[ \t&|]*(?:[Ll]ayers?(?:[ ]name)?[ \t&|]+)?(?:[Oo]utput[ ][Ss]ize[ \t&|]+)?"
    rf"{_COLUMN}(?:[ \t&|]+{_COLUMN}){{1,19}}[ \t&|]*(?=\\\\|\n)"
)
# A module of torch that holds others, as it is printed: `(layer1): Sequential(\n  (0): `.
_NAMED = r"(?:\((?P<name>\w+)\):\s{1,9})?\b(?<!\bdef )(?P<kind>[A-Z]\w*)"
_KIND = re.compile(rf"{_NAMED}\Z")
_PRINTED = re.compile(r"\(\s*\([\w-]+\): ")
_OPENS_LIST = re.compile(r"\(\s*\[")
# Tags of HTML, and what LaTeX has around a table and between its rows.
_TAG = r"</?[a-z][a-z0-9]{0,19}(?:\s[^<>]{0,199})?/?>"
_AROUND = (
    r"\\(?:begin|end)\{(?:table|tabular[xy]?|longtable|center)\*?\}"
    rf"(?:{BLANK}*(?:\[[^\[\]\n]{{0,99}}\]|\{{[^{{}}\n]{{0,99}}\}}))*"
)
_BETWEEN_ROWS = (
    r"\\(?:(?:top|mid|bottom)rule|centering)(?![A-Za-z])"
    r"|\\c(?:line|midrule)(?:\([a-z]{0,9}\))?\{[-0-9]{1,9}\}"
)
# What sets a text in LaTeX, or lets it span cells, up to its bracket.
_SETS = (
    r"\\(?:multi(?:column|row)(?:\[[^\[\]\n]{0,9}\]|\{[^{}\n]{0,99}\}){2,5}"
    r"|(?:text|math)(?:bf|it|rm|sc|sf|tt)?|(?:makecell|shortstack)(?:\[\w{1,3}\])?)\{"
)
_SETS_BEFORE = re.compile(rf"{_SETS}\Z")
_ENTITIES = {"times": "x", "rarr": "->", "nbsp": "", "ensp": "", "emsp": ""}


def _is_layer(name: str) -> bool:
    return name.lower() in _OWN_LAYERS or layer_here(name) is not None


@lru_cache(maxsize=2)
def _numbers(text: str) -> frozenset[int]:
    """Return where lines have numbers that count them from 0 or 1 on, with no other among them.

    `3 BB 64`, `4 BB 128`, `6 BB 256` in a column are repeats.
    """
    runs: list[list[re.Match[str]]] = []
    behind = None  # of the line of the last number
    for match in _NUMBER.finditer(text):
        if match.start() != behind:
            runs.append([])
        runs[-1].append(match)
        behind = text.find("\n", match.end()) + 1
    return frozenset(
        match.start()
        for run in runs
        if len(run) > 1 and (first := int(run[0]["number"])) < 2
        if all(int(match["number"]) == i for i, match in enumerate(run, first))
        for match in run
    )


def _number(match: re.Match[str]) -> Here | None:
    is_one = match.start() in _numbers(match.string)
    return left_away("lines of layers have no numbers") if is_one else None


def _label(match: re.Match[str]) -> Here | None:
    """Return what is said of the name of what follows; None for a layer and for a setting."""
    label, behind = match["label"] or "", match["behind"]
    is_setting = label in _SETTINGS or (label == "head" and value_here(behind, ("flatten", "gap")))
    if is_setting or (label[:1].isupper() and _is_layer(label.rstrip("0123456789"))):
        return None
    label = "".join((label or match["counted"]).lower().split())
    return left_away(f"where a branch reads it, it stands behind the layer as a label: `@{label}`")


@lru_cache(maxsize=2)
def _header_end(text: str) -> int:
    """Return where the first word with a capital stands."""
    found = re.search(r"(?<!\w)[A-Z]", text)
    return found.start() if found else len(text)


def _name(match: re.Match[str]) -> Here | None:
    """Return what is said of the name of a column, before which header entries may stand."""
    if match.start("name") != _header_end(match.string):
        return None
    return Here(f'`name "{match["name"]}"`', "or leave the name of a column away")


@lru_cache(maxsize=4)
def _brackets(text: str, pair: str) -> tuple[list[int], list[int | None]]:
    """Return where brackets of a kind stand, and behind them the end, and which is open before."""
    offsets: list[int] = []
    around: list[int | None] = []
    opened: list[int] = []
    for match in re.finditer(rf"[{pair}]|\Z", text):
        offsets.append(match.start())
        around.append(opened[-1] if opened else None)
        if match[0] == pair[0]:
            opened.append(match.start())
        elif opened:
            opened.pop()
    return offsets, around


def _opened_before(text: str, place: int, pair: str = "()") -> int | None:
    """Return the innermost bracket of a kind that is open at a place."""
    offsets, around = _brackets(text, pair)
    return around[bisect_left(offsets, place)]


def _row_of_table(match: re.Match[str]) -> Here | None:
    """Return the layer of a row of Markdown; None for a branch, which stands in brackets."""
    text, cells, columns = match.string, cells_of(match), columns_of(match)
    above = TABLE_ROW.match(text, text.rfind("\n", 0, max(match.start() - 1, 0)) + 1)
    below = TABLE_ROW.match(text, match.end() + 1)
    is_table = below or (above and above.start() != match.start())
    if not is_table or _opened_before(text, match.start()) is not None:
        return None
    places = [i for i, cell in enumerate(cells) if not columns[i] and _begins_with_layer(cell)]
    if is_heading(match, has_layers=bool(places)) or RULE.fullmatch(match[0]):
        return left_away(FOLLOW)
    return _layer_of_row(cells, places[0], columns) if len(places) == 1 else None


def _layer_of_row(cells: list[str], place: int, columns: list[str | None]) -> Here:
    """Return the layer of a cell, with what the columns say whose headings are known."""
    said = said_of(cells, columns)
    behind = cells[place + 1] if place + 1 < len(cells) else ""
    is_number = cells[place] in ("Conv", "Deconv", "FC", "BB", "Bott") and behind.isdecimal()
    if is_number and "channels" not in columns and columns[place + 1] is None:
        columns = [*columns[: place + 1], "channels", *columns[place + 2 :]]
        said["channels"] = behind
    layer, read = layer_with(cells[place], said)
    others = [
        cell
        for i, (cell, column) in enumerate(zip(cells, columns, strict=True))
        if i != place and column not in read and not is_nothing(cell)
    ]
    help = "other columns are left away"
    if "k" not in read:
        help += "; a kernel stands behind its layer, as in `Conv 64 5x5`"
    return Here(f"`{layer}`", help if others else None)


def _begins_with_layer(cell: str) -> bool:
    """Say whether a cell is that of a layer, and not of the name of one, as in `conv1`."""
    found = re.match(r"\(?([A-Za-z]++)(?!_|\d(?:_|\Z))", cell)
    return found is not None and _is_layer(found[1]) and not _OF_MAPS.match(cell)


def _head_of_module(match: re.Match[str]) -> Here:
    """Return what is said of the first line of a module that torch prints with what it holds."""
    if match["name"] and match["kind"] != "Sequential":
        return BLOCK_OF_ITS_OWN
    return left_away(FOLLOW if match["kind"] == "Sequential" else OF_MODULE)


def _equal_modules(match: re.Match[str]) -> Here:
    """Return what is said of `(0-2): 3 x`, before a module that torch prints once for all."""
    return Here(
        f"as a repeat of what follows, `( … )x{match['times']}`",
        "torch prints equal modules of a list once, however its `forward` calls them",
        repeats=True,
    )


def _end_of_module(match: re.Match[str]) -> Here | None:
    """Return what is said of a bracket that closes a module whose first line is left away."""
    text, opened = match.string, _opened_before(match.string, match.end() - 1)
    if opened is None or (match[0] != ")" and not _OPENS_LIST.match(text, opened)):
        return None
    kind = _KIND.search(text[max(0, opened - 99) : opened])
    is_head = kind is not None and not kind["name"] and _PRINTED.match(text, opened)
    is_left_away = is_head or (kind is not None and kind["kind"] == "Sequential")
    return left_away(FOLLOW) if is_left_away else None


def _end_of_setting(match: re.Match[str]) -> Here | None:
    """Return what is said of the `}` of `\\text{ … }`; None for that of a definition."""
    text, opened = match.string, _opened_before(match.string, match.start(), "{}")
    is_one = opened is not None and _SETS_BEFORE.search(text, max(0, opened - 160), opened + 1)
    return left_away(BETWEEN_LAYERS) if is_one else None


def _entity(match: re.Match[str]) -> Here:
    meant = _ENTITIES[match[1]]
    return code(meant) if meant else left_away(BETWEEN_LAYERS)


MARKUP: tuple[tuple[re.Pattern[str], Say], ...] = (
    (
        _COLUMNS,
        lambda match: left_away("each column is a network of its own: paste one of them at a time"),
    ),
    (TABLE_ROW, _row_of_table),
    (_NUMBER, _number),
    (
        re.compile(rf"{_LINE}{BLANK}{{0,9}}[-*](?={BLANK}+[A-Z(])"),
        lambda match: left_away(FOLLOW),
    ),
    (
        re.compile(
            rf"{_LINE}{BLANK}{{0,9}}(?P<name>(?:Column|Model|Net|Network){BLANK}+(?:\d+|[A-Z](?!\w)))"
        ),
        _name,
    ),
    (
        re.compile(rf"{_TAG}(?:\s*{_TAG})*|{_AROUND}|{_BETWEEN_ROWS}"),
        lambda match: left_away(BETWEEN_LAYERS),
    ),
    (re.compile(_SETS), lambda match: left_away(BETWEEN_LAYERS)),
    (re.compile(r"\}"), _end_of_setting),
    (re.compile(rf"&({'|'.join(_ENTITIES)});"), _entity),
    (re.compile(rf"{_NAMED}\(\s*(?=\([\w-]+\): )"), _head_of_module),
    (re.compile(rf"\({D}-{D}\):\s{{1,9}}(?P<times>{D}) x(?=\s[A-Z])"), _equal_modules),
    (re.compile(r"(?:\]\s{0,9})?\)"), _end_of_module),
    (
        re.compile(r"(?<![\w@])([A-Z][a-z]+)-\n\s*([a-z]+)(?![\w(])"),
        lambda match: code(f"{match[1]}{match[2]}"),
    ),
    (
        re.compile(
            rf"(?<![\w@.])(?:(?P<label>[a-z]\w*|[A-Z][A-Za-z]*\d*)|(?P<counted>{_COUNTED}{BLANK}+\d+))"
            r"\s*:(?=\s*(?P<behind>[A-Z]\w*|\())"
        ),
        _label,
    ),
)
