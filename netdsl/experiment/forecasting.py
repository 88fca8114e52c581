"""Rows of an experiment to what their runs will take, by a few steps of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from netdsl.experiment.key import Stage
from netdsl.experiment.plan import Job, distinct
from netdsl.experiment.planning import PlannedRow
from netdsl.experiment.state import is_finished
from netdsl.train import Forecast, forecast
from netdsl.train.freezing import freeze
from netdsl.train.memory import forget_peak


@dataclass(frozen=True, slots=True)
class RowForecast:
    """What a run of a row takes, in seconds and bytes, and how many are to go.

    `waited` is as in `Forecast`, and 0 where other processes did not disturb.
    """

    row: str
    runs: int
    seconds: float
    peak_memory: float
    waited: float


def forecast_rows(
    rows: Sequence[PlannedRow], folder: Path, jobs: Sequence[Job], threads: int
) -> Iterator[RowForecast]:
    """Measure the network of every row that has runs to go, and yield it as soon as it is done.

    It has as many threads as a run gets, but where somebody chose how many. Runs that rows share
    are those of the first of them.
    """
    once = distinct(jobs)
    for row in rows:
        alike = (job for job in once if (job.label, job.plain) == (row.label, row.variant.plain))
        due = [job for job in alike if not is_finished(folder, job)]
        if not due:
            continue
        measured = [
            _measured(stage, None if due[0].has_threads else threads) for stage in row.stages
        ]
        seconds = sum(one.seconds for one in measured)
        memory = max(one.peak_memory for one in measured)
        waited = max((one.waited for one in measured if one.is_disturbed), default=0.0)
        yield RowForecast(due[0].row_name, len(due), seconds, memory, waited)


def _measured(stage: Stage, threads: int | None) -> Forecast:
    """Measure a stage as if no other network had been in the memory of this process.

    What it freezes takes neither gradients nor the memory of them.
    """
    settings = stage.settings if threads is None else replace(stage.settings, threads=threads)
    forget_peak(settings.device)
    module = stage.network.module(settings.seed)
    freeze(module, tuple(stage.asked["freeze"]))
    return forecast(module, stage.images, settings)
