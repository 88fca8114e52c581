"""A job to how far it is: waiting, running, cut, finished or failed, and what it came to so far."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from netdsl.amounts import counted
from netdsl.experiment.folder import DEFINITION, LOCKS, LOGS, NETWORKS, PLAN, RUNS
from netdsl.experiment.locks import is_taken
from netdsl.experiment.plan import Job, Plan, read_plan
from netdsl.experiment.stages import stages_of
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.files import has_process, read_file, write_json
from netdsl.train.metrics import read_accuracies
from netdsl.train.run import FAILED, RunFolder

_ANOTHER = "name another folder for the experiment"
ATTEMPTS = 3  # the first, and two more
SIGNALS = 128  # a process that a signal ends has an exit code of this and its number


class Phase(StrEnum):
    """What has become of a run; a cut one was begun, and goes on when it is run again."""

    WAITING = "waiting"
    RUNNING = "running"
    CUT = "cut"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Failure:
    """How often a run has failed since it last got further, and why it did."""

    attempts: int
    exit_code: int
    reason: str

    @property
    def is_kill(self) -> bool:
        """Say whether a signal ended it: a run that was killed always goes on."""
        return self.exit_code > SIGNALS

    @property
    def is_final(self) -> bool:
        """Say whether to leave it at that."""
        return self.attempts >= ATTEMPTS and not self.is_kill

    def __str__(self) -> str:
        """The failure in one line."""
        tries = counted(self.attempts, "attempt")
        return f"failed (exit {self.exit_code}, {tries}): {' '.join(self.reason.split())}"


@dataclass(frozen=True, slots=True)
class State:
    """How far a run is; `best` is the highest accuracy in validation so far."""

    phase: Phase
    epochs: int = 0
    best: float | None = None
    failure: Failure | None = None


def look(folder: Path, job: Job) -> State:
    """Return how far a run of an experiment is, from its files and its lock alone."""
    # A training by stages has a table for each; its best epoch is one of all these, as in a report.
    tables = (stage / "metrics.csv" for stage in stages_of(folder, job))
    accuracies = [accuracy for table in tables for accuracy in _accuracies(table)]
    # How a finished run once failed says nothing any more.
    failure = None if is_finished(folder, job) else read_failure(folder, job)
    phase = reached(folder, job, failure)
    if phase is not Phase.FINISHED and is_running(folder, job):
        phase = Phase.RUNNING
    return State(phase, len(accuracies), max(accuracies, default=None), failure)


def reached(folder: Path, job: Job, failure: Failure | None) -> Phase:
    """Return how far the files of a run have got: one that runs is to them as one that was cut."""
    if is_finished(folder, job):
        return Phase.FINISHED
    if failure is not None and not failure.is_kill:
        return Phase.FAILED
    begun = any(RunFolder(stage).is_begun for stage in stages_of(folder, job))
    return Phase.CUT if begun else Phase.WAITING


def is_running(folder: Path, job: Job) -> bool:
    """Say whether a process has a run: for an experiment, or by a line of its own."""
    return is_taken(folder, job.key) or is_trained(folder, job)


def is_trained(folder: Path, job: Job) -> bool:
    """Say whether a process trains in the folder of a run, whoever began it."""
    return any(map(has_process, stages_of(folder, job)))


def is_finished(folder: Path, job: Job) -> bool:
    """Say whether a run came to its end."""
    return RunFolder(folder / job.folder).is_finished


def refuse_foreign(folder: Path, name: str) -> None:
    """Raise where a folder holds anything but the experiment of that name.

    A run that was begun elsewhere, locks of one that was not planned yet, and a plan that cannot be
    read are no reason.
    """
    if folder.exists() and not folder.is_dir():
        raise TrainError(f"{folder} is a file", _ANOTHER, ExitCode.IO)
    files = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    shown = {file for file in files if not file.startswith(".")}
    own = {PLAN, DEFINITION} & files
    if not own and not shown <= {LOCKS, LOGS, NETWORKS, RUNS}:
        raise TrainError(f"{folder} is not empty, and no experiment", _ANOTHER, ExitCode.IO)
    if (other := _planned_in(folder)) is not None and other.name != name:
        raise TrainError(f"{folder} holds the experiment {other.name}", _ANOTHER, ExitCode.IO)


def left_behind(folder: Path, plan: Plan) -> tuple[Job, ...]:
    """Return the finished runs of a folder that its former plan had and this one has not."""
    former, keys = _planned_in(folder), {job.key for job in plan.jobs}
    jobs = former.jobs if former else ()
    return tuple(job for job in jobs if job.key not in keys and is_finished(folder, job))


def read_failure(folder: Path, job: Job) -> Failure | None:
    """Return how a run failed the last time, if it did."""
    path = folder / job.folder / FAILED
    if not path.is_file():
        return None
    try:
        record: dict[str, Any] = json.loads(read_file(path))
        return Failure(int(record["attempts"]), int(record["exit_code"]), str(record["reason"]))
    except (KeyError, TypeError, ValueError) as error:
        raise TrainError(f"{path} is damaged: {error}", "remove it", ExitCode.IO) from error


def write_failure(folder: Path, job: Job, failure: Failure | None) -> None:
    """Store how a run failed, or that it did not."""
    path = folder / job.folder / FAILED
    if failure is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, asdict(failure), indent=None)


def _planned_in(folder: Path) -> Plan | None:
    """Return the plan in a folder; None where there is none, or none that can be read."""
    with suppress(TrainError):
        return read_plan(folder)
    return None


def _accuracies(path: Path) -> list[float]:
    """Return the accuracy of each epoch; the file is whole whenever it is there."""
    if not path.is_file():
        return []
    try:
        return read_accuracies(read_file(path).decode(errors="replace"), str(path))
    except TrainError as error:
        help = f"remove {path.parent}, and `netdsl experiment run` trains it again"
        raise TrainError(str(error), help, error.exit_code) from error
