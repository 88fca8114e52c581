"""Finished runs to a guess of how long the rest will take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from netdsl.experiment.plan import Job
from netdsl.experiment.stages import stages_of
from netdsl.experiment.state import is_finished, look
from netdsl.train.errors import TrainError
from netdsl.train.files import read_file


def seconds_left(folder: Path, jobs: Sequence[Job], at_once: int) -> float | None:
    """Return how long the rest will take, at the pace of what is finished; None if nothing is.

    Pace is multiply-adds of training a second, so small networks tell of large ones. Files that
    are damaged tell nothing: of such a run no epoch counts, or no time.
    """
    finished, rest = _parted(folder, jobs)
    timed = [(job.work, took) for job in finished if (took := _seconds(folder, job))]
    worked, took = sum(work for work, _ in timed), sum(seconds for _, seconds in timed)
    if not worked:
        return None
    left = sum(job.work * max(0.0, 1 - _epochs(folder, job) / job.epochs) for job in rest)
    return left * took / worked / max(1, min(at_once, len(rest)))


def _parted(folder: Path, jobs: Sequence[Job]) -> tuple[list[Job], list[Job]]:
    """Return the runs that are finished, and those that are not."""
    finished: list[Job] = []
    rest: list[Job] = []
    for job in jobs:
        (finished if is_finished(folder, job) else rest).append(job)
    return finished, rest


def _seconds(folder: Path, job: Job) -> float:
    """Return what a finished run took; 0 where that cannot be read."""
    summaries = [stage / "summary.json" for stage in stages_of(folder, job)]
    there = (path for path in summaries if path.is_file())
    try:
        return sum(float(json.loads(read_file(path))["seconds"]) for path in there)
    except (TrainError, KeyError, TypeError, ValueError):
        return 0.0


def _epochs(folder: Path, job: Job) -> int:
    """Return how many epochs of a run are done; 0 where that cannot be read."""
    try:
        return look(folder, job).epochs
    except TrainError:
        return 0
