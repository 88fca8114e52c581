"""Images that do not stay on a device are brought there, and make the same batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from netdsl.train import DataSet, Settings
from netdsl.train.batches import Feed, batches_in_order, feed, shuffled
from netdsl.train.gathering import bring, stays
from netdsl.train.mixing import Mixed


@pytest.fixture
def mixing(settings: Settings) -> Settings:
    return replace(
        settings, batch_size=7, augment=("flip", "pad_crop padding=1", "heavy k=2"), cutmix=1.0
    )


def _feeds(digits: DataSet, settings: Settings) -> tuple[Feed, Feed]:
    here, elsewhere = (feed(digits.train, digits, settings, stays=s) for s in (True, False))
    return here, elsewhere


@pytest.mark.parametrize("start", [0, 5])
def test_batches_are_the_same_whether_images_stay_or_are_brought(
    start: int, digits: DataSet, mixing: Settings
) -> None:
    here, elsewhere = (
        list(shuffled(source, mixing, 2, start)) for source in _feeds(digits, mixing)
    )
    assert len(here) == len(elsewhere) == 29 - start
    for one, other in zip(here, elsewhere, strict=True):
        assert torch.equal(one[0], other[0])
        assert isinstance(one[1], Mixed)
        assert torch.equal(one[1].others, other[1].others)
        assert torch.equal(one[2], other[2])


def test_validation_is_the_same_whether_images_stay_or_are_brought(
    digits: DataSet, mixing: Settings
) -> None:
    here, elsewhere = (list(batches_in_order(source)) for source in _feeds(digits, mixing))
    assert [len(labels) for _, labels in elsewhere] == [7] * 28 + [4]
    for one, other in zip(here, elsewhere, strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])


def _parts() -> tuple[Tensor, ...]:
    return tuple(torch.tensor(places) for places in ([3, 1], [0, 2, 2], [1]))


def test_images_are_brought_in_their_order() -> None:
    rows = torch.arange(4 * 2, dtype=torch.uint8).view(4, 2)
    found = list(bring(rows, _parts(), torch.device("cpu")))
    assert [images[:, 0].tolist() for images in found] == [[6, 2], [0, 4, 4], [2]]


def test_nothing_is_brought_of_nothing() -> None:
    assert list(bring(torch.zeros(4, 2), (), torch.device("cpu"))) == []


def test_a_place_that_is_not_there_is_an_error_of_its_own_part() -> None:
    parts = (torch.tensor([0]), torch.tensor([9]))
    coming: Iterator[Tensor] = bring(torch.zeros(4, 2), parts, torch.device("cpu"))
    next(coming)
    with pytest.raises((IndexError, RuntimeError), match="out of range"):
        next(coming)


@pytest.mark.parametrize(
    ("size", "need", "stay"), [(500, 0, True), (501, 0, False), (400, 200, True), (401, 200, False)]
)
def test_images_stay_on_a_gpu_in_half_of_what_training_leaves_free(
    size: int, need: int, stay: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netdsl.train.gathering.free_memory", lambda device: 1000)
    assert stays([size - 100, 100], "cuda", need) == stay
    assert stays([10**9], "cpu", need)
