"""Labels and predictions to counts: which class is taken for which, and how often it is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netdsl.experiment.analysis.predictions import Labels

_Z = 1.959963984540054  # 97.5 % quantile of the normal distribution: intervals of 95 %


@dataclass(frozen=True, slots=True)
class ClassResult:
    """How a class fares: `right` of its `images`; `taken` images of any class are taken for it."""

    label: int
    images: int
    right: int
    taken: int

    @property
    def accuracy(self) -> float | None:
        """The part that is right; None of a class without images."""
        return self.right / self.images if self.images else None

    @property
    def precision(self) -> float | None:
        """The part of what is taken for the class that is of it; None where nothing is."""
        return self.right / self.taken if self.taken else None

    @property
    def interval(self) -> tuple[float, float]:
        """Where the accuracy lies with 95 % confidence, had there been any number of images."""
        return wilson(self.right, self.images)


@dataclass(frozen=True, slots=True)
class Pair:
    """So many images of class `true`, `part` of all of them, are taken for class `predicted`."""

    true: int
    predicted: int
    images: int
    part: float


def count(labels: Labels, predicted: Labels, classes: int) -> Labels:
    """Return the confusion matrix: a row for each class, a column for what it is taken for.

    >>> count(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    pairs = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return pairs.reshape(classes, classes)


def by_class(confusion: Labels) -> tuple[ClassResult, ...]:
    """Return how each class fares, in the order of the classes."""
    columns = confusion.sum(1), confusion.diagonal(), confusion.sum(0)
    return tuple(
        ClassResult(label, int(images), int(right), int(taken))
        for label, (images, right, taken) in enumerate(zip(*columns, strict=True))
    )


def most_confused(confusion: Labels, most: int) -> tuple[Pair, ...]:
    """Return the pairs with the most errors; of equal ones the class with fewer images first."""
    sizes = confusion.sum(1)
    found = [
        Pair(int(i), int(j), int(confusion[i, j]), float(confusion[i, j] / sizes[i]))
        for i, j in np.argwhere(confusion)
        if i != j
    ]
    found.sort(key=lambda pair: (-pair.images, -pair.part, pair.true, pair.predicted))
    return tuple(found[:most])


def wilson(right: int, images: int) -> tuple[float, float]:
    """Return the 95 % interval of a part (Wilson 1927): sound for few images and near 0 and 1.

    >>> [round(end, 3) for end in wilson(8, 10)]
    [0.49, 0.943]
    """
    if not images:
        return 0.0, 1.0
    part, weight = right / images, _Z**2 / images
    middle = (part + weight / 2) / (1 + weight)
    reach = _Z / (1 + weight) * math.sqrt(part * (1 - part) / images + weight / images / 4)
    return max(0.0, middle - reach), min(1.0, middle + reach)
