"""Data sets by name, digits, and how many images of them are wanted."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from netdsl.train import DATA_SETS, ExitCode, TrainError, load
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
