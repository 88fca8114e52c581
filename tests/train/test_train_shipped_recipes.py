"""Every recipe that comes along: what it resolves to, and that it takes its first steps."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from netdsl.train import DataSet, RunFolder, resolve, train
from netdsl.train.data import Split
from netdsl.train.recipe import Recipe, Stage, read_recipe, recipes
from netdsl.train.resolve import Choices
from netdsl.train.settings import Settings

IMAGES = {"cifar": 50_000, "tiny": 100_000}


@pytest.fixture(scope="module")
def pictures() -> DataSet:
    """Images of 64×64, so that every transform fits; two batches of three."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(0, 256, (9, 64, 64, 3), dtype=torch.uint8, generator=generator)
    labels = torch.arange(9) % 3
    train, val = (Split(rows[part].permute(0, 3, 1, 2), labels[part]) for part in
                  (slice(0, 6), slice(6, 9)))  # fmt: skip
    return DataSet("noise", ("a", "b", "c"), train, val, (0.5,) * 3, (0.3,) * 3, ("flip",), {})


def _trainings() -> list[Recipe | Stage]:
    known = [read_recipe(name) for name in recipes()]
    return [part for recipe in known for part in (recipe.stages or (recipe,))]


@pytest.mark.parametrize("part", _trainings(), ids=lambda part: part.name)
def test_a_shipped_recipe_takes_its_first_steps(
    part: Recipe | Stage, pictures: DataSet, tmp_path: Path
) -> None:
    suited: Choices = {"augment": pictures.augment}
    tried: Choices = {"epochs": 1, "batch_size": 3, "device": "cpu", "threads": 1}
    settings = resolve(suited, part.train, tried, images=6)
    run = RunFolder.create(
        "Conv 8\n", settings, {"recipe": part.name}, data=pictures, path=tmp_path / "run"
    )
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 3),
    )
    before = model[0].weight.detach().clone()
    summary = train(model, pictures, settings, run)
    assert 0.1 < summary.last.train_loss < 10
    assert not torch.equal(model[0].weight.detach(), before)


def _resolved(name: str) -> Settings:
    images = IMAGES["tiny" if name.startswith("tiny") else "cifar"]
    return resolve(read_recipe(name).train, {"device": "cpu"}, images=images)


def test_the_recipe_of_report_000_crops_56_of_64_and_flips() -> None:
    assert _resolved("tiny-resnet").augment == ("flip", "crop_rescale size=56 p=0.7")


def test_the_recipe_of_report_002_is_that_of_the_report() -> None:
    s = _resolved("cifar-resnet")
    assert (s.optimiser, s.batch_size, s.lr, s.gamma) == ("sgd", 128, 0.1, 0.1)
    assert (s.normalise, s.augment) == ("pixel", ("pad_crop padding=4", "flip"))
    assert (s.epochs, s.unit, s.milestones) == (164, "iterations", (32_000, 48_000))
    assert read_recipe("cifar-resnet").network == {"init": "kaiming"}


@pytest.mark.parametrize("name", ["cifar-bottom-up", "cifar-top-down"])
def test_stages_of_report_002_last_as_long_and_go_at_the_rates_of_the_report(name: str) -> None:
    stages = [resolve(stage.train, {"device": "cpu"}) for stage in read_recipe(name).stages]
    assert [s.epochs for s in stages] == [50, 50, 100]
    assert [s.milestones for s in stages] == [(40,), (40,), (40, 80)]
    assert {(s.lr, s.gamma, s.unit, s.batch_size) for s in stages} == {(0.1, 0.1, "epochs", 128)}


@pytest.mark.parametrize(
    ("name", "epochs", "milestone", "normalise"),
    [("tiny-vanilla", 15, 10_000, "none"), ("tiny-heavy", 70, 40_000, "global")],
)
def test_recipes_of_report_003_have_its_iterations(
    name: str, epochs: int, milestone: int, normalise: str
) -> None:
    s = _resolved(name)
    assert (s.epochs, s.batch_size, s.milestones, s.unit) == (
        epochs,
        100,
        (milestone,),
        "iterations",
    )
    assert s.normalise == normalise


def test_heavy_augmentation_goes_with_stochastic_depth() -> None:
    recipe = read_recipe("tiny-heavy")
    assert recipe.train.get("augment") == ("heavy k=3",)
    assert recipe.network == {"drop_path": 0.5}


def test_the_rows_of_report_004_differ_from_its_base_in_what_they_are_about() -> None:
    base = read_recipe("cifar100-onecycle")
    s = _resolved("cifar100-onecycle")
    assert (s.epochs, s.batch_size, s.lr, s.momentum, s.weight_decay) == (25, 256, 0.01, 0.9, 1e-4)
    assert (s.schedule, s.normalise) == ("one_cycle", "pixel")
    rows = {
        "cifar100-lr-high": ({}, {"lr": 0.1}),
        "cifar100-lr-low": ({}, {"lr": 0.001}),
        "cifar100-wide": ({"k": 2}, {}),
        "cifar100-3x3": ({"shortcut_kernel": 3}, {}),
        "cifar100-pre": ({"order": "pre", "shortcut_norm": "before"}, {}),
        "cifar100-no-norm": ({"norm": "none", "bias": False}, {}),
        "cifar100-dropout": ({"dropout": 0.2, "last_dropout": 1}, {}),
        "cifar100-adam": ({}, {"optimiser": "adam"}),
        "cifar100-adam-clip": ({}, {"optimiser": "adam", "clip": 0.1}),
        "cifar100-new-wide": ({"k": 2, "shortcut_kernel": 3}, {"optimiser": "adam", "clip": 0.1}),
        "cifar100-pretrained": ({}, {}),
    }
    for name, (network, train_) in rows.items():
        row = read_recipe(name)
        assert (row.network, row.train) == (network, {**base.train, **train_}), name
    assert read_recipe("cifar100-pretrained").weights == "torchvision:resnet18"


def test_fine_tuning_begins_with_the_head() -> None:
    head, whole = read_recipe("finetune").stages
    assert (head.freeze, whole.freeze) == (("body",), ())
    assert whole.train["lr"] < head.train["lr"]


def test_every_recipe_says_what_it_is_about_and_how_it_is_used() -> None:
    for name in recipes():
        recipe = read_recipe(name)
        assert recipe.about, name
        assert f"--recipe {name}" in recipe.example, name
