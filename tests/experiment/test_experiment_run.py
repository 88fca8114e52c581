"""An experiment with real runs: skipped, gone on with, tried again, stopped, killed, done again."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from netdsl.cli.experiment import command as experiment
from netdsl.cli.experiment_shown import Bar, Lines, outcome
from netdsl.cli.main import group as netdsl
from netdsl.experiment.again import differences
from netdsl.experiment.attempt import Share, attempt, conclude
from netdsl.experiment.locks import is_taken, take
from netdsl.experiment.outlook import seconds_left
from netdsl.experiment.plan import Job, Plan, choose, in_turn, read_plan
from netdsl.experiment.run import begin
from netdsl.experiment.state import Failure, Phase, State, look, read_failure, write_failure
from netdsl.experiment.stopping import Wish
from netdsl.train import RunFolder, TrainError
from netdsl.train.files import has_process, only_process
from tests.experiment.conftest import COLUMNS

TINY = 'name "Tiny"  input 1x8x8  classes 10\nConv 4  Max 2  BB 8 dropout=0.2  GAP  FC classes\n'
FILE = """name = "small"
data = "digits"
limit = 300
set = { epochs = 3, threads = 1 }
[[network]]
arch = "tiny.arch"
plain = "both"
paper = { val = 0.5 }
"""
WILD = FILE + '[[network]]\narch = "tiny.arch"\nlabel = "wild"\nset = { lr = 1e30 }\n'
RESULTS = ("metrics.csv", "best.safetensors", "last.safetensors")


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "netdsl", "experiment", *arguments], text=True, cwd=cwd,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def run(*arguments: str, folder: Path) -> Result:
    """Call a sub-command in this process; the runs are processes of their own."""
    place = ("--dir", str(runs(folder)))
    return CliRunner().invoke(
        experiment, [arguments[0], str(folder / "x.toml"), *arguments[1:], *place]
    )


def written(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.arch").write_text(TINY)
    (folder / "x.toml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = written(tmp_path_factory.mktemp("finished"), WILD)
    done = run("run", "--jobs", "2", folder=folder)
    assert done.exit_code == 4, done.output  # of the one that is meant to fail
    return folder, done.stdout


def runs(folder: Path) -> Path:
    return folder / "experiments" / "small"


def test_the_plan_holds_what_reports_need(finished: tuple[Path, str]) -> None:
    folder = runs(finished[0])
    record = json.loads((folder / "plan.json").read_text())
    assert {k: record[k] for k in ("format", "name", "title", "data", "recipe", "budget")} == {
        "format": 1, "name": "small", "title": "small", "data": "digits", "recipe": "", "budget": {},
    }  # fmt: skip
    first, twin, wild = record["jobs"]
    assert [(j["label"], j["plain"], j["seed"], j["change"]) for j in record["jobs"]] == [
        ("Tiny", False, 0, None), ("Tiny", True, 0, None), ("wild", False, 0, None),
    ]  # fmt: skip
    assert first["group"] == twin["group"] != wild["group"]
    assert (first["paper"], first["params"], first["depth"]) == ({"val": 0.5}, 1030, 4)
    assert first["command"][:2] == ["netdsl", "train"]
    assert read_plan(folder).jobs[0].command == tuple(first["command"])


def test_every_run_ends_in_a_line_and_a_failure_keeps_its_reason(
    finished: tuple[Path, str],
) -> None:
    folder, out = finished
    said, *tables, end = out.split("\n\n")
    lines, (wild, last) = said.splitlines(), end.splitlines()
    assert [text.splitlines()[0] for text in tables if "─" not in text] == [
        "2 networks, 1 of them with its plain twin, on digits, with 1 seed each, "
        "cut to 300 training images.", "small",
        "Residual against plain, by seed",
    ]  # fmt: skip
    assert any(text.startswith("network  shortcuts  depth") for text in tables)
    assert sorted(line.split("  ")[1].split(":")[0] for line in lines) == [
        "Tiny seed 0", "Tiny, plain seed 0", "wild seed 0",
    ]  # fmt: skip
    assert wild.startswith("wild seed 0: failed: the loss became nan in step ")
    assert last == f"2 of 3 runs are finished; all of it in {runs(folder)}"
    job = read_plan(runs(folder)).jobs[2]
    failure = read_failure(runs(folder), job)
    assert failure is not None
    assert (failure.attempts, failure.exit_code) == (1, 4)


def test_running_again_skips_what_is_done_and_tries_what_failed(finished: tuple[Path, str]) -> None:
    folder, _ = finished
    jobs = read_plan(runs(folder)).jobs
    before = [(runs(folder) / job.folder / "summary.json").stat().st_mtime_ns for job in jobs[:2]]
    done = run("run", "--only", "wild", folder=folder)
    assert done.stdout.startswith(
        "0/1  wild seed 0: failed (2 times): the loss became nan in step "
    )
    assert done.exit_code == 4
    after = [(runs(folder) / job.folder / "summary.json").stat().st_mtime_ns for job in jobs[:2]]
    assert after == before
    _, first, *_, last = run("status", folder=folder).stdout.splitlines()
    assert last == f"small: 3 runs, 2 finished, 1 failed; in {runs(folder)}"
    assert "finished, 3 of 3 epochs, best " in first


def test_a_report_tells_of_runs_that_failed_behind_the_last_that_finished(tmp_path: Path) -> None:
    folder = written(tmp_path, WILD.replace('"both"', "false"))
    assert run("run", folder=folder).exit_code == 4  # one at a time, the wild one behind the other
    table = runs(folder) / "report" / "table.md"
    assert "failed (exit 4, 1 attempt): the loss became nan in step " in table.read_text()
    assert run("run", "--only", "wild", folder=folder).exit_code == 4
    assert "failed (exit 4, 2 attempts): the loss became nan in step " in table.read_text()


def test_a_figure_that_is_asked_for_later_is_drawn_without_a_run(
    finished: tuple[Path, str], tmp_path: Path
) -> None:
    folder, place = finished[0], ("--dir", str(runs(finished[0])), "--only", "Tiny")
    asked = tmp_path / "x.toml"
    asked.write_text(WILD + '[[figure]]\nname = "mine"\nkind = "gap"\nrows = ["Tiny"]\n')
    (tmp_path / "tiny.arch").write_text(TINY)
    done = CliRunner().invoke(experiment, ["run", str(asked), *place])
    assert done.exit_code == 0, done.output
    assert (runs(folder) / "report" / "figures" / "mine.svg").is_file()
    assert "seed 0" not in done.stdout.split("\n\n")[0]  # no run was begun


def test_lines_for_other_engines_are_idempotent(finished: tuple[Path, str]) -> None:
    folder, _ = finished
    done = run("run", "--only", "Tiny, plain", "--print-jobs", folder=folder)
    (line,) = done.stdout.splitlines()
    assert tuple(shlex.split(line)) == read_plan(runs(folder)).jobs[1].command
    _, *arguments = shlex.split(line)
    assert CliRunner().invoke(netdsl, arguments).stdout.endswith("is finished\n")


def test_a_run_is_reproduced_bit_for_bit(finished: tuple[Path, str], tmp_path: Path) -> None:
    folder, again = runs(finished[0]), tmp_path / "again"
    first, twin = (folder / job.folder for job in read_plan(folder).jobs[:2])
    done = CliRunner().invoke(netdsl, ["reproduce", str(first), "--run-dir", str(again)])
    assert done.stdout.splitlines()[-1] == f"{again} is equal to {first}, bit for bit"
    apart = {one.what: one.how for one in differences(RunFolder.open(first), RunFolder.open(twin))}
    assert apart["last.safetensors"].startswith("17 of 20 tensors differ, by ")
    assert "val_loss" in apart
    assert "epoch" not in apart


def test_a_run_of_one_epoch_is_told_from_a_longer_one(twins: Path) -> None:
    first, second = (twins / job.folder for job in read_plan(twins).jobs[:2])
    for name in ("metrics.csv", "speed.csv"):
        (first / name).write_text("".join((first / name).read_text().splitlines(keepends=True)[:2]))
    told, *_ = differences(RunFolder.open(first), RunFolder.open(second))
    assert (told.what, told.how) == ("metrics.csv", "1 epoch and 4")


def test_a_run_that_kept_no_weights_is_reproduced_by_its_numbers(
    finished: tuple[Path, str], tmp_path: Path
) -> None:
    folder, out, again = runs(finished[0]), tmp_path / "out", tmp_path / "again"
    done = CliRunner().invoke(experiment, ["export", str(folder), "-o", str(out)])
    assert done.exit_code == 0, done.output
    run = out / read_plan(folder).jobs[0].folder
    done = CliRunner().invoke(netdsl, ["reproduce", str(run), "--run-dir", str(again)])
    assert done.stdout.splitlines()[-1] == (
        f"{again} is equal to {run}, bit for bit; the weights of {run} were not kept"
    )
    for name in ("best", "last"):
        (again / f"{name}.safetensors").unlink()
    run = runs(finished[0]) / read_plan(folder).jobs[0].folder
    done = CliRunner().invoke(netdsl, ["reproduce", str(run), "--run-dir", str(again)])
    assert done.stdout.splitlines()[-1] == (
        f"{again} is equal to {run}, bit for bit; the weights of {again} were not kept"
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("VAX-11/780, F", "the machine was VAX-11/780, F and is {}: the numbers may differ\n"),
        ("", ""),  # as runs have it that were made before it was kept
    ],
)
def test_a_run_reproduced_on_another_machine_says_so(
    finished: tuple[Path, str], tmp_path: Path, name: str, told: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(runs(finished[0]) / read_plan(runs(finished[0])).jobs[0].folder, run)
    summary = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps(summary | {"device_name": name}))
    done = CliRunner().invoke(netdsl, ["reproduce", str(run)])
    assert (done.exit_code, done.stderr) == (0, told.format(summary["device_name"]))


def processes_in(folder: Path) -> list[int]:
    """The processes that train in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode().split("\0")
        except OSError:
            continue
        if "train" in words and any(str(folder) in word for word in words):
            found.append(int(entry.parent.name))
    return found


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def check_equal(folder: Path, finished: Path) -> None:
    for job in read_plan(runs(finished)).jobs[:2]:
        for file in RESULTS:
            ours, theirs = (runs(where) / job.folder / file for where in (folder, finished))
            assert ours.read_bytes() == theirs.read_bytes(), (job.name, file)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.slow
def test_stopped_and_killed_it_goes_on_to_the_same_and_leaves_nobody(
    finished: tuple[Path, str], tmp_path: Path
) -> None:
    folder = written(tmp_path, FILE)
    stopped = start("run", "x.toml", "--jobs", "2", cwd=folder)
    wait_for(lambda: list(runs(folder).glob("runs/*/settings.json")), stopped)
    stopped.send_signal(signal.SIGTERM)
    _, err = stopped.communicate(timeout=60)
    assert (stopped.returncode, err) == (143, "stopped; the same command goes on\n")
    assert processes_in(folder) == []
    assert not list(runs(folder).glob("runs/*/failed.json"))
    killed, other = (start("run", "x.toml", cwd=folder) for _ in range(2))
    wait_for(lambda: processes_in(folder), killed)
    killed.kill()  # its run, if it had one, goes on with its lock
    killed.communicate()
    _, err = other.communicate(timeout=300)
    assert (other.returncode, err) == (0, "")
    check_equal(folder, finished[0])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = written(tmp_path_factory.mktemp("undisturbed"), FILE)
    assert run("run", folder=folder).exit_code == 0
    return folder


def check_report(folder: Path, undisturbed: Path) -> None:
    """Compare all files of two reports but those that tell of time."""
    reports = [runs(one) / "report" for one in (folder, undisturbed)]
    ours, theirs = (
        {
            str(path.relative_to(report)): path.read_bytes()
            for path in report.rglob("*.*")
            if path.stem != "speed" and path.name != "report.html"
        }
        for report in reports
    )
    assert ours.keys() == theirs.keys()
    assert {"table.md", "table.csv", "table.tex", "table.html", "runs.csv"} <= ours.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []


def kill_and_finish(folder: Path, kills: int, seed: int) -> None:
    """Kill two processes that share an experiment, or runs of theirs, at random moments."""
    chance = random.Random(seed)
    sharing = [start("run", "x.toml", cwd=folder) for _ in range(2)]
    for _ in range(kills):
        time.sleep(chance.uniform(0.2, 6))
        victim, trained = chance.randrange(len(sharing)), processes_in(folder)
        if trained and chance.random() < 0.5:
            os.kill(chance.choice(trained), signal.SIGKILL)
            continue
        sharing[victim].kill()
        sharing[victim].communicate()
        sharing[victim] = start("run", "x.toml", cwd=folder)
    for process in sharing:
        process.communicate(timeout=600)
    done = run("run", folder=folder)
    assert done.exit_code == 0, done.output


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_moments_all_comes_to_the_same(
    seed: int, finished: tuple[Path, str], undisturbed: Path, tmp_path: Path
) -> None:
    folder = written(tmp_path, FILE)
    kill_and_finish(folder, 8, seed)
    assert not list(runs(folder).glob("runs/*/failed.json"))
    check_equal(folder, finished[0])
    check_report(folder, undisturbed)


def test_what_a_killed_process_left_of_a_report_and_a_plan_goes_when_they_are_written(
    undisturbed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "again"
    shutil.copytree(undisturbed, folder)
    for place in ("plan.json", "report/table.md", "report/figures/loss.svg"):
        file = runs(folder) / place
        file.with_name(f".{file.name}.6180.tmp").write_text("half")
    done = run("run", folder=folder)
    assert done.exit_code == 0, done.output
    assert not list(runs(folder).rglob(".*"))
    check_report(folder, undisturbed)


def job(folder: str, *command: str, seed: int = 0, key: str = "k", plain: bool = False) -> Job:
    return Job(
        "Tiny", "tiny", plain, seed, key, folder, command, "tiny.arch", {}, "", {}, 4, 1,
        1, 2, 1, {}, None, has_threads=True,
    )  # fmt: skip


def test_what_finished_with_nobody_to_tell_has_not_failed(tmp_path: Path) -> None:
    one = job("runs/k", "netdsl", "check", "tiny.arch")
    write_failure(tmp_path, one, Failure(1, 137, "killed by SIGKILL"))
    (tmp_path / "runs" / "k" / "summary.json").write_text("{}")
    work = begin(tmp_path, [one], [Share(1, {})], Lines([one]), lambda: None, Wish())
    assert work.seen == {"k"}
    assert read_failure(tmp_path, one) is None


def test_a_failure_is_counted_until_it_is_final(tmp_path: Path) -> None:
    one = job("runs/k", "netdsl", "check", "missing.arch")
    for attempts in (1, 2, 3):
        begun = attempt(tmp_path, one, Share(1, {}))
        assert begun is not None
        assert is_taken(tmp_path, "k")
        assert attempt(tmp_path, one, Share(1, {})) is None  # another process would not get it
        assert conclude(begun) == 2
        assert not is_taken(tmp_path, "k")
        reason = "cannot read missing.arch: No such file or directory"
        assert read_failure(tmp_path, one) == Failure(attempts, 2, reason)
    state = look(tmp_path, one)
    assert state.phase == Phase.FAILED
    assert state.failure is not None
    assert state.failure.is_final
    assert outcome(one, state) == f"failed (3 times): {reason}; --retry tries it again"
    assert not Failure(3, 137, "killed by SIGKILL").is_final


def test_a_run_that_a_line_of_its_own_trains_is_running_and_nobody_elses(tmp_path: Path) -> None:
    one = job("runs/k", "netdsl", "check", "missing.arch")
    (tmp_path / one.folder).mkdir(parents=True)
    with only_process(tmp_path / one.folder):
        assert look(tmp_path, one).phase == Phase.RUNNING
        assert attempt(tmp_path, one, Share(1, {})) is None
    assert look(tmp_path, one).phase == Phase.WAITING


def test_a_stage_that_a_line_of_its_own_trains_is_running(tmp_path: Path) -> None:
    one = job("runs/k/2-all", "netdsl", "check", "missing.arch")
    stage = tmp_path / "runs" / "k" / "1-head"
    stage.mkdir(parents=True)
    with only_process(stage):
        assert look(tmp_path, one).phase == Phase.RUNNING
        assert attempt(tmp_path, one, Share(1, {})) is None


def test_a_run_that_another_process_was_faster_to_begin_has_not_failed(tmp_path: Path) -> None:
    one = job("runs/k", "netdsl", "check", "missing.arch")
    begun = attempt(tmp_path, one, Share(1, {}))
    assert begun is not None
    (tmp_path / one.folder).mkdir(parents=True)
    with only_process(tmp_path / one.folder):
        conclude(begun)
    assert read_failure(tmp_path, one) is None


def test_a_killed_run_says_by_what_and_keeps_its_lock_while_it_lives(tmp_path: Path) -> None:
    begun = attempt(tmp_path, job("runs/k", "netdsl", "build", "net1"), Share(1, {}))
    assert begun is not None
    os.kill(begun.process.pid, signal.SIGSTOP)
    os.close(os.dup(begun.lock))
    begun.process.kill()
    assert conclude(begun) == 137
    failure = read_failure(tmp_path, begun.job)
    assert failure == Failure(1, 137, "killed by SIGKILL")


def test_a_lock_is_given_back_when_its_owner_is_killed(tmp_path: Path) -> None:
    code = f"from pathlib import Path; from netdsl.experiment.locks import take; import time\ntake(Path({str(tmp_path)!r}), 'k'); print('held', flush=True); time.sleep(60)"
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "held\n"
    assert take(tmp_path, "k") is None
    owner.kill()
    owner.communicate()
    assert not is_taken(tmp_path, "k")


def test_who_looks_at_a_lock_keeps_none_away_and_finds_nobody(tmp_path: Path) -> None:
    os.close(held(tmp_path, "k"))
    looking = os.open(tmp_path / "locks" / "k", os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    assert not is_taken(tmp_path, "k")
    threading.Timer(0.1, os.close, [looking]).start()
    lock = held(tmp_path, "k")
    assert is_taken(tmp_path, "k")
    os.close(lock)


def test_who_only_looks_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, opened = held(tmp_path, "k"), os.open

    def reading(path: Path, flags: int) -> int:
        if flags != os.O_RDONLY:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, flags)

    monkeypatch.setattr(os, "open", reading)
    assert is_taken(tmp_path, "k")
    os.close(lock)
    assert not is_taken(tmp_path, "k")
    assert look(tmp_path, job("runs/k")) == State(Phase.WAITING)


def held(folder: Path, name: str) -> int:
    lock = take(folder, name)
    assert lock is not None
    return lock


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP])
def test_a_file_system_without_locks_keeps_nobody_away(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_locks(number, monkeypatch)
    locks = [held(tmp_path, "k") for _ in range(2)]
    assert not is_taken(tmp_path, "k")
    with only_process(tmp_path), only_process(tmp_path):
        assert not has_process(tmp_path)
    for lock in locks:
        os.close(lock)


def test_a_lock_that_fails_otherwise_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.close(held(tmp_path, "k"))
    refuse_locks(errno.EIO, monkeypatch)
    free = os.dup(0)
    os.close(free)
    with pytest.raises(OSError, match="Input/output error"):
        take(tmp_path, "k")
    os.close(again := os.dup(0))
    assert again == free


def refuse_locks(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(descriptor: int, kind: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)


def test_brackets_of_a_label_are_no_markup() -> None:
    written, one = io.StringIO(), replace(job("runs/k"), label="wide [/x] [small]")
    bar = Bar([one], Console(file=written, force_terminal=True, width=120))
    bar.tick([one], 0)
    bar.close()
    assert one.name in written.getvalue()
    assert "[/x] [small]" in one.name


def test_what_nobody_began_is_waiting(tmp_path: Path) -> None:
    assert look(tmp_path, job("runs/k")) == State(Phase.WAITING)


def test_rows_are_chosen_by_label_and_begun_seed_by_seed() -> None:
    jobs = tuple(
        job("f", key=f"{plain}{seed}", seed=seed, plain=plain)
        for plain in (False, True)
        for seed in (0, 1)
    )
    plan = Plan("x", "x", "digits", "", {}, "0", jobs)
    assert [one.name for one in in_turn(jobs)] == [
        "Tiny seed 0", "Tiny, plain seed 0", "Tiny seed 1", "Tiny, plain seed 1",
    ]  # fmt: skip
    assert choose(plan, ("Tiny",)) == jobs
    assert choose(plan, ("Tiny, plain",)) == jobs[2:]
    with pytest.raises(TrainError) as caught:
        choose(plan, ("tiny",))
    assert (str(caught.value), caught.value.help) == (
        "no network is called 'tiny'",
        "did you mean Tiny?",
    )


def test_the_base_of_an_ablation_is_chosen_without_its_shortcuts_taken_away() -> None:
    base = job("f", key="base")
    off = replace(job("f", key="off", plain=True), change="shortcuts off")
    plan = Plan("x", "x", "digits", "", {}, "0", (base, off))
    assert choose(plan, (base.label,)) == (base,)
    assert choose(plan, ("shortcuts off",)) == (off,)
    assert choose(plan, ()) == (base, off)


def test_a_figure_of_a_row_that_there_is_not_is_refused(tmp_path: Path) -> None:
    asked = '[[figure]]\nname = "f"\nkind = "gap"\nrows = ["Tiny, plain", "Tinny"]\n'
    done = run("plan", "--no-measure", folder=written(tmp_path, FILE + asked))
    assert str(done.exception) == "[[figure]] f: no network is called 'Tinny'"
    assert isinstance(done.exception, TrainError)
    assert done.exception.help == "did you mean Tiny?"


def test_rows_that_differ_in_their_labels_alone_are_told(tmp_path: Path) -> None:
    other = '[[network]]\narch = "tiny.arch"\nlabel = "Other"\nset = { lr = 0.1 }\n'  # as it is
    done = run("plan", "--no-measure", folder=written(tmp_path, FILE + other))
    told = "Tiny and Other are the same network and training: they share their runs"
    assert done.stderr.splitlines() == [told]


SECOND = '[[network]]\narch = "tiny.arch"\nlabel = "Second"\nset = { lr = 0.05 }\n'
WIDE = '[[network]]\narch = "tiny.arch"\nlabel = "Wide"\nset = { lr = 0.02 }\nchange = "wide"\n'


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (FILE, ["Tiny, plain"]),
        (FILE.replace('plain = "both"\n', ""), []),
        (FILE + SECOND + WIDE, ["Second", "Wide"]),
    ],
)
def test_differences_of_rows_that_are_not_compared_are_refused(
    tmp_path: Path, text: str, rows: list[str]
) -> None:
    asked = f'[[figure]]\nname = "f"\nkind = "differences"\nrows = {rows}\n'
    done = run("plan", "--no-measure", folder=written(tmp_path, text + asked))
    assert isinstance(done.exception, TrainError), done.output
    assert (str(done.exception), done.exception.help) == (
        "[[figure]] f: no two of its rows are compared, so it has no differences",
        "twins are, and the changes of an ablation with its base",
    )


def test_an_overview_of_an_ablation_is_refused(tmp_path: Path) -> None:
    asked = '[[figure]]\nname = "f"\nkind = "overview"\n'
    done = run("plan", "--no-measure", folder=written(tmp_path, FILE + WIDE + asked))
    assert isinstance(done.exception, TrainError), done.output
    assert (str(done.exception), done.exception.help) == (
        "[[figure]] f: an overview is of networks with their plain twins, not of an ablation",
        'kind = "accuracy" shows the rows together',
    )


@pytest.mark.parametrize(
    ("weights", "why", "help"),
    [
        ("gone.pth", "cannot read {folder}/gone.pth: No such file or directory", None),
        (
            "words.pth",
            "{folder}/words.pth is not a file of weights: it holds something else than tensors by name",
            None,
        ),
        (
            "torchvision:resnet1",
            "torchvision has no network `resnet1`",
            "did you mean `torchvision:resnet18`?",
        ),
    ],
)
def test_weights_that_there_are_not_are_refused_before_a_run_begins(
    tmp_path: Path, weights: str, why: str, help: str | None
) -> None:
    source = weights if ":" in weights else f"{tmp_path}/{weights}"
    (tmp_path / "words.pth").write_text("no weights\n")
    folder = written(tmp_path, f'{FILE}weights = "{source}"\n')
    done = run("run", folder=folder)
    assert isinstance(done.exception, TrainError), done.output
    said = f"Tiny begins with weights of {source}: {why.format(folder=tmp_path)}"
    assert (str(done.exception), done.exception.help) == (said, help)
    assert not runs(folder).exists()
    planned = run("plan", "--no-measure", folder=folder)
    assert (planned.exit_code, planned.stderr.splitlines()) == (0, [said])


def test_weights_of_rows_that_nobody_asked_for_may_be_gone(tmp_path: Path) -> None:
    other = f'[[network]]\narch = "tiny.arch"\nlabel = "Other"\nweights = "{tmp_path}/gone.pth"\n'
    done = run("run", "--print-jobs", "--only", "Tiny", folder=written(tmp_path, FILE + other))
    assert (done.exit_code, done.stderr, len(done.stdout.splitlines())) == (0, "", 2)


def test_weights_that_are_to_be_downloaded_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = written(tmp_path, f'{FILE}weights = "torchvision:resnet18"\n')
    told = (
        " begins with torchvision:resnet18, which is not here: it is downloaded when a run begins"
    )
    done = run("plan", "--no-measure", folder=folder)
    assert done.stderr.splitlines() == [f"Tiny{told}"]
    for key in re.findall(r"\b[0-9a-f]{16}\b", done.stdout):
        finished = runs(folder) / "runs" / key / "summary.json"
        finished.parent.mkdir(parents=True)
        finished.write_text("{}")
    assert run("plan", "--no-measure", folder=folder).stderr == ""
    shutil.rmtree(runs(folder))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth").touch()
    assert run("plan", "--no-measure", folder=folder).stderr == ""


def test_a_plan_says_what_its_runs_will_take(tmp_path: Path) -> None:
    folder = written(tmp_path, FILE)
    lines = run("plan", "--jobs", "2", folder=folder).stdout.splitlines()
    *_, counts, residual, plain, total = lines
    assert counts == f"small: 2 runs, 2 waiting; in {runs(folder)}"
    taken = r": .+ (s|min) a run, \d+\.\d\d GB, 1 run to go"
    assert re.fullmatch(f"Tiny{taken}", residual)
    assert re.fullmatch(f"Tiny, plain{taken}", plain)
    assert re.fullmatch(r"all of it: .+ (s|min), \d+\.\d\d GB with 2 at once", total)
    assert not runs(folder).exists()


def test_a_folder_without_a_plan_is_no_experiment(tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        read_plan(tmp_path)
    assert str(caught.value) == f"{tmp_path} is not an experiment: it has no plan.json"
    (tmp_path / "plan.json").write_text('{"format": 2}')
    with pytest.raises(TrainError) as caught:
        read_plan(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'plan.json'} is damaged: its format is 2, and only 1 is known"
    )


def test_the_epochs_of_all_stages_are_counted(tmp_path: Path) -> None:
    for stage, accuracies in (("1-a", ("0.9", "0.8")), ("2-b", ("0.3",))):
        path = tmp_path / "runs" / "k" / stage / "metrics.csv"
        path.parent.mkdir(parents=True)
        rows = [f"{n},0.1,1,1,0.5,0.5,1,{right},1" for n, right in enumerate(accuracies, 1)]
        path.write_text("\n".join([COLUMNS, *rows]) + "\n")
    (tmp_path / "runs" / "k" / "2-b" / "summary.json").write_text('{"seconds": 2.5}')
    (tmp_path / "runs" / "k" / "1-a" / "summary.json").write_text('{"seconds": 1.5}')
    one = job("runs/k/2-b")
    assert look(tmp_path, one) == State(Phase.FINISHED, 3, 0.9)  # the best, as in a report
    other = job("runs/o", key="o")
    assert seconds_left(tmp_path, [one, other], 1) == 4.0
    assert seconds_left(tmp_path, [one, other], 2) == 4.0  # one is left, whoever is free
    more = [one, other, job("runs/p", key="p"), job("runs/q", key="q")]
    assert [seconds_left(tmp_path, more, n) for n in (1, 2, 3)] == [12.0, 6.0, 4.0]


def test_a_network_without_shortcuts_is_its_own_twin_and_stands_there_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    both = 'plain = "both"\n'
    for name, text in (("bare", "Conv 8"), ("block", "BB 8")):
        (tmp_path / f"{name}.arch").write_text(f"{text} GAP FC classes")
    networks = "".join(f"[[network]]\narch = '{name}.arch'\n{both}" for name in ("bare", "block"))
    (tmp_path / "x.toml").write_text(f"data = 'digits'\n{networks}")
    done = CliRunner().invoke(experiment, ["run", str(tmp_path / "x.toml"), "--print-jobs"])
    lines = [shlex.split(line)[2:4] for line in done.stdout.splitlines()]
    assert [(Path(arch).stem, more == "--plain") for arch, more in lines] == [
        ("bare", False), ("block", False), ("block", True)
    ]  # fmt: skip
    told = "plain changes nothing: bare has no shortcuts, and is its own plain twin\n"
    assert done.stderr == told


def test_twins_that_differ_in_stochastic_depth_too_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, header in (("a", "drop_path 0.5"), ("b", ""), ("c", "drop_path 0.2"), ("d", "")):
        blocks = "(BB 8 drop_path=0.3)x2" if name == "d" else "(BB 8)x2"
        Path(f"{name}.arch").write_text(f'name "{name}" {header} Conv 8 {blocks} GAP FC classes')
    words = ["--data", "digits", "--seeds", "1", "--print-jobs", "--dir", "x"]
    done = CliRunner().invoke(
        netdsl, ["compare", *(f"{name}.arch" for name in "abcd"), "--plain", "both", *words]
    )
    assert done.stderr == (
        "a, c, d: stochastic depth goes with the shortcuts, so residual − plain is of both; "
        "with drop_path 0, of shortcuts alone\n"
    )
    done = CliRunner().invoke(experiment, ["plan", "x", "--no-measure"])
    assert done.stderr.startswith("a, c, d: stochastic depth goes with the shortcuts")
    done = CliRunner().invoke(netdsl, ["compare", "a.arch", "b.arch", *words[:-2]])
    assert done.stderr == ""


def test_what_is_said_of_several_networks_is_said_once(tmp_path: Path) -> None:
    written(tmp_path, FILE.replace("threads = 1", "threads = 1, gamma = 0.2"))
    done = run("run", "--print-jobs", folder=tmp_path)
    assert done.stderr == "gamma changes nothing: schedule is one_cycle\n"
    assert len(done.stdout.splitlines()) == 2


def test_lines_for_other_engines_have_the_threads_that_are_asked_for(tmp_path: Path) -> None:
    written(tmp_path, FILE.replace(", threads = 1", ""))
    done = run("run", "--print-jobs", "--threads", "2", folder=tmp_path)
    assert [line[-12:] for line in done.stdout.splitlines()] == [" --threads 2"] * 2
    written(tmp_path, FILE)  # which says itself how many
    done = run("run", "--print-jobs", "--threads", "2", folder=tmp_path)
    assert "--threads" not in done.stdout
    done = run("run", "--print-jobs", "--jobs", "2", folder=tmp_path)
    assert (done.exit_code, "leave --jobs, --retry and --ray away" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("limit = 1", "/x.toml: limit is 1, but must be 2 or more"),
        ("limit = 300\nholdout = 0", "/x.toml: holdout is 0, but must lie between 0 and 1"),
        ("limit = 300\nholdout = 1.5", "/x.toml: holdout is 1.5, but must lie between 0 and 1"),
        ('limit = 300\ninput = "3x64"', "tiny.arch: input: `3x64` is not a shape such as 3x64x64"),
    ],
)
def test_a_value_out_of_bounds_is_told_by_the_key_of_the_file(
    tmp_path: Path, line: str, fact: str
) -> None:
    written(tmp_path, FILE.replace("limit = 300", line))
    done = run("plan", "--no-measure", folder=tmp_path)
    assert isinstance(done.exception, TrainError)
    assert str(done.exception).endswith(fact)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("failed.json", b"\xff\xfe{\n1\n"),
        ("metrics.csv", b"\xff\xfe{\n1\n"),
        ("metrics.csv", b"1" * 200_000),  # more than a cell may have
    ],
    ids=["a failure", "a table", "a long cell"],
)
def test_a_damaged_file_of_a_run_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    folder = written(tmp_path, FILE)
    run("run", "--print-jobs", folder=folder)
    job = read_plan(runs(folder)).jobs[0]
    path = runs(folder) / job.folder / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    done = run("status", folder=folder)
    assert isinstance(done.exception, TrainError)
    assert str(done.exception).startswith(str(path))
    others = len(read_plan(runs(folder)).jobs) - 1
    assert f"{others} waiting" in done.stdout
    assert [line.split()[-1] for line in done.stdout.splitlines() if job.key in line] == ["damaged"]
    again = f"remove {path.parent}, and `netdsl experiment run` trains it again"
    assert done.exception.help == ("remove it" if name == "failed.json" else again)


def test_all_damaged_runs_are_named_at_once(tmp_path: Path) -> None:
    folder = written(tmp_path, FILE)
    run("run", "--print-jobs", folder=folder)
    paths = [runs(folder) / job.folder / "failed.json" for job in read_plan(runs(folder)).jobs[:2]]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.write_text("{")
    done = run("status", folder=folder)
    first, second = str(done.exception).split("\n  ")
    for path, line in zip(paths, (first, second), strict=True):
        assert line.startswith(f"{path} is damaged: ")
        assert line.endswith("; remove it")


def test_finished_runs_that_a_new_plan_has_not_are_told(tmp_path: Path) -> None:
    written(tmp_path, FILE)
    run("run", "--print-jobs", folder=tmp_path)
    job = read_plan(runs(tmp_path)).jobs[0]
    done = runs(tmp_path) / job.folder / "summary.json"
    done.parent.mkdir(parents=True)
    done.write_text("{}")
    assert run("run", "--print-jobs", folder=tmp_path).stderr == ""
    written(tmp_path, FILE.replace("epochs = 3", "epochs = 4"))
    assert run("run", "--print-jobs", folder=tmp_path).stderr == (
        f"{runs(tmp_path)} keeps finished runs that this plan does not have: Tiny seed 0\n"
    )
    record = json.loads((runs(tmp_path) / "plan.json").read_text())
    record["jobs"] = [{**record["jobs"][0], "folder": job.folder, "key": f"{plain}", "plain": plain}
                      for plain in (False, True)]  # fmt: skip
    (runs(tmp_path) / "plan.json").write_text(json.dumps(record))
    assert run("run", "--print-jobs", folder=tmp_path).stderr == (
        f"{runs(tmp_path)} keeps finished runs that this plan does not have: 'Tiny seed 0', 'Tiny, plain seed 0'\n"
    )


def test_the_seeds_that_a_budget_leaves_out_are_told(tmp_path: Path) -> None:
    written(tmp_path, f"seeds = 2\n{FILE}")
    run("run", "--print-jobs", folder=tmp_path)
    for job in read_plan(runs(tmp_path)).jobs:
        done = runs(tmp_path) / job.folder / "summary.json"
        done.parent.mkdir(parents=True)
        done.write_text("{}")
    assert run("run", "--print-jobs", "--budget", "seeds=1", folder=tmp_path).stderr == (
        f"{runs(tmp_path)} keeps finished runs that this plan does not have: "
        "'Tiny seed 1', 'Tiny, plain seed 1'\n"
    )


@pytest.mark.parametrize("name", ["plan", "run", "status", "report", "export"])
def test_an_experiment_is_named_by_its_file_or_its_folder(name: str) -> None:
    done = CliRunner().invoke(experiment, [name, "nowhere"])
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (
        2, "Error: Invalid value for 'FILE|FOLDER': Path 'nowhere' does not exist."
    )  # fmt: skip


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    written(tmp_path, FILE)
    runs(tmp_path).parent.mkdir(parents=True, exist_ok=True)
    runs(tmp_path).write_text("")
    done = run("run", "--print-jobs", folder=tmp_path)
    assert str(done.exception) == f"{runs(tmp_path)} is a file"


def test_a_file_that_has_changed_since_its_runs_were_planned_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, FILE) / "x.toml"
    run("run", "--print-jobs", folder=tmp_path)
    assert run("status", folder=tmp_path).stderr == ""
    path.write_text(f"# words\n\n{path.read_text()}")
    assert run("status", folder=tmp_path).stderr == ""
    path.write_text(f'title = "Another"\n{path.read_text()}')
    told = (
        f"{path} has changed since the runs in {runs(tmp_path)} were planned; they are told as they "
        f"were: `netdsl experiment plan {path}` lists those it asks for now\n"
    )
    for command in ("status", "report"):
        done = run(command, folder=tmp_path)
        assert (done.stderr, done.exit_code) == (told, 0)
    run("run", "--print-jobs", folder=tmp_path)
    assert run("status", folder=tmp_path).stderr == ""


def test_networks_and_recipes_that_have_changed_since_are_told(tmp_path: Path) -> None:
    text = FILE.replace('data = "digits"', 'data = "digits"\nrecipe = "r.toml"')
    path = written(tmp_path, text) / "x.toml"
    (tmp_path / "below.toml").write_text("[train]\nlr = 0.05\n")
    (tmp_path / "r.toml").write_text('about = "a recipe"\nbase = "./below.toml"\n')
    (tmp_path / "parts.arch").write_text("def Stem(c) { Conv c }\n")
    (tmp_path / "tiny.arch").write_text(f'use "parts.arch"\n{TINY.replace("Conv 4", "Stem 4")}')
    assert run("run", "--print-jobs", folder=tmp_path).exit_code == 0
    assert run("status", folder=tmp_path).stderr == ""
    told = f"networks or recipes that {path} names have changed since the runs in {runs(tmp_path)} were"
    for name, change in (
        ("parts.arch", "def Stem(c) { Conv c 5x5 }\n"),
        ("r.toml", 'about = "another"\n'),
        ("below.toml", "[train]\nlr = 0.01\n"),
    ):
        before = (tmp_path / name).read_text()
        (tmp_path / name).write_text(change)
        done = run("status", folder=tmp_path)
        assert (done.stderr.startswith(told), done.exit_code) == (True, 0), name
        (tmp_path / name).write_text(before)
    (tmp_path / "parts.arch").write_text("def  Stem(c)  {Conv c}")  # another layout of the same
    assert run("status", folder=tmp_path).stderr == ""
