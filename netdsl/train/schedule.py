"""A step to its learning rate: one cycle up and down, Smith & Topin 2018."""

from __future__ import annotations

import math

_START = 25.0  # the first rate is the peak divided by this
_END = 1e4  # the last rate is the first divided by this


def one_cycle(step: int, steps: int, peak: float, warmup: float) -> float:
    """Return the rate of a step counted from 0: half a cosine up to the peak, half one down.

    Equal to torch's `OneCycleLR`, but a function of the step alone, so that a training can go on
    from any step.

    >>> [round(one_cycle(step, 10, 1.0, 0.3), 3) for step in (0, 2, 9)]
    [0.04, 1.0, 0.0]
    """
    first = peak / _START
    top = warmup * steps - 1
    if step <= top and top > 0:
        return _cosine(first, peak, step / top)
    return _cosine(peak, first / _END, (step - top) / (steps - 1 - top))


def _cosine(begin: float, end: float, part: float) -> float:
    return end + (begin - end) / 2.0 * (math.cos(math.pi * part) + 1)
