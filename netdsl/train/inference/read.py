"""Images of any kind and size to rows of the shape that a network takes, a part after the other."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from PIL import Image

from netdsl.train.data.images import Encoded, ImageFiles, decode
from netdsl.train.data.parallel import in_parallel
from netdsl.train.data.source import Pixels, Wanted, fit
from netdsl.train.errors import TrainError
from netdsl.train.inference.pick import Picked
from netdsl.train.machine import count_cores

_IMAGES, _BYTES = 256, 2**22  # of files, decoded together
_WORTH_PROCESSES = 2**24  # bytes of files: large images are fewer than those of data sets


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The next images: uint8 (n, H, W, C), their places among all, how many had another size.

    `bad` says of those left out what is wrong.
    """

    pixels: Pixels
    places: list[int]
    rescaled: int = 0
    bad: dict[int, str] = field(default_factory=dict)


def read(picked: Picked, wanted: Wanted) -> Iterator[Part]:
    """Yield the images that were picked, in their order, in the shape that is wanted.

    Another size is cut to the proportions and rescaled, as `--fit` does for training.
    """
    assert wanted.shape is not None, "a network takes one shape"
    images = picked.images
    if isinstance(images, ImageFiles):
        yield from _decoded(images, picked, wanted)
        return
    seen, (_, height, width) = 0, wanted.shape
    for block in images.blocks(picked.positions, Wanted()):
        shape = block.pixels.shape[1:3]
        pixels = np.stack([_fitted(one, wanted.shape) for one in block.pixels])
        other = len(pixels) if shape != (height, width) else 0
        yield Part(pixels, list(range(seen, seen + len(pixels))), other)
        seen += len(pixels)


def _decoded(images: ImageFiles, picked: Picked, wanted: Wanted) -> Iterator[Part]:
    names = [images.names[position] for position in picked.positions]
    size = sum(images.store.state(name)[0] for name in names)
    many = size > _WORTH_PROCESSES and sys.platform == "linux"
    processes = count_cores() if many else images.processes
    work = partial(_decode, wanted=wanted)
    seen = 0
    for part in in_parallel(work, _chunks(images, names), len(names), processes):
        places = [seen + place for place in part.places]
        bad = {seen + place: fact for place, fact in part.bad.items()}
        yield Part(part.pixels, places, part.rescaled, bad)
        seen += len(places) + len(bad)


def _chunks(images: ImageFiles, names: list[str]) -> Iterator[list[Encoded | str]]:
    """Yield files as they are stored, or what keeps them from being read."""
    chunk: list[Encoded | str] = []
    size = 0
    for name in names:
        try:
            chunk.append(Encoded(images.store.where(name), images.store.read(name)))
            size += images.store.state(name)[0]
        except TrainError as error:
            chunk.append(str(error))
        if len(chunk) == _IMAGES or size > _BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _decode(chunk: list[Encoded | str], wanted: Wanted) -> Part:
    assert wanted.shape is not None
    channels, height, width = wanted.shape
    found: list[Pixels] = []
    places: list[int] = []
    bad: dict[int, str] = {}
    rescaled = 0
    for place, image in enumerate(chunk):
        try:
            if isinstance(image, str):
                raise TrainError(image)
            pixels = decode(image)
        except TrainError as error:
            if not wanted.skip:
                raise
            bad[place] = str(error)
            continue
        rescaled += pixels.shape[:2] != (height, width)
        places.append(place)
        found.append(_fitted(pixels, wanted.shape))
    nothing = np.empty((0, height, width, channels), np.uint8)
    return Part(np.stack(found) if found else nothing, places, rescaled, bad)


def _fitted(pixels: Pixels, shape: tuple[int, int, int]) -> Pixels:
    """Bring one image, (H, W, 1) or (H, W, 3), to a shape (C, H, W)."""
    channels, height, width = shape
    if pixels.shape == (height, width, channels):
        return pixels
    return fit(Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels), shape)
