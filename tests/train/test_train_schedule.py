"""The one-cycle rate against torch's."""

from __future__ import annotations

import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR

from netdsl.train.schedule import one_cycle


@pytest.mark.parametrize(
    ("steps", "peak", "warmup"), [(1, 0.1, 0.3), (7, 0.1, 0.3), (100, 0.02, 0.5), (301, 1.0, 0.0)]
)
def test_the_rate_of_each_step_is_that_of_torch(steps: int, peak: float, warmup: float) -> None:
    optimiser = SGD([torch.zeros(1, requires_grad=True)], peak)
    schedule = OneCycleLR(
        optimiser, peak, total_steps=steps, pct_start=warmup, cycle_momentum=False
    )
    rates = []
    for step in range(steps):
        rates.append(schedule.get_last_lr()[0])
        optimiser.step()
        if step < steps - 1:
            schedule.step()
    assert [one_cycle(step, steps, peak, warmup) for step in range(steps)] == rates
