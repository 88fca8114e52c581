"""A trained network asked from the command line: what it takes images for, and how good it is."""

from __future__ import annotations

import csv
import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file
from safetensors.torch import load_file

import netdsl
from netdsl.cli.main import main
from netdsl.cli.resume import reopen_unchanged
from netdsl.train import RunFolder, TrainError, evaluate
from netdsl.train.machine import is_available
from netdsl.train.weights import read_about, write_weights

Run = Callable[..., tuple[int, str, str]]
NETWORK = "w = 4 def Unit(c) { Conv c } Unit w Max 2 Res(Conv w) GAP FC classes"


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return what a command ends with and what it prints; it runs in this process."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return int(str(ended.value.code)), out, err

    return call


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images of three classes that differ by brightness, and a run on them."""
    root, random = tmp_path_factory.mktemp("trained"), np.random.default_rng(0)
    for label, name in enumerate(("cat", "dog", "eel")):
        (root / "images" / name).mkdir(parents=True)
        for i in range(12):
            pixels = random.integers(80 * label, 80 * label + 60, (9, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / "images" / name / f"{name}_{i}.png")
    (root / "net.arch").write_text(NETWORK)
    arguments = ["--data", "images", "--epochs", "6", "--batch-size", "8", "--no-augment"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        with pytest.raises(SystemExit) as ended:
            main(["train", "net.arch", "-D", "w=6", "--plain", *arguments, "--run-dir", "run"])
    assert ended.value.code == 0
    return root


@pytest.fixture
def here(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is where commands run, as if it had been trained there."""
    root = Path(shutil.copytree(trained, tmp_path / "here"))
    settings = root / "run" / "settings.json"
    settings.write_text(settings.read_text().replace(str(trained / "images"), str(root / "images")))
    monkeypatch.chdir(root)
    return root


def recorded(root: Path) -> tuple[float, float]:
    summary = json.loads((root / "run" / "summary.json").read_text())
    return summary["best"]["val_accuracy"], summary["best"]["val_loss"]


def test_a_run_is_evaluated_to_what_it_recorded(run: Run, here: Path) -> None:
    code, out, err = run("evaluate", "run", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["accuracy"], found["loss"]) == recorded(here)
    assert (found["split"], found["fast"], found["images"]) == ("val", False, 7)


def say_epoch(weights: Path, epoch: int) -> None:
    """Let weights say that they are of an epoch."""
    write_weights(load_file(weights), weights, read_about(weights) | {"epochs": epoch})


def test_weights_that_were_chosen_by_the_images_are_told(run: Run, here: Path) -> None:
    say_epoch(here / "run" / "best.safetensors", 4)
    note = (
        "these weights, of epoch 4, were chosen by the very images that they are evaluated "
        "on, and look too good for that reason; tables of experiments are of the last epoch "
        "(--weights last)"
    )
    assert run("evaluate", "run")[1].splitlines()[1:] == [note]
    assert json.loads(run("evaluate", "run", "--json")[1])["note"] == note
    for others in (("--weights", "last"), ("--split", "train"), ("--data", "images")):
        assert len(run("evaluate", "run", *others)[1].splitlines()) == 1
    assert note in run("errors", "run")[1].splitlines()
    page = (here / "run" / "errors" / "errors.html").read_text()
    assert f"<p>T{note[1:]}.</p>" in page
    numbers = json.loads((here / "run" / "errors" / "errors.json").read_text())
    assert numbers["note"] == note
    assert run("errors", "run", "--weights", "last")[0] == 0
    numbers = json.loads((here / "run" / "errors" / "errors.json").read_text())
    assert numbers["note"] is None


def test_images_that_a_run_was_trained_on_are_told_among_all(run: Run, here: Path) -> None:
    note = "29 of these 36 images were trained on, and look too good for that reason"
    for of in ((), ("--data", "images"), ("--data", "../here/images")):
        assert run("evaluate", "run", "--split", "all", *of)[1].splitlines()[1:] == [note]
    assert json.loads(run("evaluate", "run", "--split", "all", "--json")[1])["note"] == note
    shutil.copytree("images", "others")
    for of in (("run", "--data", "others"), ("run/best.safetensors", "--data", "images")):
        assert len(run("evaluate", *of, "--split", "all")[1].splitlines()) == 1
    settings = here / "run" / "settings.json"
    settings.write_text(settings.read_text().replace('"limit": null', '"limit": 12'))
    out = run("evaluate", "run", "--data", "images", "--split", "all")[1]
    assert out.splitlines()[1:] == [note.replace("29", "12")]


def test_the_best_weights_that_are_the_last_too_need_no_word(run: Run, here: Path) -> None:
    for epoch, lines in ((5, 2), (6, 1)):
        say_epoch(here / "run" / "best.safetensors", epoch)
        assert len(run("evaluate", "run")[1].splitlines()) == lines


def test_the_same_comes_fast_and_of_images_that_were_moved(run: Run, here: Path) -> None:
    accuracy, loss = recorded(here)
    _, out, _ = run("evaluate", "run", "--fast", "--precision", "fp32", "--json")
    found = json.loads(out)
    assert (found["fast"], found["norms"], found["folded"]) == (True, 2, 2)
    assert found["loss"] == pytest.approx(loss, rel=0.02)
    (here / "images").rename(here / "moved")
    code, _, err = run("evaluate", "run")
    assert (code, err) == (
        3,
        "error: the images of run are gone: there is no folder images\n"
        "  = help: name the folder where they are now by --data-dir\n",
    )
    _, out, _ = run("evaluate", "run", "--data", "moved", "--json")
    assert json.loads(out)["accuracy"] == accuracy


@pytest.mark.parametrize("command", ["evaluate", "errors", "reproduce"])
def test_other_images_are_not_taken_for_those_of_the_run(
    command: str, run: Run, here: Path
) -> None:
    (here / "images" / "cat").rename(here / "images" / "zebra")
    code, out, err = run(command, "run")
    assert (code, out, err) == (
        3, "",
        "error: the images are others than run was trained with\n"
        "  = help: name the folder of those by --data-dir\n",
    )  # fmt: skip


@pytest.mark.parametrize("place", ["moved", "below"])
def test_a_run_on_a_folder_that_was_moved_is_used_by_data_dir(
    run: Run, here: Path, place: str
) -> None:
    (here / "images").rename(here / "moved")
    (here / "below").mkdir()
    shutil.copytree(here / "moved", here / "below" / "images")
    where = ("--data-dir", place)
    for words in (("evaluate",), ("evaluate", "--split", "all"), ("errors",)):
        code, _, err = run(*words, "run", *where)
        assert (code, err) == (0, ""), words
    _, out, _ = run("evaluate", "run", *where, "--json")
    assert json.loads(out)["accuracy"] == recorded(here)[0]
    code, out, err = run("reproduce", "run", *where)
    assert (code, out.splitlines()[-1]) == (0, "run-again is equal to run, bit for bit"), err
    assert run("evaluate", "run-again")[0] == 0  # which knows where its images were
    (here / "run" / "summary.json").unlink()
    code, out, err = run("train", "--resume", "run", *where)
    assert (code, err) == (0, "")
    weights = (here / name / "last.safetensors" for name in ("run", "run-again"))
    assert len({path.read_bytes() for path in weights}) == 1


def test_a_run_goes_on_with_its_images_under_another_name(run: Run, here: Path) -> None:
    (here / "images").rename(here / "moved")
    (here / "run" / "summary.json").unlink()
    flags = ("-D", "w=6", "--plain", "--data", "moved", "--epochs", 6, "--batch-size", 8,
             "--no-augment")  # fmt: skip
    code, _, err = run("train", "net.arch", *flags, "--run-dir", "run", "--resume", "auto")
    assert (code, err) == (0, "")


@pytest.mark.parametrize("command", ["evaluate", "errors", "reproduce", "train --resume"])
def test_images_that_are_gone_are_told_of_by_every_command(
    command: str, run: Run, here: Path
) -> None:
    (here / "images").rename(here / "moved")
    code, out, err = run(*command.split(), "run")
    assert (code, out, err) == (
        3, "",
        "error: the images of run are gone: there is no folder images\n"
        "  = help: name the folder where they are now by --data-dir\n",
    )  # fmt: skip
    code, out, err = run(*command.split(), "run", "--data-dir", "nowhere")
    assert (code, out, err) == (3, "", "error: there is no folder nowhere\n")
    next((here / "moved").rglob("*.png")).unlink()
    code, out, err = run(*command.split(), "run", "--data-dir", "moved")
    assert (code, "the images are others than" in err) == (2 if "train" in command else 3, True)


def test_a_split_of_the_images_of_a_run_is_that_of_the_run(run: Run, here: Path) -> None:
    flags = ("--data", "images", "--epochs", 1, "--batch-size", 8, "--holdout", 0.1)
    assert run("train", "net.arch", "-D", "w=6", *flags, "--run-dir", "few")[0] == 0
    _, out, _ = run("evaluate", "few", "--json")
    own = json.loads(out)["images"]
    _, out, _ = run("predict", "few", "--data", "images", "--split", "val", "--json")
    assert (own, len(json.loads(out)["images"])) == (4, 4)
    shutil.copy(here / "few" / "best.safetensors", here / "w.safetensors")
    _, out, _ = run("evaluate", "w.safetensors", "--data", "images", "--json")
    assert json.loads(out)["images"] == 4


def test_classes_are_shown_by_names_that_tell_them_apart(run: Run, here: Path) -> None:
    for old, new in (("cat", "dog, big"), ("dog", "dog, small"), ("eel", "an eel, long")):
        (here / "images" / old).rename(here / "images" / new)
    flags = ("--data", "images", "--epochs", 1, "--batch-size", 8)
    assert run("train", "net.arch", "-D", "w=6", *flags, "--run-dir", "named")[0] == 0
    image = "images/dog, big/cat_0.png"
    _, out, _ = run("predict", "named", image)
    shown = {line.split("%", 1)[1].strip() for line in out.splitlines()[1:]}
    assert shown == {"an eel, long", "dog, big", "dog, small"}


def test_classes_with_ids_are_shown_by_their_first_names(run: Run, here: Path) -> None:
    with safe_open(here / "run" / "best.safetensors", "np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        about = json.loads(file.metadata()["netdsl"])
    about["classes"] = ["crane, bird", "crane, machine", "tabby, tabby cat"]
    about["class_ids"] = ["n01", "n02", "n03"]
    save_file(tensors, here / "w.safetensors", {"netdsl": json.dumps(about)})
    _, out, _ = run("predict", "w.safetensors", "images/cat/cat_0.png")
    shown = {line.split("%", 1)[1].strip() for line in out.splitlines()[1:]}
    words = {" ".join(line.split()) for line in shown}
    assert words == {"crane, bird n01", "crane, machine n02", "tabby n03"}


def test_a_run_that_python_made_is_evaluated_on_images_that_are_given(run: Run, here: Path) -> None:
    record = json.loads((here / "run" / "settings.json").read_text())
    record["asked"] = {}
    (here / "run" / "settings.json").write_text(json.dumps(record))
    for split in ("val", "all"):
        code, _, err = run("evaluate", "run", "--split", split)
        assert (code, err) == (
            3,
            "error: run does not tell which images it was trained on: Python made it\n"
            "  = help: `netdsl evaluate` takes others by --data\n",
        )
    code, out, _ = run("evaluate", "run", "--data", "images", "--json")
    assert (code, json.loads(out)["accuracy"]) == (0, recorded(here)[0])
    flags = ("--data", "images", "--run-dir", "run", "--resume", "auto")
    code, _, err = run("train", "net.arch", *flags)
    assert (code, err.splitlines()[0]) == (
        3, "error: run does not tell which images it was trained on: Python made it"
    )  # fmt: skip
    record["asked"] = {"data": "images"}
    (here / "run" / "settings.json").write_text(json.dumps(record))
    assert run("evaluate", "run")[0] == 3


@pytest.mark.parametrize("split", ["train", "val", "all"])
def test_another_folder_of_the_name_is_not_the_runs(run: Run, here: Path, split: str) -> None:
    (here / "images").rename(here / "away")
    code, _, err = run("evaluate", "run", "--split", split)
    assert err.startswith("error: the images of run are gone: there is no folder images\n")
    shutil.copytree(here / "away", here / "images")
    next((here / "images").rglob("*.png")).unlink()
    code, _, err = run("evaluate", "run", "--split", split)
    assert (code, err.splitlines()[0]) == (
        3, "error: the images are others than run was trained with"
    )  # fmt: skip


def test_a_run_of_several_gpus_is_used_where_there_is_none(run: Run, here: Path) -> None:
    if is_available("cuda"):
        pytest.skip("a GPU is here")
    record = json.loads((here / "run" / "settings.json").read_text())
    record["settings"] |= {"device": "cuda", "sync_bn": True}
    (here / "run" / "settings.json").write_text(json.dumps(record))
    code, _, err = run("evaluate", "run")
    assert (code, err) == (0, "run was trained on cuda, which is not here\n")
    for words in (("predict", "run", "images/dog/dog_3.png"), ("errors", "run")):
        code, _, err = run(*words)
        assert (code, err) == (0, "")
    code, out, err = run("reproduce", "run")
    assert (code, "run-again is equal to run" in out) == (0, True), err


def test_weights_alone_say_what_is_needed(run: Run, here: Path) -> None:
    shutil.copy(here / "run" / "best.safetensors", here / "w.safetensors")
    shutil.rmtree(here / "run")
    code, out, err = run("evaluate", "w.safetensors", "--data", "images", "--split", "all")
    assert (code, err) == (0, "")
    assert out.startswith("w.safetensors, ")
    assert "% of 36 labelled images of images, loss " in out  # of three classes
    code, _, err = run("evaluate", "w.safetensors")
    assert (code, err.endswith("w.safetensors is a file of weights and has no images: give --data\n")) == (2, True)  # fmt: skip
    (here / "images").rename(here / "new")
    code, out, _ = run("predict", "w.safetensors", "new/dog/dog_3.png", "--top", "2")
    assert (code, out.splitlines()[0], len(out.splitlines())) == (0, "new/dog/dog_3.png", 3)


def test_the_classes_of_images_are_told(run: Run, here: Path) -> None:
    code, out, err = run("predict", "run", "images", "--precision", "fp32", "-o", "out.csv")
    assert (code, err) == (0, "")
    assert out.startswith("36 images in ")
    assert out.endswith(" s, fp32 on cpu, 2 of 2 batch norms folded: out.csv\n")
    rows = list(csv.DictReader((here / "out.csv").read_text().splitlines()))
    assert [row["rank"] for row in rows] == ["1", "2", "3"] * 36
    first = [row for row in rows if row["rank"] == "1"]
    assert [row["file"] for row in first] == sorted(map(str, Path("images").glob("*/*")))
    right = sum(row["file"].split("/")[1] == row["class"] for row in first)
    _, out, _ = run("evaluate", "run", "--data", "images", "--split", "all", "--precision", "fp32",
                    "--json")  # fmt: skip
    assert right == round(36 * json.loads(out)["accuracy"])
    assert right > 24  # more than chance


def test_few_images_are_shown_with_all_classes_and_many_in_a_line(run: Run, here: Path) -> None:
    Image.new("L", (30, 20), 10).save("grey.png")
    code, out, err = run("predict", "run", "grey.png", "images/eel/eel_1.png")
    assert (code, err) == (0, "1 of 2 images is cut and rescaled to 3×9×8\n")
    lines = out.splitlines()
    assert [lines[0], lines[4]] == ["grey.png", "images/eel/eel_1.png"]
    told = [line.split() for line in lines[1:4]]
    assert {name for _, name in told} == {"cat", "dog", "eel"}
    assert sum(float(chance.rstrip("%")) for chance, _ in told) == pytest.approx(100, abs=0.2)
    _, out, _ = run("predict", "run", "images/cat")
    assert [line.split()[0] for line in out.splitlines()] == sorted(
        map(str, Path("images/cat").iterdir())
    )


def test_a_data_set_is_predicted_and_submitted(run: Run, here: Path) -> None:
    for name in ("cat", "dog"):
        shutil.copytree(here / "images" / name, here / "data" / "test" / name)
    code, out, _ = run(
        "predict", "run", "--data", "data", "--submission", "sub.txt", "-o", "o.json"
    )
    assert (code, out.endswith(": o.json, sub.txt\n")) == (0, True)
    lines = [line.split(" ") for line in (here / "sub.txt").read_text().splitlines()]
    assert [name for name, _ in lines] == [
        f"{name}_{number}.png" for name in ("cat", "dog") for number in range(12)
    ]
    record = json.loads((here / "o.json").read_text())
    assert {image["file"].split("/")[1]: image["classes"][0]["class"] for image in record["images"]} == dict(lines)  # fmt: skip
    assert (record["run"], record["weights"], record["rescaled"]) == ("run", "best", 0)


def test_broken_images_may_be_skipped(run: Run, here: Path) -> None:
    (here / "images" / "cat" / "cat_0.png").write_text("none")
    code, out, err = run("predict", "run", "images/cat", "--on-bad-image", "skip", "--json")
    assert (code, err) == (0, "left out: images/cat/cat_0.png is not an image\n")
    record = json.loads(out)
    assert record["bad"] == {"images/cat/cat_0.png": "images/cat/cat_0.png is not an image"}
    assert len(record["images"]) == 11


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("predict nowhere x.png", 6, "error: there is no run and no file of weights nowhere\n"),
        ("predict images x.png", 6, "error: images is not a run: it has no network.arch\n"),
        ("predict run x.png", 3, "error: there is no file and no folder x.png\n"),
        ("predict run net.arch", 3, "error: net.arch is not an image\n"),
        ("predict run run", 3, "error: no image is below empty\n"),
        ("predict bare.safetensors images", 2,
         "error: bare.safetensors does not say which network it is of\n"
         "  = help: give the folder of its run, or weights that `netdsl train` wrote\n"),
        ("predict net.arch images", 3, "error: net.arch is not a file of weights: "),
        ("predict run", 2, "Error: say what to look at: images and folders, or --data\n"),
        ("predict run images --data digits", 2,
         "Error: --data is in place of images and folders: leave either away\n"),
        ("predict run images -o out.txt", 2,
         "Error: Invalid value for '-o' / '--output': `out.txt` must end in .csv or .json\n"),
        ("predict run images --submission no/sub.txt", 6,
         "error: cannot write no/sub.txt: there is no folder no\n"),
        ("predict run images/cat/cat_0.png images/cat/cat_0.png -o o.csv --submission s.txt", 2,
         "error: 2 images are called cat_0.png\n"
         "  = help: a submission names an image by its file alone: predict one folder\n"),
        ("predict run --data digits", 2,
         "error: digits has no test images\n  = help: it has train, val, all\n"),
        ("evaluate run --data digits", 3,
         "error: class 0 of digits, val is not among the 3 that the network tells: cat, dog, eel\n"
         "  = help: take data with the classes that it was trained on; `netdsl predict` needs no "
         "classes\n"),
        ("evaluate run/best.safetensors --weights last --data images", 2,
         "Error: --weights last chooses of a run, and run/best.safetensors is a file\n"),
        ("predict unfinished images", 6, "error: unfinished has no weights yet: no epoch of it is done\n"),
    ],
)  # fmt: skip
def test_mistakes_are_met_with_a_line(
    arguments: str, code: int, message: str, run: Run, here: Path
) -> None:
    save_file({"fc.weight": np.zeros((2, 2), np.float32)}, here / "bare.safetensors")
    (here / "empty").mkdir()
    (here / "unfinished").mkdir()
    for name in ("network.arch", "settings.json"):
        shutil.copy(here / "run" / name, here / "unfinished")
    arguments = arguments.replace("run run", "run empty")
    found, out, err = run(*arguments.split())
    assert (found, out, message in err) == (code, "", True), err
    assert "Traceback" not in err
    assert not {"o.csv", "s.txt"} & {path.name for path in here.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        ("predict run images --split val --data-dir nowhere", [
            "--split changes nothing: the images are files, and of no data set",
            "--data-dir changes nothing: the images are files, and of no data set",
        ]),
        ("predict run --data images --split val --data-dir nowhere",
         ["--data-dir changes nothing: images is no name of a data set, but a folder"]),
        ("predict run images --top 2 --submission s.txt",
         ["--top changes nothing: a line of --submission has one class"]),
        ("predict run images --top 2 --submission s.txt --json", []),
        ("predict run images --top 2 --submission s.txt -o o.csv", []),
        ("evaluate run --on-bad-image skip",
         ["--on-bad-image changes nothing: run reads its own images as it did before"]),
    ],
)  # fmt: skip
def test_what_changes_nothing_is_told(
    arguments: str, facts: list[str], run: Run, here: Path
) -> None:
    code, _, err = run(*arguments.split())
    assert (code, err.splitlines()) == (0, facts)


def test_weights_of_another_network_are_refused(run: Run, here: Path) -> None:
    (here / "run" / "network.arch").write_text("input 3x9x8\nConv 6 Conv 8 GAP FC 4\n")
    settings = json.loads((here / "run" / "settings.json").read_text())
    settings["asked"]["overrides"] = {}
    (here / "run" / "settings.json").write_text(json.dumps(settings))
    code, _, err = run("predict", "run", "images")
    assert (code, err) == (
        3,
        "error: run/best.safetensors is for 3x9x8 images of 3 classes, but its network makes 4 of "
        "3x9x8\n",
    )


def test_a_run_is_not_reproduced_by_itself_and_what_differs_has_a_code(
    run: Run, here: Path
) -> None:
    code, _, err = run("reproduce", "run", "--run-dir", "run")
    assert (code, "run is the run itself: name another folder" in err) == (2, True)
    (here / "again").mkdir()
    table = (here / "run" / "metrics.csv").read_bytes()
    shutil.rmtree(here / "again")
    shutil.copytree(here / "run", here / "again")
    (here / "again" / "metrics.csv").write_bytes(table.replace(b"\n", b"\r\n"))
    code, out, _ = run("reproduce", "run", "--run-dir", "again")
    assert (code, out.splitlines()[-2:]) == (
        8,
        ["metrics.csv: the same numbers, written otherwise", "again differs from run"],
    )


def test_damaged_weights_are_said_before_a_run_is_reproduced(run: Run, here: Path) -> None:
    (here / "run" / "last.safetensors").write_bytes(b"x")
    code, _, err = run("reproduce", "run")
    assert (code, err.startswith("error: run/last.safetensors is not a file of weights")) == (
        3,
        True,
    )
    assert not (here / "run-again").exists()


def test_a_finished_run_without_weights_says_so(run: Run, here: Path) -> None:
    (here / "run" / "best.safetensors").unlink()
    code, _, err = run("errors", "run")
    assert (code, err) == (
        6, "error: the weights of run were not kept: there is no best.safetensors\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("input 1x8x8 GAP", (), "net has no weights, so nothing to probe"),
        ("input 2x8x8 Norm", (), "net has no convolution and no fully connected layer"),
        ("input 1x8x8 Conv 4 GAP FC 1", (), "net tells one class, whose loss is 0"),
        ("input 1x8x8 Conv 4 GAP FC 3", ("--batch", 10**9), "GB are free"),
    ],
)
def test_what_cannot_be_probed_is_refused(
    run: Run, here: Path, text: str, options: tuple[object, ...], message: str
) -> None:
    (here / "net.arch").write_text(text)
    code, _, err = run("probe", "net.arch", *options, "--seeds", 1)
    assert (code in (2, 5), message in err) == (True, True), err


def test_python_opens_what_a_run_kept_as_it_was_trained(run: Run, here: Path) -> None:
    _, images = reopen_unchanged(RunFolder.open("run"), None)
    for path in ("run", Path("run/best.safetensors")):
        trained = netdsl.load_trained(path)
        assert (trained.network().settings.residual, trained.network().depth) == (False, 3)
        assert trained.about.classes == ("cat", "dog", "eel")
        settings = RunFolder.open("run").settings
        found = evaluate(trained.module(), images, settings)
        assert (found.accuracy, found.loss) == recorded(here)
    assert netdsl.load_trained("run", "last").weights == Path("run/last.safetensors")


def test_python_is_refused_what_cannot_be_opened(here: Path) -> None:
    shutil.copytree("run", "other")
    record = json.loads(Path("other/settings.json").read_text())
    record["asked"]["overrides"]["classes"] = 4
    Path("other/settings.json").write_text(json.dumps(record))
    for arguments, code, message in (
        (("nowhere",), 6, "there is no run and no file of weights nowhere"),
        (("images",), 6, "images is not a run: it has no network.arch"),
        (("run", "first"), 2, "weights of a run are best or last, not 'first'"),
        (("run/best.safetensors", "last"), 2,
         "last weights are those of a run, and run/best.safetensors is a file"),
        (("other",), 3, "other/best.safetensors is for 3x9x8 images of 3 classes, "
         "but its network makes 4 of 3x9x8"),
    ):  # fmt: skip
        with pytest.raises(TrainError) as caught:
            netdsl.load_trained(*arguments).module()
        assert (str(caught.value), caught.value.exit_code) == (message, code)


def test_weights_of_a_network_that_computes_something_else_are_told(here: Path) -> None:
    net = netdsl.load("run/network.arch", w=6, input=(3, 9, 8), classes=3)
    with pytest.warns(netdsl.NetDSLWarning) as caught:
        net.load_weights("run/best.safetensors")
    assert [(w.filename, str(w.message)) for w in caught] == [(
        __file__,
        "run/best.safetensors was trained in a network that computes something else, with w=6, "
        "residual=off, input=3x9x8, classes=3: `netdsl.load_trained` opens it as it was trained",
    )]  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.plain().load_weights("run/best.safetensors")
        net.plain().override(input=(3, 12, 12)).load_weights("run/best.safetensors")
        write_weights(load_file("run/best.safetensors"), Path("bare.safetensors"), {"epochs": 3})
        net.load_weights("bare.safetensors")


@pytest.mark.parametrize("dropped", ["", " Dropout 0.3"])
def test_what_training_alone_draws_makes_no_other_network(here: Path, dropped: str) -> None:
    text = f"input 1x8x8 Conv 4 BB 4{dropped} GAP FC 3"
    write_weights(netdsl.parse(text).module().state_dict(), Path("kept.safetensors"), _kept(text))
    for other in ("", " Dropout 0.1"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            netdsl.parse(f"input 1x8x8 Conv 4 BB 4{other} GAP FC 3").load_weights(
                "kept.safetensors"
            )
    for another in ("act gelu Conv 4 BB 4", "Conv 4 BB 4 s1 order=bn_after_add"):
        with pytest.warns(netdsl.NetDSLWarning, match="computes something else"):
            netdsl.parse(f"input 1x8x8 {another} GAP FC 3").load_weights("kept.safetensors")


@pytest.mark.parametrize(
    ("theirs", "ours", "is_told"),
    [
        ("default Norm(momentum=0.01 groups=2) Conv 4", "Conv 4", False),
        ("default Norm(eps=0.01) Conv 4", "Conv 4", True),
        ("norm group default Norm(groups=2) Conv 4", "norm group default Norm(groups=4) Conv 4", True),
        ("Conv 4 LayerScale 0.1", "Conv 4 LayerScale 0.2", False),
        ("Conv 4 Max 2 s2", "Conv 4 Max 2", False),
        ("Conv 4 Max 2 s1", "Conv 4 Max 2 s1 p0", False),
        ("Conv 4 Max 3 s1", "Conv 4 Max 3 s1 p0", True),
        ('Conv 4 Torch "nn.Dropout2d" 0.3', "Conv 4", False),
        ('Conv 4 Torch "nn.ELU" inplace=true', 'Conv 4 Torch "nn.ELU"', False),
        ('Conv 4 act=none Torch "nn.ELU" 0.5', 'Conv 4 act=none Torch "nn.ELU"', True),
    ],
)  # fmt: skip
def test_what_training_alone_reads_makes_no_other_network(
    here: Path, theirs: str, ours: str, is_told: bool
) -> None:
    trained, net = (netdsl.parse(f"input 1x8x8 {text} GAP FC 3") for text in (theirs, ours))
    model, image = trained.module(), torch.rand(1, 1, 8, 8)
    write_weights(model.state_dict(), Path("kept.safetensors"), _kept(str(trained)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded = net.load_weights("kept.safetensors")
    assert torch.equal(loaded.eval()(image), model.eval()(image)) is not is_told
    assert ["computes something else" in str(one.message) for one in caught] == [True] * is_told


@pytest.mark.parametrize(("theirs", "ours"), [(0.5, 0.0), (0.0, 0.5), (0.5, 0.25), (0.5, 0.5)])
def test_stochastic_depth_scales_a_branch_in_evaluation_and_so_makes_another_network(
    here: Path, theirs: float, ours: float
) -> None:
    text = "input 1x8x8 Conv 4 BB 4 GAP FC 3"
    trained, net = (netdsl.parse(text, drop_path=rate) for rate in (theirs, ours))
    model, image = trained.module(), torch.rand(1, 1, 8, 8)
    said = _kept(text) | {"overrides": {"drop_path": theirs}}
    write_weights(model.state_dict(), Path("kept.safetensors"), said)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded = net.load_weights("kept.safetensors")
    same = torch.equal(loaded.eval()(image), model.eval()(image))
    told = [str(one.message) for one in caught]
    assert same is (theirs == ours)
    assert ["computes something else" in one for one in told] == [True] * (not same)


def _kept(text: str) -> dict[str, object]:
    """What a file of weights says beside them of the network of a text."""
    return {"network": text, "overrides": {}}


@pytest.mark.parametrize("is_plain", [True, False])
def test_commands_tell_weights_of_a_network_that_computes_something_else(
    run: Run, here: Path, *, is_plain: bool
) -> None:
    told = None if is_plain else (
        "run/best.safetensors was trained in a network that computes something else, with w=6, "
        "residual=off, input=3x9x8, classes=3"
    )  # fmt: skip
    net = ("run/network.arch", "-D", "w=6", "--input", "3x9x8", "--classes", "3")
    net += ("--plain",) * is_plain
    weights = "run/best.safetensors"
    record = json.loads(run("transfer", *net, "--from", weights, "--json")[1])
    assert record["trained_elsewhere"] == told
    moved = run("transfer", *net, "--from", weights)[1]
    code, _, begun = run("train", *net, "--init", weights, "--data", "images", "--epochs", "1")
    assert code == 0, begun
    for said in (moved, begun):
        found = [line for line in said.splitlines() if "something else" in line]
        assert found == [told] * (not is_plain)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("run", "run is a run, whose network is run/network.arch"),
        ("../here/run", "../here/run is a run, whose network is ../here/run/network.arch"),
        ("run/best.safetensors", "run/best.safetensors is a file of weights"),
    ],
)
def test_a_run_in_place_of_a_network_is_told_what_opens_it(
    path: str, message: str, here: Path
) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.load(path)
    assert str(caught.value) == (
        f"error[E0001]: {message}\n"
        "  = help: in Python `netdsl.load_trained` opens it as it was trained"
    )
