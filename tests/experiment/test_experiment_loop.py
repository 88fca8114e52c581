"""The loop that works an experiment off: what it does first at a look, and whom it tells of an end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from netdsl.experiment.attempt import Attempt, Share, attempt, conclude
from netdsl.experiment.locks import is_taken, take
from netdsl.experiment.outlook import seconds_left
from netdsl.experiment.plan import Job, read_plan
from netdsl.experiment.run import Work, begin, work_off
from netdsl.experiment.state import Failure, Phase, State, read_failure, write_failure
from netdsl.experiment.stopping import Wish
from netdsl.train.files import only_process

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
UNTIL_ASKED = """
import signal, sys, time
heard = []
for name in (signal.SIGINT, signal.SIGTERM):
    signal.signal(name, lambda number, _: heard.append(number))
print("ready", flush=True)
end = time.monotonic() + 20
while len(heard) < {asked} and time.monotonic() < end:
    time.sleep(0.01)
time.sleep({saving})
sys.exit(1 if len(heard) != {asked} else 128 + heard[0] if heard else 0)
"""


class Heard:
    """Notes all that an experiment tells and when it asks for a report.

    A run of these tests trains nothing: with `finish` it is finished as soon as it has begun.
    """

    def __init__(self, folder: Path, *, finish: bool = False) -> None:
        self.folder, self.finish = folder, finish
        self.events: list[str] = []
        self.states: list[State] = []
        self.left: list[float | None] = []

    def begun(self, job: Job) -> None:
        self.events.append(f"begun {job.label}")
        if self.finish:
            finish(self.folder, job)

    def ended(self, job: Job, state: State, done: int, left: float | None) -> None:
        self.events.append(f"ended {job.label}")
        self.states.append(state)
        self.left.append(left)

    def elsewhere(self, jobs: Sequence[Job]) -> None:
        self.events.append("elsewhere")

    def tick(self, running: Sequence[Job], done: int) -> None: ...

    def report(self) -> None:
        self.events.append("report")


@pytest.fixture
def jobs(tmp_path: Path, change_run: Any, make_job: Any) -> tuple[Job, ...]:
    """Four runs, whose processes end at once."""
    command = ["netdsl", "--version"]
    named = [make_job(label, 0, command=command, set={"threads": 1}) for label in "abcd"]
    change_run.plan(tmp_path, named)
    return read_plan(tmp_path).jobs


def finish(folder: Path, job: Job) -> None:
    """Leave what a finished run leaves."""
    path = folder / job.folder / "summary.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"seconds": 1.0}))


@pytest.fixture
def slow_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a process the time to notice one signal before the next, on a machine at work too."""
    monkeypatch.setattr("netdsl.experiment.run._PAUSE", 0.5)


def under_way(folder: Path, job: Job, asked: int = 0, saving: float = 0) -> Attempt:
    """Begin a process that ends when it was asked so often, after it has saved for some seconds."""
    lock = take(folder, job.key)
    assert lock is not None
    code = UNTIL_ASKED.format(asked=asked, saving=saving)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, pass_fds=(lock,))  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.stdout.close()
    log = folder / "logs" / f"{job.key}.txt"
    log.parent.mkdir(exist_ok=True)
    log.touch()
    return Attempt(folder, job, process, lock, log, 0, ())


def begun(heard: Heard, jobs: Sequence[Job], shares: int, wish: Wish | None = None) -> Work:
    return begin(heard.folder, jobs, [Share(1, {})] * shares, heard, heard.report, wish or Wish())


def test_runs_that_end_together_cost_one_report_and_the_next_begins_before(
    tmp_path: Path, jobs: tuple[Job, ...]
) -> None:
    heard = Heard(tmp_path, finish=True)
    work = begun(heard, jobs[:3], 2)
    for number, job in enumerate(jobs[:2]):
        work.running[number] = under_way(tmp_path, job, asked=0)
        work.running[number].process.wait()
        finish(tmp_path, job)
    work_off(work)
    assert heard.events == ["ended a", "ended b", "begun c", "report", "ended c", "report"]
    assert not any(is_taken(tmp_path, job.key) for job in jobs)


def test_a_report_waits_for_runs_that_were_told_to_end(
    tmp_path: Path, jobs: tuple[Job, ...]
) -> None:
    heard = Heard(tmp_path)
    work = begun(heard, jobs, 2, Wish(signal.SIGINT, 1))
    work.running[0] = under_way(tmp_path, jobs[0])
    work.running[0].process.wait()
    finish(tmp_path, jobs[0])
    work.running[1] = under_way(tmp_path, jobs[1], asked=1, saving=0.5)
    work_off(work)
    assert heard.events == ["ended a", "ended b", "report"]


@pytest.mark.usefixtures("slow_looks")
@pytest.mark.parametrize("asked", [1, 2, 3])
def test_runs_are_told_as_often_as_we_were(
    tmp_path: Path, jobs: tuple[Job, ...], asked: int
) -> None:
    heard = Heard(tmp_path)
    work = begun(heard, jobs, 1, Wish(signal.SIGTERM, asked))
    one = work.running[0] = under_way(tmp_path, jobs[0], asked=asked)
    work_off(work)
    assert one.process.returncode == 128 + signal.SIGTERM
    assert heard.events == ["ended a"]


@pytest.mark.usefixtures("slow_looks")
@pytest.mark.parametrize("signals", [0, 1, 2])
def test_an_error_ends_the_runs_that_are_under_way_as_a_signal_does(
    tmp_path: Path, jobs: tuple[Job, ...], signals: int
) -> None:
    work = begun(Heard(tmp_path), jobs, 2, Wish(signal.SIGTERM if signals else 0, signals))
    work.running[0] = under_way(tmp_path, jobs[0])  # it has failed, which can be written nowhere
    work.running[0].process.wait()
    (tmp_path / "runs").touch()
    one = work.running[1] = under_way(tmp_path, jobs[1], asked=max(1, signals), saving=0.3)
    with pytest.raises(OSError, match="runs"):
        work_off(work)
    assert one.process.returncode == 128 + (signal.SIGTERM if signals else signal.SIGINT)
    assert not any(is_taken(tmp_path, job.key) for job in jobs)


@pytest.mark.parametrize("what", ["no folder of logs", "no log", "no process"])
def test_a_run_that_cannot_begin_gives_its_lock_back(
    tmp_path: Path, jobs: tuple[Job, ...], what: str
) -> None:
    one = jobs[0]
    if what == "no folder of logs":
        (tmp_path / "logs").touch()
    if what == "no log":
        (tmp_path / "logs" / f"{one.key}.txt").mkdir(parents=True)
    with pytest.raises((OSError, ValueError)):
        attempt(tmp_path, one, Share(1, {"A": "\0" if what == "no process" else ""}))
    assert not is_taken(tmp_path, one.key)


def test_a_run_that_was_given_up_takes_no_more_time(
    tmp_path: Path, change_run: Any, make_job: Any
) -> None:
    change_run.plan(tmp_path, [make_job(label, 0, work=100) for label in "ab"])
    done, given_up = read_plan(tmp_path).jobs
    write_failure(tmp_path, given_up, Failure(3, 1, "boom"))
    heard = Heard(tmp_path)
    work = begun(heard, (done, given_up), 1)
    finish(tmp_path, done)
    work_off(work)
    assert (heard.events, heard.left) == (["ended a", "report"], [0.0])


@pytest.mark.parametrize("further", [True, False])
def test_a_run_that_was_stopped_has_failed_no_more_if_it_got_further(
    tmp_path: Path, jobs: tuple[Job, ...], further: bool
) -> None:
    failure = Failure(2, 1, "boom")
    write_failure(tmp_path, jobs[0], failure)
    one = under_way(tmp_path, jobs[0], asked=1)
    if further:
        (tmp_path / jobs[0].folder / "resume.pt").touch()
    one.process.send_signal(signal.SIGINT)
    assert conclude(one) == 128 + signal.SIGINT
    assert read_failure(tmp_path, jobs[0]) == (None if further else failure)


def test_a_run_that_a_line_of_its_own_trains_is_waited_for(
    tmp_path: Path, jobs: tuple[Job, ...]
) -> None:
    heard = Heard(tmp_path)
    work = begun(heard, jobs[:1], 1)
    (tmp_path / jobs[0].folder).mkdir(parents=True)
    with only_process(tmp_path / jobs[0].folder):
        threading.Timer(0.3, finish, (tmp_path, jobs[0])).start()
        work_off(work)
    assert heard.events == ["elsewhere", "ended a", "report"]


def damage(folder: Path, job: Job, name: str) -> None:
    path = folder / job.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xff\xfe{\n1\n")


def test_a_forecast_takes_what_cannot_be_read_for_not_begun(
    tmp_path: Path, change_run: Any, make_job: Any
) -> None:
    change_run.plan(tmp_path, [make_job(label, 0, work=100) for label in "abc"])
    done, damaged, waiting = read_plan(tmp_path).jobs
    finish(tmp_path, done)
    damage(tmp_path, damaged, "metrics.csv")
    assert seconds_left(tmp_path, [done, damaged, waiting], 1) == 2.0
    (tmp_path / damaged.folder / "metrics.csv").unlink()
    damage(tmp_path, damaged, "summary.json")
    assert seconds_left(tmp_path, [done, damaged, waiting], 1) == 1.0
    assert seconds_left(tmp_path, [damaged, waiting], 1) is None


def test_a_damaged_table_of_one_run_ends_no_others(tmp_path: Path, jobs: tuple[Job, ...]) -> None:
    heard = Heard(tmp_path)
    work = begun(heard, jobs[:2], 1)
    for one in jobs[:2]:
        damage(tmp_path, one, "metrics.csv")
    work.running[0] = under_way(tmp_path, jobs[0])
    work.running[0].process.wait()
    finish(tmp_path, jobs[0])
    work_off(work)
    assert heard.events == [
        "ended a",
        *["begun b", "report", "ended b"],
        *["begun b", "ended b"] * 2,
    ]
    assert {state.phase for state in heard.states} == {Phase.FAILED}
    told = [str(state.failure) for state in heard.states[:2]]
    assert [f"{tmp_path / one.folder}/metrics.csv is not a table of epochs" in text
            for one, text in zip(jobs, told, strict=False)] == [True, True]  # fmt: skip
