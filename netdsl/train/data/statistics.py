"""Images to the mean and the standard deviation of each channel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Channels = tuple[float, ...]


def histogram(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how often each channel has each grey level: uint8 (N, H, W, C) to (C, 256).

    >>> histogram(np.array([[[[7, 9, 7]]]], np.uint8)).argmax(1).tolist()
    [7, 9, 7]
    """
    *_, width, channels = pixels.shape
    if channels in (1, 3) and pixels.size:
        # NOTE: Pillow counts bytes; numpy makes eight of each first, and takes 2.6 times as long.
        rows = pixels.reshape((-1, width) if channels == 1 else (-1, width, channels))
        return np.array(Image.fromarray(rows).histogram(), np.int64).reshape(channels, 256)
    planes = np.moveaxis(pixels, -1, 0)
    return np.stack([np.bincount(plane.reshape(-1), minlength=256) for plane in planes])


def of_levels(counts: NDArray[np.int64] | Sequence[Sequence[int]]) -> tuple[Channels, Channels]:
    """Return mean and std in 0 … 1 of grey levels that occur so often in each channel.

    A channel that never changes has the std of one grey level, so that it can be divided by.

    >>> of_levels([[2] + [0] * 254 + [2]])
    ((0.5,), (0.5,))
    """
    levels = np.arange(256) / 255
    share = np.asarray(counts, np.float64)
    share /= share.sum(1, keepdims=True)
    mean = share @ levels
    variance = (share * np.square(levels - mean[:, None])).sum(1)
    std = np.maximum(np.sqrt(variance), 1 / 255)
    return tuple(mean.tolist()), tuple(std.tolist())
