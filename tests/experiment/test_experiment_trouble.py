"""An experiment among damaged files, files of a person's own, and other processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from netdsl.cli.experiment import command
from netdsl.experiment.attempt import Share, attempt, conclude
from netdsl.experiment.export import export
from netdsl.experiment.plan import Job, read_plan
from netdsl.experiment.state import Phase, look
from netdsl.train import TrainError

Make = Callable[..., Any]
ROOT = Path(__file__).parents[2]
FILE = """data = "digits"
limit = 300
set = { epochs = 1, threads = 1 }
[[network]]
arch = "tiny.arch"
"""


@pytest.mark.parametrize("content", [b"\xff\xfe{\n", b"{}", b""])
def test_how_a_finished_run_once_failed_is_not_read(
    experiment: Make, make_job: Make, tmp_path: Path, content: bytes
) -> None:
    folder = experiment([make_job("N", 0)])
    (job,) = read_plan(folder).jobs
    (folder / job.folder / "failed.json").write_bytes(content)
    state = look(folder, job)
    assert (state.phase, state.epochs, state.failure) == (Phase.FINISHED, 4, None)
    assert export(folder, tmp_path / "copy") == 1


def planned(folder: Path) -> tuple[Path, Job]:
    """Plan an experiment of one run, and return its folder and the run."""
    (folder / "x.toml").write_text(FILE)
    (folder / "tiny.arch").write_text("input 1x8x8 Conv 4 GAP FC classes")
    assert run(folder, "--print-jobs").exit_code == 0
    (job,) = read_plan(folder / "x").jobs
    return folder / "x", job


def run(folder: Path, *more: str) -> Result:
    place = ("--dir", str(folder / "x"))
    return CliRunner().invoke(command, ["run", str(folder / "x.toml"), *place, *more])


def test_a_report_that_cannot_be_written_is_told_by_the_exit_code(
    change_run: Any, make_job: Make, tmp_path: Path
) -> None:
    folder, job = planned(tmp_path)
    change_run.run(folder, make_job("N", 0, folder=job.folder))
    assert run(tmp_path).exit_code == 0
    path = folder / job.folder / "metrics.csv"
    whole = path.read_text()
    path.write_text(whole.splitlines()[0] + "\n")
    done = run(tmp_path)
    assert done.exit_code == 3, done.output
    assert "the report could not be written: TrainError: " in done.stderr
    help = f"  = help: remove {folder / job.folder}, and `netdsl experiment run` trains it again\n"
    assert help in done.stderr
    assert done.stdout.splitlines()[-1].startswith("1 of 1 run is finished; ")
    path.write_text(whole)
    assert run(tmp_path).exit_code == 0


def test_an_error_of_netdsl_itself_in_the_report_is_told_by_the_exit_code(
    change_run: Any, make_job: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, job = planned(tmp_path)
    change_run.run(folder, make_job("N", 0, folder=job.folder))
    for error, code in ((ZeroDivisionError("zero"), 1), (PermissionError(13, "no"), 6)):

        def fail(_: Path, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr("netdsl.experiment.report_writing.write_report", fail)
        assert run(tmp_path).exit_code == code


def test_files_of_a_person_are_no_modules_of_a_run(
    tmp_path: Path, make_job: Make, change_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_run.plan(tmp_path, [make_job("N", 0, command=["netdsl", "build", "tiny.arch"])])
    (job,) = read_plan(tmp_path).jobs
    (tmp_path / "tiny.arch").write_text("input 1x8x8 Conv 4 GAP FC 3")
    (tmp_path / "random.py").write_text('raise ImportError("this is my own")\n')
    monkeypatch.chdir(tmp_path)
    begun = attempt(tmp_path, replace(job, has_threads=True), Share(1, {}))
    assert begun is not None
    assert conclude(begun) == 0, begun.log.read_text()


BEGIN = """
import sys
from pathlib import Path
from netdsl.experiment.attempt import Share, attempt, conclude
from netdsl.experiment.plan import read_plan
folder = Path(sys.argv[1])
begun = attempt(folder, read_plan(folder).jobs[0], Share(1, {}))
conclude(begun)
print(begun.log.read_text())
"""


@pytest.mark.parametrize("by_path", [True, False])
def test_a_run_finds_netdsl_where_its_experiment_found_it(
    tmp_path: Path, make_job: Make, change_run: Any, by_path: bool
) -> None:
    # A source tree that nothing installed: by PYTHONPATH, or as the folder that one stands in.
    change_run.plan(tmp_path, [make_job("N", 0, command=["netdsl", "check"])])
    package = tmp_path / "tree" / "netdsl"
    package.mkdir(parents=True)
    for file in (ROOT / "netdsl").iterdir():
        (package / file.name).symlink_to(file)
    (package / "__main__.py").unlink()
    (package / "__main__.py").write_text("print(__file__)\n")
    paths = {"PYTHONPATH": str(package.parent)} if by_path else {}
    done = subprocess.run(
        [sys.executable, "-c", BEGIN, str(tmp_path)], text=True, check=True,
        stdout=subprocess.PIPE, cwd=tmp_path if by_path else package.parent,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | paths,
    )  # fmt: skip
    assert done.stdout.strip() == str(package / "__main__.py")


def test_an_experiment_is_not_put_among_other_files(tmp_path: Path) -> None:
    folder, _ = planned(tmp_path)
    (tmp_path / "images" / "cat").mkdir(parents=True)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / ".gitkeep").touch()
    assert export(folder, tmp_path / "kept") == 0  # nobody sees the file
    for place, fact in (
        ("images", "images is not empty, and no experiment"),
        ("x.toml", "x.toml is a file"),
    ):
        done = CliRunner().invoke(
            command, ["run", str(tmp_path / "x.toml"), "--dir", str(tmp_path / place)]
        )
        assert str(done.exception) == f"{tmp_path / place}{fact.removeprefix(place)}"
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["cat"]
    assert run(tmp_path, "--print-jobs").exit_code == 0  # its own folder is none of these
    with pytest.raises(TrainError, match="images is not empty, and no experiment"):
        export(folder, tmp_path / "images")


def test_an_experiment_does_not_replace_another(tmp_path: Path) -> None:
    folder, _ = planned(tmp_path)
    before = (folder / "plan.json").read_bytes()
    (tmp_path / "x.toml").write_text(f'name = "other"\n{FILE}')
    done = run(tmp_path, "--print-jobs")
    assert isinstance(done.exception, TrainError)
    assert (str(done.exception), done.exception.help) == (
        f"{folder} holds the experiment x",
        "name another folder for the experiment",
    )
    assert (folder / "plan.json").read_bytes() == before


def test_a_plan_that_cannot_be_read_is_replaced(tmp_path: Path) -> None:
    folder, _ = planned(tmp_path)
    (folder / "plan.json").write_text("{}")
    assert run(tmp_path, "--print-jobs").exit_code == 0
    assert read_plan(folder).name == "x"


def test_a_folder_that_takes_no_plan_is_named(tmp_path: Path) -> None:
    folder, _ = planned(tmp_path)
    shutil.rmtree(folder / "locks")
    (folder / "locks").touch()
    done = run(tmp_path, "--print-jobs")
    assert str(done.exception) == f"cannot write in {folder}: File exists"


def test_a_start_that_was_cut_before_its_plan_is_begun_again(tmp_path: Path) -> None:
    folder, _ = planned(tmp_path)
    (folder / "plan.json").rename(folder / ".plan.json.6180.tmp")
    (folder / ".notes.tmp").touch()  # a person's own
    assert run(tmp_path, "--print-jobs").exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == [".notes.tmp", "locks", "plan.json"]


def test_an_export_does_not_replace_another_experiment(
    experiment: Make, make_job: Make, tmp_path: Path
) -> None:
    folder = experiment([make_job("N", 0)])
    other, out = tmp_path / "other", tmp_path / "out"
    shutil.copytree(folder, other)
    plan = json.loads((other / "plan.json").read_text())
    (other / "plan.json").write_text(json.dumps({**plan, "name": "other"}))
    with pytest.raises(TrainError) as caught:
        export(folder, other)
    assert str(caught.value) == f"{other} holds the experiment other"
    assert export(folder, out) == export(folder, out) == 1  # anew, in its own place
    done = CliRunner().invoke(command, ["report", str(out)])
    assert (done.exit_code, export(folder, out)) == (0, 1)  # its report may be written anew
    (out / "locks" / "0123").touch()
    with pytest.raises(TrainError) as caught:
        export(folder, out)
    assert str(caught.value) == f"{out} is an experiment that is run there"


@pytest.mark.parametrize("content", ["", "null", "[]", "{}"])
def test_an_export_names_a_damaged_file(
    experiment: Make, make_job: Make, tmp_path: Path, content: str
) -> None:
    folder = experiment([make_job("N", 0)])
    (job,) = read_plan(folder).jobs
    path = folder / job.folder / "settings.json"
    path.write_text(content)
    with pytest.raises(TrainError) as caught:
        export(folder, tmp_path / "copy")
    assert str(caught.value) == f"{path} is damaged: it has no asked"
