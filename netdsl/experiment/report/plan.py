"""`plan.json` of an experiment to the runs that it is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from netdsl.experiment.wanted import Wanted, read_wanted
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.files import read_file

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Job:
    """A run that belongs to an experiment: `label` and `plain` are its row, `group` its pair.

    `folder` is below that of the experiment. `paper` holds accuracies (`train`, `val`) between 0
    and 1; `change` says in words what differs from the base of an ablation.
    """

    label: str
    group: str
    plain: bool
    seed: int
    key: str
    folder: str
    command: tuple[str, ...]
    arch: str
    depth: int
    params: int
    macs: int
    recipe: str | None
    paper: Mapping[str, float]
    change: str | None

    @property
    def run_dir(self) -> str:
        """Where the run lies, as its command names it."""
        options = dict(pairwise(self.command))
        return options.get("--run-dir", self.folder)

    @property
    def name(self) -> str:
        """What the row is called where residual and plain stand together."""
        says_so = not self.plain or self.change is not None or "plain" in self.label
        return self.title if says_so else f"{self.title}, plain"

    @property
    def title(self) -> str:
        """What the row is called beside a word for its shortcuts; of an ablation, the change."""
        return self.change or self.label


@dataclass(frozen=True, slots=True)
class Plan:
    """What an experiment is to compare; `budget` is what it was cut to."""

    name: str
    title: str
    data: str
    recipe: str | None
    budget: Mapping[str, object]
    version: str
    jobs: tuple[Job, ...]
    figures: tuple[Wanted, ...] = ()

    @property
    def is_ablation(self) -> bool:
        """Say whether rows are compared with a base and not with their twins."""
        return any(job.change is not None for job in self.jobs)

    @property
    def has_twins(self) -> bool:
        """Say whether some of the networks are plain and some are not."""
        return len({job.plain for job in self.jobs}) == 2


def read_plan(folder: Path) -> Plan:
    """Return the plan in the folder of an experiment."""
    path = folder / "plan.json"
    if not path.is_file():
        help = "write it by `netdsl experiment run`"
        raise TrainError(f"{folder} is not an experiment: it has no plan.json", help, ExitCode.IO)
    try:
        return _plan(json.loads(read_file(path)))
    except KeyError as error:
        raise TrainError(f"{path} is damaged: it has no {error.args[0]}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise TrainError(f"{path} is damaged: {error}") from error


def _plan(record: Mapping[str, Any]) -> Plan:
    if record["format"] != FORMAT:
        raise ValueError(f"its format is {record['format']}, and only {FORMAT} is known")
    return Plan(
        name=record["name"], title=record.get("title") or record["name"], data=record["data"],
        recipe=record.get("recipe"), budget=dict(record.get("budget") or {}),
        version=record["version"],
        jobs=tuple(_job(job) for job in record["jobs"]),
        figures=read_wanted(record.get("figures", []), "figures"),
    )  # fmt: skip


def _job(record: Mapping[str, Any]) -> Job:
    return Job(
        label=str(record["label"]), group=str(record["group"]), plain=bool(record["plain"]),
        seed=int(record["seed"]), key=str(record["key"]), folder=str(record["folder"]),
        command=tuple(map(str, record["command"])), arch=str(record["arch"]),
        depth=int(record["depth"]), params=int(record["params"]), macs=int(record["macs"]),
        recipe=record.get("recipe"),
        paper={k: float(v) for k, v in (record.get("paper") or {}).items() if v is not None},
        change=record.get("change"),
    )  # fmt: skip
