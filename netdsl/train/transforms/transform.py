"""What a transform is, and the random numbers that it is given.

Images are rows of pixels here, (N, H, W, C) and contiguous: a pixel's channels lie side by side,
which is what makes gathering, cutting and rescaling fast. A transform draws nothing itself: it is
given its numbers in [0, 1), one line an image, so that the same seed, epoch and image give the
same augmentation in any order and any batch size, on any device.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor


class Transform(Protocol):
    """One augmentation of a batch; `draws` random numbers decide what becomes of an image."""

    @property
    def draws(self) -> int: ...

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        """Return uint8 images of the same shape; `numbers` is (N, draws)."""


def random_numbers(seed: int, epoch: int, stream: int, count: int, draws: int) -> Tensor:
    """Return float32 numbers in [0, 1), (count, draws): a line depends on nothing after it.

    >>> few, many = (random_numbers(1, 2, 0, count, 3) for count in (5, 500))
    >>> torch.equal(few, many[:5])
    True
    """
    return torch.from_numpy(generator(seed, epoch, stream).random((count, draws), np.float32))


def random_order(seed: int, epoch: int, stream: int, count: int) -> Tensor:
    """Return the positions 0 … count - 1, shuffled."""
    return torch.from_numpy(generator(seed, epoch, stream).permutation(count))


def generator(*key: int) -> np.random.Generator:
    """Return a stream of random numbers of its own for every key."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
