"""A training from the command line that is stopped, goes on, or is left alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.command import Done, Run

TRAIN = ("train", "-", "--data", "digits", "--limit", "300", "--epochs", "4", "--threads", "1")
NETWORK = "Conv 4 Max 2 BB 8 dropout=0.2 GAP FC classes"


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "netdsl", *arguments], text=True, cwd=cwd,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"}, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(NETWORK)
    process.stdin.close()
    process.stdin = None
    return process


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    process = start(*TRAIN, "--run-dir", "run", "--resume", "auto", cwd=folder)
    assert (process.communicate()[1], process.returncode) == ("", 0)
    return folder


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_stopped_training_goes_on_to_the_same_numbers(
    run: Run, name: str, code: int, finished: Path, tmp_path: Path
) -> None:
    arguments = (*TRAIN, "--run-dir", "run", "--save-minutes", "0")
    process = start(*arguments, cwd=tmp_path)
    while not (tmp_path / "run" / "resume.pt").exists():
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(getattr(signal, name))
    _, err = process.communicate(timeout=10)  # that long a job engine waits
    heard, saved = err.splitlines()
    assert heard == "stopping after this step; once more ends it at once"
    assert saved.startswith("stopped after step ")
    assert saved.endswith("; run holds all that a resume needs")
    assert process.returncode == code
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # nobody is left of its group
    again = run("train", "--resume", "run")
    assert (again.returncode, "going on behind step " in again.stdout) == (0, True)
    for file in ("metrics.csv", "best.safetensors", "last.safetensors"):
        assert (tmp_path / "run" / file).read_bytes() == (finished / "run" / file).read_bytes()


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    process = start(*TRAIN, "--run-dir", "run", "--save-minutes", "0", cwd=tmp_path)
    while not (tmp_path / "run" / "resume.pt").exists():
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)  # both are there
    _, err = process.communicate(timeout=60)
    assert err == "stopping after this step; once more ends it at once\n"
    assert process.returncode == -signal.SIGTERM


def test_auto_leaves_a_finished_run_alone(run: Run, finished: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (finished / "run").iterdir()}
    done = run(*TRAIN, "--run-dir", "run", "--resume", "auto", cwd=finished, stdin=NETWORK)
    assert done == Done(0, "the training in run is finished\n", "")
    assert {path: path.stat().st_mtime_ns for path in (finished / "run").iterdir()} == before


def test_a_run_that_decided_to_compile_goes_on_where_nothing_can_be_compiled(
    run: Run, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "/nowhere/g++")
    (tmp_path / "run").mkdir()
    record = json.loads((finished / "run" / "settings.json").read_text())
    assert (record["settings"]["compile"], record["decided"]) == (False, ["compile"])
    record["settings"]["compile"] = True  # as another machine had decided
    (tmp_path / "run" / "settings.json").write_text(json.dumps(record))
    shutil.copy(finished / "run" / "network.arch", tmp_path / "run")
    done = run("train", "--resume", "run")
    assert (done.returncode, done.stderr) == (0, "")
    weights = [folder / "run" / "last.safetensors" for folder in (tmp_path, finished)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


@pytest.mark.parametrize(
    ("more", "fact"),
    [
        (["--batch-size", "32"], "batch_size was 64 and is 32"),
        (["--limit", "200"], "--limit was 300 and is 200; the images are others than they were"),
        (["--plain"], "-D residual was not given and is false"),
    ],
)
def test_what_has_changed_is_refused(run: Run, more: list[str], fact: str, finished: Path) -> None:
    begun = [word for word in TRAIN if word not in ("--limit", "300") or "--limit" not in more]
    arguments = (*begun, "--run-dir", "run", "--resume", "auto", *more)
    done = run(*arguments, cwd=finished, stdin=NETWORK)
    assert (done.returncode, done.stderr) == (
        2,
        f"error: run cannot go on: {fact}\n  = help: leave it as it was, or begin another run\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume", "run", "--batch-size", "32"],
         "error: run cannot go on: batch_size was 64 and is 32\n"),
        (["--resume", "run", "--classes", "3"], "Error: --classes goes with ARCH; a run has its own\n"),
        (["--resume", "run", "-D", "n=3"], "Error: -D goes with ARCH; a run has its own\n"),
        (["--resume", "run", "--input", "3x8x8"], "Error: --input goes with ARCH; a run has its own\n"),
        (["-", "--resume", "run"],
         "Error: --resume RUN goes on with the network, images and settings of RUN: leave ARCH away\n"),
        (["-", "--resume", "run", "--save-minutes", "1"], "leave ARCH away\n"),
        (["--resume", "auto"], "Error: --resume auto needs ARCH and --run-dir\n"),
        ([], "Error: say what to train: ARCH, or --resume RUN\n"),
        (["--resume", "."], "error: . is not a run: it has no network.arch\n"),
    ],
)  # fmt: skip
def test_a_resume_that_makes_no_sense_is_refused(
    run: Run, arguments: list[str], message: str, finished: Path
) -> None:
    done = run("train", *arguments, cwd=finished)
    assert (done.returncode in {2, 6}, message in done.stderr) == (True, True), done.stderr


def test_what_differs_is_called_as_somebody_types_it(run: Run, finished: Path) -> None:
    done = run("train", "-", "--resume", "run", "--limit", "300", "--classes", "3",
               cwd=finished, stdin=NETWORK)  # fmt: skip
    assert (done.returncode, done.stderr.splitlines()[1].split("; ")[:4]) == (2, [
        "error: run cannot go on: -D input was 1x8x8 and is 3x32x32",
        "-D classes was 10 and is 3",
        "--classes was not given and is 3",
        "the shape that images are brought to was not given and is 3x32x32",
    ])  # fmt: skip


def test_a_folder_of_images_is_found_from_any_directory(run: Run, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (24, 8, 8, 3), dtype=np.uint8)
    for i, image in enumerate(pixels):
        folder = tmp_path / "here" / "images" / ("cat", "dog")[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{i}.png")
    arguments = ("train", "-", "--data", "images", "--threads", "1", "--run-dir", "run",
                 "--epochs", "2")  # fmt: skip
    done = run(*arguments, cwd=tmp_path / "here", stdin=NETWORK)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "here" / "run" / "summary.json").unlink()
    (tmp_path / "there").mkdir()
    for command in ("train --resume", "evaluate", "evaluate --split all", "errors"):
        done = run(*command.split(), "../here/run", cwd=tmp_path / "there")
        assert (done.returncode, done.stderr) == (0, ""), command
    (tmp_path / "here").rename(tmp_path / "moved")
    done = run("evaluate", "run", cwd=tmp_path / "moved")
    assert (done.returncode, done.stderr) == (0, "")
    done = run("evaluate", "../moved/run", cwd=tmp_path / "there")
    fact = "the images of ../moved/run are gone: there is no folder images"
    help = "name the folder where they are now by --data-dir"
    assert (done.returncode, done.stderr) == (3, f"error: {fact}\n  = help: {help}\n")
