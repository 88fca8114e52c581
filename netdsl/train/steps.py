"""Images and a batch size to the steps of an epoch."""

from __future__ import annotations

import math


def count_steps(images: int, batch_size: int, processes: int = 1) -> int:
    """Return the steps of an epoch; fewer than 2 images a process left over make none.

    >>> [count_steps(images, 4) for images in (8, 9, 10)]
    [2, 2, 3]
    >>> [count_steps(images, 4, processes=2) for images in (8, 11)]
    [2, 2]
    """
    return math.ceil(images / batch_size) - (0 < images % batch_size < 2 * processes)
