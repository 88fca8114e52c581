"""A run's errors and a network's norms from the command line: what is written, and mistakes."""

import csv
import io
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from netdsl.cli import main
from tests.cli.command import Run


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that all tests copy."""
    place = tmp_path_factory.mktemp("training")
    text = b'name "Little" Conv 8 Max 2 BB 8 GAP FC classes'
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("NETDSL_DATA", str(place / "data"))
        patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
        with pytest.raises(SystemExit) as caught:
            main(["train", "-", "--data", "digits", "--limit", "300", "--epochs", "1", "--plain",
                  "--run-dir", "run"])  # fmt: skip
    assert not caught.value.code
    return place / "run"


@pytest.fixture
def trained(training: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(training, tmp_path / "run"))


def test_errors_of_a_run_agree_with_its_evaluation(run: Run, trained: Path) -> None:
    done = run("errors", "run", "--weights", "last")
    evaluated = json.loads(run("evaluate", "run", "--weights", "last", "--json").stdout)
    first, *pairs, last = done.stdout.splitlines()
    top5 = f"of 75 validation images, top-5 {evaluated['top5']:.2%}, "
    assert first.startswith(f"last weights: {evaluated['accuracy']:.2%} {top5}")
    assert top5 in run("evaluate", "run", "--weights", "last").stdout
    assert last == "all of it in run/errors/errors.html"
    numbers = json.loads((trained / "errors" / "errors.json").read_text())
    for key in ("accuracy", "top5", "images"):
        assert numbers[key] == evaluated[key]
    assert (numbers["network"], numbers["data"]) == ("Little, plain", "digits")
    assert len(pairs) == min(5, len(numbers["confused"]))
    _, *rows = csv.reader(io.StringIO((trained / "errors" / "confusion.csv").read_text()))
    right = sum(int(row[1 + place]) for place, row in enumerate(rows))
    assert right == round(numbers["accuracy"] * 75)


def test_a_run_from_a_device_that_is_not_here_is_looked_into_none_the_less(
    run: Run, trained: Path
) -> None:
    path = trained / "settings.json"
    path.write_text(path.read_text().replace('"device": "cpu"', '"device": "mps"'))
    done = run("errors", "run", "-o", "elsewhere")
    assert (done.returncode, done.stderr) == (0, "")
    assert (trained.parent / "elsewhere" / "errors.html").is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_folder_of_images_need_not_be_called_in_utf_8(run: Run, tmp_path: Path) -> None:
    images = os.fsdecode(b"caf\xe9")
    for name in ("cat/1", "cat/2", "dog/1", "dog/2"):
        path = tmp_path / images / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (len(path.parent.name) * int(path.stem), 9, 200)).save(path)
    (tmp_path / "a.arch").write_text("Conv 4 GAP FC classes")
    assert run("train", "a.arch", "--data", images, "--epochs", "1", "--holdout", "0.5",
               "--run-dir", "run").returncode == 0  # fmt: skip
    settings = json.loads((tmp_path / "run" / "settings.json").read_bytes())
    assert settings["asked"]["data"]["data"] == images
    done = run("evaluate", "run"), run("errors", "run"), run("train", "--resume", "run")
    assert [one.returncode for one in done] == [0, 0, 0]
    done = run("compare", "a.arch", "--data", images, "--epochs", "1", "--dir", "x")
    assert (done.returncode, done.stderr, (tmp_path / "x").exists()) == (
        2,
        f'error: data = "{tmp_path}/caf?" cannot stand in the file of an experiment, which is UTF-8\n'
        "  = help: give the file or folder another name\n",
        False,
    )


def test_what_is_wrong_with_a_run_is_said(run: Run, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    done = run("errors", "run", "-o", "taken")
    assert (done.returncode, done.stderr) == (6, "error: cannot make taken: File exists\n")
    done = run("errors", "gone")
    assert (done.returncode, done.stderr) == (6, "error: gone is not a run: it has no network.arch\n")  # fmt: skip
    shutil.copytree(trained, tmp_path / "begun")
    (tmp_path / "begun" / "best.safetensors").unlink()
    done = run("errors", "begun")
    message = "error: the weights of begun were not kept: there is no best.safetensors\n"
    assert (done.returncode, done.stderr) == (6, message)
    save_file({"conv1.weight": torch.zeros(1)}, trained / "best.safetensors")
    done = run("errors", "run")
    assert done.returncode == 3
    assert done.stderr.startswith("error: run/best.safetensors does not fit the network: it lacks ")


@pytest.mark.parametrize(
    "command", [["errors"], ["evaluate"], ["evaluate", "--split", "all"], ["reproduce"]]
)
def test_a_place_of_images_that_come_along_changes_nothing(
    run: Run, trained: Path, command: list[str]
) -> None:
    name, *more = command
    done = run(name, "run", "--data-dir", "nowhere", *more)
    assert (done.returncode, done.stderr) == (
        0, "--data-dir changes nothing: digits comes along with netdsl\n",
    )  # fmt: skip


def test_a_probe_of_twins_is_shown_drawn_and_written(run: Run, tmp_path: Path) -> None:
    done = run("probe", "digits", "--twins", "--batch", "8", "--seeds", "2", "-o", "a.csv",
               "-o", "a.SVG")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    *_, ratio, seeds, table, figure = done.stdout.splitlines()
    assert ratio.startswith("gradient at the first block / at the last: residual ")
    assert (seeds, table, figure) == ("medians over 2 initialisations", "a.csv", "a.SVG")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text())))
    assert {(row["network"], row["seed"]) for row in rows} == {
        (twin, seed) for twin in ("residual", "plain") for seed in "01"
    }
    svg = (tmp_path / "a.SVG").read_text()
    assert ">residual<" in svg
    assert ">plain<" in svg


def test_a_probe_takes_real_images(run: Run) -> None:
    random, real = (run("probe", "-", "--seeds", "1", *more, stdin="input 1x8x8 Conv 4 GAP FC 10")
                    for more in ((), ("--data", "digits")))  # fmt: skip
    assert (real.returncode, real.stderr) == (0, "")
    assert real.stdout != random.stdout
    few = run("probe", "digits", "--data", "digits", "--seeds", 1, "-D", "classes=4", "--batch", 8)
    assert (few.returncode, few.stderr.count("error")) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["digits", "-o", "a.pdf"], 2,
         "Error: Invalid value for '-o' / '--output': `a.pdf` must end in .svg, .png or .csv\n"),
        (["digits", "--twins", "--plain"], 2,
         "Error: --twins probes the plain network too; leave --plain away\n"),
        (["vgg11", "--twins"], 2,
         "Error: VGG-11 has no shortcuts: it is its own plain twin; leave --twins away\n"),
        (["digits", "--batch", "1"], 2,
         "Error: Invalid value for '--batch': 1 is not in the range x>=2.\n"),
        (["digist"], 2, "error[E0001]: no file and no shipped architecture `digist`; did you mean `digits`?\n"),
        (["digits", "--data", "tiny-imagenet"], 2,
         "error[E0311]: digits.arch takes 1x8x8 images, and those of tiny-imagenet are 3x64x64\n"
         "  = help: give --input 3x64x64, if the network is to take these\n"),
        (["digits", "--seeds", "1", "-o", "gone/a.csv"], 6,
         "error: cannot write gone/a.csv: No such file or directory\n"),
    ],
)  # fmt: skip
def test_mistakes_with_a_probe_are_said(
    run: Run, arguments: list[str], code: int, message: str
) -> None:
    done = run("probe", *arguments)
    assert done.stderr.endswith(message), done.stderr
    assert done.returncode == code
