"""A table as a value: what is shown, the numbers behind it, and the runs that they come from."""

from __future__ import annotations

from dataclasses import dataclass

Raw = str | int | float | None


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and the names of the raw numbers in each of its cells."""

    heading: str
    keys: tuple[str, ...]
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What a reader sees, and what it was made of, one value a key of the column."""

    text: str
    raw: tuple[Raw, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """Cells; or, for a run that failed, the name in the first of them and why.

    `origin` is the number of the row of the experiment that the line tells of.
    """

    cells: tuple[Cell, ...]
    origin: int
    seed: int | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Lines below columns; `name` is that of its files, `notes` stand below it."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()

    @property
    def has_failures(self) -> bool:
        """Say whether some of the lines are runs that failed."""
        return any(line.failure for line in self.lines)


def raw_text(value: Raw) -> str:
    """Return a raw value as the CSV holds it: every number reads back as it was."""
    return "" if value is None else str(value)
