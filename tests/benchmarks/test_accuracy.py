"""What speed costs: the accuracy of all that is fast against that of a plain loop in fp32."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

import pytest
from side import THREADS, short
from table import GOALS, Measured

import netdsl
from netdsl.train import RunFolder, load, resolve, train

NAME = "accuracy in bf16 − of --exact --precision fp32, points, digits"
SEEDS, EPOCHS = range(short(3)), 15


@pytest.fixture
def accuracy(tmp_path: Path) -> Callable[..., float]:
    """Trains the bundled network on the bundled digits, and returns its last accuracy."""
    data = load("digits")

    def trained(seed: int, **chosen: object) -> float:
        own: dict[str, object] = {
            "augment": data.augment,
            "seed": seed,
            "threads": THREADS,
            "device": "cpu",
        }
        own["epochs"] = short(EPOCHS)
        settings = resolve(data.defaults, {**own, **chosen})  # type: ignore[typeddict-item]
        path = tmp_path / f"{seed}-{len(chosen)}"
        run = RunFolder.create("", settings, {}, data=data, path=path)
        return train(netdsl.load("digits").module(seed), data, settings, run).last.val_accuracy

    return trained


def test_accuracy_is_not_paid_for_speed(
    measured: Callable[[Measured], None], accuracy: Callable[..., float]
) -> None:
    differences = [
        100 * (accuracy(seed, precision="bf16") - accuracy(seed, exact=True, precision="fp32"))
        for seed in SEEDS
    ]
    mean, deviation = statistics.mean(differences), statistics.stdev(differences)
    measured(
        Measured(NAME, GOALS[NAME], mean, mean - deviation, mean + deviation, len(differences))
    )
