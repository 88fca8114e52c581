"""Confidences and who was right to a calibration: is what is 90 % sure right in 90 % of cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netdsl.experiment.analysis.predictions import Numbers

BINS = 15


@dataclass(frozen=True, slots=True)
class Bin:
    """The images with a confidence above `low` and up to `high`: their means; None without any."""

    low: float
    high: float
    images: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """Bins of equal width from 0 to 1."""

    bins: tuple[Bin, ...]

    @property
    def error(self) -> float:
        """Expected calibration error: the mean gap over all images (Guo et al. 2017)."""
        images = sum(bin.images for bin in self.bins)
        return sum(bin.images * gap(bin) for bin in self.bins) / images


def gap(bin: Bin) -> float:
    """Return how far confidence and accuracy of a bin are apart; 0 of an empty one."""
    if bin.confidence is None or bin.accuracy is None:
        return 0.0
    return abs(bin.confidence - bin.accuracy)


def calibrate(confidence: Numbers, right: NDArray[np.bool_], bins: int = BINS) -> Calibration:
    """Sort images into bins by confidence.

    >>> two = calibrate(np.array([0.5, 0.9, 0.8]), np.array([True, True, False]), bins=2)
    >>> [bin.images for bin in two.bins], round(two.error, 3)
    ([1, 2], 0.4)
    """
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    edges = [k / bins for k in range(bins + 1)]
    return Calibration(
        tuple(
            _bin(edges[k], edges[k + 1], confidence[place == k], right[place == k])
            for k in range(bins)
        )
    )


def _bin(low: float, high: float, confidence: Numbers, right: NDArray[np.bool_]) -> Bin:
    if not len(confidence):
        return Bin(low, high, 0, None, None)
    return Bin(low, high, len(confidence), float(confidence.mean()), float(right.mean()))
