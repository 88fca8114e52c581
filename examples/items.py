"""`report.toml` of an example to its items, tables and figures of a report, and to its claims."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
FILE = "report.toml"
RESULTS = "results"
RUN = "RUN"  # in a command: the folder of a finished run of the item's experiment


@dataclass(frozen=True, slots=True)
class Item:
    """A table or a figure of a report.

    `commands` are typed in the folder of the example; RUN in them is the first finished run of
    `rows`. `experiment` is the one whose results are the item, of the `rows` named, or all;
    `curves` are those of its figures that belong to the item. `numbers` is a CSV file that a
    command writes, `networks` the table of `docs/reports.md` with its networks, `printed` what the
    report says of it, `verdict` what came out here, in a few sentences without the last stop: how
    the first begins, up to a semicolon, has to be understood alone.
    """

    name: str
    shows: str
    commands: tuple[str, ...] = ()
    experiment: str = ""
    rows: tuple[str, ...] = ()
    curves: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    numbers: str = ""
    networks: str = ""
    printed: str = ""
    verdict: str = ""

    @property
    def heading(self) -> str:
        """What stands above it on the page of all reports."""
        return f"{self.name}: {self.shows}"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a report says of two rows of an experiment: `row` is better than `than`, or worse.

    `than_in` is the experiment that has `than`, where it is another of the same data and budget.

    `expected` is "better", "worse" or "alike" in validation accuracy, or "larger" or "smaller" in
    the gap between training and validation accuracy, where `measure` is "gap". `also` holds more
    such pairs, where what is claimed is the mean over all of them. `central` is a claim that a
    report was written for, `afterwards` one that was added when its runs had been looked at.
    """

    says: str
    experiment: str
    row: str
    than: str
    expected: str
    measure: str = "val"
    central: bool = False
    than_in: str = ""
    also: tuple[tuple[str, str], ...] = ()
    afterwards: bool = False

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The pairs of rows that are compared."""
        return ((self.row, self.than), *self.also)


@dataclass(frozen=True, slots=True)
class Example:
    """The folder of an example: a report, and all that is in it."""

    folder: Path
    report: str
    items: tuple[Item, ...]
    claims: tuple[Claim, ...] = ()

    @property
    def experiments(self) -> tuple[str, ...]:
        """The names of its experiments, each a file of that name."""
        return tuple(dict.fromkeys(item.experiment for item in self.items if item.experiment))

    def results(self, experiment: str) -> Path:
        """Where what was run of an experiment is kept."""
        return self.folder / RESULTS / experiment


def examples() -> tuple[Example, ...]:
    """Return all examples, in the order of the reports."""
    return tuple(read_example(path.parent) for path in sorted(FOLDER.glob(f"*/{FILE}")))


def read_example(folder: Path) -> Example:
    """Return what the folder of an example holds."""
    table = tomllib.loads((folder / FILE).read_text("utf-8"))
    claims = tuple(map(_claim, table.get("claim", ())))
    return Example(folder, table["report"], tuple(map(_item, table["item"])), claims)


def typed(command: str) -> str:
    """Return a command of an item as it is typed: a script is started by python."""
    return command if command.startswith("netdsl") else f"python {command}"


def _claim(entry: dict[str, Any]) -> Claim:
    also = tuple((row, than) for row, than in entry.get("also", ()))
    return Claim(**(entry | {"also": also}))


def _item(entry: dict[str, object]) -> Item:
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in entry.items()}
    return Item(**values)  # type: ignore[arg-type]
