"""Epochs to tables and back: `metrics.csv` of what was learnt, `speed.csv` of what it took."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, fields

from netdsl.train.errors import TrainError


@dataclass(frozen=True, slots=True)
class Row:
    """What an epoch came to.

    `lr` is the rate of its last step, `gradient_norm` the mean over its steps, before clipping.
    Training loss and accuracy are means over the epoch, taken as the weights changed and on
    augmented images; `sample_accuracy` is that of its end on a fixed sample of the training
    images as they are, which the accuracy in validation can be compared with.
    `val_top5` is the part whose class is among the five that the network finds likeliest.

    Images per second are those of training; `seconds` the whole epoch took, validation included;
    `peak_memory` is the most that the process, or the GPU, has held so far, in bytes.
    """

    epoch: int
    lr: float
    gradient_norm: float
    train_loss: float
    train_accuracy: float
    sample_accuracy: float
    val_loss: float
    val_accuracy: float
    val_top5: float
    images_per_second: float
    seconds: float
    peak_memory: int


# NOTE: two files, so that the first is equal byte for byte whenever the training is.
SPEED = ("images_per_second", "seconds", "peak_memory")
METRICS = tuple(field.name for field in fields(Row) if field.name not in SPEED)
_INTEGERS = {"epoch", "peak_memory"}


def write_rows(rows: Sequence[Row]) -> str:
    """Return what was learnt as CSV; every number reads back as it was.

    >>> row = Row(1, 0.1, 3.5, 2.25, 0.1, 0.3, 2.0, 0.2, 0.6, 900.0, 1.5, 2_000_000)
    >>> print(write_rows([row]).rstrip())
    epoch,lr,gradient_norm,train_loss,train_accuracy,sample_accuracy,val_loss,val_accuracy,val_top5
    1,0.1,3.5,2.25,0.1,0.3,2.0,0.2,0.6
    """
    return _write(rows, METRICS)


def write_speed(rows: Sequence[Row]) -> str:
    """Return what the epochs took as CSV.

    >>> row = Row(1, 0.1, 3.5, 2.25, 0.1, 0.3, 2.0, 0.2, 0.6, 900.0, 1.5, 2_000_000)
    >>> print(write_speed([row]).rstrip())
    epoch,images_per_second,seconds,peak_memory
    1,900.0,1.5,2000000
    """
    return _write(rows, ("epoch", *SPEED))


def read_rows(metrics: str, speed: str, where: tuple[str, str]) -> tuple[Row, ...]:
    """Return the rows of the two tables; `where` is what a person calls them."""
    learnt = _read(metrics, METRICS, where[0])
    took = _read(speed, ("epoch", *SPEED), where[1])
    if [one["epoch"] for one in learnt] != [other["epoch"] for other in took]:
        raise TrainError(f"{where[1]} tells of other epochs than {where[0]}")
    return tuple(
        Row(**{**one, **other})  # type: ignore[arg-type]
        for one, other in zip(learnt, took, strict=True)
    )


def read_accuracies(metrics: str, where: str) -> list[float]:
    """Return the accuracy in validation of each epoch; `where` is what a person calls the table."""
    return [row["val_accuracy"] for row in _read(metrics, METRICS, where)]


def best_of(rows: Sequence[Row]) -> Row:
    """Return the epoch of the highest accuracy in validation, of equal ones that of lowest loss."""
    return max(rows, key=lambda row: (row.val_accuracy, -row.val_loss))


def _write(rows: Sequence[Row], columns: tuple[str, ...]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([getattr(row, name) for name in columns] for row in rows)
    return text.getvalue()


def _read(text: str, columns: tuple[str, ...], where: str) -> list[dict[str, float]]:
    try:
        header, *lines = csv.reader(io.StringIO(text))
        if tuple(header) != columns:
            raise ValueError(header)
        return [_numbers(columns, line) for line in lines]
    except (ValueError, csv.Error) as error:
        raise TrainError(f"{where} is not a table of epochs") from error


def _numbers(columns: tuple[str, ...], line: list[str]) -> dict[str, float]:
    return {
        name: int(cell) if name in _INTEGERS else float(cell)
        for name, cell in zip(columns, line, strict=True)
    }
