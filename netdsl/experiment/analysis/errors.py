"""Predictions to an error analysis: all that is counted, before it is written or drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netdsl.experiment.analysis.calibration import Calibration, calibrate
from netdsl.experiment.analysis.confusion import (
    ClassResult,
    Pair,
    by_class,
    count,
    most_confused,
)
from netdsl.experiment.analysis.predictions import Labels, Predictions
from netdsl.experiment.analysis.similarity import by_similarity

PAIRS = 20
GALLERY = 24


@dataclass(frozen=True, slots=True)
class Mistake:
    """An image, by its place in validation, and how likely it is what it is taken for, and is."""

    image: int
    true: int
    predicted: int
    probability: float
    probability_of_true: float


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """What a network gets wrong of the validation images.

    `order` are the classes by similarity, `confused` the pairs with the most errors, `gallery` the
    errors that it is most confident of; `loss` is the mean cross entropy.
    """

    classes: tuple[str, ...]
    images: int
    accuracy: float
    top5: float
    loss: float
    confusion: Labels
    by_class: tuple[ClassResult, ...]
    order: tuple[int, ...]
    confused: tuple[Pair, ...]
    calibration: Calibration
    gallery: tuple[Mistake, ...]


def find_errors(found: Predictions, classes: tuple[str, ...]) -> Errors:
    """Count what a network says of images of these classes."""
    n = len(found.labels)
    among_five = (found.likeliest == found.labels[:, None]).any(1)
    of_true = found.probabilities[np.arange(n), found.labels]
    confusion = count(found.labels, found.predicted, len(classes))
    return Errors(
        classes=classes,
        images=n,
        accuracy=int(found.right.sum()) / n,
        top5=int(among_five.sum()) / n,
        loss=float(-np.log(np.maximum(of_true, np.finfo(np.float64).tiny)).mean()),
        confusion=confusion,
        by_class=by_class(confusion),
        order=by_similarity(found.labels, found.probabilities),
        confused=most_confused(confusion, PAIRS),
        calibration=calibrate(found.confidence, found.right),
        gallery=_most_confident(found, GALLERY),
    )


def _most_confident(found: Predictions, most: int) -> tuple[Mistake, ...]:
    """Return the errors with the highest probabilities; of equal ones the earlier images."""
    confidence = found.confidence
    wrong = np.flatnonzero(~found.right)
    chosen = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    return tuple(
        Mistake(
            int(i), int(found.labels[i]), int(found.predicted[i]), float(confidence[i]),
            float(found.probabilities[i, found.labels[i]]),
        )
        for i in chosen
    )  # fmt: skip
