"""Outcomes of runs to the rows of a table, and to their differences by seed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from netdsl.experiment.plan import Identity, Job, Plan, compared
from netdsl.experiment.report.outcome import MEASURES, Outcome
from netdsl.experiment.report.spread import Spread, spread


@dataclass(frozen=True, slots=True)
class Result:
    """A network, residual or plain, with the runs of all its seeds."""

    number: int
    runs: tuple[Outcome, ...]

    @property
    def job(self) -> Job:
        """One of the runs; what is asked of it all have in common."""
        return self.runs[0].job

    @property
    def name(self) -> str:
        """What the row is called where residual and plain stand together."""
        return self.job.row_name

    @property
    def finished(self) -> tuple[Outcome, ...]:
        """The runs that count."""
        return tuple(run for run in self.runs if run.state == "finished")

    def measure(self, name: str) -> Spread | None:
        """Return one of the `MEASURES` over the seeds that are finished."""
        return spread([MEASURES[name](run) for run in self.finished])


@dataclass(frozen=True, slots=True)
class Difference:
    """What `result` has more than `other`, pairs of runs of one seed."""

    name: str
    result: Result
    other: Result

    @property
    def pairs(self) -> tuple[tuple[Outcome, Outcome], ...]:
        """The runs of the seeds that are finished in both."""
        others = {run.job.seed: run for run in self.other.finished}
        return tuple(
            (run, others[run.job.seed]) for run in self.result.finished if run.job.seed in others
        )

    @property
    def planned(self) -> int:
        """How many pairs there would be if all runs of the larger row were finished in both."""
        return max(len(self.result.runs), len(self.other.runs))

    @property
    def has_unpaired(self) -> bool:
        """Say whether there are pairs, and a finished run of either is in none."""
        most = max(len(self.result.finished), len(self.other.finished))
        return 0 < len(self.pairs) < most

    @property
    def has_interval(self) -> bool:
        """Say whether there is an interval of the difference in validation."""
        value = self.measure("val")
        return value is not None and value.interval is not None

    @property
    def is_clear(self) -> bool:
        """Say whether the difference in validation is clear of zero."""
        value = self.measure("val")
        return value is not None and value.is_clear

    def measure(self, name: str) -> Spread | None:
        """Return the difference in one of the `MEASURES`."""
        take = MEASURES[name]
        return spread([take(run) - take(other) for run, other in self.pairs])


@dataclass(frozen=True, slots=True)
class Results:
    """All that an experiment has come to."""

    plan: Plan
    rows: tuple[Result, ...]
    differences: tuple[Difference, ...]

    @property
    def runs(self) -> tuple[Outcome, ...]:
        """Every run, row by row."""
        return tuple(run for row in self.rows for run in row.runs)

    @property
    def distinct(self) -> tuple[Outcome, ...]:
        """Every run once; rows that differ in their labels alone share theirs."""
        return tuple({run.job.key: run for run in self.runs}.values())

    def count(self, state: str) -> int:
        """Return how many runs are in that state."""
        return sum(run.state == state for run in self.distinct)

    @property
    def panels(self) -> tuple[tuple[str, tuple[Result, ...]], ...]:
        """What belongs into one picture: twins, or a change and its base; with its title."""
        if self.plan.is_ablation:
            pairs = ((found.name, (found.result, found.other)) for found in self.differences)
            return tuple(pairs)
        groups: dict[str, list[Result]] = {}
        for row in self.rows:
            groups.setdefault(row.job.group, []).append(row)
        return tuple((_title(rows), tuple(rows)) for rows in groups.values())


def only(results: Results, labels: Collection[str]) -> Results:
    """Return the results of some rows, named with or without plain; of all where none is named."""
    if not labels:
        return results
    rows = tuple(row for row in results.rows if {*row.job.names} & {*labels})
    pairs = tuple(d for d in results.differences if d.result in rows and d.other in rows)
    return replace(results, rows=rows, differences=pairs)


def results_of(plan: Plan, outcomes: Iterable[Outcome]) -> Results:
    """Return rows in the order of the plan, and what is compared."""
    found: dict[Identity, list[Outcome]] = {}
    for run in outcomes:
        found.setdefault(run.job.identity, []).append(run)
    rows = {row: Result(number, tuple(found[row])) for number, row in enumerate(found, 1)}
    pairs = [(rows[one], rows[other]) for one, other in compared(plan).items()]
    differences = tuple(Difference(row.job.title, row, other) for row, other in pairs)
    return Results(plan, tuple(rows.values()), differences)


def _title(rows: Sequence[Result]) -> str:
    return next((row.job.label for row in rows if not row.job.plain), rows[0].name)
