"""Finished runs to a guess of how long the rest will take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from netdsl.experiment.plan import Job
from netdsl.experiment.stages import stages_of
from netdsl.experiment.state import is_finished, look
from netdsl.train.files import read_file


def seconds_left(folder: Path, jobs: Sequence[Job], at_once: int) -> float | None:
    """Return how long the rest will take, at the pace of what is finished; None if nothing is.

    Pace is multiply-adds of training a second, so small networks tell of large ones.
    """
    finished = [job for job in jobs if is_finished(folder, job)]
    worked, took = sum(job.work for job in finished), sum(_seconds(folder, job) for job in finished)
    if not worked or not took:
        return None
    left = sum(
        job.work * max(0.0, 1 - look(folder, job).epochs / job.epochs)
        for job in jobs
        if job not in finished
    )
    waiting = len(jobs) - len(finished)
    return left * took / worked / max(1, min(at_once, waiting))


def _seconds(folder: Path, job: Job) -> float:
    summaries = [stage / "summary.json" for stage in stages_of(folder, job)]
    there = (path for path in summaries if path.is_file())
    return sum(float(json.loads(read_file(path))["seconds"]) for path in there)
