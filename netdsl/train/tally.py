"""The steps of an epoch to its mean loss, its accuracy and its pace."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Reading:
    """Means over the images so far, and how many of them a second went by."""

    loss: float
    accuracy: float
    images_per_second: float


@dataclass(slots=True)
class Tally:
    """What came of each step, kept on the device and only added up when somebody reads it.

    Every reading waits for the device, and on a small network even the adding costs a percent.
    """

    began: float = field(default_factory=time.perf_counter)
    _loss: float = 0.0
    _right: int = 0
    _images: int = 0
    _steps: list[tuple[Tensor, Tensor, Tensor]] = field(default_factory=list)

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Note a step: its mean loss, what the network said and what was right."""
        self._steps.append((loss.detach(), logits.detach(), labels))

    def read(self) -> Reading:
        """Return the means; a loss that was ever NaN or infinite shows in theirs."""
        if self._steps:
            losses, logits, labels = zip(*self._steps, strict=True)
            self._steps.clear()
            sizes = torch.tensor([len(part) for part in labels], dtype=torch.float64)
            self._loss += torch.dot(torch.stack(losses).cpu().double(), sizes).item()
            self._right += int((torch.cat(logits).argmax(1) == torch.cat(labels)).sum().item())
            self._images += int(sizes.sum().item())
        seconds = time.perf_counter() - self.began
        n = self._images
        return Reading(self._loss / n, self._right / n, n / seconds)
