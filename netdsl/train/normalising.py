"""A data set to what its pixels are reduced by: the mean of each channel, of all, of each pixel."""

from __future__ import annotations

import torch
from torch import Tensor

from netdsl.train.data.dataset import DataSet

_AT_ONCE = 4096  # images


def mean_and_std(data: DataSet, kind: str) -> tuple[Tensor, Tensor]:
    """Return mean and std of pixels in 0 … 1, one for each of the H × W × C values of an image.

    `channel`: of each channel. `global`: of all channels together. `pixel`: the mean image of the
    training set, and the std of all channels together, so that numbers are of the size that
    initialisations assume. `none`: pixels stay in 0 … 1.
    """
    _, height, width = data.shape
    mean, std = (torch.tensor(values, dtype=torch.float64) for values in (data.mean, data.std))
    if kind == "none":
        mean, std = torch.zeros_like(mean), torch.ones_like(std)
    elif kind != "channel":
        middle = mean.mean()
        std = (std.square() + mean.square()).mean().sub(middle.square()).sqrt().expand_as(mean)
        mean = middle.expand_as(mean)
    means, stds = (values.repeat(height * width).float() for values in (mean, std))
    return (_mean_image(data.train.images) if kind == "pixel" else means), stds


def _mean_image(images: Tensor) -> Tensor:
    """Return the mean of uint8 images (N, C, H, W), as a row of pixels (H × W × C)."""
    rows = images.permute(0, 2, 3, 1)
    sums = sum(
        (part.sum(0, dtype=torch.int64) for part in torch.split(rows, _AT_ONCE)),
        start=torch.zeros(rows.shape[1:], dtype=torch.int64),
    )
    return sums.double().div(255 * len(images)).float().flatten()
