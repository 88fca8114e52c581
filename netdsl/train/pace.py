"""The first steps of a training to the seconds that all of it will take."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

_LAST = 4  # steps; the first one is left out, for it also prepares what the others use
_FORWARD = 1 / 3  # of a step: running backward takes about twice as long as running forward


@dataclass(slots=True)
class Pace:
    """The seconds of a step, timed once: on a GPU somebody has to wait for it."""

    step: float | None = None
    _began: float | None = None

    def note(self, done: int, steps: int, device: str) -> None:
        """Hear that `done` steps are taken, of `steps` in an epoch; the first few are timed."""
        last = min(_LAST, steps)
        if done == 1:
            wait(device)
            self._began = time.perf_counter()
        elif done == last and self._began is not None:
            wait(device)
            self.step = (time.perf_counter() - self._began) / (last - 1)

    def epoch(self, steps: int, batch_size: int, evaluated: int) -> float | None:
        """Return the seconds of an epoch that ends with so many images evaluated."""
        if self.step is None:
            return None
        return self.step * (steps + _FORWARD * evaluated / batch_size)


def wait(device: str) -> None:
    """Wait until a device has done all that it was told to."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()
