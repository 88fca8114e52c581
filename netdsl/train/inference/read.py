"""Images of any kind and size to rows of the shape that a network takes, a part after the other."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from netdsl.train.data.images import ImageFiles
from netdsl.train.data.source import Images, Pixels, Wanted
from netdsl.train.inference.pick import Picked
from netdsl.train.machine import count_cores

_WORTH_PROCESSES = 2**24  # bytes of files: large images are fewer than those of data sets


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The next images: uint8 (n, H, W, C), their places among all, how many had another size.

    `bad` says of those left out what is wrong.
    """

    pixels: Pixels
    places: list[int]
    rescaled: int = 0
    bad: Mapping[int, str] = field(default_factory=dict)


def read(picked: Picked, wanted: Wanted) -> Iterator[Part]:
    """Yield the images that were picked, in their order, in the shape that is wanted.

    Another size is cut to the proportions and rescaled, as `--fit` does for training.
    """
    assert wanted.shape is not None, "a network takes one shape"
    seen = 0
    for block in _images(picked).blocks(picked.positions, wanted):
        places = block.places(seen)
        yield Part(block.pixels, places, block.rescaled, block.bad)
        seen += len(places) + len(block.bad)


def _images(picked: Picked) -> Images:
    """Return the images, which several processes decode where their files are large."""
    images = picked.images
    if not isinstance(images, ImageFiles) or sys.platform != "linux":
        return images
    names = [images.names[position] for position in picked.positions]
    size = sum(images.store.state(name)[0] for name in names)
    return replace(images, processes=count_cores()) if size > _WORTH_PROCESSES else images
