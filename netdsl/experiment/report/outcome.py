"""A run that was planned to what came of it so far."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

from netdsl.experiment.report.plan import Job, Plan
from netdsl.train.errors import TrainError
from netdsl.train.files import read_file
from netdsl.train.metrics import Row
from netdsl.train.run import RunFolder

State = Literal["finished", "failed", "unfinished", "waiting"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run came to no end, and how often it was tried."""

    reason: str
    exit_code: int | None
    attempts: int

    def __str__(self) -> str:
        """The failure in one line."""
        tries = f"{self.attempts} attempts" if self.attempts != 1 else "1 attempt"
        code = "" if self.exit_code is None else f"exit {self.exit_code}, "
        return f"failed ({code}{tries}): {' '.join(self.reason.split())}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run has come to; `best` is the epoch whose weights are kept as the best.

    Only a finished run has `best`, `seconds`, `device` and `torch`.
    """

    job: Job
    path: Path
    state: State
    rows: tuple[Row, ...] = ()
    best: int = 0
    seconds: float = 0.0
    device: str = ""
    torch: str = ""
    failure: Failure | None = None

    @property
    def last(self) -> Row:
        """What the last epoch came to."""
        return self.rows[-1]

    @property
    def best_row(self) -> Row:
        """What the best epoch came to."""
        (row,) = (row for row in self.rows if row.epoch == self.best)
        return row


# What is measured of a finished run. NOTE: of the last epoch; the best one is chosen by looking
# at validation, so its accuracy there is too high.
MEASURES: dict[str, Callable[[Outcome], float]] = {
    "train": lambda run: run.last.sample_accuracy,
    "val": lambda run: run.last.val_accuracy,
    "gap": lambda run: run.last.sample_accuracy - run.last.val_accuracy,
    "best_val": lambda run: run.best_row.val_accuracy,
    "images_per_second": lambda run: median(row.images_per_second for row in run.rows),
    "seconds_per_epoch": lambda run: median(row.seconds for row in run.rows),
    "seconds": lambda run: run.seconds,
    "peak_memory": lambda run: max(row.peak_memory for row in run.rows),
}


def read_outcomes(folder: Path, plan: Plan) -> tuple[Outcome, ...]:
    """Return what became of every run of the plan, in its order."""
    return tuple(_outcome(job, folder / job.folder) for job in plan.jobs)


def _outcome(job: Job, path: Path) -> Outcome:
    if (path / "summary.json").is_file():
        return _finished(job, path)
    if (path / "failed.json").is_file():
        return Outcome(job, path, "failed", _rows_so_far(path), failure=_failure(path))
    state: State = "unfinished" if (path / "settings.json").is_file() else "waiting"
    return Outcome(job, path, state, _rows_so_far(path))


def _finished(job: Job, path: Path) -> Outcome:
    record = _read(path / "summary.json")
    try:
        best, seconds = int(record["best"]["epoch"]), float(record["seconds"])
        device, torch = str(record["device"]), str(record["torch"])
    except (KeyError, TypeError, ValueError) as error:
        raise TrainError(f"{path / 'summary.json'} is damaged: {error}") from error
    rows = RunFolder.open(path).rows
    if best not in {row.epoch for row in rows}:
        raise TrainError(f"{path} is damaged: its best epoch, {best}, is not in metrics.csv")
    return Outcome(job, path, "finished", rows, best, seconds, device, torch)


def _rows_so_far(path: Path) -> tuple[Row, ...]:
    """Return the epochs of a run that may be writing them at this moment, or none."""
    try:
        return RunFolder.open(path).rows
    except TrainError:
        return ()


def _failure(path: Path) -> Failure:
    record = _read(path / "failed.json")
    code = record.get("exit_code")
    return Failure(
        str(record.get("reason", "no reason was kept")),
        None if code is None else int(code),
        int(record.get("attempts", 1)),
    )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return dict(json.loads(read_file(path)))
    except (TypeError, ValueError) as error:
        raise TrainError(f"{path} is damaged: it is no JSON") from error
