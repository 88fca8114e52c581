"""Trainings that have not begun to learn are told, and others are not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from torch import Tensor, nn

from netdsl.train import DataSet, RunFolder, Settings, train
from netdsl.train.guessing import begins_to_guess, guessing_note, is_guessing
from netdsl.train.metrics import Row
from netdsl.train.progress import Silent

BY_GUESSING = math.log(10)


def row(epoch: int, train_loss: float, val_loss: float, right: float) -> Row:
    return Row(epoch, 0.1, 1.0, train_loss, 0.1, right, val_loss, 0.1, 0.5, 100.0, 1.0, 1)


@pytest.mark.parametrize(
    ("train_loss", "val_loss", "right", "guesses"),
    [
        (BY_GUESSING, BY_GUESSING, 0.1, True),
        (4.7, 15.6, 0.12, True),  # far off, as behind a rate that is too high
        (0.979 * BY_GUESSING, BY_GUESSING, 0.1, False),
        (BY_GUESSING, 0.979 * BY_GUESSING, 0.1, False),
        (0.981 * BY_GUESSING, 0.981 * BY_GUESSING, 0.15, True),
        (BY_GUESSING, BY_GUESSING, 0.16, False),  # right where no loss tells it yet
        (0.1, 5.0, 0.99, False),  # learnt by heart
    ],
)
def test_both_losses_and_the_training_images_tell(
    train_loss: float, val_loss: float, right: float, guesses: bool
) -> None:
    rows = [row(epoch, train_loss, val_loss, right) for epoch in (1, 2, 3)]
    assert is_guessing(rows, 10) == guesses


def test_three_epochs_in_a_row_are_looked_at_the_last_ones() -> None:
    bad, good = (row(n, loss, loss, 0.1) for n, loss in ((1, 2.4), (2, 1.0)))
    assert not is_guessing([bad, bad], 10)
    assert is_guessing([good, bad, bad, bad], 10)
    assert not is_guessing([bad, bad, bad, good], 10)
    assert not is_guessing([bad, good, bad, bad], 10)
    assert not is_guessing([], 10)
    assert is_guessing([bad] * 3, 10)
    assert not is_guessing([bad] * 3, 200)  # the loss of guessing is 5.3 there


def test_it_is_told_once_though_a_training_comes_back_to_it() -> None:
    bad, good = (row(n, loss, loss, 0.1) for n, loss in ((1, 2.4), (2, 1.0)))
    epochs = [bad] * 4 + [good] + [bad] * 3
    told = [end for end in range(9) if begins_to_guess(epochs[:end], 10)]
    assert told == [3]


def test_a_note_names_epochs_classes_and_what_helps() -> None:
    rows = [row(epoch, 2.4, 2.4, 0.1) for epoch in range(1, 6)]
    assert guessing_note(rows, 10) == (
        "epochs 3 to 5 were hardly better than guessing among 10 classes, whose loss is 2.30 "
        "(theirs are at most 2 % lower): a lower learning rate, or one that climbs first (warmup), "
        "helps in most cases"
    )


class Constant(nn.Module):
    """A network that gives every class one probability, whatever it learns."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return 0 * self.head(x.flatten(1))


@dataclass
class Notes(Silent):
    """Keeps the notes of a training, and after how many epochs each came."""

    epochs: int = 0
    notes: list[tuple[int, str]] = field(default_factory=list)

    def note(self, fact: str) -> None:
        if "guessing" in fact:
            self.notes.append((self.epochs, fact))

    def epoch(self, row: Row) -> None:
        self.epochs += 1


def test_a_training_tells_it_once_and_one_that_learns_does_not(
    make_network: Callable[[DataSet], nn.Module],
    make_run: Callable[[Settings], RunFolder],
    digits: DataSet,
    settings: Settings,
) -> None:
    notes = Notes()
    stuck = replace(settings, epochs=5)
    summary = train(Constant(), digits, stuck, make_run(stuck), notes)
    assert summary.classes == 10
    assert [(epochs, fact.partition(" were")[0]) for epochs, fact in notes.notes] == [
        (3, "epochs 1 to 3")
    ]
    notes = Notes()
    learns = replace(settings, epochs=4)
    train(make_network(digits), digits, learns, make_run(learns, "learns"), notes)
    assert notes.notes == []
