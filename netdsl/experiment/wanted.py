"""`[[figure]]` of an experiment's file to the figures that its report has beside its own.

[[figure]]
name = "fig8"                  # figures/fig8.svg, .png, .csv
kind = "accuracy"              # loss, overview, differences, depth, params, gap
rows = ["Net 1", "Net 6"]      # by label, with or without ", plain"; all unless given
title = "Accuracies of Net 1 and of Net 6"
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netdsl.experiment.keys import wrong
from netdsl.suggest import did_you_mean

KINDS = ("accuracy", "loss", "overview", "differences", "depth", "params", "gap")
_KEYS = {"name": str, "kind": str, "rows": list, "title": str}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A figure that somebody asked for: of some rows, or of all of them where `rows` is empty."""

    name: str
    kind: str
    rows: tuple[str, ...] = ()
    title: str = ""


def read_wanted(entries: Sequence[Any], path: object) -> tuple[Wanted, ...]:
    """Return the figures that a file asks for."""
    found = tuple(_wanted(entry, f"{path}, [[figure]] {n}: ") for n, entry in enumerate(entries, 1))
    for number, figure in enumerate(found):
        if figure.name in {other.name for other in found[:number]}:
            raise wrong(f"{path}: two figures are called {figure.name!r}")
    return found


def refuse_unknown_rows(wanted: Sequence[Wanted], rows: Collection[str]) -> None:
    """Raise where a figure is to show a row that the experiment has not."""
    for figure in wanted:
        for row in figure.rows:
            if row not in rows:
                fact = f"[[figure]] {figure.name}: no network is called {row!r}"
                raise wrong(fact, did_you_mean(row, rows, "rows"))


def _wanted(entry: Any, where: str) -> Wanted:
    if not isinstance(entry, dict):
        raise wrong(f"{where}{entry!r} is no table")
    _check(entry, where)
    name, kind, rows = entry.get("name", ""), entry.get("kind", ""), entry.get("rows", [])
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*", name) or name in KINDS:
        help = 'as in name = "figure-8"; it is that of its files, and not one of the report\'s own'
        raise wrong(f"{where}name is {name!r}", help)
    if kind not in KINDS:
        raise wrong(f"{where}kind is {kind!r}", f"one of {', '.join(KINDS)}")
    if not all(isinstance(row, str) for row in rows):
        raise wrong(f"{where}rows is {rows!r}", 'labels, as in rows = ["Net 1", "Net 1, plain"]')
    return Wanted(name, kind, tuple(rows), entry.get("title", ""))


def _check(entry: Mapping[str, Any], where: str) -> None:
    for key, value in entry.items():
        if key not in _KEYS:
            hint = did_you_mean(key, _KEYS, "keys")
            raise wrong(f"{where}{key!r} is not a key of a figure", hint)
        if not isinstance(value, _KEYS[key]):
            what = "a list" if _KEYS[key] is list else "a text"
            raise wrong(f"{where}{key} is {value!r}, but must be {what}")
