"""A run that was planned to what came of it so far."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import accumulate, chain
from math import fsum
from pathlib import Path
from statistics import median
from typing import Any, Literal

from netdsl.amounts import counted
from netdsl.errors import NetDSLError
from netdsl.experiment.plan import Job, Plan
from netdsl.experiment.report.rebuilt import rebuilt
from netdsl.experiment.stages import stages_of
from netdsl.experiment.state import Failure, Phase, is_finished, reached, read_failure
from netdsl.train.errors import TrainError
from netdsl.train.files import read_file
from netdsl.train.guessing import is_guessing
from netdsl.train.metrics import Row, best_of
from netdsl.train.run import RunFolder

State = Literal["finished", "failed", "unfinished", "waiting"]
_STATES: dict[Phase, State] = {
    Phase.FINISHED: "finished",
    Phase.FAILED: "failed",
    Phase.CUT: "unfinished",
    Phase.WAITING: "waiting",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run has come to; `best` is the epoch of the highest accuracy in validation.

    Only a finished run has `best`, `seconds`, `device` and `torch`. A training by stages is one
    run: its epochs are those of all stages, one after the other, and the best is one of all these.
    """

    job: Job
    path: Path
    state: State
    epochs: tuple[Row, ...] = ()
    best: int = 0
    seconds: float = 0.0
    device: str = ""
    torch: str = ""
    failure: Failure | None = None
    ends: tuple[int, ...] = ()  # the last epochs of the stages but the last one
    classes: int = 0  # that its network tells apart, where that is known
    guesses: bool = False  # at its end it was hardly better than guessing

    @property
    def last(self) -> Row:
        """What the last epoch came to."""
        return self.epochs[-1]

    @property
    def best_epoch(self) -> Row:
        """What the best epoch came to."""
        (row,) = (row for row in self.epochs if row.epoch == self.best)
        return row


# What is measured of a finished run. NOTE: of the last epoch; the best one is chosen by looking
# at validation, so its accuracy there is too high.
MEASURES: dict[str, Callable[[Outcome], float]] = {
    "train": lambda run: run.last.sample_accuracy,
    "val": lambda run: run.last.val_accuracy,
    "gap": lambda run: run.last.sample_accuracy - run.last.val_accuracy,
    "best_val": lambda run: run.best_epoch.val_accuracy,
    "images_per_second": lambda run: median(row.images_per_second for row in run.epochs),
    "seconds_per_epoch": lambda run: median(row.seconds for row in run.epochs),
    "seconds": lambda run: run.seconds,
}


def read_outcomes(folder: Path, plan: Plan) -> tuple[Outcome, ...]:
    """Return what became of every run of the plan, in its order."""
    return tuple(_outcome(job, folder) for job in plan.jobs)


def _outcome(job: Job, folder: Path) -> Outcome:
    path = folder / job.folder
    if is_finished(folder, job):
        try:
            return _finished(job, folder)
        except TrainError as error:
            help = f"remove {path}, and `netdsl experiment run` trains it again"
            raise TrainError(error.message, help, error.exit_code) from error
    failure = read_failure(folder, job)
    state = _STATES[reached(folder, job, failure)]
    why = failure if state == "failed" else None
    return Outcome(job, path, state, _rows_so_far(job, folder), failure=why)


def _finished(job: Job, folder: Path) -> Outcome:
    path, stages = folder / job.folder, stages_of(folder, job)
    record = _read(path / "summary.json")
    try:
        best, device = int(record["best"]["epoch"]), _device(record)
        torch = str(record["torch"])
        # NOTE: not `sum`, which rounds otherwise in Python 3.12 and later.
        seconds = fsum(float(_read(one / "summary.json")["seconds"]) for one in stages)
        classes = int(record["classes"]) if "classes" in record else _classes(RunFolder.open(path))
    except (KeyError, TypeError, ValueError) as error:
        raise TrainError(f"{path / 'summary.json'} is damaged: {error}") from error
    *before, rows = (RunFolder.open(stage).rows for stage in stages)
    guesses = classes > 0 and is_guessing(rows, classes)
    if best not in {row.epoch for row in rows}:
        raise TrainError(f"{path} is damaged: its best epoch, {best}, is not in metrics.csv")
    ends = tuple(accumulate(map(len, before)))
    joined = _joined(*before, rows)
    if before:
        best = best_of(joined).epoch
    return Outcome(
        job, path, "finished", joined, best, seconds, device, torch,
        ends=ends, classes=classes, guesses=guesses,
    )  # fmt: skip


def _classes(run: RunFolder) -> int:
    """Return how many classes the network of a run tells apart; 0 where it cannot be read."""
    with suppress(NetDSLError, TrainError):
        return rebuilt(run).output_shape[0]
    return 0


def _device(record: Mapping[str, Any]) -> str:
    """Return what a run was computed on, as in "AMD EPYC, 1 thread, bf16".

    Older runs have the kind of the device alone.
    """
    kind, settings = str(record["device"]), record.get("settings", {})
    threads = [counted(settings["threads"], "thread")] if kind == "cpu" and settings else []
    precision = [settings["precision"]] if settings else []
    return ", ".join([record.get("device_name") or kind, *threads, *precision])


def _rows_so_far(job: Job, folder: Path) -> tuple[Row, ...]:
    """Return the epochs of a run that may be writing them at this moment, or none."""
    found = []
    for stage in stages_of(folder, job):
        try:
            found.append(RunFolder.open(stage).rows)
        except TrainError:
            break
    return _joined(*found)


def _joined(*stages: Sequence[Row]) -> tuple[Row, ...]:
    """Return the epochs of stages as those of one training."""
    return tuple(replace(row, epoch=n) for n, row in enumerate(chain(*stages), 1))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return dict(json.loads(read_file(path)))
    except (TypeError, ValueError) as error:
        raise TrainError(f"{path} is damaged: it is no JSON") from error
