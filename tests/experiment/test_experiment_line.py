"""A row and a seed to a line of the shell, what the line would train, and the key of that."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdsl.cli.resolve_line import resolve_line
from netdsl.cli.train import command
from netdsl.experiment.key import Resolved, key_of
from netdsl.experiment.line import train_line
from netdsl.experiment.variant import Variant
from netdsl.train.choices import parse_choices

TINY = "input 1x8x8  classes 10\nn = 1\nConv 4  Max 2  (BB 8 dropout=0.2)x n  GAP  FC classes\n"
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "lr": st.floats(1e-6, 10), "epochs": st.integers(1, 99), "nesterov": st.booleans(),
        "milestones": st.sets(st.floats(1, 99), max_size=3).map(lambda found: tuple(sorted(found))),
        "augment": st.lists(st.sampled_from(["flip", "pad_crop padding=2"]), max_size=2).map(tuple),
    },
)  # fmt: skip


@given(SETTINGS, st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)), st.text(min_size=1))
def test_a_line_says_to_a_shell_and_to_train_what_the_row_says(
    chosen: dict[str, object], params: dict[str, int], label: str
) -> None:
    variant = Variant(f"./{label}.arch", plain=True, params=params, data="digits", set=chosen)
    line = train_line(variant, 7, Path("runs/x y"))
    assert tuple(shlex.split(shlex.join(line))) == line
    said = command.make_context("train", list(line[2:])).params
    assert (said["arch"], said["plain"], said["seed"]) == (variant.arch, True, 7)
    assert (said["run_dir"], said["resume"]) == (Path("runs/x y"), "auto")
    assert said["definitions"] == tuple(f"{k}={v}" for k, v in params.items())
    assert parse_choices(said["assignments"]) == chosen


@pytest.fixture
def tiny(tmp_path: Path) -> Variant:
    path = tmp_path / "tiny.arch"
    path.write_text(TINY)
    return Variant(str(path), data="digits", limit=100, set={"epochs": 2})


def resolved(variant: Variant) -> Resolved:
    return resolve_line(train_line(variant, 0, Path("runs")))


def test_a_line_resolves_to_what_train_would_train(tiny: Variant) -> None:
    (stage,) = resolved(replace(tiny, plain=True, params={"n": 2}))
    assert (stage.network.depth, stage.network.settings.residual) == (6, False)
    assert (stage.settings.epochs, len(stage.images.train), stage.images.name) == (2, 100, "digits")
    assert stage.chosen == {"epochs", "seed"}


def test_a_key_changes_with_all_that_decides(tiny: Variant, tmp_path: Path) -> None:
    other = tmp_path / "other.arch"
    other.write_text(TINY.replace("Conv 4", "Conv 5"))
    variants = [
        tiny, replace(tiny, arch=str(other)), replace(tiny, plain=True), replace(tiny, limit=90),
        replace(tiny, set={"epochs": 3}), replace(tiny, set={"epochs": 2, "precision": "fp32"}),
        replace(tiny, classes=5), replace(tiny, params={"n": 2}), replace(tiny, recipe="quick"),
    ]  # fmt: skip
    keys = [key_of(resolved(variant), 0) for variant in variants]
    keys.append(key_of(resolved(tiny), 1))
    assert len(set(keys)) == len(keys)


def test_a_key_stays_with_what_does_not_decide(tiny: Variant, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "tiny.arch"
    copy.parent.mkdir()
    copy.write_text(TINY.replace("Conv 4  Max 2", "Conv4, Max2  →"))
    key = key_of(resolved(tiny), 0)
    assert key_of(resolved(replace(tiny, arch=str(copy))), 0) == key
    (stage,) = resolved(tiny)
    settings = replace(stage.settings, threads=7, device="mps", precision="fp32")
    moved = replace(stage, settings=settings)
    assert key_of((moved,), 0) == key
    settings = replace(settings, seed=3)
    assert key_of((replace(moved, settings=settings),), 0) == key


def test_a_key_holds_what_is_in_a_file_of_weights(tiny: Variant, tmp_path: Path) -> None:
    weights = tmp_path / "first.safetensors"
    keys = []
    for content in (b"one", b"two"):
        weights.write_bytes(content)
        (stage,) = resolved(replace(tiny, weights=str(weights)))
        keys.append(key_of((stage,), 0))
    assert keys[0] != keys[1]


def test_a_training_by_stages_resolves_to_all_of_them() -> None:
    variant = Variant("resnet-by-parts", data="shapes", recipe="cifar-top-down", limit=50)
    stages = resolve_line(train_line(variant, 0, Path("runs")))
    assert [stage.folder[:2] for stage in stages] == ["1-", "2-", "3-"]
    assert len({key_of((stage,), 0) for stage in stages}) == 3


def test_stages_behind_the_first_begin_with_no_weights_of_a_file(
    tiny: Variant, tmp_path: Path
) -> None:
    weights, recipe = tmp_path / "first.safetensors", tmp_path / "recipe.toml"
    weights.touch()
    stages = "[[stage]]\nname = 'a'\n[[stage]]\nname = 'b'\n"
    keys = []
    for first, variant in (
        ("", replace(tiny, weights=str(weights), recipe=str(recipe))),
        (f"weights = '{weights}'\n", replace(tiny, recipe=str(recipe))),
    ):
        recipe.write_text(first + stages)
        found = resolved(variant)
        assert [stage.asked["init"] for stage in found] == [str(weights), None]
        keys.append(key_of(found, 0))
    assert keys[0] == keys[1]
