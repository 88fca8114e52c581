"""Training from the command line: the run folder, reading it back, and what does not fit."""

import csv
import json
import os
import re
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from tests.cli.command import Run

TINY = "Conv 4 Max 2 Res(Conv 4) GAP FC classes"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Three classes of twelve 9x8 images that differ by brightness."""
    random = np.random.default_rng(0)
    for label, name in enumerate(("cat", "dog", "eel")):
        (tmp_path / "images" / name).mkdir(parents=True)
        for i in range(12):
            pixels = random.integers(80 * label, 80 * label + 60, (9, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{i}.png")
    return tmp_path


def test_a_pasted_network_trains_on_a_folder_and_is_read_back(run: Run, images: Path) -> None:
    done = run("train", "-", "--data", "images", "--epochs", "2", "--batch-size", "8",
               "--run-dir", "run", "--plain", stdin=TINY)  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, *epochs, last = done.stdout.splitlines()
    assert "29 training and 7 validation images" in first
    assert [line[:9] for line in epochs] == ["epoch   1", "epoch   2"]
    assert last.endswith("all of it in run")
    names = {path.name for path in (images / "run").iterdir()}
    assert names == {
        "network.arch", "settings.json", "metrics.csv", "speed.csv", "curves.svg", "curves.png",
        "best.safetensors", "last.safetensors", "summary.json",
    }  # fmt: skip
    asked = json.loads((images / "run" / "settings.json").read_text())["asked"]
    assert asked["overrides"] == {"residual": False, "input": [3, 9, 8], "classes": 3}
    rows = list(csv.DictReader((images / "run" / "metrics.csv").read_text().splitlines()))
    again = run("evaluate", "run", "--weights", "last", "--json")
    assert json.loads(again.stdout)["accuracy"] == float(rows[-1]["val_accuracy"])


def test_a_run_of_a_network_with_a_long_name_has_a_folder(run: Run, images: Path) -> None:
    done = run("train", "-", "--data", "images", "--epochs", "1", "--batch-size", "8",
               stdin=f'name "{"ä(" * 150}Net {"a" * 300}"\n{TINY}')  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder,) = (images / "runs").iterdir()
    assert re.fullmatch("net-a{70}-[0-9a-f]{6}-1", folder.name)


def test_fine_tuning_begins_with_the_weights_of_a_file(run: Run, images: Path) -> None:
    arguments = ("train", "-", "--data", "images", "--epochs", "1", "--batch-size", "8")
    first = run(*arguments, "--run-dir", "first", stdin=TINY)
    assert first.returncode == 0, first.stderr
    done = run(*arguments, "--classes", "2", "--init", "first/last.safetensors", "--lr", "1e-9",
               "--run-dir", "second", stdin=TINY)  # fmt: skip
    assert done.stderr == (
        "4 layers with 268 parameters from first/last.safetensors; initialised: fc1\n"
    )
    asked = json.loads((images / "second" / "settings.json").read_text())["asked"]
    assert asked["init"] == "first/last.safetensors"
    before, after = (load_file(images / r / "last.safetensors") for r in ("first", "second"))
    torch.testing.assert_close(after["conv1.weight"], before["conv1.weight"])
    assert after["fc1.bias"].shape == (2,)


def test_first_weights_are_known_by_what_they_hold(run: Run, images: Path) -> None:
    def train(*more: str) -> subprocess.CompletedProcess[str]:
        options = ("--data", "images", "--epochs", "1", "--batch-size", "8", *more)
        return run("train", "-", *options, stdin=TINY)

    assert train("--run-dir", "first").returncode == 0
    assert train("--run-dir", "other", "--seed", "1").returncode == 0
    again = ("--run-dir", "second", "--resume", "auto", "--init")
    assert train(*again, "first/last.safetensors").returncode == 0
    (images / "first").rename(images / "moved")
    assert train(*again, "moved/last.safetensors").stdout == "the training in second is finished\n"
    done = train(*again, "other/last.safetensors")
    assert done.stderr == (
        "error: second cannot go on: --init was first/last.safetensors and is "
        "other/last.safetensors; the weights that it begins with are others than they were\n"
        "  = help: leave it as it was, or begin another run\n"
    )


def test_weights_that_are_paired_by_the_order_of_names_are_told(run: Run, images: Path) -> None:
    layers = {"a.2": (4, 3), "a.10": (5, 4), "b": (2, 5)}
    weights = {f"{name}.weight": torch.randn(*shape, 1, 1) for name, shape in layers.items()}
    save_file(weights, images / "w.safetensors")
    net = "input 3x9x8 classes 3 norm none bias off Conv 4 1x1 Conv 5 1x1 GAP FC classes"
    done = run("train", "-", "--data", "images", "--epochs", "1", "--batch-size", "8", "--lr", "1e-9",
               "--init", "w.safetensors", "--run-dir", "run", stdin=net)  # fmt: skip
    assert done.stderr == (
        "2 layers with 32 parameters from w.safetensors; initialised: fc1\n"
        "not compared: the source is weights alone, which cannot be run; the pairs rest on the "
        "order of names, by which the source has its layers sorted\n"
    )
    after = load_file(images / "run" / "last.safetensors")
    torch.testing.assert_close(after["conv2.weight"], weights["a.10.weight"])


def test_weights_of_another_network_are_refused_before_anything_is_written(
    run: Run, images: Path
) -> None:
    save_file({"conv1.weight": torch.zeros(5, 3, 3, 3)}, images / "w.safetensors")
    done = run("train", "-", "--data", "images", "--init", "w.safetensors", "--run-dir", "run", stdin=TINY)  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "error[E0701]: no layer of the source fits one of the network\n"
    assert not (images / "run").exists()


def test_a_run_of_a_file_with_use_and_parameters_stands_alone(run: Run, images: Path) -> None:
    (images / "lib.arch").write_text("w = 4 def Tail(n) { (Conv w)x n }")
    (images / "net.arch").write_text('use "lib.arch" Conv 4 Tail 2 GAP FC classes')
    done = run("train", "net.arch", "-D", "w=6", "--data", "images", "--epochs", "1",
               "--run-dir", "run")  # fmt: skip
    assert done.returncode == 0, done.stderr
    (images / "lib.arch").unlink()
    assert run("evaluate", "run").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["net1", "--data", "digits"],
         "error[E0311]: net1.arch takes 3x64x64 images, and those of digits are 1x8x8\n"
         "  = help: give --input 1x8x8, if the network is to take these, or --fit to bring them to its own\n"),
        (["digits", "--data", "digits", "--classes", "20"],
         "error[E0311]: digits.arch tells 20 classes, and digits has 10\n"
         "  = help: give --classes 10, or --fit to set its last layer\n"),
        (["digits", "--data", "digist"],
         "error: no data set and no folder is called digist\n  = help: did you mean digits?\n"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(
    run: Run, arguments: list[str], message: str, tmp_path: Path
) -> None:
    done = run("train", *arguments)
    assert (done.returncode in (2, 3), done.stderr.endswith(message)) == (True, True), done.stderr
    assert not (tmp_path / "runs").exists()


def test_tiny_imagenet_that_is_not_there_says_how_to_bring_it(run: Run, tmp_path: Path) -> None:
    done = run("train", "net1", "--data", "tiny-imagenet")
    assert done.returncode == 3
    place = tmp_path / "netdsl-data"
    assert done.stderr == (
        f"tiny-imagenet is not in {place}: it is downloaded, 248 MB\n"
        "error: cannot download tiny-imagenet-200.zip (248 MB): 127.0.0.1:9: no answer\n"
        "  = help: bring http://cs231n.stanford.edu/tiny-imagenet-200.zip to this machine another "
        "way and give `netdsl data get` its path with --from\n"
    )


def test_a_folder_that_is_no_run_is_refused(run: Run) -> None:
    done = run("evaluate", ".")
    assert (done.returncode, "is not a run" in done.stderr) == (6, True)


def test_a_run_folder_that_is_in_use_is_refused(run: Run, images: Path) -> None:
    (images / "run").mkdir()
    (images / "run" / "notes.txt").write_text("mine")
    done = run(
        "train",
        "-",
        "--data",
        "images",
        "--epochs",
        "1",
        "--run-dir",
        "run",
        stdin=TINY,
    )
    assert (done.returncode, "run is not empty" in done.stderr) == (6, True)


@pytest.mark.parametrize("resume", [(), ("--resume", "auto")])
def test_a_run_that_diverged_at_once_may_be_begun_anew(
    run: Run, images: Path, resume: tuple[str, ...]
) -> None:
    arguments = ("train", "-", "--data", "images", "--epochs", "1", "--run-dir", "run", *resume)
    assert run(*arguments, "--lr", "1e30", "--batch-size", "4", stdin=TINY).returncode == 4
    assert run(*arguments, "--lr", "0.1", stdin=TINY).returncode == 0


def test_broken_networks_are_refused_before_images_are_read(run: Run) -> None:
    done = run("train", "-", "--data", "tiny-imagenet", stdin="Cnov 64 FC classes")
    assert (done.returncode, "did you mean `Conv`?" in done.stderr) == (2, True)


def test_a_network_without_weights_is_refused_before_anything_is_written(run: Run) -> None:
    for more in ([], ["--plan"]):
        done = run("train", "-", "--run-dir", "run", *more, stdin="input 4x8x8 GAP Flatten")
        assert (done.returncode, done.stderr.splitlines()[-1:]) == (
            2, ["error: the network has no weights that could learn"],
        )  # fmt: skip
        assert not Path("run").exists()


def test_a_transform_that_does_not_fit_is_refused_before_anything_is_written(
    run: Run, images: Path
) -> None:
    too_large = ("--set", "augment=crop_rescale size=56")
    done = run("train", "-", "--data", "images", "--run-dir", "run", *too_large, stdin=TINY)
    assert (done.returncode, done.stderr.splitlines()[-2:]) == (
        3,
        [
            "error: a window of 56×56 pixels does not fit into images of 9×8",
            "  = help: a smaller size, or 0 for seven eighths of each side",
        ],
    )
    assert not (images / "run").exists()


def test_a_plan_says_what_a_training_would_take_and_leaves_nothing(run: Run, images: Path) -> None:
    arguments = ("train", "-", "--data", "images", "--epochs", "3", "--batch-size", "8", "--plan")
    before = sorted(images.iterdir())
    done = run(*arguments, stdin=TINY)
    assert (done.returncode, done.stderr) == (0, "")
    steps, sizes = done.stdout.splitlines()
    assert re.fullmatch(
        r"a step takes [\d,.]+ ms, an epoch of 4 steps [\d.]+ s, 3 epochs [\d.]+ s", steps
    )
    assert re.fullmatch(r"\d\.\d\d GB of memory at the most, 0\.\d MB on the disk meanwhile", sizes)
    assert [path for path in sorted(images.iterdir()) if path.name != "netdsl-data"] == before


def test_a_plan_that_is_measured_beside_other_processes_says_so(
    run: Run, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netdsl.resources.waited", lambda: time.perf_counter() * 0.5)
    done = run("train", "-", "--data", "images", "--epochs", "1", "--plan", stdin=TINY)
    assert (done.returncode, done.stderr) == (
        0,
        "other processes had the cores for 50% of the time that this was measured in: alone, a "
        "training is faster\n",
    )
    assert done.stdout.startswith("a step takes ")


def test_options_of_a_run_change_nothing_of_a_plan(run: Run, images: Path) -> None:
    options = ("--plan", "--run-dir", "images", "--save-minutes", "3", "--tensorboard")
    done = run("train", "-", "--data", "images", "--epochs", "1", *options, stdin=TINY)
    assert (done.returncode, done.stderr.splitlines()) == (0, [
        f"{option} changes nothing: --plan leaves no run behind"
        for option in ("--run-dir", "--save-minutes", "--tensorboard")
    ])  # fmt: skip


def test_a_setting_that_changes_nothing_is_told(run: Run, images: Path) -> None:
    arguments = ("train", "-", "--data", "images", "--epochs", "3", "--batch-size", "8", "--plan")
    done = run(*arguments, "--set", "milestones=2", stdin=TINY)
    assert (done.returncode, done.stderr) == (
        0,
        "milestones changes nothing: schedule is one_cycle\n",
    )


def test_an_average_and_a_milestone_beyond_the_training_are_told(run: Run, images: Path) -> None:
    said = ("schedule=step", "milestones=1,5", "average=0.9999")
    assigned = (word for one in said for word in ("--set", one))
    done = run("train", "-", "--data", "images", "--epochs", "2", "--batch-size", "8", "--plan",
               *assigned, stdin=TINY)  # fmt: skip
    assert (done.returncode, done.stderr.splitlines()) == (0, [
        "milestone 5 changes nothing: the training has 2 epochs",
        "average 0.9999 is over about 10,000 steps, and the training has 8: "
        "the averaged network, which is evaluated, stays close to its first weights",
    ])  # fmt: skip


def test_more_threads_than_cores_are_told(
    run: Run, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0}, raising=False)
    told = "threads is 2, and 1 core may be used: more threads than cores wait for each other\n"
    arguments = ("train", "-", "--data", "images", "--epochs", "1", "--run-dir", "run")
    assert run(*arguments, "--threads", "2", stdin=TINY).stderr == told
    (images / "run" / "summary.json").unlink()
    for command, said in (
        (("evaluate", "run"), ""),  # a run computes as it did
        (("evaluate", "run", "--threads", "2"), told),
        (("train", "--resume", "run"), ""),
        (("train", "--resume", "run", "--threads", "2"), told),
        (("train", "--resume", "run", "--threads", "1"), ""),
    ):
        done = run(*command)
        assert done.stderr == said, command


def test_a_setting_of_a_recipe_that_changes_nothing_is_told_of_its_own_file(
    run: Run, images: Path
) -> None:
    arguments = ("train", "-", "--data", "images", "--epochs", "3", "--batch-size", "8", "--plan")
    (images / "base.toml").write_text('about = "base"\n[train]\nschedule = "step"\ngamma = 0.2\n')
    own = '[train]\nschedule = "one_cycle"\nmilestones = [2]\n'
    (images / "mine.toml").write_text(f'about = "mine"\nbase = "base.toml"\n{own}')
    said = "recipe mine: milestones changes nothing: schedule is one_cycle\n"
    for more, told in ((), said), (("--set", "schedule=step"), ""):
        done = run(*arguments, "--recipe", "mine.toml", *more, stdin=TINY)
        assert (done.returncode, done.stderr) == (0, told)


def test_a_plan_of_a_run_that_has_begun_is_refused(run: Run) -> None:
    done = run("train", "digits", "--resume", "run", "--plan")
    assert done.returncode == 2
    assert done.stderr.endswith(
        "--plan is about a training that has not begun: leave --resume away\n"
    )


def test_more_classes_than_there_are_are_refused_by_the_name_of_the_option(
    run: Run, images: Path
) -> None:
    for more in (["--classes", "7"], ["-D", "classes=7"]):
        done = run("train", "-", "--data", "images", "--run-dir", "run", *more, stdin=TINY)
        assert (done.returncode, done.stderr) == (
            2, "error: --classes is 7, but must be from 2 to 3\n",
        )  # fmt: skip
        assert not (images / "run").exists()


def test_classes_may_be_said_as_any_setting_is(run: Run, images: Path) -> None:
    arguments = ("train", "-", "--data", "images", "--epochs", "1", "--batch-size", "8")
    done = run(*arguments, "-D", "classes=2", "--run-dir", "run", stdin=TINY)
    assert done.returncode == 0, done.stderr
    asked = json.loads((images / "run" / "settings.json").read_text())["asked"]
    assert asked["data"]["limit_classes"] == 2
    done = run(*arguments, "-D", "classes=few", stdin=TINY)
    assert (done.returncode, done.stderr) == (
        2, "error[E0206]: `classes` takes a whole number, not `few`\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--holdout", "nan"), "Invalid value for '--holdout': nan is not a number"),
        (("--save-minutes", "nan"), "Invalid value for '--save-minutes': nan is not a number"),
        (("--run-dir", ""), "Invalid value for '--run-dir': an empty path"),
        (("--init", ""), "Invalid value for '--init': an empty text"),
        (("--resume", ""), "Invalid value for '--resume': an empty text"),
        (("--data", ""), "Invalid value for '--data': an empty text"),
        (("--threads", "20000"), "threads is 20000, but at most 1,024 are possible"),
        (("--batch-size", "9" * 20), f"batch_size is {'9' * 20}, but at most 1,000,000,000 are possible"),
    ],
)  # fmt: skip
def test_values_that_nobody_means_are_refused(
    run: Run, options: tuple[str, ...], message: str, images: Path
) -> None:
    data = () if "--data" in options else ("--data", "images")
    done = run("train", "-", *data, *options, stdin=TINY)
    assert (done.returncode, done.stderr.splitlines()[-1].split(": ", 1)[1]) == (2, message)


@pytest.mark.parametrize(
    ("name", "value", "fact"),
    [
        ("overrides", None, "overrides is None"),
        ("scale", [1], "scale is [1]"),
        ("data", {}, "data is None"),
        ("data", {"data": "images", "holdout": "x"}, "holdout is 'x'"),
    ],
)
def test_a_run_that_remembers_what_cannot_be_is_damaged(
    name: str, value: object, fact: str, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from netdsl.cli.asked import images_asked
    from netdsl.train import RunFolder, Settings, TrainError

    asked = {"overrides": {}, "scale": None, "data": {"data": "images"}, name: value}
    run = RunFolder.create("FC 2", Settings(), asked, path=images / "run")
    with pytest.raises(TrainError) as caught:
        images_asked(run)
    assert str(caught.value) == f"{images / 'run' / 'settings.json'} is damaged: {fact}"


def test_a_network_that_is_no_text_is_damage(tmp_path: Path) -> None:
    from netdsl.train import RunFolder, Settings, TrainError

    run = RunFolder.create("FC 2", Settings(), {}, path=tmp_path)
    (tmp_path / "network.arch").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TrainError) as caught:
        _ = run.network
    assert str(caught.value) == f"{tmp_path / 'network.arch'} is damaged: it is not UTF-8"
