"""A random choice of transforms for each image, each with random strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.transforms.colour import Blur, Brightness, Colour, Contrast, Erase, Sharpness
from netdsl.train.transforms.geometry import Crop, Rotate, Scale, Shear, Shift
from netdsl.train.transforms.pixels import pick
from netdsl.train.transforms.simple import Flip
from netdsl.train.transforms.transform import Transform

TWELVE: tuple[Transform, ...] = (
    Flip(p=1.0), Crop(), Scale(), Shift(), Rotate(), Shear(),
    Brightness(), Contrast(), Colour(), Sharpness(), Blur(), Erase(),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heavy:
    """Choose `k` of the twelve for each image, and apply them one after the other.

    After report 003, section 6: the strengths are such that a person still sees what it is.
    """

    k: int = 3
    draws: ClassVar[int] = len(TWELVE) + sum(transform.draws for transform in TWELVE)

    def __post_init__(self) -> None:
        if not 1 <= self.k <= len(TWELVE):
            fact = f"k of heavy is {self.k}, but must lie between 1 and {len(TWELVE)}"
            raise TrainError(fact, None, ExitCode.USAGE)

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        sizes = [len(TWELVE), *(transform.draws for transform in TWELVE)]
        keys, *strengths = torch.split(numbers, sizes, 1)
        chosen = choose(keys, self.k)
        rows, apply = rows.clone(), to_some if rows.device.type == "cpu" else to_all
        for column, (transform, drawn) in enumerate(zip(TWELVE, strengths, strict=True)):
            rows = apply(transform, rows, drawn, chosen[:, column])
        return rows


@dataclass(frozen=True, slots=True)
class Sometimes:
    """Apply a transform with probability `p`."""

    transform: Transform
    p: float

    @property
    def draws(self) -> int:
        """One more than the transform itself."""
        return self.transform.draws + 1

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        return pick(numbers[:, 0] < self.p, self.transform(rows, numbers[:, 1:]), rows)


def to_some(transform: Transform, rows: Tensor, numbers: Tensor, chosen: Tensor) -> Tensor:
    """Transform the images that were chosen, in their place."""
    (some,) = chosen.nonzero(as_tuple=True)
    if len(some):
        rows[some] = transform(rows[some], numbers[some])
    return rows


def to_all(transform: Transform, rows: Tensor, numbers: Tensor, chosen: Tensor) -> Tensor:
    """Return the same, every image transformed: on a GPU, counting the chosen would wait for it."""
    return pick(chosen, transform(rows, numbers), rows)


def choose(keys: Tensor, k: int) -> Tensor:
    """Say of each line of random keys which are its `k` lowest.

    >>> choose(torch.tensor([[0.3, 0.1, 0.9], [0.2, 0.8, 0.4]]), 2).int().tolist()
    [[1, 1, 0], [1, 0, 1]]
    """
    lowest = keys.argsort(dim=1, stable=True)[:, :k]
    return torch.zeros_like(keys, dtype=torch.bool).scatter_(1, lowest, value=True)
