"""An error analysis to plain records: what its tables and `errors.json` hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from netdsl.experiment.analysis.errors import Errors

CLASS_COLUMNS = ("class", "images", "right", "accuracy", "low", "high", "taken", "precision")
PAIR_COLUMNS = ("true", "predicted", "images", "part")


@dataclass(frozen=True, slots=True)
class About:
    """Which run an analysis is of: its folder, its network, its data, its weights.

    `note` says what somebody should know of these who reads the accuracy.
    """

    run: str
    network: str
    data: str
    weights: str
    note: str | None = None


def class_rows(found: Errors) -> list[dict[str, object]]:
    """Return how each class fares; `low` and `high` are the 95 % interval of its accuracy."""
    rows: list[dict[str, object]] = []
    for result in found.by_class:
        low, high = result.interval
        values = (
            found.classes[result.label], result.images, result.right, result.accuracy, low, high,
            result.taken, result.precision,
        )  # fmt: skip
        rows.append(dict(zip(CLASS_COLUMNS, values, strict=True)))
    return rows


def pair_rows(found: Errors) -> list[dict[str, object]]:
    """Return the most confused pairs; `part` is of all images of the true class."""
    names = found.classes
    return [
        {
            "true": names[pair.true],
            "predicted": names[pair.predicted],
            "images": pair.images,
            "part": pair.part,
        }
        for pair in found.confused
    ]


def record(found: Errors, about: About) -> dict[str, object]:
    """Return all numbers of an analysis as JSON can hold them."""
    gallery = [asdict(mistake) for mistake in found.gallery]
    for row in gallery:
        row |= {key: found.classes[row[key]] for key in ("true", "predicted")}
    return {
        **asdict(about),
        "images": found.images,
        "accuracy": found.accuracy,
        "top5": found.top5,
        "loss": found.loss,
        "ece": found.calibration.error,
        "calibration": [asdict(bin) for bin in found.calibration.bins],
        "classes": class_rows(found),
        "confused": pair_rows(found),
        "gallery": gallery,
    }
