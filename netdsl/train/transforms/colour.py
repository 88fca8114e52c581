"""Images brighter, flatter, paler, sharper, blurred or with a part missing.

The first four are those of Pillow's `ImageEnhance`, bit for bit: images are mixed with a plainer
form of themselves, by a factor below 1 towards it and by one above 1 away from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from netdsl.train.transforms.geometry import signed

_GREY = 128
_REACH = 2  # pixels that a blur reaches


@dataclass(frozen=True, slots=True)
class Brightness:
    """Mix with black, by a factor of 1 ± `most`."""

    most: float = 0.4
    draws: ClassVar[int] = 1

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        return blend(torch.zeros_like(rows), rows, 1 + self.most * signed(numbers[:, 0]))


@dataclass(frozen=True, slots=True)
class Contrast:
    """Mix with the mean grey of the image, by a factor of 1 ± `most`."""

    most: float = 0.5
    draws: ClassVar[int] = 1

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        total = _grey(rows).sum((1, 2, 3), keepdim=True, dtype=torch.int64)
        pixels = rows.shape[1] * rows.shape[2]
        mean = (2 * total + pixels) // (2 * pixels)  # rounded
        return blend(mean, rows, 1 + self.most * signed(numbers[:, 0]))


@dataclass(frozen=True, slots=True)
class Colour:
    """Mix with the image in greys, by a factor of 1 ± `most`."""

    most: float = 0.8
    draws: ClassVar[int] = 1

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        return blend(_grey(rows), rows, 1 + self.most * signed(numbers[:, 0]))


@dataclass(frozen=True, slots=True)
class Sharpness:
    """Mix with a smoothed image, by a factor of 1 ± `most`."""

    most: float = 1.0
    draws: ClassVar[int] = 1

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        return blend(_smooth(rows), rows, 1 + self.most * signed(numbers[:, 0]))


@dataclass(frozen=True, slots=True)
class Blur:
    """Blur with a Gaussian of a standard deviation of 0.4 to 1 times `most` pixels, 5×5."""

    most: float = 1.0
    draws: ClassVar[int] = 1

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        sigma = (self.most * (0.4 + 0.6 * numbers[:, 0])).clamp(min=0.1)
        away = torch.arange(-_REACH, _REACH + 1, device=rows.device)
        weights = torch.exp(-0.5 * (away / sigma[:, None]).square())
        weights = (weights / weights.sum(1, keepdim=True)).T.view(-1, len(rows), 1, 1, 1)
        blurred = rows.float()
        for side in (1, 2):
            length = rows.shape[side]
            wide = blurred.index_select(side, _mirrored(length).to(rows.device))
            blurred = torch.zeros_like(blurred)
            for step, weight in enumerate(weights):
                blurred.addcmul_(wide.narrow(side, step, length), weight)
        return blurred.add_(0.5).to(torch.uint8)


@dataclass(frozen=True, slots=True)
class Erase:
    """Cover a square of up to the part `most` of the shorter side with grey."""

    most: float = 0.4
    draws: ClassVar[int] = 3

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        _, height, width, _ = rows.shape
        side = (numbers[:, 0] * self.most * min(height, width)).long() + 1
        inside = [
            _between(length, (numbers[:, axis] * (length - side + 1)).long(), side)
            for axis, length in ((1, height), (2, width))
        ]
        square = inside[0][:, :, None] & inside[1][:, None, :]
        return rows.masked_fill(square[..., None], _GREY)


def blend(plain: Tensor, rows: Tensor, factor: Tensor) -> Tensor:
    """Return plain + factor · (image - plain), cut to 0 … 255 and to whole numbers."""
    plain = plain.float()
    mixed = rows.float().sub_(plain).mul_(factor.view(-1, 1, 1, 1)).add_(plain)
    return mixed.clamp_(0, 255).to(torch.uint8)


def _grey(rows: Tensor) -> Tensor:
    """Return the luma of ITU-R 601-2, (N, H, W, 1), rounded; of images not in colour, the mean."""
    wide = rows.int()
    if rows.shape[3] != 3:
        return wide.float().mean(3, keepdim=True).round().int()
    red, green, blue = torch.split(wide, 1, 3)
    return (19595 * red + 38470 * green + 7471 * blue + 0x8000).bitwise_right_shift(16)


def _smooth(rows: Tensor) -> Tensor:
    """Return the mean of each pixel, five times, and its eight neighbours; the border as it is."""
    wide = rows.short()
    across = wide[:, :, :-2] + wide[:, :, 1:-1] + wide[:, :, 2:]
    total = across[:, :-2] + across[:, 1:-1] + across[:, 2:] + 4 * wide[:, 1:-1, 1:-1]
    wide[:, 1:-1, 1:-1] = (2 * total + 13) // 26
    return wide


def _mirrored(length: int) -> Tensor:
    """Return the positions of a side and `_REACH` more at each end, mirrored at the last ones."""
    positions = torch.arange(-_REACH, length + _REACH).abs()
    return (length - 1 - (length - 1 - positions).abs()).clamp(min=0)


def _between(length: int, begin: Tensor, size: Tensor) -> Tensor:
    at = torch.arange(length, device=begin.device)
    return (at >= begin[:, None]) & (at < (begin + size)[:, None])
