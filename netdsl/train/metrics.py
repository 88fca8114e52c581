"""Epochs to `metrics.csv` and back: one row an epoch."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from netdsl.train.errors import TrainError


@dataclass(frozen=True, slots=True)
class Row:
    """What an epoch came to.

    `lr` is the rate of its last step. Training loss and accuracy are means over the epoch, taken
    as the weights changed and on augmented images; those of validation are of its end. Images per
    second are those of training; `seconds` the whole epoch took, validation included.
    """

    epoch: int
    lr: float
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    images_per_second: float
    seconds: float


HEADER = tuple(field.name for field in fields(Row))


def write_rows(rows: Sequence[Row]) -> str:
    """Return the rows as CSV; every number reads back as it was.

    >>> print(write_rows([Row(1, 0.1, 2.25, 0.1, 2.0, 0.2, 900.0, 1.5)]).rstrip())
    epoch,lr,train_loss,train_accuracy,val_loss,val_accuracy,images_per_second,seconds
    1,0.1,2.25,0.1,2.0,0.2,900.0,1.5
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return text.getvalue()


def read_rows(text: str, where: str) -> tuple[Row, ...]:
    """Return the rows of a CSV that `write_rows` wrote."""
    try:
        header, *lines = csv.reader(io.StringIO(text))
        rows = tuple(Row(int(epoch), *map(float, rest)) for epoch, *rest in lines)
    except (TypeError, ValueError) as error:
        raise TrainError(f"{where} is not a table of epochs") from error
    if tuple(header) != HEADER:
        raise TrainError(f"{where} is not a table of epochs")
    return rows
