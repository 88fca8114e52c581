"""`report.toml` of an example to its items, tables and figures of a report, and to its claims."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
FILE = "report.toml"
RESULTS = "results"
_NUMBER = r"(?:\d+|[ivx]+(?:\.[a-z])?)\b"
_NAMED = re.compile(rf"\b(figure|table|section)s? ({_NUMBER}(?:(?:, | and ){_NUMBER})*)")
EXPERIMENTS = "experiments"  # where what is kept in results is made
RUN = "RUN"  # in a command: the folder of a finished run of the item's experiment


@dataclass(frozen=True, slots=True)
class Item:
    """A table or a figure of a report.

    `commands` are typed in the folder of the example; RUN in them is the first finished run of
    `rows`. `experiment` is the one whose results are the item, of the `rows` named, or all;
    `curves` are those of its figures that belong to the item. `numbers` is a CSV file that a
    command writes, `networks` the table of `docs/reports.md` with its networks, `printed` what the
    report says of it, `ours` what was chosen here as it does not say it. `verdict` is what came out
    here, in a few sentences without the last stop: how the first begins, up to a semicolon, has to
    be understood alone. `details` are more such sentences, a point each.

    Files in `results/` that no experiment has are made in `experiments/`, by the same names.
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
    ours: str = ""
    verdict: str = ""
    details: tuple[str, ...] = ()

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
    such pairs, where what is claimed is the mean over all of them. `beyond` is a pair whose
    difference is taken off: what is claimed is by how much the first is more.

    `central` is a claim that a report was written for, `ours` one that it does not make,
    `afterwards` one that was added when its runs had been looked at; `note` is what else one has
    to know of how it came about.
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
    beyond: tuple[str, str] | tuple[()] = ()
    ours: bool = False
    afterwards: bool = False
    note: str = ""

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The pairs of rows that are compared."""
        return ((self.row, self.than), *self.also)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What stands in brackets behind it: whose it is, and how it came about."""
        said = ("ours" * self.ours, "added after the runs" * self.afterwards, self.note)
        return tuple(filter(None, said))


@dataclass(frozen=True, slots=True)
class Example:
    """The folder of an example: a report, and all that is in it.

    `stands_in` says which data are in the place of the report's wherever its claims are judged.
    """

    folder: Path
    report: str
    items: tuple[Item, ...]
    claims: tuple[Claim, ...] = ()
    stands_in: str = ""

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
    items = tuple(map(_item, table["item"]))
    return Example(folder, table["report"], items, claims, table.get("stands_in", ""))


def chosen(items: Iterable[Item], name: str) -> list[Item]:
    """Return the item of a name, or else all that name it among others: `Figure 9`."""
    found = list(items)
    return [item for item in found if item.name == name] or [
        item for item in found if name.casefold() in parts(item.name)
    ]


def parts(name: str) -> set[str]:
    """Return what a name of an item names, in small letters.

    >>> sorted(parts("Figures 5, 8 and 13, again")), sorted(parts("Table I and figure 4"))
    (['figure 13', 'figure 5', 'figure 8'], ['figure 4', 'table i'])
    """
    found: set[str] = set()
    for kind, numbers in _NAMED.findall(name.casefold()):
        found |= {f"{kind} {number}" for number in re.split(r", | and ", numbers)}
    return found


def made(kept: str) -> Path:
    """Return where a command makes the file that is kept by this name, in the folder of an example.

    >>> made("results/table1.csv").as_posix(), made("figures/figure1.svg").as_posix()
    ('experiments/table1.csv', 'figures/figure1.svg')
    """
    first, *rest = Path(kept).parts
    return Path(EXPERIMENTS, *rest) if first == RESULTS else Path(kept)


def typed(command: str) -> str:
    """Return a command of an item as it is typed: a script is started by python."""
    return command if command.startswith("netdsl") else f"python {command}"


def _claim(entry: dict[str, Any]) -> Claim:
    also = tuple((row, than) for row, than in entry.get("also", ()))
    return Claim(**(entry | {"also": also, "beyond": tuple(entry.get("beyond", ()))}))


def _item(entry: dict[str, object]) -> Item:
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in entry.items()}
    return Item(**values)  # type: ignore[arg-type]
