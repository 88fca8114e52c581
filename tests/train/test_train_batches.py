"""Batches: each image once, in an order of the seed, normalised."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from netdsl.train import DataSet, Settings
from netdsl.train.batches import batches_in_order, feed, shuffled
from netdsl.train.data import Split
from netdsl.train.mixing import Mixed

AUGMENT = ("flip", "crop_rescale")


@pytest.fixture
def data() -> DataSet:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(0, 256, (33, 8, 16, 3), dtype=torch.uint8, generator=generator)
    split = Split(rows.permute(0, 3, 1, 2), torch.arange(33))
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
    return DataSet("noise", tuple(map(str, range(33))), split, split, mean, std, AUGMENT, {})


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, augment=AUGMENT)


def _by_label(data: DataSet, settings: Settings, epoch: int = 1) -> dict[int, torch.Tensor]:
    source = feed(data.train, data, settings, stays=True)
    return {
        int(label): image
        for images, _, labels in shuffled(source, settings, epoch)
        for image, label in zip(images, labels, strict=True)
    }


def test_images_are_normalised_by_channel(data: DataSet, settings: Settings) -> None:
    (images, labels), _ = batches_in_order(feed(data.val, data, settings, stays=True))
    pixels = data.val.images[:32].numpy() / 255
    mean, std = (np.reshape(values, (1, 3, 1, 1)) for values in (data.mean, data.std))
    assert np.allclose(images, (pixels - mean) / std, atol=1e-6)
    assert labels.tolist() == list(range(32))


@pytest.mark.parametrize("channels_last", [True, False])
def test_images_lie_in_memory_as_asked(
    data: DataSet, settings: Settings, channels_last: bool
) -> None:
    chosen = replace(settings, channels_last=channels_last)
    source = feed(data.train, data, chosen, stays=True)
    mixups = [replace(chosen, **{kind: 1.0}) for kind in ("mixup", "cutmix")]
    for batches in (batches_in_order(source), *(shuffled(source, s, 1) for s in (chosen, *mixups))):
        images, *_ = next(iter(batches))
        assert images.is_contiguous(memory_format=torch.channels_last) == channels_last


def test_validation_gives_every_image(data: DataSet, settings: Settings) -> None:
    sizes = [
        len(labels) for _, labels in batches_in_order(feed(data.val, data, settings, stays=True))
    ]
    assert sizes == [32, 1]


def test_a_single_image_left_over_is_not_trained_on(data: DataSet, settings: Settings) -> None:
    source = feed(data.train, data, settings, stays=True)
    assert [len(labels) for *_, labels in shuffled(source, settings, 1)] == [32]


def test_augmentation_depends_on_seed_epoch_and_image_only(
    data: DataSet, settings: Settings
) -> None:
    few, many = (_by_label(data, replace(settings, batch_size=size)) for size in (3, 31))
    assert few.keys() == many.keys() == set(range(33))
    assert all(torch.equal(few[label], many[label]) for label in few)


def test_the_order_changes_from_epoch_to_epoch(data: DataSet, settings: Settings) -> None:
    first, again, second = (list(_by_label(data, settings, epoch)) for epoch in (1, 1, 2))
    assert first == again != second


@pytest.mark.parametrize("start", [1, 4, 10])
def test_an_epoch_can_be_begun_at_any_step(data: DataSet, settings: Settings, start: int) -> None:
    mixing = replace(settings, batch_size=3, mixup=0.4, cutmix=1.0, augment=("heavy k=4",))
    source = feed(data.train, data, mixing, stays=True)
    all_steps, later = list(shuffled(source, mixing, 2)), list(shuffled(source, mixing, 2, start))
    assert len(all_steps) == 11 == len(later) + start
    for before, after in zip(all_steps[start:], later, strict=True):
        assert torch.equal(before[0], after[0])
        assert before[1].weight == after[1].weight
        assert torch.equal(before[1].others, after[1].others)
        assert torch.equal(before[2], after[2])


def test_batches_made_together_or_alone_are_alike(
    data: DataSet, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = replace(settings, batch_size=4)
    source = feed(data.train, data, chosen, stays=True)
    together = list(shuffled(source, chosen, 1))
    monkeypatch.setattr("netdsl.train.batches._PIXELS_AT_ONCE", 1)
    alone = list(shuffled(source, chosen, 1))
    assert all(torch.equal(a[0], b[0]) for a, b in zip(together, alone, strict=True))


def test_without_mixing_an_image_shows_its_label(data: DataSet, settings: Settings) -> None:
    for _, target, labels in shuffled(feed(data.train, data, settings, stays=True), settings, 1):
        assert target is labels


def test_mixing_is_drawn_anew_for_every_step(data: DataSet, settings: Settings) -> None:
    mixing = replace(settings, batch_size=4, mixup=1.0)
    batches = shuffled(feed(data.train, data, mixing, stays=True), mixing, 1)
    weights = {target.weight for _, target, _ in batches if isinstance(target, Mixed)}
    assert len(weights) == 8
