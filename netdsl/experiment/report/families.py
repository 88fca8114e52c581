"""Rows to families: networks of one name and several depths, which a line may join."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from netdsl.experiment.report.results import Result
from netdsl.experiment.report.style import COLOURS, MARKERS, PLAIN, RESIDUAL, Look, look_of


@dataclass(frozen=True, slots=True)
class Family:
    """Rows that are drawn alike; `joined` if one grew into the other, as ResNet-20 into ResNet-56.

    `tells_depth` if the name of each of its rows is that of the family and its depth.
    """

    name: str
    rows: tuple[Result, ...]
    look: Look
    joined: bool
    tells_depth: bool = False


def families_of(rows: Sequence[Result]) -> tuple[Family, ...]:
    """Return the families of some rows; where they are none, residual ones and plain ones."""
    return _by_depth(rows) or _by_shortcuts(rows)


def _by_depth(rows: Sequence[Result]) -> tuple[Family, ...]:
    """Return the families that names tell, or none: not all do, or each has a row to itself."""
    found: dict[str, list[Result]] = {}
    for row in rows:
        name = family_name(row.name, row.job.depth)
        if name is None:
            return ()
        found.setdefault(name, []).append(row)
    if len(found) == len(rows) or any(_is_twice(family) for family in found.values()):
        return ()
    looks = _looks([family[0] for family in found.values()])
    return tuple(
        Family(name, tuple(family), look, joined=True, tells_depth=True)
        for (name, family), look in zip(found.items(), looks, strict=True)
    )


def family_name(name: str, depth: int) -> str | None:
    """Return a name with n for the depth in it, or None if it does not tell it once.

    >>> family_name("ResNet-56", 56), family_name("7 layers, plain", 7), family_name("Net 1", 15)
    ('ResNet-n', 'n layers, plain', None)
    """
    family, count = re.subn(rf"(?<![\d.]){depth}(?![\d.])", "n", name)
    return family if count == 1 else None


def _is_twice(rows: Sequence[Result]) -> bool:
    return len({row.job.depth for row in rows}) < len(rows)


def _looks(firsts: Sequence[Result]) -> list[Look]:
    """Return how each family looks: the first residual one and the first plain one as ever."""
    others = [Look(*pair) for pair in zip(COLOURS[2:], MARKERS[2:], strict=True)]
    looks: list[Look] = []
    for row in firsts:
        usual = look_of(row)
        rest = len([look for look in looks if look not in (RESIDUAL, PLAIN)])
        looks.append(others[rest % len(others)] if usual in looks else usual)
    return looks


def _by_shortcuts(rows: Sequence[Result]) -> tuple[Family, ...]:
    sides = [(look, [row for row in rows if look_of(row) is look]) for look in (RESIDUAL, PLAIN)]
    # NOTE: a line says that one network grew into the other; those of one architecture do, unless
    # they differ in something else than their depth.
    return tuple(
        Family(
            look.name if len(side) < len(rows) else "", tuple(side), look,
            joined=len({row.job.arch for row in side}) == 1 and not _is_twice(side),
        )
        for look, side in sides if side
    )  # fmt: skip
