"""The augmentations that most recipes are content with: flip, crop and rescale, pad and crop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import pad

from netdsl.train.errors import TrainError
from netdsl.train.transforms.pixels import as_images, as_rows, cut, pick, rescale


@dataclass(frozen=True, slots=True)
class Flip:
    """Mirror left and right, with probability `p`."""

    p: float = 0.5
    draws: ClassVar[int] = 1

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        mirrored = as_rows(as_images(rows).flip(-1))
        return pick(numbers[:, 0] < self.p, mirrored, rows)


@dataclass(frozen=True, slots=True)
class CropRescale:
    """Cut a window of `size` × `size` pixels and rescale it, with probability `p`.

    `size` 0 is seven eighths of each side: 56 of 64. Bilinear, as Pillow does it, down to the last
    bit where the sides are multiples of 8, and else to one grey level.
    """

    size: int = 0
    p: float = 0.7
    draws: ClassVar[int] = 3

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        sides = rows.shape[1:3]
        if self.size > min(sides):
            raise TrainError(
                f"a window of {self.size}×{self.size} pixels does not fit into images of "
                f"{sides[0]}×{sides[1]}",
                "a smaller size, or 0 for seven eighths of each side",
            )
        height, width = (self.size or max(1, side * 7 // 8) for side in sides)
        window = cut(rows, numbers[:, 1:], height, width)
        return pick(numbers[:, 0] < self.p, rescale(window, *sides), rows)


@dataclass(frozen=True, slots=True)
class PadCrop:
    """Pad every side with `padding` black pixels and cut a window of the old size."""

    padding: int = 4
    draws: ClassVar[int] = 2

    def __call__(self, rows: Tensor, numbers: Tensor) -> Tensor:
        height, width = rows.shape[1:3]
        sides = (self.padding,) * 4
        return cut(pad(rows, (0, 0, *sides)), numbers, height, width)
