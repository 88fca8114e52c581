"""The same runs as tasks of a Ray cluster, each with its processors and its GPU."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netdsl.experiment.attempt import (
    Share,
    attempt,
    checkpoint_times,
    conclude,
    note_end,
    tell,
)
from netdsl.experiment.plan import Job
from netdsl.experiment.run import Work, came_back, due_of, renew
from netdsl.experiment.state import SIGNALS, is_running
from netdsl.first_line import first_line
from netdsl.train import ExitCode, TrainError

_LOOK = 1.0  # seconds between two looks at the tasks
_CRASHES = 2  # that Ray starts a task again after, where a node is lost
_INTERNAL = 1
_LOST = SIGNALS + 9  # as if its process was killed: it goes on


@dataclass(frozen=True, slots=True)
class _Task:
    """A run that was sent to the cluster, and how far it had come before."""

    job: Job
    before: tuple[int, ...]


def work_off_on_ray(work: Work, address: str) -> None:
    """Run all that is due on a cluster, which has to see the experiment's folder as we do.

    How many run at once is the cluster's to decide: a task asks for the threads of a run, and for
    a GPU where the cluster has any.
    """
    ray = _connected(address)
    try:
        submit = _submitting(ray, work)
        running: dict[Any, _Task] = {}
        while True:
            if not work.wish.count:
                here = {task.job.key for task in running.values()}
                running |= {submit(job): _sent(work, job) for job in due_of(work, here)}
            renew(work, len(running))
            if not running:
                return
            done, _ = ray.wait(list(running), timeout=_LOOK)
            for ref in done:
                task = running.pop(ref)
                came_back(work, task.job, _code(ray, ref, work.folder, task))
            work.told.tick([task.job for task in running.values()], len(work.seen))
            if work.wish.count > work.heard:
                work.heard = work.wish.count
                for ref in running:
                    ray.cancel(ref, force=False)
    finally:
        ray.shutdown()


def train_here(folder: str, job: Job, threads: int) -> int:
    """Train a run on the machine that a task was sent to; return its exit code.

    A run that another process trains is waited for: who asks decides what comes then.
    """
    begun = attempt(Path(folder), job, Share(threads, {}))
    if begun is None:
        while is_running(Path(folder), job):
            time.sleep(_LOOK)
        return 0
    try:
        begun.process.wait()
    except BaseException:  # the task is cancelled: the run shall save, and nobody be left over
        tell(begun.process, signal.SIGINT)
        begun.process.wait()
    return conclude(begun)


def _connected(address: str) -> Any:
    try:
        import ray
    except ImportError as error:
        help = "pip install 'netdsl[ray]'"
        raise TrainError("ray is not installed", help, ExitCode.USAGE) from error
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    except (ConnectionError, ValueError, RuntimeError) as error:
        fact = f"no Ray cluster answers at {address}: {first_line(error)}"
        raise TrainError(fact, "`ray start --head` begins one", ExitCode.USAGE) from error
    return ray


def _submitting(ray: Any, work: Work) -> Callable[[Job], Any]:
    threads = work.shares[0].threads
    gpus = 1 if ray.cluster_resources().get("GPU", 0) else 0
    remote = ray.remote(num_cpus=threads, num_gpus=gpus, max_retries=_CRASHES)(train_here)
    folder = str(work.folder.resolve())
    return lambda job: remote.options(name=job.name).remote(folder, job, threads)


def _sent(work: Work, job: Job) -> _Task:
    return _Task(job, checkpoint_times(work.folder, job))


def _code(ray: Any, ref: Any, folder: Path, task: _Task) -> int:
    """Return the exit code of a task's run; where the task itself failed, remember why."""
    try:
        return int(ray.get(ref))
    except (ray.exceptions.TaskCancelledError, KeyboardInterrupt):
        return int(ExitCode.INTERRUPTED)
    except ray.exceptions.RayTaskError as error:
        code, reason = _raised(error.cause)
    except ray.exceptions.RayError as error:
        code, reason = _LOST, first_line(error)
    note_end(folder, task.job, code, lambda: f"its task on Ray: {reason}", task.before)
    return code


def _raised(error: Exception) -> tuple[int, str]:
    """Return the exit code and the reason of what a task raised.

    What a node cannot import stands in the last line of what Ray says of it.
    """
    usual = ExitCode.IO if isinstance(error, OSError) else _INTERNAL
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return int(getattr(error, "exit_code", usual)), lines[-1].strip()
