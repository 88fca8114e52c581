"""Rows of Markdown whose columns have headings, `| Layer | Filters | Kernel |`, to their layers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from netdsl.padding import pool_padding
from netdsl.syntax import foreign_layers
from netdsl.syntax.foreign import layer_here, setting_here
from netdsl.syntax.foreign_layers import Write, pair_of, text_of
from netdsl.syntax.here import BLANK
from netdsl.syntax.torch_arguments import TAKES

TABLE_ROW = re.compile(rf"(?<![^\n]){BLANK}{{0,9}}\|(?P<cells>[^\n]+)\|{BLANK}*(?![^\n])")
RULE = re.compile(r"[-:|\s]*-[-:|\s]*")
_NAMES_COLUMN = re.compile(r"(?:layers?|operat(?:ion|or)|stage|type)\b", re.IGNORECASE)
_DEPTH = re.compile(r"\d+[ -]layers?\b|\bResNet-\d+")  # of a network, over its column
_OF = r"(?:(?:#|no\.|num(?:ber)?)\s*(?:of\s*)?)?"
# What a heading says that its column holds, by what `foreign_layers` calls it.
_HOLDS = {
    "k": r"kernel(?!s)(?:[ _]size)?|filter[ _]size|patch[ _]size|pool[ _]size|window(?:[ _]size)?",
    "channels": rf"{_OF}(?:out(?:put)?[ _])?(?:filters|channels|kernels|units|neurons)"
    rf"|{_OF}(?:feature[ _])?maps",
    "s": r"strides?",
    "p": r"pad(?:ding)?",
    "d": r"dilation(?:[ _]rate)?",
    "g": r"groups",
    "act": r"act(?:ivation|\.)?(?: function)?|non-?linearity",
}
_NOTHING = re.compile(r"\s*(?:[-–—]|n/?a)?\s*", re.IGNORECASE)
_SIZE = re.compile(r"\(?\s*([0-9]{1,9})(?:\s*[x×*,]\s*([0-9]{1,9}))?\s*\)?")
# A layer in a cell, with numbers, sizes and options of one letter: `Max pool`, `Conv 64 5x5 s2`.
_CELL = re.compile(
    r"(?P<name>[A-Za-z]+(?:[ -][A-Za-z]{2,})*?)(?:2[dD])?"
    r"(?P<own>(?:\s*(?:[0-9]+(?:[x×][0-9]+)?|[kspdg]=?[0-9]+(?:[x×][0-9]+)?))*)"
)
_OWN = re.compile(r"([kspdg]?)=?([0-9]+(?:[x×][0-9]+)?)")
# How a layer is written, and which columns it has a place for.
_LAYERS: dict[str, tuple[Write, str]] = {
    "Conv": (foreign_layers.conv, "channels k s p d g act"),
    "DWConv": (foreign_layers.conv, "k s p d act"),
    "Deconv": (foreign_layers.deconv, "channels k s p g act"),
    **dict.fromkeys(("Max", "Avg"), (foreign_layers.pool, "k s p")),
    **dict.fromkeys(("BB", "Bott"), (foreign_layers.block, "channels s")),
    "FC": (foreign_layers.number, "channels act"),
}
_POOLS = ("Max", "Avg")
_OF_WINDOWS = ("k", "s", "p", "d", "g")


def is_heading(row: re.Match[str], *, has_layers: bool) -> bool:
    """Say whether a row of Markdown is the heading of its table, in which no layer stands."""
    below = TABLE_ROW.match(row.string, row.end() + 1)
    is_above_rule = below is not None and RULE.fullmatch(below[0]) and not has_layers
    first, *others = cells_of(row)
    is_named = _NAMES_COLUMN.match(first) or any(map(_NAMES_COLUMN.fullmatch, others))
    return bool(is_above_rule or is_named) and not re.search(r"\d", _DEPTH.sub("", row[0]))


def cells_of(row: re.Match[str]) -> list[str]:
    return [" ".join(cell.split()) for cell in row["cells"].split("|")]


def columns_of(row: re.Match[str]) -> list[str | None]:
    """Return what each column of a row holds, by the heading of its table; None where unsaid.

    >>> rows = "| Layer | Filters | Kernel |\\n| Conv | 64 | 7x7 |"
    >>> columns_of(TABLE_ROW.match(rows, rows.index("\\n") + 1))
    [None, 'channels', 'k']
    """
    found = _headings(row.string).get(row.start(), ())
    return [*found, *[None] * len(cells_of(row))][: len(cells_of(row))]


@lru_cache(maxsize=2)
def _headings(text: str) -> Mapping[int, Sequence[str | None]]:
    """Return what the columns hold by the place of each row; rows of a table follow each other."""
    found: dict[int, Sequence[str | None]] = {}
    held: Sequence[str | None] = ()
    behind = None
    for row in TABLE_ROW.finditer(text):
        if row.start() != behind:
            is_one = is_heading(row, has_layers=False)
            held = list(map(_held, cells_of(row))) if is_one else ()
        found[row.start()] = held
        behind = row.end() + 1
    return found


def _held(heading: str) -> str | None:
    bare = heading.strip("*_` ")
    return next(
        (one for one, words in _HOLDS.items() if re.fullmatch(words, bare, re.IGNORECASE)), None
    )


def said_of(cells: Sequence[str], columns: Sequence[str | None]) -> dict[str, str]:
    """Return what the columns of a row say of its layer; a dash says nothing."""
    pairs = zip(columns, cells, strict=True)
    return {column: cell for column, cell in pairs if column and not is_nothing(cell)}


def is_nothing(cell: str) -> bool:
    return _NOTHING.fullmatch(cell) is not None


def layer_with(cell: str, said: Mapping[str, str]) -> tuple[str, set[str]]:
    """Return a layer with what its columns say, and the columns that are read so.

    What cannot be read is `…`.

    >>> layer_with("Conv", {"channels": "64", "k": "7 × 7", "s": "2"})[0]
    'Conv 64 7x7 s2'
    >>> layer_with("Max pooling", {"k": "3x3", "s": "2"})[0], layer_with("GAP", {"k": "7x7"})
    ('Max 3 s2', ('GAP', set()))
    >>> layer_with("Conv 64", {"k": "3 or 5"})[0]
    'Conv 64 …'
    """
    match = _CELL.fullmatch(cell)
    name = re.sub("[ -]", "", match["name"]) if match else ""
    layer = name if name in TAKES else layer_here(name) or ""
    if match is None or layer not in _LAYERS:
        is_open = layer not in TAKES and not said.keys().isdisjoint(_OF_WINDOWS)
        return (f"{cell} …", {*_OF_WINDOWS}) if is_open else (cell, set())
    write, read = _LAYERS[layer]
    given = {key: _value(key, value) for key, value in said.items() if key in read.split()}
    if not given:
        return cell, set()
    values = {key: value for key, value in {**given, **_own(layer, match["own"])}.items() if value}
    if layer in _POOLS and "k" not in values:
        return f"{cell} …", {*given}
    here = _written(write, layer, values)
    return here if given.keys() <= values.keys() else f"{here} …", {*given}


def _value(key: str, value: str) -> str | None:
    """Return a value as `foreign_layers` reads it, `(3, 3)` as `3`; None for what it does not."""
    if key == "act":
        return "None" if value.lower() == "softmax" else setting_here("act", value)
    if key == "p" and value.lower() in ("same", "valid"):
        return value.lower()
    size = _SIZE.fullmatch(value)
    is_pair = size is not None and size[2] is not None
    if size is None or (is_pair and key in ("channels", "g")):
        return None
    return text_of((int(size[1]), int(size[2] or size[1])))


def _own(layer: str, text: str) -> dict[str, str | None]:
    """Return what stands behind a layer in its own cell: `64 5x5 s2`."""
    found: dict[str, str | None] = {}
    for option, number in _OWN.findall(text):
        is_kernel = layer in _POOLS or not number.isdecimal()
        key = option or ("k" if is_kernel else "channels")
        found[key] = _value(key, number)
    return found


def _written(write: Write, layer: str, given: Mapping[str, str]) -> str:
    """Return a layer; one of which no padding is said has the usual one."""
    usual = "same"
    if layer in _POOLS and "p" not in given:
        k, s = (pair_of(given.get(key, given["k"])) for key in ("k", "s"))
        usual = text_of((pool_padding(k[0], s[0]), pool_padding(k[1], s[1])))
    act = given.get("act", "None")
    is_none = act == "none"
    here = write(layer, "", {"p": usual, **given, "act": "None" if is_none else act})
    return f"{here or f'{layer} …'}{' act=none' * is_none}"
