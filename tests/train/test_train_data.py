"""Data sets by name, digits, and how many images of them are wanted."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from netdsl.train import DATA_SETS, DataSet, ExitCode, TrainError, load
from netdsl.train.data import Split
from netdsl.train.inference import pick_split
from tests.statistics_of import channel_statistics


def test_digits_are_1797_images_a_fifth_held_out() -> None:
    data = load("digits")
    assert (data.shape, len(data.train), len(data.val)) == ((1, 8, 8), 1438, 359)
    assert data.train.labels.bincount().tolist() == [
        142,
        146,
        142,
        146,
        145,
        146,
        145,
        143,
        139,
        144,
    ]
    assert data.train.images.dtype == torch.uint8
    assert data.train.labels.dtype == torch.int64


def test_digits_look_like_digits() -> None:
    data = load("digits")
    (zero,) = data.train.images[data.train.labels == 0][0]
    assert zero[0].tolist() == [0, 0, 80, 207, 143, 16, 0, 0]


def test_the_entry_of_digits_holds_the_statistics_of_its_training_images() -> None:
    data = load("digits")
    assert np.allclose(channel_statistics(data.train.images), (data.mean, data.std), atol=5e-5)


@pytest.mark.parametrize("name", DATA_SETS)
def test_an_entry_is_complete(name: str) -> None:
    entry = DATA_SETS[name]
    assert len(entry.mean) == len(entry.std) == (0 if entry.free else entry.shape[0])
    assert entry.source
    assert set(entry.defaults) >= {"epochs", "batch_size", "lr"}


def test_statistics_are_those_of_all_pixels_at_once() -> None:
    images = torch.randint(0, 256, (1030, 2, 3, 5), dtype=torch.uint8)
    mean, std = channel_statistics(images)
    pixels = images.numpy() / 255
    assert np.allclose(mean, pixels.mean((0, 2, 3)))
    assert np.allclose(std, pixels.std((0, 2, 3)))


def test_a_limit_keeps_each_class_and_as_much_of_the_validation_images() -> None:
    data = load("digits", limit=100)
    assert (len(data.train), len(data.val)) == (100, 25)
    assert set(data.train.labels.bincount().tolist()) == {10}
    more = load("digits", limit=10_000)
    assert (len(more.train), len(more.val)) == (1438, 359)


def test_the_first_classes_can_be_had_alone() -> None:
    data = load("digits", limit_classes=3)
    assert data.classes == ("0", "1", "2")
    assert set(data.train.labels.tolist()) == set(data.val.labels.tolist()) == {0, 1, 2}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit_classes": 11}, "limit_classes is 11, but must be from 2 to 10"),
        ({"limit_classes": 1}, "limit_classes is 1, but must be 2 or more"),
        ({"limit": 1}, "limit is 1, but must be 2 or more"),
    ],
)
def test_limits_out_of_range_are_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(TrainError) as caught:
        load("digits", **options)
    assert (str(caught.value), caught.value.exit_code) == (message, ExitCode.USAGE)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("digit", "did you mean digits?"),
        ("no-such", "data sets: digits, shapes, cifar10, cifar100, tiny-imagenet"),
    ],
)
def test_an_unknown_name_gets_a_suggestion(name: str, hint: str) -> None:
    with pytest.raises(TrainError) as caught:
        load(name)
    assert str(caught.value) == f"no data set and no folder is called {name}"
    assert (caught.value.help, caught.value.exit_code) == (hint, ExitCode.DATA)


def test_a_file_in_place_of_a_folder_is_to_be_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "images.zip"
    archive.write_bytes(b"PK")
    with pytest.raises(TrainError) as caught:
        load(str(archive))
    assert str(caught.value) == f"{archive} is a file, and no folder of images"
    assert caught.value.help == (
        "if it is an archive, unpack it and name the folder: a data folder has one sub-folder a class with its images, "
        "or the sub-folders train and val with such folders each"
    )


def _made(**changes: Any) -> DataSet:
    """Return a data set that somebody makes of 4 and 2 images in 3 classes."""
    made = {
        "images": torch.zeros(4, 3, 8, 8, dtype=torch.uint8), "labels": torch.tensor([0, 1, 2, 0]),
        "val_images": torch.zeros(2, 3, 8, 8, dtype=torch.uint8), "val_labels": torch.tensor([1, 2]),
        "mean": (0.5,) * 3, "std": (0.5,) * 3, **changes,
    }  # fmt: skip
    return DataSet(
        "mine", ("a", "b", "c"), Split(made["images"], made["labels"]),
        Split(made["val_images"], made["val_labels"]), made["mean"], made["std"], (), {},
    )  # fmt: skip


@pytest.mark.parametrize("kind", [list, torch.tensor, np.array], ids=["list", "tensor", "array"])
def test_means_and_stds_of_a_tensor_are_numbers(kind: Any) -> None:
    data = _made(mean=kind([0.5, 0.25, 0.125]), std=kind([0.25] * 3))
    assert repr((data.mean, data.std)) == "((0.5, 0.25, 0.125), (0.25, 0.25, 0.25))"


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        (
            {"images": torch.rand(4, 3, 8, 8)},
            "images are uint8 (N, C, H, W), not float32 (4, 3, 8, 8)",
        ),
        (
            {"val_images": torch.zeros(2, 8, 8, dtype=torch.uint8)},
            "images are uint8 (N, C, H, W), not uint8 (2, 8, 8)",
        ),
        (
            {"labels": torch.zeros(4, dtype=torch.int32)},
            "labels are int64 (N), not int32 (4,)",
        ),
        ({"labels": torch.zeros(4, 3).long()}, "labels are int64 (N), not int64 (4, 3)"),
        (
            {"images": torch.zeros(4, 3, 8, 8, dtype=torch.uint8).numpy()},
            "images are a tensor, not of type ndarray",
        ),
        ({"labels": [0, 1, 2, 0]}, "labels are a tensor, not of type list"),
        ({"labels": torch.zeros(3).long()}, "4 images have 3 labels"),
        (
            {"images": torch.zeros(1, 3, 8, 8).byte(), "labels": torch.zeros(1).long()},
            "mine has 1 training and 2 validation images, but at least 2 and 1 are needed",
        ),
        (
            {"val_images": torch.zeros(0, 3, 8, 8).byte(), "val_labels": torch.zeros(0).long()},
            "mine has 4 training and 0 validation images, but at least 2 and 1 are needed",
        ),
        (
            {"val_images": torch.zeros(2, 1, 8, 8).byte()},
            "mine trains on 3×8×8 images, but validates on 1×8×8",
        ),
        (
            {"labels": torch.tensor([0, 1, 2, 3])},
            "a training label of mine is 3, but must be from 0 to 2",
        ),
        (
            {"val_labels": torch.tensor([0, -100])},
            "a validation label of mine is -100, but must be from 0 to 2",
        ),
        ({"mean": (0.5,)}, "mine has 1 means for 3 channels"),
        ({"std": (0.5,) * 4}, "mine has 4 stds for 3 channels"),
        ({"std": (0.5, 0.0, 0.5)}, "a std of mine is 0, but must be above 0 and at most 1"),
        ({"std": (0.5, 0.5, math.nan)}, "a std of mine is nan, but must be above 0 and at most 1"),
        ({"mean": (0.5, math.inf, 0.5)}, "a mean of mine is inf, but must be from 0 to 1"),
        ({"mean": (125.3, 122.9, 113.9)}, "a mean of mine is 125.3, but must be from 0 to 1"),
    ],
)
def test_a_data_set_that_somebody_makes_is_checked(changes: dict[str, Any], fact: str) -> None:
    with pytest.raises(TrainError) as caught:
        _made(**changes)
    assert (str(caught.value), caught.value.exit_code) == (fact, ExitCode.DATA)


def test_a_data_set_that_somebody_makes_may_lie_in_memory_as_it_likes() -> None:
    rows = torch.zeros(4, 8, 8, 3, dtype=torch.uint8)
    assert _made(images=rows.permute(0, 3, 1, 2)).shape == (3, 8, 8)


def test_a_named_data_set_is_called_by_its_name_whatever_lies_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "shapes").symlink_to("pictures")
    monkeypatch.chdir(tmp_path)
    assert load("shapes", limit=20).name == "shapes"
    assert pick_split("shapes", "val").where == "shapes, val"
