"""An experiment on a Ray cluster of this machine, equal to one without it; tasks that fail."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from netdsl.cli.experiment_shown import outcome
from netdsl.experiment.attempt import Share
from netdsl.experiment.on_ray import work_off_on_ray
from netdsl.experiment.plan import Job, read_plan
from netdsl.experiment.run import begin
from netdsl.experiment.state import Failure, State, read_failure
from netdsl.experiment.stopping import Wish
from netdsl.train import ExitCode, TrainError

TINY = "input 1x8x8  classes 10\nConv 4  Max 2  BB 8 dropout=0.2  GAP  FC classes\n"
FILE = """name = "small"
data = "digits"
limit = 200
seeds = 2
set = { epochs = 2, threads = 1 }
[[network]]
arch = "tiny.arch"
plain = "both"
"""


def run(*arguments: object) -> str:
    command = [sys.executable, "-m", "netdsl", "experiment", "run", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_cluster_comes_to_the_same(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    (tmp_path / "tiny.arch").write_text(TINY)
    (tmp_path / "x.toml").write_text(FILE)
    run(tmp_path / "x.toml", "--dir", str(tmp_path / "here"))
    cluster = ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        address = cluster.address_info["gcs_address"]
        place = ("--dir", str(tmp_path / "there"))
        out = run(tmp_path / "x.toml", *place, "--ray", address, "--threads", "1")
    finally:
        ray.shutdown()
    assert out.splitlines()[-1] == f"4 of 4 runs are finished; all of it in {tmp_path / 'there'}"
    for job in read_plan(tmp_path / "here").jobs:
        ours, theirs = (tmp_path / name / job.folder / "metrics.csv" for name in ("here", "there"))
        assert ours.read_bytes() == theirs.read_bytes()


class RayError(Exception):
    """What Ray says of a task that came to nothing."""


class TaskCancelledError(RayError):
    pass


class RayTaskError(RayError):
    def __init__(self, cause: Exception) -> None:
        super().__init__("a traceback\nof many lines")
        self.cause = cause


class Told:
    """Notes what is said of each run that ends."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    def ended(self, job: Job, state: State, done: int, left: float | None) -> None:
        self.ends.append(outcome(job, state))

    def tick(self, running: Any, done: int) -> None: ...


@pytest.fixture
def work_off(
    tmp_path: Path, change_run: Any, make_job: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Exception], tuple[list[str], Failure | None]]:
    """Give what works an experiment of one run off on a cluster whose tasks end with an error."""

    def work_off(error: Exception) -> tuple[list[str], Failure | None]:
        def get(ref: object) -> int:
            raise error

        task = SimpleNamespace(options=lambda name: SimpleNamespace(remote=lambda *_: object()))
        ray = SimpleNamespace(
            init=lambda **_: None, shutdown=lambda: None, cluster_resources=dict,
            remote=lambda **_: lambda _: task, wait=lambda refs, timeout: (refs, []), get=get,
            exceptions=SimpleNamespace(
                RayError=RayError, RayTaskError=RayTaskError, TaskCancelledError=TaskCancelledError
            ),
        )  # fmt: skip
        monkeypatch.setitem(sys.modules, "ray", ray)
        change_run.plan(tmp_path, [make_job("a", 0)])
        (job,) = read_plan(tmp_path).jobs
        told: Any = Told()
        work = begin(tmp_path, [job], [Share(1, {})], told, lambda: None, Wish())
        work_off_on_ray(work, "auto")
        return told.ends, read_failure(tmp_path, job)

    return work_off


@pytest.mark.parametrize(
    ("raised", "code", "reason"),
    [
        (TrainError("x is no folder", None, ExitCode.USAGE), 2, "x is no folder"),
        (FileNotFoundError(2, "No such file or directory", "/x"), 6,
         "[Errno 2] No such file or directory: '/x'"),
        (RuntimeError("The remote function failed to import on the worker. :\n\n"
                      "Traceback:\nModuleNotFoundError: No module named 'netdsl'\n"), 1,
         "ModuleNotFoundError: No module named 'netdsl'"),
        (ValueError(), 1, "ValueError"),
    ],
)  # fmt: skip
def test_what_a_task_raises_is_why_its_run_failed(
    work_off: Any, raised: Exception, code: int, reason: str
) -> None:
    ends, failure = work_off(RayTaskError(raised))
    tries = 1 if code == ExitCode.USAGE else 3
    assert failure == Failure(tries, code, f"its task on Ray: {reason}")
    assert ends[0] == f"failed: its task on Ray: {reason}"
    assert len(ends) == tries


def test_a_task_that_is_lost_goes_on_and_says_why(work_off: Any) -> None:
    ends, failure = work_off(RayError("The worker died unexpectedly.\nMore in its log."))
    reason = "its task on Ray: The worker died unexpectedly."
    assert (failure, failure.is_final) == (Failure(3, 137, reason), False)
    assert ends == [f"waiting ({reason})"] * 3


def test_a_task_that_was_cancelled_is_no_failure(work_off: Any) -> None:
    ends, failure = work_off(TaskCancelledError("cancelled"))
    assert (ends[0], failure) == ("waiting", None)
