"""`examples/run.py` whole, on a small example: run, keep, run again, go on with more seeds."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from netdsl.train.files import has_process

ROOT = Path(__file__).parents[2]
REPORT = """
report = "A report"

[[item]]
name = "Figure 1"
shows = "the network"
commands = ["netdsl draw digits -o figures/digits.svg"]

[[item]]
name = "Table 1"
shows = "two networks"
commands = ["netdsl experiment run small.toml"]
experiment = "small"

[[item]]
name = "Figure 2"
shows = "what the plain one gets wrong"
commands = ["netdsl errors RUN -o experiments/errors"]
numbers = "results/errors/classes.csv"
experiment = "small"
rows = ["Digits, plain"]

[[item]]
name = "Table 2"
shows = "what a script finds"
commands = ["count.py --rounds 2"]
"""
EXPERIMENT = """
name = "small"
data = "digits"
set = {{ exact = true, threads = 1 }}
seeds = {seeds}

[[network]]
arch = "digits"
plain = "both"

[budget]
cpu = {{ limit = 100, epochs = 1 }}
"""


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Write an example with a figure and an experiment of two networks, two seeds each."""
    folder = tmp_path / "examples" / "900-digits"
    folder.mkdir(parents=True)
    for path in (ROOT / "examples").glob("*.py"):
        shutil.copy(path, folder.parent)
    (folder / "report.toml").write_text(REPORT)
    (folder / "count.py").write_text("import sys\nprint(sys.argv[1:])\n")
    (folder / "small.toml").write_text(EXPERIMENT.format(seeds=2))
    return folder


def run(example: Path, *options: str, code: int = 0) -> str:
    line = [
        sys.executable,
        str(example.parent / "run.py"),
        example.name,
        "--budget",
        "cpu",
        *options,
    ]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def started(example: Path) -> set[str]:
    """Return the runs that were trained here; those that were kept have no weights."""
    return {path.parent.name for path in example.glob("experiments/*/runs/*/last.safetensors")}


@pytest.mark.slow
def test_an_example_is_run_kept_run_again_and_gone_on_with(example: Path) -> None:
    run(example, "--keep")
    assert (example / "figures" / "digits.svg").is_file()
    plan = json.loads((example / "results" / "small" / "plan.json").read_text())
    kept = {job["key"] for job in plan["jobs"]}
    assert started(example) == kept
    made = example / "experiments" / "errors"
    assert json.loads((made / "errors.json").read_text())["network"].endswith(", plain")
    files = {path.name: path.read_bytes() for path in (example / "results" / "errors").iterdir()}
    assert files == {name: (made / name).read_bytes() for name in files}
    assert {"classes.csv", "confusion.svg"} <= files.keys()
    assert {Path(name).suffix for name in files} == {".csv", ".svg"}
    shutil.rmtree(example / "experiments")
    told = run(example).splitlines()
    assert [line for line in told if " % kept, " in line] == [
        line for line in told if line.endswith(", equal")
    ]
    assert sum(line.endswith(", equal") for line in told) == 2
    shutil.rmtree(example / "experiments")
    (example / "small.toml").write_text(EXPERIMENT.format(seeds=3))
    former = example / "results" / "small" / "runs" / "0123456789abcdef"
    shutil.copytree(former.with_name(min(kept)), former)
    run(example, "--go-on", "--keep", "--jobs", "2")
    assert not former.exists()
    plan = json.loads((example / "results" / "small" / "plan.json").read_text())
    assert started(example) == {job["key"] for job in plan["jobs"]} - kept
    assert len(plan["jobs"]) == 6


@pytest.mark.slow
def test_an_item_that_there_is_not_is_refused_and_what_is_kept_stays(example: Path) -> None:
    kept = example / "results" / "small" / "plan.json"
    kept.parent.mkdir(parents=True)
    assert run(example, "--only", "Tabel 1", "--keep", code=1) == ""
    assert not (example / "experiments").exists()
    netdsl = [sys.executable, "-m", "netdsl", "experiment", "run", "small.toml", "--print-jobs"]
    subprocess.run(netdsl, cwd=example, check=True, capture_output=True)
    shutil.copy(example / "experiments" / "small" / "plan.json", kept)
    before = kept.read_bytes()
    told = run(example, "--only", "Figure 2", "--keep", code=1)
    assert told.splitlines()[-1] == "no run of small is finished: what is kept of it stays"
    assert kept.read_bytes() == before


def test_options_are_handed_on_to_experiments_alone(example: Path) -> None:
    told = run(example, "--jobs", "2", "--threads", "1", "--list")
    assert told.splitlines() == [
        "netdsl draw digits -o figures/digits.svg",
        "netdsl experiment run small.toml --budget cpu --jobs 2 --threads 1",
        "netdsl errors RUN -o experiments/errors",
        "python count.py --rounds 2",
    ]
    assert not (example / "figures").exists()
    told = run(example, "--only", "table 2")
    assert told.splitlines() == ["$ python count.py --rounds 2", "['--rounds', '2']"]
    told = run(example, "--only", "Table 1", "--jobs", "0", code=2)
    assert told.splitlines()[0] == "$ netdsl experiment run small.toml --budget cpu --jobs 0"


def test_commands_are_told_without_torch(example: Path) -> None:
    code = (
        "import runpy, sys\n"
        "sys.argv = ['run.py', '900-digits', '--list']\n"
        "sys.path.insert(0, '.')\n"
        "runpy.run_path('run.py', run_name='__main__')\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=example.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "False"


def test_commands_may_be_read_by_whoever_stops_reading(example: Path) -> None:
    line = [sys.executable, str(example.parent / "run.py"), example.name, "--list"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdout.close()
        told = started.stderr.read()
    assert (started.returncode, told) == (1, b"")


def test_a_command_on_a_run_says_that_none_is_finished(example: Path) -> None:
    told = run(example, "--only", "Figure 2", code=1)
    assert told.splitlines() == [
        "$ netdsl errors RUN -o experiments/errors",
        "no run of small (Digits, plain) is finished here, with its weights",
    ]


LONG = EXPERIMENT.replace("limit = 100, epochs = 1", "limit = 500, epochs = 10000").format(seeds=2)


def lasts(folder: Path) -> bool:
    """Say whether an epoch of a training is over in an example."""
    return any(folder.glob("experiments/*/runs/*/metrics.csv"))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="groups of processes")
@pytest.mark.parametrize(
    ("sign", "group", "code"), [(signal.SIGINT, True, 130), (signal.SIGTERM, False, 143)]
)
def test_what_is_stopped_ends_with_its_trainings_and_begins_nothing_more(
    example: Path, sign: signal.Signals, group: bool, code: int
) -> None:
    (example / "small.toml").write_text(LONG)
    line = [sys.executable, str(example.parent / "run.py"), example.name, "--budget", "cpu"]
    started = subprocess.Popen(
        [*line, "--only", "Table 1", "--only", "Table 2"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        end = time.monotonic() + 120
        while not lasts(example) and started.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        (os.killpg if group else os.kill)(started.pid, sign)  # Ctrl-C reaches the whole group
        told = started.communicate(timeout=60)[0]
    finally:
        started.kill()
    assert started.returncode == code, told
    assert told.splitlines()[-1] == "stopped; the same command goes on"
    assert "count.py" not in told
    assert "Traceback" not in told
    (run,) = (path.parent for path in example.glob("experiments/*/runs/*/metrics.csv"))
    assert not has_process(run)
