"""Images to the mean and the standard deviation of each channel."""

from __future__ import annotations

import torch
from torch import Tensor

Channels = tuple[float, ...]


def channel_statistics(images: Tensor) -> tuple[Channels, Channels]:
    """Return mean and std of the pixels in 0 … 1, over all uint8 images (N, C, H, W) at once.

    A channel that never changes has the std of one grey level, so that it can be divided by.

    >>> channel_statistics(torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1))
    ((0.5,), (0.5,))
    """
    levels = torch.arange(256, dtype=torch.float64) / 255
    both = [_mean_and_std(_histogram(channel), levels) for channel in images.unbind(1)]
    mean, std = zip(*both, strict=True)
    return mean, std


def _histogram(channel: Tensor) -> Tensor:
    return sum(
        (torch.bincount(part.reshape(-1), minlength=256) for part in torch.split(channel, 1024)),
        start=torch.zeros(256, dtype=torch.int64),
    )


def _mean_and_std(counts: Tensor, levels: Tensor) -> tuple[float, float]:
    share = counts / counts.sum()
    mean = (share * levels).sum()
    variance = (share * (levels - mean).square()).sum()
    return mean.item(), max(variance.sqrt().item(), 1 / 255)
