"""Epochs to whether a network has begun to learn: its loss beside that of guessing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from netdsl.train.metrics import Row

_EPOCHS = 3  # in a row
_BETTER = 0.98  # of the loss of guessing
HARDLY = f"at most {100 * (1 - _BETTER):g} % lower"  # how much lower losses may be that hardly are


def is_guessing(rows: Sequence[Row], classes: int) -> bool:
    """Say whether the last three epochs were hardly better than giving all classes one probability.

    So they are where no loss is below ln(classes) by more than 2 %, and at most 1.5 times as many
    training images are right as by guessing.
    """
    last = rows[-_EPOCHS:]
    return len(last) == _EPOCHS and all(_guessed(row, classes) for row in last)


def begins_to_guess(rows: Sequence[Row], classes: int) -> bool:
    """Say whether the last three epochs are the first three hardly better than guessing."""
    ends = (rows[:end] for end in range(len(rows)))
    return is_guessing(rows, classes) and not any(is_guessing(end, classes) for end in ends)


def guessing_note(rows: Sequence[Row], classes: int) -> str:
    """Say that epochs were hardly better than guessing, and what helps."""
    return (
        f"epochs {rows[-_EPOCHS].epoch} to {rows[-1].epoch} were hardly better than guessing among "
        f"{classes} classes, whose loss is {math.log(classes):.2f} (theirs are {HARDLY}): a lower "
        "learning rate, or one that climbs first (warmup), helps in most cases"
    )


def _guessed(row: Row, classes: int) -> bool:
    loss = _BETTER * math.log(classes)
    return min(row.train_loss, row.val_loss) > loss and row.sample_accuracy <= 1.5 / classes
