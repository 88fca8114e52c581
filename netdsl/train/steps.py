"""Images and a batch size to the steps of an epoch."""

from __future__ import annotations

import math


def count_steps(images: int, batch_size: int) -> int:
    """Return the steps of an epoch; a single image left over makes none.

    >>> [count_steps(images, 4) for images in (8, 9, 10)]
    [2, 2, 3]
    """
    return math.ceil(images / batch_size) - (images % batch_size == 1)
