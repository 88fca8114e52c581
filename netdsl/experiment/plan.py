"""A definition to its runs: `plan.json`, which reports and other processes read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from netdsl.experiment.definition import Definition
from netdsl.experiment.grid import expand
from netdsl.experiment.key import Resolved, key_of
from netdsl.experiment.labels import display, group_all, label_all
from netdsl.experiment.line import Line, train_line
from netdsl.experiment.variant import Variant
from netdsl.experiment.wanted import Wanted, refuse_unknown_rows
from netdsl.train import ExitCode, TrainError
from netdsl.train.files import read_file, write_file
from netdsl.train.suggest import did_you_mean

Resolve = Callable[[Line], Resolved]  # a line of `netdsl train` to what it would train
FILE = "plan.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Job:
    """One run: a row of the comparison and a seed.

    Rows are told by `label` and `plain`; those of one `group` are twins. `folder` is where the run
    lies, from the experiment's; of a training by stages, where the last one does. `work` is the
    multiply-adds of all forward passes in training, which forecasts compare.
    """

    label: str
    group: str
    plain: bool
    seed: int
    key: str
    folder: str
    command: Line
    arch: str
    overrides: Mapping[str, object]
    recipe: str
    set: Mapping[str, object]
    depth: int
    params: int
    macs: int
    epochs: int
    work: int
    paper: Mapping[str, object]
    change: str | None

    @property
    def name(self) -> str:
        """The row that the run belongs to, and its seed."""
        return f"{self.row} seed {self.seed}"

    @property
    def row(self) -> str:
        """The row that the run belongs to."""
        return display(self.label, plain=self.plain)


@dataclass(frozen=True, slots=True)
class Plan:
    """All runs of an experiment."""

    name: str
    title: str
    data: str
    recipe: str
    budget: Mapping[str, object]
    version: str
    jobs: tuple[Job, ...]
    figures: tuple[Wanted, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the comparison as it was resolved, for whoever wants to measure it."""

    variant: Variant
    label: str
    stages: Resolved


def make_plan(
    definition: Definition, folder: Path, resolve: Resolve
) -> tuple[Plan, tuple[Row, ...]]:
    """Return the runs of an experiment in a folder, and its rows; nothing is written."""
    variants = expand(definition)
    first = definition.seeds[0]
    stages = [
        _resolved(variant, train_line(variant, first, folder), resolve) for variant in variants
    ]
    labels = label_all(variants, [resolved[0].network.name for resolved in stages])
    groups = group_all(variants)
    rows = tuple(Row(v, label, s) for v, label, s in zip(variants, labels, stages, strict=True))
    jobs = tuple(
        _job(row, group, seed, folder)
        for row, group in zip(rows, groups, strict=True)
        for seed in definition.seeds
    )
    refuse_unknown_rows(definition.figures, _known(jobs))
    plan = Plan(
        definition.name, definition.title, _all(v.data for v in variants),
        _all(v.recipe for v in variants), definition.budget, version("netdsl"), jobs,
        definition.figures,
    )  # fmt: skip
    return plan, rows


def write_plan(plan: Plan, folder: Path) -> None:
    """Store a plan, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    record = {"format": _FORMAT, **asdict(plan)}
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    write_file(folder / FILE, text.encode())


def read_plan(folder: Path) -> Plan:
    """Return the plan of an experiment that was begun."""
    if not (folder / FILE).is_file():
        help = "`netdsl experiment run` writes it"
        raise TrainError(f"{folder} is no experiment: it has no {FILE}", help, ExitCode.IO)
    try:
        record: dict[str, Any] = json.loads(read_file(folder / FILE))
        found = record.pop("format")
        if found != _FORMAT:
            fact = f"{folder / FILE} is of format {found}, and this netdsl reads {_FORMAT}"
            raise TrainError(fact, None, ExitCode.IO)
        jobs = [Job(**{**job, "command": tuple(job["command"])}) for job in record.pop("jobs")]
        figures = [
            Wanted(**{**one, "rows": tuple(one["rows"])}) for one in record.pop("figures", [])
        ]
        return Plan(**record, jobs=tuple(jobs), figures=tuple(figures))
    except (KeyError, TypeError, ValueError) as error:
        raise TrainError(f"{folder / FILE} is damaged", None, ExitCode.IO) from error


def choose(plan: Plan, only: Sequence[str]) -> tuple[Job, ...]:
    """Return the runs of some rows, by label with or without plain; of all if none is named."""
    known = _known(plan.jobs)
    if unknown := [label for label in only if label not in known]:
        hint = did_you_mean(unknown[0], known, "rows")
        raise TrainError(f"no network is called {unknown[0]!r}", hint, ExitCode.USAGE)
    return tuple(job for job in plan.jobs if not only or {job.label, job.row} & {*only})


def _known(jobs: Sequence[Job]) -> dict[str, None]:
    """Return what rows may be called by."""
    return dict.fromkeys(name for job in jobs for name in (job.label, job.row))


def in_turn(jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Return the runs as they are begun: the first seed of every row, then the second."""
    rows = [list(runs) for _, runs in groupby(jobs, lambda job: (job.row, job.group))]
    longest = max(map(len, rows), default=0)
    ordered = [row[turn] for turn in range(longest) for row in rows if turn < len(row)]
    # Rows that come to the same run share it.
    return tuple({job.key: job for job in ordered}.values())


def _resolved(variant: Variant, line: Line, resolve: Resolve) -> Resolved:
    try:
        return resolve(line)
    except TrainError as error:
        named = f"{variant.label or variant.arch}: {error}"
        raise TrainError(named, error.help, error.exit_code) from error


def _job(row: Row, group: str, seed: int, folder: Path) -> Job:
    variant, stages = row.variant, row.stages
    key, last = key_of(stages, seed), stages[-1]
    run_dir = (folder / "runs" / key).resolve()
    return Job(
        label=row.label, group=group, plain=variant.plain, seed=seed, key=key,
        folder=Path("runs", key, last.folder).as_posix(),
        command=train_line(variant, seed, run_dir), arch=variant.arch,
        overrides=dict(variant.params), recipe=variant.recipe, set=dict(variant.set),
        depth=last.network.depth, params=last.network.params, macs=last.network.macs,
        epochs=sum(stage.settings.epochs for stage in stages),
        work=sum(s.network.macs * s.settings.epochs * len(s.images.train) for s in stages),
        paper=dict(variant.paper_numbers), change=variant.change or None,
    )  # fmt: skip


def _all(values: Iterable[str]) -> str:
    """Return what all of them say, in their order."""
    return ", ".join(dict.fromkeys(filter(None, values)))
