"""Where images come from: decoded a block after the other, whatever they are stored as."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from netdsl.train.errors import ExitCode, TrainError

Pixels = NDArray[np.uint8]
Positions = NDArray[np.int64]
_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """How images are read: brought to a shape (C, H, W), or as they are; broken ones left out."""

    shape: tuple[int, int, int] | None = None
    skip: bool = False

    def __post_init__(self) -> None:
        if self.shape and min(self.shape) < 1:
            fact = f"no image is of {'×'.join(map(str, self.shape))}"
            raise TrainError(fact, exit_code=ExitCode.USAGE)
        if self.shape and self.shape[0] not in (1, 3):
            fact = f"images have 1 or 3 channels, but {self.shape[0]} are wanted"
            raise TrainError(fact, exit_code=ExitCode.USAGE)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The next images of those asked for: uint8 (n, H, W, C).

    `bad` says of those left out what is wrong, by their place among all that were asked for.
    `rescaled` counts those that had another size than the one wanted.
    """

    pixels: Pixels
    bad: Mapping[int, str] = field(default_factory=dict)
    rescaled: int = 0

    def places(self, seen: int) -> list[int]:
        """Return the places of its images among all, of which so many come before this block."""
        size = len(self.pixels) + len(self.bad)
        return [place for place in range(seen, seen + size) if place not in self.bad]


def none_readable(asked: int, bad: Mapping[Any, str]) -> TrainError:
    """Return what to raise where all images that were asked for are broken."""
    first = next(iter(bad.values()), "")
    return TrainError(f"none of {asked:,} images can be read: {first}")


class Images(Protocol):
    """The images of a listing, by their positions in it."""

    def blocks(self, chosen: Positions, wanted: Wanted) -> Iterator[Block]:
        """Yield these images in their order, all of one shape."""

    def stamp(self, chosen: Positions) -> str | None:
        """Return what changes when one of these images does; None where decoding costs nothing."""

    def raw(self, chosen: Positions) -> Iterator[tuple[Pixels | None, str]]:
        """Yield these images one by one, each in its own size, None for a broken one.

        The text beside it is its mode, or what is wrong with it.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """Images that are arrays already; `read` returns those at some positions, (n, H, W, C).

    `identity` is what changes when they do; without one they are at hand at no cost.
    """

    read: Callable[[Positions], Pixels]
    identity: str | None = None

    def blocks(self, chosen: Positions, wanted: Wanted) -> Iterator[Block]:
        """Yield these images in their order, all of one shape."""
        for begin in range(0, len(chosen), _AT_ONCE):
            pixels = self.read(chosen[begin : begin + _AT_ONCE])
            fitted = fit_all(pixels, wanted.shape) if wanted.shape else pixels
            is_other = fitted.shape[1:3] != pixels.shape[1:3]
            yield Block(fitted, rescaled=len(fitted) if is_other else 0)

    def stamp(self, chosen: Positions) -> str | None:
        """Return what changes when one of these images does."""
        if self.identity is None:
            return None
        return hashlib.sha256(self.identity.encode() + chosen.tobytes()).hexdigest()

    def raw(self, chosen: Positions) -> Iterator[tuple[Pixels | None, str]]:
        """Yield these images one by one."""
        for begin in range(0, len(chosen), _AT_ONCE):
            for pixels in self.read(chosen[begin : begin + _AT_ONCE]):
                yield pixels, "L" if pixels.shape[2] == 1 else "RGB"


def fit_all(pixels: Pixels, shape: tuple[int, int, int]) -> Pixels:
    """Bring arrays of images to a shape."""
    channels, height, width = shape
    if pixels.shape[1:] == (height, width, channels):
        return pixels
    fitted = [fit(Image.fromarray(one.squeeze(2) if one.shape[2] == 1 else one), shape)
              for one in pixels]  # fmt: skip
    return np.stack(fitted)


def fit(image: Image.Image, shape: tuple[int, int, int]) -> Pixels:
    """Bring an RGB or grey image to a shape: cut to its proportions about the middle, rescaled."""
    channels, height, width = shape
    mode = "L" if channels == 1 else "RGB"
    image = image if image.mode == mode else image.convert(mode)
    if image.size != (width, height):
        image = ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, np.uint8).reshape(height, width, channels)
