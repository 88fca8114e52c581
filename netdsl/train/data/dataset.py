"""What a data set is: as an entry, as a listing not yet read, and as images in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from netdsl.train.settings import Choices
from netdsl.train.transforms import Transform

Decoded = Callable[[int, int], None]  # told: images decoded so far, images to decode


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Images, uint8 (N, C, H, W) with the channels of a pixel side by side, and int64 labels."""

    images: Tensor = field(repr=False)
    labels: Tensor = field(repr=False)

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """Everything that a training needs to know of its data.

    `mean` and `std` are of each channel's pixels in 0 … 1, over all training images at once;
    `defaults` are the settings that suit the data.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    val: Split
    mean: tuple[float, ...]
    std: tuple[float, ...]
    augment: tuple[Transform, ...]
    defaults: Choices

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The images of a data set before any is decoded: a label each, and whether it is held out.

    `read` takes positions and returns these images, uint8 (n, C, H, W), all of one size.
    """

    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    held_out: NDArray[np.bool_]
    read: Callable[[NDArray[np.int64], Decoded], Tensor]


@dataclass(frozen=True, slots=True)
class Entry:
    """All that is known of a data set before it is there; `open` lists it, given its place."""

    name: str
    shape: tuple[int, int, int]
    classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    augment: tuple[Transform, ...]
    defaults: Choices
    source: str
    open: Callable[[Path | None], Listing]


def show_shape(shape: tuple[int, ...]) -> str:
    """Write a shape as the papers do.

    >>> show_shape((3, 64, 64))
    '3×64×64'
    """
    return "×".join(map(str, shape))
