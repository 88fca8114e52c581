"""The steps of an epoch to its mean loss, accuracy and gradient norm, and its pace."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from netdsl.train.distributed import ALONE, World
from netdsl.train.faults import diverged


@dataclass(frozen=True, slots=True)
class Reading:
    """Means so far: of images, of steps for the gradient norm; and how many images a second.

    `last_norm` is the gradient norm of the latest step.
    """

    loss: float
    accuracy: float
    gradient_norm: float
    last_norm: float
    images_per_second: float

    @property
    def is_finite(self) -> bool:
        """Say whether every step so far was."""
        return math.isfinite(self.loss) and math.isfinite(self.gradient_norm)

    def check(self, where: str, lr: float) -> Reading:
        """Return the reading, or raise if a step so far was not finite."""
        check_step(self.loss, self.last_norm, f"by {where}", lr)
        check_step(self.loss, self.gradient_norm, f"by {where}", lr)
        return self


def check_step(loss: float, norm: float, where: str, lr: float) -> None:
    """Raise if loss or gradient norm left the finite."""
    if not math.isfinite(loss):
        raise diverged(f"the loss became {loss} {where}", lr, norm)
    if not math.isfinite(norm):
        raise diverged(f"a gradient became NaN or infinite {where}", lr, norm)


@dataclass(slots=True)
class Tally:
    """What came of each step, kept on the device and only added up when somebody reads it.

    Every reading waits for the device, and on a small network even the adding costs a percent.
    The sums do not depend on when they are read.
    """

    seconds: float = 0.0  # that training took before `began`
    began: float = field(default_factory=time.perf_counter)
    _loss: float = 0.0
    _norm: float = 0.0
    _last_norm: float = 0.0
    _right: int = 0
    _images: int = 0
    _count: int = 0
    _steps: list[tuple[Tensor, Tensor, Tensor, Tensor]] = field(default_factory=list)

    def add(self, loss: Tensor, norm: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Note a step: mean loss, gradient norm, what the network said and what was right."""
        self._steps.append((loss.detach(), norm.detach(), logits.detach(), labels))

    def read(self, world: World = ALONE) -> Reading:
        """Return the means; a loss or norm that was ever NaN or infinite shows in theirs.

        With a `world`, over the images of all its processes, which have to read at the same step.
        """
        self._add_up()
        seconds = self.seconds + time.perf_counter() - self.began
        loss, right, images = world.total(self._loss, self._right, self._images)
        return Reading(
            loss=loss / max(1, images),
            accuracy=right / max(1, images),
            gradient_norm=self._norm / max(1, self._count),
            last_norm=self._last_norm,
            images_per_second=images / seconds,
        )

    def state(self) -> dict[str, float]:
        """Return the sums as plain numbers."""
        self._add_up()
        seconds = self.seconds + time.perf_counter() - self.began
        return {"seconds": seconds, **{name: getattr(self, name) for name in _SUMS}}

    @staticmethod
    def restore(states: Sequence[Mapping[str, float]], world: World = ALONE) -> Tally:
        """Return a process's tally from those of all; the first has all if there are others now.

        >>> states = [{"seconds": 1.0, "_loss": 2.0, "_norm": 3.0, "_last_norm": 4.0,
        ...            "_right": 5, "_images": 6, "_count": 7}] * 2
        >>> Tally.restore(states).read().loss, Tally.restore(states, World(1, 3)).read().accuracy
        (0.3333333333333333, 0.0)
        """
        if len(states) == world.size:
            return Tally(**states[world.rank])  # type: ignore[arg-type]
        sums = {name: sum(state[name] for state in states) for name in _OF_IMAGES}
        own = sums if world.leads else dict.fromkeys(_OF_IMAGES, 0)
        return Tally(**{**states[0], **own})  # type: ignore[arg-type]

    def _add_up(self) -> None:
        if not self._steps:
            return
        losses, norms, logits, labels = zip(*self._steps, strict=True)
        self._steps.clear()
        sizes = [len(part) for part in labels]
        numbers = torch.stack(losses + norms).tolist()
        # NOTE: one after the other, or the sum would depend on how often somebody reads.
        for loss, norm, size in zip(numbers, numbers[len(sizes) :], sizes, strict=False):
            self._loss += loss * size
            self._norm += norm
        self._last_norm = numbers[-1]
        self._right += int((torch.cat(logits).argmax(1) == torch.cat(labels)).sum().item())
        self._images += sum(sizes)
        self._count += len(sizes)


_OF_IMAGES = ("_loss", "_right", "_images")  # the others are the same in every process
_SUMS = ("_loss", "_norm", "_last_norm", "_right", "_images", "_count")
