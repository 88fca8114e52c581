"""Batches: each image once, in an order of the seed, normalised."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from netdsl.train import DataSet, Settings
from netdsl.train.batches import feed, in_order, shuffled
from netdsl.train.data import Split
from netdsl.train.transforms import CropRescale, Flip


@pytest.fixture
def data() -> DataSet:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(0, 256, (33, 8, 16, 3), dtype=torch.uint8, generator=generator)
    split = Split(rows.permute(0, 3, 1, 2), torch.arange(33))
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
    return DataSet("noise", ("a", "b"), split, split, mean, std, (Flip(), CropRescale()), {})


def _by_label(data: DataSet, settings: Settings, epoch: int = 1) -> dict[int, torch.Tensor]:
    source = feed(data.train, data, settings)
    batches = shuffled(source, data.augment, settings.seed, epoch)
    return {
        int(label): image
        for images, labels in batches
        for image, label in zip(images, labels, strict=True)
    }


def test_images_are_normalised_by_channel(data: DataSet, settings: Settings) -> None:
    (images, labels), _ = in_order(feed(data.val, data, settings))
    pixels = data.val.images[:32].numpy() / 255
    mean, std = (np.reshape(values, (1, 3, 1, 1)) for values in (data.mean, data.std))
    assert np.allclose(images, (pixels - mean) / std, atol=1e-6)
    assert labels.tolist() == list(range(32))


@pytest.mark.parametrize("channels_last", [True, False])
def test_images_lie_in_memory_as_asked(
    data: DataSet, settings: Settings, channels_last: bool
) -> None:
    source = feed(data.train, data, replace(settings, channels_last=channels_last))
    for batches in (in_order(source), shuffled(source, data.augment, 0, 1)):
        images, _ = next(iter(batches))
        assert images.is_contiguous(memory_format=torch.channels_last) == channels_last


def test_validation_gives_every_image(data: DataSet, settings: Settings) -> None:
    sizes = [len(labels) for _, labels in in_order(feed(data.val, data, settings))]
    assert sizes == [32, 1]


def test_a_single_image_left_over_is_not_trained_on(data: DataSet, settings: Settings) -> None:
    source = feed(data.train, data, settings)
    assert [len(labels) for _, labels in shuffled(source, (), 0, 1)] == [32]


def test_augmentation_depends_on_seed_epoch_and_image_only(
    data: DataSet, settings: Settings
) -> None:
    few, many = (_by_label(data, replace(settings, batch_size=size)) for size in (3, 31))
    assert few.keys() == many.keys() == set(range(33))
    assert all(torch.equal(few[label], many[label]) for label in few)


def test_the_order_changes_from_epoch_to_epoch(data: DataSet, settings: Settings) -> None:
    first, again, second = (list(_by_label(data, settings, epoch)) for epoch in (1, 1, 2))
    assert first == again != second
