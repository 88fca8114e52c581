"""The shape of one example as it passes through the network; the batch is left out."""

from __future__ import annotations

from typing import NamedTuple

from netdsl.amounts import sized

Size = tuple[int, int]


class Shape(NamedTuple):
    """Channels, height and width of a feature map; height and width are 0 for a vector.

    >>> print(Shape(64, 32, 32), Shape(200))
    64x32x32 200
    """

    channels: int
    height: int = 0
    width: int = 0

    @property
    def is_map(self) -> bool:
        return self.height > 0

    @property
    def hw(self) -> Size:
        return self.height, self.width

    @property
    def size(self) -> int:
        """How many numbers one example holds."""
        return self.channels * max(self.height, 1) * max(self.width, 1)

    @property
    def dims(self) -> tuple[int, ...]:
        """The shape as torch gives it, without the batch."""
        return tuple(self) if self.is_map else (self.channels,)

    def __str__(self) -> str:
        return sized(self.dims)


# What reaches a layer after one that could not be understood: nothing more is said about it.
UNKNOWN = Shape(0)
