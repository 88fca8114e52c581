"""Recipes from the command line: listed, shown, applied, overridden, and what is wrong in them."""

import json
import shlex
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from netdsl.cli.train import command as train_command
from netdsl.lower import make_overrides
from netdsl.network import build
from netdsl.shelf import open_arch
from netdsl.train.recipe import read_recipe, recipes
from tests.cli.command import Run

TINY = "input 1x8x8\nclasses 10\nk = 4\nConv k Max 2 BB k GAP FC classes\n"
RECIPE = """
about = "for a test"
[network]
init = "xavier"
k = 6
"BB.dropout" = 0.25
[train]
epochs = 1
optimiser = "adamw"
lr = 0.01
augment = ["pad_crop padding=1"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.arch").write_text(TINY)
    (tmp_path / "own.toml").write_text(RECIPE)
    return tmp_path


@pytest.fixture
def train(run: Run, folder: Path) -> Run:
    """Train the little network on 64 digits."""
    common = ("train", "tiny.arch", "--data", "digits", "--limit", "64", "--threads", "1")
    return partial(run, *common, "--run-dir", "run")


def _stored(folder: Path) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads((folder / "run" / "settings.json").read_text())
    return stored


def test_all_recipes_are_listed_and_one_can_be_shown(run: Run) -> None:
    listed = run("recipes").stdout
    assert {line.split()[0] for line in listed.splitlines()} == set(recipes())
    shown = run("recipes", "tiny-heavy").stdout
    assert 'augment = ["heavy k=3"]' in shown
    assert "drop_path = 0.5" in shown


def test_a_recipe_is_applied_and_resolved_into_the_run(train: Run, run: Run, folder: Path) -> None:
    done = train("--recipe", "own.toml")
    assert done.returncode == 0, done.stderr
    stored = _stored(folder)
    asked, settings = stored["asked"], stored["settings"]
    assert asked["recipe"] == "own"
    assert asked["overrides"] == {"init": "xavier", "k": 6, "BB.dropout": 0.25}
    assert (settings["optimiser"], settings["lr"], settings["epochs"]) == ("adamw", 0.01, 1)
    assert settings["augment"] == ["pad_crop padding=1"]
    assert settings["batch_size"] == 64, "of the digits"
    assert run("evaluate", "run").returncode == 0


def test_the_command_line_is_over_the_recipe(train: Run, folder: Path) -> None:
    done = train("--recipe", "own.toml", "-D", "k=3", "--lr", "0.02", "--set", "epochs=2",
                  "--set", "augment=none", "--set", "schedule=cosine")  # fmt: skip
    assert done.returncode == 0, done.stderr
    stored = _stored(folder)
    assert stored["asked"]["overrides"]["k"] == "3"
    chosen = {"lr": 0.02, "epochs": 2, "augment": [], "schedule": "cosine", "warmup": 0.0}
    assert chosen.items() <= stored["settings"].items()


def test_any_setting_can_be_set_without_a_recipe(train: Run, folder: Path) -> None:
    done = train("--set", "iterations=3", "--set", "batch_size=16", "--set", "mixup=0.2",
                  "--no-augment", "--exact")  # fmt: skip
    told = "iterations=3 is rounded up to 4: 1 epoch of 4 steps\n"
    assert (done.returncode, done.stderr) == (0, told)
    stored = _stored(folder)
    chosen = {"epochs": 1, "batch_size": 16, "mixup": 0.2, "augment": [], "exact": True}
    assert chosen.items() <= stored["settings"].items()
    assert stored["asked"]["recipe"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "quik"], "error: no recipe is called 'quik'\n  = help: did you mean quick?\n"),
        (["--set", "optimizer=adam"],
         "error: 'optimizer' is not a setting\n  = help: did you mean optimiser?\n"),
        (["--set", "augment=flop"],
         "error: 'flop' is not a transform\n  = help: did you mean flip?\n"),
        (["--set", "lr=0"], "error: lr is 0, but must be above 0\n"),
        (["--lr", "0.1", "--set", "lr=0.2"],
         "Error: lr is given by its own option and by --set\n"),
        (["--recipe", "typo.toml"],
         "error: typo.toml, [train]: 'epoch' is not a setting\n  = help: did you mean epochs?\n"),
        (["--recipe", "network.toml"],
         "error[E0208]: recipe network, [network]: the file has no parameter `kk`; it has k\n"),
        (["--recipe", "network.toml", "-D", "kk=4"],
         "error[E0208]: the file has no parameter `kk`; it has k\n"),
        (["--recipe", "act.toml"],
         "error[E0206]: recipe act, [network]: `act` takes relu, relu6, gelu, silu, hardswish, "
         "leaky_relu, elu, sigmoid, tanh or none, not `rleu`; did you mean `relu`?\n"),
        (["--recipe", "layer.toml"],
         "error[E0208]: recipe layer, [network]: the network has no layer `Bott` to set dropout of\n"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_before_anything_is_written(
    train: Run, arguments: list[str], message: str, folder: Path
) -> None:
    (folder / "typo.toml").write_text("[train]\nepoch = 3\n")
    (folder / "network.toml").write_text("[network]\nkk = 3\n")
    (folder / "act.toml").write_text("[network]\nact = 'rleu'\n")
    (folder / "layer.toml").write_text("[network]\n'Bott.dropout' = 0.1\n")
    done = train(*arguments)
    assert (done.returncode, done.stderr.endswith(message)) == (2, True), done.stderr
    assert not (folder / "run").exists()


@pytest.mark.parametrize("name", recipes())
def test_a_shipped_recipe_fits_the_network_of_its_example(name: str) -> None:
    recipe = read_recipe(name)
    program, verb, *arguments = shlex.split(recipe.example)
    assert (program, verb) == ("netdsl", "train")
    with train_command.make_context("train", arguments) as context:
        source = open_arch(context.params["arch"])
    for part in (recipe, *recipe.stages):
        said = make_overrides(None, (3, 64, 64), 200, None, part.network)
        network = build(*source.with_overrides(said))
        assert network.output_shape == (200,)
