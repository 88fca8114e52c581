"""Images moved, turned, sheared or scaled about their middle; what comes in is black.

Bilinear, as Pillow's `Image.transform` does it, to one grey level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from netdsl.train.transforms.pixels import as_images, as_rows

_DOWN = 1 / 512  # fractions of a grey level are cut off, but for what floats leave of whole ones


@dataclass(frozen=True, slots=True)
class Crop:
    """Cut a window of at least `least` of each side, and scale it to the old size."""

    least: float = 0.75
    draws: ClassVar[int] = 3

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        size = self.least + (1 - self.least) * numbers[:, 0]
        return affine(
            rows, xx=size, yy=size, x=_offset(numbers, 2, size), y=_offset(numbers, 1, size)
        )


@dataclass(frozen=True, slots=True)
class Scale:
    """Enlarge or shrink by up to the part `most`."""

    most: float = 0.25
    draws: ClassVar[int] = 1

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        size = 1 / (1 + self.most * signed(numbers[:, 0]))
        return affine(rows, xx=size, yy=size)


@dataclass(frozen=True, slots=True)
class Shift:
    """Move in both directions by up to the part `most` of a side."""

    most: float = 0.15
    draws: ClassVar[int] = 2

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        y, x = self.most * signed(numbers).T
        return affine(rows, x=x, y=y)


@dataclass(frozen=True, slots=True)
class Rotate:
    """Turn by up to `most` degrees."""

    most: float = 20.0
    draws: ClassVar[int] = 1

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        angle = math.radians(self.most) * signed(numbers[:, 0])
        cos, sin = angle.cos(), angle.sin()
        return affine(rows, xx=cos, xy=-sin, yx=sin, yy=cos)


@dataclass(frozen=True, slots=True)
class Shear:
    """Move each row by up to the part `most` of its distance from the middle."""

    most: float = 0.25
    draws: ClassVar[int] = 1

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        return affine(rows, xy=self.most * signed(numbers[:, 0]))


def affine(
    rows: Tensor,
    *,
    xx: Tensor | float = 1.0,
    xy: Tensor | float = 0.0,
    x: Tensor | float = 0.0,
    yx: Tensor | float = 0.0,
    yy: Tensor | float = 1.0,
    y: Tensor | float = 0.0,
) -> Tensor:
    """Return images whose pixel (X, Y) is what was at (xx·X + xy·Y + x·W, yx·X + yy·Y + y·H).

    X and Y are counted from the middle; x and y are parts of a side.
    """
    n, height, width, _ = rows.shape
    tall = height / width  # a grid runs from -1 to 1 along either side
    entries = (xx, xy * tall, 2 * x, yx / tall, yy, 2 * y)
    flat = [_for_each(entry, rows) for entry in entries]
    images = as_images(rows).float()
    grid = affine_grid(torch.stack(flat, 1).view(n, 2, 3), list(images.shape), align_corners=False)
    moved = grid_sample(images, grid, padding_mode="border", align_corners=False)
    inside = ((grid >= -1) & (grid < 1)).all(3)[:, None]
    return as_rows(moved.add_(_DOWN).mul_(inside).to(torch.uint8))


def signed(numbers: Tensor) -> Tensor:
    """Return numbers in [0, 1) as numbers in [-1, 1)."""
    return 2 * numbers - 1


def _for_each(entry: Tensor | float, rows: Tensor) -> Tensor:
    """Return an entry as one number an image, on their device; no copy from here waits for it."""
    if isinstance(entry, Tensor):
        return entry
    return torch.full((len(rows),), entry, device=rows.device)


def _offset(numbers: Tensor, column: int, size: Tensor) -> Tensor:
    """Return where the middle of a window lies, as a part of a side, so that it is all inside."""
    return signed(numbers[:, column]) * (1 - size) / 2
