"""A job to a child process that trains it, and its end to what is remembered of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from netdsl.experiment.folder import LOGS
from netdsl.experiment.line import Line
from netdsl.experiment.locks import take
from netdsl.experiment.plan import Job
from netdsl.experiment.stages import stages_of
from netdsl.experiment.state import (
    SIGNALS,
    Failure,
    is_finished,
    is_trained,
    read_failure,
    write_failure,
)
from netdsl.train import ExitCode, RunFolder, TrainError

_STOPPED = (ExitCode.INTERRUPTED, ExitCode.TERMINATED)  # told to stop, and all is saved
_ERROR = re.compile(r"(?:internal error|error|Error)(?:\[[A-Z][0-9]+\])?: (.+)")


@dataclass(frozen=True, slots=True)
class Share:
    """What of the machine a run gets: threads, and what its environment says of devices."""

    threads: int
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run under way: its process, its lock, and how far it had come before."""

    folder: Path
    job: Job
    process: subprocess.Popen[bytes]
    lock: int
    log: Path
    begin: int  # of what this attempt writes into the log
    before: tuple[int, ...]


def attempt(folder: Path, job: Job, share: Share) -> Attempt | None:
    """Begin a run or go on with it; None where another process has it or has finished it."""
    lock = take(folder, job.key)
    if lock is None:
        return None
    with ExitStack() as unless_begun:
        unless_begun.callback(os.close, lock)
        if is_finished(folder, job) or is_trained(folder, job):
            return None
        begun = _begin(folder, job, share, lock)
        unless_begun.pop_all()
    return begun


def _begin(folder: Path, job: Job, share: Share, lock: int) -> Attempt:
    before, (_, *words) = checkpoint_times(folder, job), line_of(folder, job, share.threads)
    log = folder / LOGS / f"{job.key}.txt"
    log.parent.mkdir(exist_ok=True)
    with log.open("ab") as out:
        begin = out.tell()
        process = subprocess.Popen(
            # Files in the present folder are no modules of the run, whatever they are called.
            [sys.executable, "-P", "-m", "netdsl", *words],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            env={**os.environ, "PYTHONPATH": _paths(), **share.environment},
            # NOTE: apart from the terminal's group, so that Ctrl-C reaches it once, through us; and
            # with its lock, so that it is its own as long as it lives, if we are killed.
            start_new_session=True, pass_fds=(lock,) if os.name == "posix" else (),
        )  # fmt: skip
    return Attempt(folder, job, process, lock, log, begin, before)


def _paths() -> str:
    """Return where this process imports from, so that a run imports the same netdsl."""
    return os.pathsep.join(path or str(Path.cwd()) for path in sys.path)


def tell(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a process a signal; Windows knows none but the one that ends it."""
    if os.name == "posix":
        process.send_signal(number)
    else:
        process.terminate()


def conclude(ended: Attempt) -> int:
    """Give the lock of a run back whose process has ended; remember why it failed, if it did.

    Returns its exit code, as a shell would tell it: 128 and the number of a signal that killed it.
    """
    try:
        code = ended.process.wait()
        code = SIGNALS - code if code < 0 else code
        note_end(ended.folder, ended.job, code, lambda: _reason(ended, code), ended.before)
        return code
    finally:
        os.close(ended.lock)


def note_end(
    folder: Path, job: Job, code: int, reason: Callable[[], str], before: tuple[int, ...]
) -> None:
    """Remember that a run failed and why, if it did; `before` are its `checkpoint_times` then."""
    if is_finished(folder, job):
        write_failure(folder, job, None)
        return
    earlier = read_failure(folder, job)
    further = checkpoint_times(folder, job) != before
    # Where another process trains now, it was faster than ours.
    if code in _STOPPED or is_trained(folder, job):
        write_failure(folder, job, None if further else earlier)
        return
    attempts = 1 if further or earlier is None else earlier.attempts + 1
    write_failure(folder, job, Failure(attempts, code, reason()))


def _reason(ended: Attempt, code: int) -> str:
    """Return what the run said last of an error, or which signal killed it."""
    if code > SIGNALS:
        known = {int(number): number.name for number in signal.Signals}
        return f"killed by {known.get(code - SIGNALS, f'signal {code - SIGNALS}')}"
    text = ended.log.read_bytes()[ended.begin :].decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [found[1] for line in lines if (found := _ERROR.match(line))]
    return (errors or lines or [f"it ended with exit code {code}"])[-1]


def line_of(folder: Path, job: Job, threads: int | None) -> Line:
    """Return the line that trains a run, on so many threads where nobody chose how many.

    One that goes on keeps its own, for the same bits. So do the stages of it that have not begun.
    """
    if job.has_threads or threads is None:
        return job.command
    first = RunFolder(stages_of(folder, job)[0])
    if first.is_begun:
        with suppress(TrainError):  # what is wrong with it, the run will say
            threads = first.settings.threads
    return *job.command, "--threads", str(threads)


def checkpoint_times(folder: Path, job: Job) -> tuple[int, ...]:
    """Return what grows whenever a run gets further."""
    files = [RunFolder(stage).checkpoint for stage in stages_of(folder, job)]
    return tuple(sorted(file.stat().st_mtime_ns for file in files if file.is_file()))
