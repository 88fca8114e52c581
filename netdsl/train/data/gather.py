"""Blocks of decoded images to somewhere, and to what is known of them afterwards."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdsl.train.data.source import Block, Pixels, none_readable
from netdsl.train.data.statistics import histogram
from netdsl.train.data.told import Told


@dataclass(frozen=True, slots=True)
class Found:
    """How many images there are, of which shape (H, W, C), and what was found in them.

    `bad` says of images left out what is wrong, by their place among those asked for; `levels`
    counts the grey levels, (C, 256), of those at the first places; `digest` is the sha256 of all
    pixels.
    """

    count: int
    shape: tuple[int, ...]
    bad: Mapping[int, str]
    levels: list[list[int]]
    digest: str

    @staticmethod
    def restored(record: Mapping[str, Any]) -> Found:
        """Return what was written as JSON."""
        bad = {int(place): fact for place, fact in record["bad"].items()}
        return Found(**{**record, "shape": tuple(record["shape"]), "bad": bad})


def gather(
    blocks: Iterator[Block],
    asked: int,
    counted: int,
    write: Callable[[Pixels], None],
    told: Told,
) -> Found:
    """Write every block; count the levels of the images at the first `counted` places asked for."""
    bad: dict[int, str] = {}
    levels: NDArray[np.int64] | int = 0
    shape: tuple[int, ...] = ()
    digest, seen = hashlib.sha256(), 0
    for block in blocks:
        good = block.places(seen)
        bad |= block.bad
        seen += len(good) + len(block.bad)
        if good:
            shape = block.pixels.shape[1:]
            write(block.pixels)
            digest.update(np.ascontiguousarray(block.pixels).data)
            levels = levels + histogram(block.pixels[: bisect_left(good, counted)])
        told(seen, asked)
    if not shape:
        raise none_readable(asked, bad)
    assert seen == asked, (seen, asked)
    return Found(seen - len(bad), shape, bad, np.asarray(levels).tolist(), digest.hexdigest())
