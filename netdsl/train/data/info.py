"""A listing to what is worth knowing of it before a network learns from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from netdsl.train.data.dataset import Listing
from netdsl.train.data.source import Pixels
from netdsl.train.data.statistics import Channels, histogram, of_levels
from netdsl.train.data.told import Told

_SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class SplitInfo:
    """A split: how many images of each class, which sizes (H, W) and modes, and what is broken."""

    images: int
    by_class: Mapping[str, int]
    sizes: Mapping[tuple[int, int], int]
    modes: Mapping[str, int]
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Info:
    """What is in a data set; mean and std are of the training images, of all pixels at once.

    `others` are files among its images that are none by their names.
    """

    classes: tuple[str, ...]
    splits: Mapping[str, SplitInfo]
    mean: Channels
    std: Channels
    others: tuple[str, ...] = ()


@dataclass(slots=True)
class _Tally:
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    levels: NDArray[np.int64] | int = 0

    def add(self, pixels: Pixels | None, words: str) -> None:
        if pixels is None:
            self.broken.append(words)
            return
        self.modes[words] += 1
        self.sizes[pixels.shape[:2]] += 1
        self.levels = self.levels + histogram(pixels)


def describe(listing: Listing, told: Told) -> Info:
    """Read every image and return what is found; what cannot be read is part of that."""
    tallies = {split: _Tally() for split in _SPLITS}
    test = listing.labels < 0
    split = np.where(test, 2, listing.held_out)
    every = np.arange(len(listing.labels))
    for done, (pixels, words) in enumerate(listing.images.raw(every)):
        tallies[_SPLITS[split[done]]].add(pixels, words)
        told(done + 1, len(every))
    levels = tallies["train"].levels
    mean, std = ((), ()) if isinstance(levels, int) else of_levels(levels)
    splits = {
        name: _split_info(listing.classes, listing.labels[split == i], tallies[name])
        for i, name in enumerate(_SPLITS)
        if (split == i).any()
    }
    return Info(listing.classes, splits, mean, std, listing.others)


def _split_info(classes: tuple[str, ...], labels: NDArray[np.int64], tally: _Tally) -> SplitInfo:
    counts = np.bincount(labels[labels >= 0], minlength=len(classes))
    return SplitInfo(
        images=len(labels),
        by_class=dict(zip(classes, counts.tolist(), strict=True)) if counts.any() else {},
        sizes=dict(tally.sizes.most_common()),
        modes=dict(tally.modes.most_common()),
        broken=tuple(tally.broken),
    )
