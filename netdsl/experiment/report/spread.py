"""Numbers of several seeds to mean, deviation and interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

LEVEL = 0.95
_ROUNDING = 1e-12  # numbers no farther apart, or this part of them, are the same number


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation (n - 1 in its denominator) of n numbers; one has none."""

    mean: float
    deviation: float | None
    n: int

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval that holds the true mean in 95 of 100 cases, if the numbers are normal.

        Student 1908; one number gives no interval, and numbers all alike say nothing of chance.
        """
        if not self.deviation:
            return None
        half = student_t(self.n - 1) * self.deviation / math.sqrt(self.n)
        return self.mean - half, self.mean + half

    @property
    def is_clear(self) -> bool:
        """Say whether zero lies outside of the interval, where there is one.

        >>> [Spread(0.03, deviation, 3).is_clear for deviation in (0.01, 0.02, 0)]
        [True, False, False]
        """
        if self.interval is None:
            return False
        low, high = self.interval
        return low > 0 or high < 0

    def band(self, most: float) -> tuple[float, float]:
        """Return one deviation about the mean, of numbers that lie between 0 and `most`.

        >>> Spread(90, 25, 3).band(100)
        (65, 100)
        """
        deviation = self.deviation or 0
        return max(0, self.mean - deviation), min(most, self.mean + deviation)

    def reach(self, most: float) -> tuple[list[float], list[float]]:
        """Return how far the band reaches below and above the mean, as error bars take it."""
        low, high = self.band(most)
        return [self.mean - low], [high - self.mean]


def spread(numbers: Sequence[float]) -> Spread | None:
    """Return mean and deviation, in whatever order the numbers come; nothing of none.

    Numbers that only rounding tells apart do not deviate.

    >>> spread([2, 4, 6])
    Spread(mean=4.0, deviation=2.0, n=3)
    >>> spread([0.3 - 0.2, 0.2 - 0.1]).deviation
    0.0
    """
    if not numbers:
        return None
    deviation = stdev(map(float, numbers)) if len(numbers) > 1 else None
    if deviation is not None and deviation <= _ROUNDING * max(1.0, *map(abs, numbers)):
        deviation = 0.0
    return Spread(fmean(numbers), deviation, len(numbers))


def student_t(degrees: int, level: float = LEVEL) -> float:
    """Return t such that a Student variable lies between -t and t with the probability `level`.

    >>> round(student_t(2), 3)
    4.303
    """
    low, high = 0.0, math.pi / 2
    for _ in range(200):
        middle = (low + high) / 2
        if _within(middle, degrees) < level:
            low = middle
        else:
            high = middle
    return math.sqrt(degrees) * math.tan((low + high) / 2)


def _within(angle: float, degrees: int) -> float:
    """Return P(|T| < sqrt(degrees) tan angle): Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term, total = (cosine if odd else 1.0), 0.0
    for k in range(1 + odd, degrees, 2):
        total += term
        term *= cosine * cosine * k / (k + 1)
    return (angle + sine * total) * 2 / math.pi if odd else sine * total
