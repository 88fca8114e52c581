"""What pixels are reduced by, against numpy over all training images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from netdsl.train import DataSet, Settings
from netdsl.train.batches import batches_in_order, feed
from netdsl.train.data import Split
from tests.statistics_of import channel_statistics


@pytest.fixture
def data() -> DataSet:
    generator = torch.Generator().manual_seed(4)
    rows = torch.randint(0, 200, (30, 5, 7, 3), dtype=torch.uint8, generator=generator)
    rows[..., 1] += 50
    train, val = (
        Split(part.permute(0, 3, 1, 2), torch.zeros(len(part), dtype=torch.int64))
        for part in (rows[:24], rows[24:])
    )
    return DataSet("noise", ("a", "b"), train, val, *channel_statistics(train.images), (), {})


def _normalised(data: DataSet, settings: Settings, kind: str) -> np.ndarray:
    source = feed(data.val, data, replace(settings, normalise=kind), stays=True)
    return torch.cat([images for images, _ in batches_in_order(source)]).numpy()


def test_each_kind_is_what_it_says_of_the_training_images(
    data: DataSet, settings: Settings
) -> None:
    train, val = (split.images.numpy() / 255 for split in (data.train, data.val))
    expected = {
        "channel": (val - train.mean((0, 2, 3), keepdims=True))
        / train.std((0, 2, 3), keepdims=True),
        "global": (val - train.mean()) / train.std(),
        "pixel": (val - train.mean(0)) / train.std(),
        "none": val,
    }
    for kind, images in expected.items():
        assert np.allclose(_normalised(data, settings, kind), images, atol=1e-5), kind
