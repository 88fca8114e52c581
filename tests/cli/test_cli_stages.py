"""Training by stages from the command line: what carries over, what does not learn, what goes on."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import netdsl
from netdsl.cli import main
from netdsl.cli.plans import plan_stages
from netdsl.train import TrainError, loop
from netdsl.train.run import new_folder
from tests.cli.command import Run

NETWORK = """\
input 1x8x8  classes 10  shortcut pad
n = 1  m = 1
def First(k) { (BB 4)x k }
def Second(k) { (BB 6 s=2)x k }
Conv 4  First n  Second m  GAP  FC classes
"""
APART = """\
input 1x8x8  classes 10
n = 1  m = 1
def First(k) { (Conv 8)x k }
def Second(k) { (Conv 8)x k }
Conv 8 s=2  First n  Second m  GAP  FC classes
"""
PARTS = """\
about = "Two groups, one after the other"
[train]
epochs = 1
batch_size = 64
sample = 50
[[stage]]
name = "first group"
network = { m = 0 }
[[stage]]
name = "both groups"
train = { epochs = 2 }
"""
PHASES = """\
about = "The head, then all"
[train]
epochs = 1
batch_size = 64
sample = 50
[[stage]]
name = "head"
freeze = ["body"]
[[stage]]
name = "all"
train = { lr = 0.01 }
"""
EXPERIMENT = """\
data = "digits"
limit = 200
recipe = "mistaken.toml"
set = { threads = 1 }
[[network]]
arch = "net.arch"
"""
WIDENED = """\
about = "Twice as wide in the second stage"
[train]
epochs = 1
batch_size = 64
sample = 50
[[stage]]
network = { w = 4 }
[[stage]]
network = { w = 8 }
"""
NOTE = (
    "stage 1 of recipe phases freezes body, whose weights are random: "
    "--init, or weights in a file, names others to begin with\n"
)
KEYS = ("--init, or weights in a file, names", "weights in a file name")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.arch").write_text(NETWORK)
    (tmp_path / "parts.toml").write_text(PARTS)
    (tmp_path / "phases.toml").write_text(PHASES)
    return tmp_path


def train(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exit:
        main(["train", "net.arch", "--data", "digits", "--limit", "200", "--precision", "fp32",
              "--threads", "1", *arguments])  # fmt: skip
    return int(exit.value.code or 0)


def test_groups_join_and_keep_the_weights_that_fit(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--recipe", "parts.toml", "--run-dir", "run") == 0
    out = capsys.readouterr().out
    assert "stage 1 of 2: first group\n" in out
    assert (
        "carried over: 6 layers with 348 parameters\n"
        "  second1.bb1.conv1       new\n"
        "  second1.bb1.conv1_norm  new\n"
        "  second1.bb1.conv2       new\n"
        "  second1.bb1.conv2_norm  new\n"
        "  fc1                     was weight 10x4, bias 10, is weight 10x6, bias 10: initialised\n"
    ) in out
    folders = sorted(path.name for path in (here / "run").iterdir())
    assert folders == ["1-first-group", "2-both-groups"]
    asked = json.loads((here / "run" / "2-both-groups" / "settings.json").read_text())["asked"]
    assert (asked["init"], asked["after"]) == (None, "1-first-group")
    assert len((here / "run" / "2-both-groups" / "metrics.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize("named", ["--init", "weights"])
def test_weights_of_a_file_are_those_of_the_first_stage_alone(
    here: Path, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "net.arch").write_text(
        "input 1x8x8  classes 10\nw = 4\nConv 4  Conv w  Conv 6  GAP  FC classes\n"
    )
    save_file(netdsl.load("net.arch").module(1).state_dict(), "first.safetensors")
    weights = "weights = 'first.safetensors'\n" if named == "weights" else ""
    (here / "widened.toml").write_text(weights + WIDENED)
    arguments = ["--recipe", "widened.toml"]
    arguments += ["--init", "first.safetensors"] if named == "--init" else []
    said = "7 layers with 494 parameters from first.safetensors\n"
    assert train(*arguments, "--plan") == 0
    assert capsys.readouterr().err == said
    assert train(*arguments, "--run-dir", "run") == 0
    assert capsys.readouterr().err == said
    records = [json.loads((here / "run" / s / "settings.json").read_text()) for s in "12"]
    assert [record["asked"]["init"] for record in records] == ["first.safetensors", None]
    assert [record["asked"]["after"] for record in records] == [None, "1"]


def test_weights_go_by_name_where_neither_stage_has_all_names_of_the_other(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "net.arch").write_text(APART)
    (here / "parts.toml").write_text(PARTS.replace("train = { epochs = 2 }", "network = { n = 0 }"))
    assert train("--recipe", "parts.toml", "--run-dir", "run") == 0
    assert (
        "carried over: 3 layers with 178 parameters\n"
        "  second1.conv1       new\n"
        "  second1.conv1_norm  new\n"
        "  first1.conv1        left behind\n"
        "  first1.conv1_norm   left behind\n"
    ) in capsys.readouterr().out


def test_what_is_frozen_does_not_learn(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--recipe", "phases.toml", "--run-dir", "run") == 0
    assert "body: 15 weights do not learn in this stage\n" in capsys.readouterr().out
    fresh = netdsl.load("net.arch").module(0).state_dict()
    head, whole = (load_file(here / "run" / s / "last.safetensors") for s in ("1-head", "2-all"))
    assert torch.equal(head["conv1.weight"], fresh["conv1.weight"])
    assert torch.equal(head["conv1_norm.running_var"], fresh["conv1_norm.running_var"])
    assert not torch.equal(whole["conv1_norm.running_var"], head["conv1_norm.running_var"])
    assert not torch.equal(head["fc1.weight"], fresh["fc1.weight"])
    assert not torch.equal(whole["conv1.weight"], head["conv1.weight"])


def test_a_single_weight_that_is_frozen_does_not_learn(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "one.toml").write_text(PHASES.replace('"body"', '"conv1"'))
    assert train("--recipe", "one.toml", "--run-dir", "run") == 0
    assert "conv1: 1 weight does not learn in this stage\n" in capsys.readouterr().out


def test_what_is_frozen_without_first_weights_is_told_once(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--recipe", "phases.toml", "--run-dir", "run")
    assert train(*arguments) == 0
    assert capsys.readouterr().err == NOTE
    assert train(*arguments, "--resume", "auto") == 0
    assert capsys.readouterr().err == ""
    init = "run/2-all/last.safetensors"
    assert train("--recipe", "phases.toml", "--plan", "--init", init) == 0
    assert "random" not in capsys.readouterr().err
    (here / "with.toml").write_text(f"weights = '{init}'\n{PHASES}")
    assert train("--recipe", "with.toml", "--plan") == 0
    assert "random" not in capsys.readouterr().err
    (here / "x.toml").write_text(EXPERIMENT.replace("mistaken", "phases"))
    with pytest.raises(SystemExit):
        main(["experiment", "plan", "x.toml", "--no-measure"])
    assert capsys.readouterr().err == NOTE.replace(*KEYS)


def test_what_is_frozen_stays_so_when_a_stage_goes_on(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = loop._store

    def cut(*arguments: Any) -> None:
        store(*arguments)
        raise TrainError("cut behind an epoch")

    arguments = ("--recipe", "phases.toml", "--epochs", "2", "--run-dir")
    assert train(*arguments, "uncut") == 0
    with monkeypatch.context() as patched:
        patched.setattr(loop, "_store", cut)
        assert train(*arguments, "cut") == 3
    with pytest.raises(SystemExit) as exit:
        main(["train", "--resume", "cut/1-head"])
    assert not exit.value.code
    whole, gone_on = (load_file(f"{name}/1-head/last.safetensors") for name in ("uncut", "cut"))
    assert all(torch.equal(value, gone_on[name]) for name, value in whole.items())


def test_a_stage_of_which_nothing_learns_is_refused_before_anything_is_written(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "phases.toml").write_text(PHASES.replace('["body"]', '["body", "fc1"]'))
    assert train("--recipe", "phases.toml", "--run-dir", "run") == 2
    assert "body, fc1: all weights of the network are frozen" in capsys.readouterr().err
    assert not (here / "run").exists()


MISTAKES = [
    ("freeze = ['bodi']", "stage 2, b: the network has no module 'bodi'"),
    ("freeze = ['body', 'fc1']", "stage 2, b: body, fc1: all weights of the network are frozen"),
    ("network = { nosuch = 1 }", "error[E0208]: stage 2, b: recipe mistaken, [network]: the file has no parameter `nosuch`"),
    ("train = { lr = -3 }", "mistaken.toml, [[stage]] 2, [train]: lr is -3, but must be above 0"),
    ("train = { schedule = 'cosine', warmup = 3 }", "stage 2, b: warmup is 3, but must be less than the 1 epoch"),
    ("train = { schedule = 'cosine', warmup = 99, unit = 'iterations' }",
     "stage 2, b: warmup is 99 iterations, and the training has 4"),
]  # fmt: skip


@pytest.mark.parametrize(("mistake", "fact"), MISTAKES)
def test_a_mistake_in_a_later_stage_is_refused_before_the_first_step(
    here: Path, mistake: str, fact: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stages = "[[stage]]\nname = 'a'\n[[stage]]\nname = 'b'\n"
    (here / "mistaken.toml").write_text(f"[train]\nepochs = 1\n{stages}{mistake}\n")
    (here / "x.toml").write_text(EXPERIMENT)
    before = set(here.iterdir())
    assert train("--recipe", "mistaken.toml", "--run-dir", "run") == 2
    captured = capsys.readouterr()
    assert (captured.out, fact in captured.err) == ("", True), captured.err
    for command in (["plan", "x.toml", "--no-measure"], ["run", "x.toml"]):
        with pytest.raises(SystemExit) as exit:
            main(["experiment", *command])
        err = capsys.readouterr().err
        assert (exit.value.code, fact.removeprefix("error[E0208]: ") in err) == (2, True), err
    assert set(here.iterdir()) == before


def test_a_network_on_standard_input_is_that_of_every_stage(run: Run, here: Path) -> None:
    done = run("train", "-", "--data", "digits", "--limit", "200", "--threads", "1",
               "--recipe", "phases.toml", "--run-dir", "run", stdin=NETWORK)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, NOTE)
    texts = [(here / "run" / s / "network.arch").read_text() for s in ("1-head", "2-all")]
    assert texts[0] == texts[1] != ""


def test_what_is_to_be_known_of_stages_is_told_before_the_first_and_once(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--recipe", "parts.toml", "--set", "milestones=1", "--run-dir", "run") == 0
    assert capsys.readouterr().err == "milestones changes nothing: schedule is one_cycle\n"


def test_auto_goes_on_where_it_was_and_does_nothing_at_the_end(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--recipe", "parts.toml", "--run-dir", "run", "--resume", "auto")
    assert train(*arguments) == 0
    first = load_file(here / "run" / "2-both-groups" / "last.safetensors")
    capsys.readouterr()
    assert train(*arguments) == 0
    out = capsys.readouterr().out
    assert out.count("is finished") == 2
    for path in (here / "run" / "2-both-groups").iterdir():
        path.unlink()
    (here / "run" / "2-both-groups").rmdir()
    assert train(*arguments) == 0
    again = load_file(here / "run" / "2-both-groups" / "last.safetensors")
    assert all(torch.equal(value, first[name]) for name, value in again.items())


def test_stages_go_on_in_a_folder_that_is_named(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--recipe", "parts.toml", "--resume", "auto") == 2
    assert "parts trains by stages: go on with --run-dir D --resume auto" in capsys.readouterr().err
    assert train("--recipe", "phases.toml") == 0
    assert (here / "runs" / "phases-1" / "2-all" / "summary.json").exists()


def test_a_training_by_stages_goes_on_after_its_folder_was_moved(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--recipe", "parts.toml", "--run-dir", "uncut") == 0
    whole = load_file("uncut/2-both-groups/last.safetensors")
    for stage in ("1-first-group", "2-both-groups"):
        shutil.copytree(Path("uncut", stage), Path("cut", stage))
    left = ("network.arch", "settings.json")
    for file in Path("cut/2-both-groups").iterdir():
        if file.name not in left:
            file.unlink()
    (here / "uncut").rename("gone")
    shutil.copytree("cut", "moved")
    capsys.readouterr()
    assert train("--recipe", "parts.toml", "--run-dir", "moved", "--resume", "auto") == 0
    assert "carried over: 6 layers with 348 parameters\n" in capsys.readouterr().out
    monkeypatch.chdir("cut")
    with pytest.raises(SystemExit) as exit:  # one stage alone, named from somewhere else
        main(["train", "--resume", "2-both-groups"])
    assert not exit.value.code
    for run in ("moved", "cut"):
        again = load_file(here / run / "2-both-groups" / "last.safetensors")
        assert all(torch.equal(value, again[name]) for name, value in whole.items())


def _as_of_an_older_version(settings: Path) -> None:
    record = json.loads(settings.read_text())
    del record["asked"]["after"]
    record["asked"]["init"] = "run/1-first-group/last.safetensors"
    settings.write_text(json.dumps(record))


def test_a_training_by_stages_of_an_older_version_goes_on(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--recipe", "parts.toml", "--run-dir", "run") == 0
    _as_of_an_older_version(here / "run" / "2-both-groups" / "settings.json")
    capsys.readouterr()
    assert train("--recipe", "parts.toml", "--run-dir", "run", "--resume", "auto") == 0
    assert capsys.readouterr().out.count("is finished\n") == 2


def test_a_stage_is_reproduced_elsewhere_and_that_one_again(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--recipe", "parts.toml", "--run-dir", "run") == 0
    (here / "other").mkdir()
    for run, again in (("run/2-both-groups", "other/x"), ("other/x", "other/y")):
        with pytest.raises(SystemExit) as exit:
            main(["reproduce", run, "--run-dir", again])
        assert not exit.value.code
        assert capsys.readouterr().out.endswith(f"{again} is equal to {run}, bit for bit\n")


def test_a_stage_of_an_older_version_is_reproduced_and_gone_on_with(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--recipe", "parts.toml", "--run-dir", "run") == 0
    _as_of_an_older_version(here / "run" / "2-both-groups" / "settings.json")
    again = "run/2-both-groups-again"
    for begun in ("carried over: ", f"the training in {again} is finished\n"):
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit:
            main(["reproduce", "run/2-both-groups"])
        out, err = capsys.readouterr()
        assert (exit.value.code or 0, err) == (0, "")
        assert out.startswith(begun)
        assert out.endswith(f"{again} is equal to run/2-both-groups, bit for bit\n")


def test_two_trainings_by_stages_at_once_have_a_folder_each(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def planned(*arguments: Any) -> Any:
        new_folder("phases")  # by another process
        return plan_stages(*arguments)

    monkeypatch.setattr("netdsl.cli.train.plan_stages", planned)
    assert train("--recipe", "phases.toml") == 0
    assert list(Path("runs/phases-1").iterdir()) == []
    stages = sorted(path.name for path in Path("runs/phases-2").iterdir())
    assert stages == ["1-head", "2-all"]


def test_a_training_by_stages_that_does_not_begin_leaves_no_folder(here: Path) -> None:
    assert train("--recipe", "phases.toml", "--plan") == 0
    save_file({"conv1.weight": torch.zeros(5, 3, 3, 3)}, "w.safetensors")
    assert train("--recipe", "phases.toml", "--init", "w.safetensors") == 2
    assert not Path("runs").exists()
