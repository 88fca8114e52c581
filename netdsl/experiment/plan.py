"""The runs of an experiment, as `plan.json` keeps them for reports and other processes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby, pairwise
from pathlib import Path
from types import NoneType
from typing import Any

from netdsl.amounts import listed
from netdsl.experiment.folder import PLAN
from netdsl.experiment.labels import display
from netdsl.experiment.line import Line
from netdsl.experiment.locks import waiting
from netdsl.experiment.wanted import Wanted, read_wanted
from netdsl.suggest import did_you_mean
from netdsl.train import ExitCode, TrainError
from netdsl.train.files import make_folder, read_file, remove_leftovers, write_json

Identity = tuple[str, bool]  # a label, and whether it is that of the plain network
FORMAT = 1

# What each entry of a run in plan.json has to be.
KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("label", "group", "key", "folder", "arch", "recipe"), (str,)),
    **dict.fromkeys(("seed", "depth", "params", "macs", "epochs", "work"), (int,)),
    **dict.fromkeys(("overrides", "set", "paper"), (dict,)),
    "plain": (bool,), "command": (list,), "change": (str, NoneType), "blocks": (int, NoneType),
    "has_threads": (bool,), "stochastic_depth": (bool,), "val_images": (int,),
}  # fmt: skip
# Which older plans do not tell.
_LATER = ("blocks", "has_threads", "stochastic_depth", "val_images")


@dataclass(frozen=True, slots=True)
class Job:
    """One run: a row of the comparison and a seed.

    Rows are told by `label` and `plain`; those of one `group` are twins. `folder` is where the run
    lies, from the experiment's; of a training by stages, where the last one does. `work` is the
    multiply-adds of all forward passes in training, which forecasts compare. `paper` holds
    accuracies (`train`, `val`) between 0 and 1; `change` says in words what differs from the base
    of an ablation. `blocks` counts residual blocks; plans of older versions do not tell.
    `has_threads` says that somebody chose, in the file or a recipe, how many threads train it;
    `stochastic_depth` that training drops some of the blocks. `val_images` counts the images that
    validate, 0 where that is not known.
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
    paper: Mapping[str, float]
    change: str | None
    blocks: int | None = None
    has_threads: bool = False
    stochastic_depth: bool = False
    val_images: int = 0

    @property
    def identity(self) -> Identity:
        """What tells the row of the run from all others."""
        return self.label, self.plain

    @property
    def name(self) -> str:
        """The row that the run belongs to, and its seed."""
        return f"{self.row_name} seed {self.seed}"

    @property
    def title(self) -> str:
        """What the row is called beside a word for its shortcuts; of an ablation, the change."""
        return self.change or self.label

    @property
    def shortcuts(self) -> str:
        """What a network has: "residual", "plain" where they were removed, "none" where none are.

        A plan of an older version does not tell the last.
        """
        return "plain" if self.plain else "none" if self.blocks == 0 else "residual"

    @property
    def row_name(self) -> str:
        """What the row is called where residual and plain stand together."""
        return display(self.title, plain=self.plain and self.change is None)

    @property
    def names(self) -> tuple[str, ...]:
        """What the row may be asked for by; without "plain", twins are meant together.

        Where an ablation takes the shortcuts away, that is a change of its own, and no twin.
        """
        if self.plain and self.change is not None:
            return (self.row_name,)
        return self.label, self.row_name

    @property
    def run_dir(self) -> str:
        """Where the run lies, as its command names it."""
        return dict(pairwise(self.command)).get("--run-dir", self.folder)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an experiment compares; `budget` is what it was cut to.

    `definition` is the digest of the file that it was planned from, `sources` that of the networks
    and recipes in files that it names; older plans do not tell.
    """

    name: str
    title: str
    data: str
    recipe: str
    budget: Mapping[str, object]
    version: str
    jobs: tuple[Job, ...]
    figures: tuple[Wanted, ...] = ()
    definition: str = ""
    sources: str = ""

    @property
    def is_ablation(self) -> bool:
        """Say whether rows are compared with a base and not with their twins."""
        return any(job.change is not None for job in self.jobs)

    @property
    def has_both(self) -> bool:
        """Say whether some of the networks are plain and some are not."""
        return len({job.plain for job in self.jobs}) == 2


def write_plan(plan: Plan, folder: Path) -> None:
    """Store a plan, whole or not at all."""
    record = {"format": FORMAT, **asdict(plan)}
    make_folder(folder)
    try:
        with waiting(folder, "plan"):
            remove_leftovers(folder)
            write_json(folder / PLAN, record)
    except OSError as error:
        fact = f"cannot write in {folder}: {error.strerror}"
        raise TrainError(fact, None, ExitCode.IO) from error


def read_plan(folder: Path) -> Plan:
    """Return the plan of an experiment that was begun."""
    path = folder / PLAN
    if not path.is_file():
        help = "`netdsl experiment run` writes it"
        raise TrainError(f"{folder} is not an experiment: it has no {PLAN}", help, ExitCode.IO)
    try:
        return _plan(json.loads(read_file(path)))
    except KeyError as error:
        raise TrainError(f"{path} is damaged: it has no {error.args[0]}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise TrainError(f"{path} is damaged: {error}") from error


def choose(plan: Plan, only: Sequence[str]) -> tuple[Job, ...]:
    """Return the runs of some rows, by label with or without plain; of all if none is named."""
    known = names_of(plan.jobs)
    if unknown := [label for label in only if label not in known]:
        hint = did_you_mean(unknown[0], known, "rows")
        raise TrainError(f"no network is called {unknown[0]!r}", hint, ExitCode.USAGE)
    return tuple(job for job in plan.jobs if not only or {*job.names} & {*only})


def names_of(jobs: Sequence[Job]) -> dict[str, None]:
    """Return what rows may be called by, in their order."""
    return dict.fromkeys(name for job in jobs for name in job.names)


def compared(plan: Plan) -> dict[Identity, Identity]:
    """Return the row that each is compared with: a change with its base, a network with its twin.

    The base of an ablation is its first row without a change; no other is compared with anything.
    A twin is of the network of its label; without one, of those that differ in labels alone.
    """
    if plan.is_ablation:
        base = next((job.identity for job in plan.jobs if job.change is None), None)
        changes = [job.identity for job in plan.jobs if job.change is not None]
        return {} if base is None else dict.fromkeys(changes, base)
    residual = [job for job in plan.jobs if not job.plain]
    labels = {(job.group, job.label) for job in residual}
    twins = {(job.group, job.label): job.identity for job in plan.jobs if job.plain}
    others = {group: row for (group, label), row in twins.items() if (group, label) not in labels}
    found = {
        job.identity: twins.get((job.group, job.label), others.get(job.group)) for job in residual
    }
    return {row: twin for row, twin in found.items() if twin is not None}


def tell_stochastic_depth(plan: Plan) -> str | None:
    """Say whose plain twins lose stochastic depth with the shortcuts; None where none does.

    A change of an ablation says it by its name.
    """
    twins = {} if plan.is_ablation else compared(plan)
    names = dict.fromkeys(
        job.label for job in plan.jobs if job.stochastic_depth and job.identity in twins
    )
    fact = "stochastic depth goes with the shortcuts, so residual − plain is of both"
    return f"{listed(names)}: {fact}; with drop_path 0, of shortcuts alone" if names else None


def same_runs(jobs: Sequence[Job]) -> tuple[tuple[str, ...], ...]:
    """Return the rows that differ in their labels alone, together: they share their runs."""
    found: dict[str, dict[str, None]] = {}
    for job in jobs:
        found.setdefault(job.key, {})[job.row_name] = None
    return tuple(dict.fromkeys(tuple(rows) for rows in found.values() if len(rows) > 1))


def distinct(jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Return every run once, as that of the first row that comes to it: rows may share runs."""
    found: dict[str, Job] = {}
    for job in jobs:
        found.setdefault(job.key, job)
    return tuple(found.values())


def in_turn(jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Return the runs as they are begun: the first seed of every row, then the second."""
    rows = [list(runs) for _, runs in groupby(jobs, lambda job: (job.row_name, job.group))]
    longest = max(map(len, rows), default=0)
    return distinct([row[turn] for turn in range(longest) for row in rows if turn < len(row)])


def _plan(record: Mapping[str, Any]) -> Plan:
    if record["format"] != FORMAT:
        raise ValueError(f"its format is {record['format']}, and only {FORMAT} is known")
    return Plan(
        name=record["name"], title=record.get("title") or record["name"], data=record["data"],
        recipe=record.get("recipe") or "", budget=dict(record.get("budget") or {}),
        version=record["version"],
        jobs=tuple(map(_job, record["jobs"])),
        figures=read_wanted(record.get("figures", []), "figures"),
        definition=record.get("definition", ""), sources=record.get("sources", ""),
    )  # fmt: skip


def _job(record: Mapping[str, Any]) -> Job:
    values = {name: record[name] for name in KINDS if name in record or name not in _LATER}
    values["paper"] = values["paper"] or {}
    for name, value in values.items():
        if not isinstance(value, KINDS[name]) or (type(value) is bool and bool not in KINDS[name]):
            raise ValueError(f"{name} of a run is {value!r}")
    values.setdefault("has_threads", "threads" in values["set"])
    return Job(**{**values, "command": tuple(map(str, values["command"]))})
