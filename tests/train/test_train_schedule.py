"""Learning rates against torch's schedulers, step by step."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    SequentialLR,
)

from netdsl.train import Settings, TrainError
from netdsl.train.schedule import rate, refuse_long_warmup

STEPS = 7  # an epoch


def _rates(settings: Settings) -> list[float]:
    return [rate(step, STEPS, settings) for step in range(STEPS * settings.epochs)]


def _torchs(make: Callable[[SGD], LRScheduler], lr: float, steps: int) -> list[float]:
    optimiser = SGD([torch.zeros(1, requires_grad=True)], lr)
    scheduler, rates = make(optimiser), []
    for step in range(steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if step < steps - 1:
            scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("steps", "peak", "warmup"), [(1, 0.1, 0.3), (7, 0.1, 0.3), (100, 0.02, 0.5), (301, 1.0, 0.0)]
)
def test_one_cycle_equals_torchs_bit_for_bit(steps: int, peak: float, warmup: float) -> None:
    def one_cycle(optimiser: SGD) -> LRScheduler:
        return OneCycleLR(
            optimiser, peak, total_steps=steps, pct_start=warmup, cycle_momentum=False
        )

    settings = Settings(epochs=steps, lr=peak, warmup=warmup)
    found = [rate(step, 1, settings) for step in range(steps)]
    assert found == _torchs(one_cycle, peak, steps)


def test_steps_equal_torchs_bit_for_bit() -> None:
    settings = Settings(epochs=10, lr=0.1, schedule="step", milestones=(4, 6, 9), warmup=0.0)
    expected = _torchs(lambda o: MultiStepLR(o, [28, 42, 63], gamma=0.1), 0.1, 70)
    assert _rates(settings) == expected


def test_milestones_count_parts_of_epochs_or_iterations() -> None:
    epochs = Settings(epochs=3, schedule="step", milestones=(0.5, 2), warmup=0.0)
    iterations = Settings(
        epochs=3, schedule="step", milestones=(4, 14), unit="iterations", warmup=0.0
    )
    rates = _rates(epochs)
    assert [rates.index(r) for r in sorted(set(rates), reverse=True)] == [0, 4, 14]
    assert rates == _rates(iterations)


def test_cosine_equals_torchs() -> None:
    settings = Settings(epochs=10, lr=0.3, schedule="cosine", warmup=0.0)
    expected = _torchs(lambda o: CosineAnnealingLR(o, 70), 0.3, 70)
    assert _rates(settings) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "said", [{"warmup": 2}, {"warmup": 14, "unit": "iterations"}, {"warmup": 0.2}]
)
def test_cosine_after_a_warm_up_equals_torchs(said: dict[str, object]) -> None:
    settings = Settings(epochs=10, lr=0.3, schedule="cosine", **said)  # type: ignore[arg-type]
    expected = _torchs(
        lambda o: SequentialLR(
            o, [LinearLR(o, 1 / 14, total_iters=13), CosineAnnealingLR(o, 56)], milestones=[14]
        ),
        0.3, 70,
    )  # fmt: skip
    assert _rates(settings) == pytest.approx(expected, rel=1e-9)


def test_constant_is_constant_after_its_warm_up() -> None:
    settings = Settings(epochs=2, lr=0.5, schedule="constant", warmup=5, unit="iterations")
    assert _rates(settings) == pytest.approx([0.1, 0.2, 0.3, 0.4, *[0.5] * 10])


def test_steps_warm_up_to_the_first_milestone() -> None:
    settings = Settings(epochs=2, lr=1.0, schedule="step", milestones=(1,), warmup=0.25)
    rates = _rates(settings)
    assert rates[:4] == pytest.approx([1 / 3.5, 2 / 3.5, 3 / 3.5, 1.0])
    assert rates[7:] == pytest.approx([0.1] * 7)


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "constant"])
@pytest.mark.parametrize("warmup", [0.0, 0.3, 0.99])
@pytest.mark.parametrize("epochs", [1, 2])
def test_every_rate_is_positive_and_at_most_the_peak(
    schedule: str, warmup: float, epochs: int
) -> None:
    settings = Settings(epochs=epochs, lr=0.2, schedule=schedule, warmup=warmup)
    assert all(0 < rate(step, 1, settings) <= 0.2 * (1 + 1e-12) for step in range(epochs))
    assert all(0 < lr <= 0.2 * (1 + 1e-12) for lr in _rates(settings))


def test_a_warm_up_longer_than_the_training_only_climbs() -> None:
    settings = Settings(epochs=1, lr=1.0, schedule="cosine", warmup=100, unit="iterations")
    assert _rates(settings) == pytest.approx([step / 100 for step in range(1, 8)])


def test_a_warm_up_in_iterations_ends_before_the_training() -> None:
    settings = Settings(epochs=2, schedule="cosine", unit="iterations", warmup=14, device="cpu")
    refuse_long_warmup(8, settings)
    with pytest.raises(TrainError, match="warmup is 14 iterations, and the training has 14"):
        refuse_long_warmup(STEPS, settings)


def test_a_warm_up_of_1_is_an_epoch_and_not_the_whole_training() -> None:
    settings = Settings(epochs=4, lr=0.2, schedule="constant", warmup=1.0)
    rates = _rates(settings)
    assert rates[STEPS - 1] == 0.2
    assert rates[STEPS - 2] == pytest.approx(0.2 * (STEPS - 1) / STEPS)
