"""A plan to finished runs: at most so many at once, skipped, gone on with, tried again."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from netdsl.experiment.attempt import Attempt, Share, attempt, conclude, tell
from netdsl.experiment.outlook import seconds_left
from netdsl.experiment.plan import Job, in_turn
from netdsl.experiment.state import (
    ATTEMPTS,
    Failure,
    Phase,
    State,
    is_finished,
    is_running,
    look,
    read_failure,
    write_failure,
)
from netdsl.experiment.stopping import Wish
from netdsl.train import ExitCode, TrainError

_PAUSE = 0.1  # seconds between two looks at the processes
# NOTE: the same again comes to the same: a usage error, wrong data, a loss that became NaN. They
# are tried again only when somebody runs the experiment again, and may have mended it.
_HOPELESS = (ExitCode.USAGE, ExitCode.DATA, ExitCode.DIVERGED)


class Told(Protocol):
    """Whoever listens to an experiment."""

    def begun(self, job: Job) -> None:
        """Hear that a run begins or goes on."""

    def ended(self, job: Job, state: State, done: int, left: float | None) -> None:
        """Hear what became of a run; `done` are finished, the rest takes `left` seconds or so."""

    def elsewhere(self, jobs: Sequence[Job]) -> None:
        """Hear that all that is left is run by other processes."""

    def tick(self, running: Sequence[Job], done: int) -> None:
        """Hear, several times a second, what is running."""


@dataclass(slots=True)
class Work:
    """An experiment under way in this process."""

    folder: Path
    jobs: tuple[Job, ...]
    shares: tuple[Share, ...]
    told: Told
    renewed: Callable[[], None]  # called after runs have finished: the report is due
    wish: Wish
    running: dict[int, Attempt] = field(default_factory=dict)  # by the number of its share
    tries: dict[str, int] = field(default_factory=dict)  # of this process, since it got further
    seen: set[str] = field(default_factory=set)  # the finished ones that were told of
    waits: bool = False
    is_behind: bool = False  # the report: runs have finished since
    has_failed: bool = False  # a run, since the report was due
    heard: int = 0  # signals that the children were told of


def begin(
    folder: Path, jobs: Sequence[Job], shares: Sequence[Share], told: Told,
    renewed: Callable[[], None], wish: Wish, *, retry: bool = False,
) -> Work:  # fmt: skip
    """Return what `work` does; with `retry`, runs that failed too often are tried again."""
    turn = in_turn(jobs)
    if retry:
        for job in turn:
            if not is_running(folder, job):
                write_failure(folder, job, None)
    work = Work(folder, turn, tuple(shares), told, renewed, wish)
    for job in turn:
        if is_finished(folder, job):
            _see(work, job)
    return work


def work_off(work: Work) -> None:
    """Run all that is due, until nothing is left or somebody wishes an end.

    What other processes run is waited for, and taken over where such a process dies. An error is
    raised when the runs under way have saved and ended.
    """
    try:
        while _goes_on(work):
            time.sleep(_PAUSE)
    except BaseException:
        _stop(work)
        raise


def _goes_on(work: Work) -> bool:
    """Take off what has ended and begin what is due; say whether to look again."""
    _hand_on_signals(work)
    _collect(work)
    here = {one.job.key for one in work.running.values()}
    due = [] if work.wish.count else due_of(work, here)
    _fill(work, due)
    renew(work, len(work.running))
    if not work.running and (work.wish.count or not due):
        return False
    if not work.running and not work.waits:
        work.waits = True
        work.told.elsewhere(due)
    work.told.tick([one.job for one in work.running.values()], len(work.seen))
    return True


def _stop(work: Work) -> None:
    """Ask the runs under way to save and end, as Ctrl-C does, and wait for them.

    What goes wrong with them is left unsaid: another error is to be told.
    """
    if not work.wish.count:
        work.wish.number, work.wish.count = signal.SIGINT, 1
    while work.running:
        time.sleep(_PAUSE)
        _hand_on_signals(work)
        for one in _ended(work):
            with suppress(OSError, TrainError):
                conclude(one)


def due_of(work: Work, here: Set[str]) -> list[Job]:
    """Return the runs that are neither finished nor given up, nor under way by their keys."""
    due = []
    for job in work.jobs:
        if job.key in here or job.key in work.seen:
            continue
        if is_finished(work.folder, job):
            _tell(work, job)
        elif _is_hoped(work, job):
            due.append(job)
    return due


def _is_hoped(work: Work, job: Job) -> bool:
    """Say whether a run was not given up, neither now nor by an earlier call."""
    failure = read_failure(work.folder, job)
    is_final = failure is not None and failure.is_final
    return work.tries.get(job.key, 0) < ATTEMPTS and not is_final


def _fill(work: Work, due: Sequence[Job]) -> None:
    """Begin runs in the shares that are free."""
    free = [n for n in range(len(work.shares)) if n not in work.running]
    for job in due:
        if not free:
            return
        begun = attempt(work.folder, job, work.shares[free[0]])
        if begun is not None:
            work.running[free.pop(0)] = begun
            work.waits = False
            work.told.begun(job)


def _collect(work: Work) -> None:
    """Take the runs off whose process has ended."""
    for one in _ended(work):
        came_back(work, one.job, conclude(one))


def _ended(work: Work) -> Iterator[Attempt]:
    """Yield the runs whose process has ended, each when it counts as running no more."""
    for number, one in list(work.running.items()):
        if one.process.poll() is not None:
            del work.running[number]
            yield one


def came_back(work: Work, job: Job, code: int) -> None:
    """Note that a run has ended with an exit code; it is tried again where that makes sense."""
    failure = read_failure(work.folder, job)
    again = 1 if failure and failure.attempts == 1 else work.tries.get(job.key, 0) + 1
    work.tries[job.key] = ATTEMPTS if code in _HOPELESS else again
    _tell(work, job)


def renew(work: Work, running: int) -> None:
    """Have the report written that is due, which may take long: call it when shares are filled.

    As long as some are `running` that were told to end, it waits: they may be told once more.
    """
    if work.is_behind and not (work.wish.count and running):
        work.is_behind = work.has_failed = False
        work.renewed()


def _tell(work: Work, job: Job) -> None:
    if is_finished(work.folder, job):
        _see(work, job)
        work.is_behind = True
    state = _state(work, job)
    work.has_failed |= state.phase is Phase.FAILED
    hoped = [one for one in work.jobs if one.key in work.seen or _is_hoped(work, one)]
    left = seconds_left(work.folder, hoped, len(work.shares))
    work.told.ended(job, state, len(work.seen), left)


def _state(work: Work, job: Job) -> State:
    """Return how far a run is; where its files are damaged, that is why it has failed."""
    try:
        return look(work.folder, job)
    except TrainError as error:
        return State(Phase.FAILED, failure=Failure(1, error.exit_code, str(error)))


def _see(work: Work, job: Job) -> None:
    """Note that a run is finished; how it once failed says nothing any more.

    It may have finished when whoever began it was dead, and could not say so.
    """
    work.seen.add(job.key)
    write_failure(work.folder, job, None)


def _hand_on_signals(work: Work) -> None:
    """Tell the children: the first time they finish their step and save, the second they end.

    One signal a look: of two that come together a process may notice but one.
    """
    if work.wish.count > work.heard:
        work.heard += 1
        for one in work.running.values():
            tell(one.process, work.wish.number)
