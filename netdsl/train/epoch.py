"""A training under way to the same, one epoch further."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD

from netdsl.train.batches import Feed, shuffled
from netdsl.train.evaluation import forward
from netdsl.train.faults import diverged
from netdsl.train.metrics import Row
from netdsl.train.optimiser import set_rate
from netdsl.train.progress import Progress, Step
from netdsl.train.schedule import one_cycle
from netdsl.train.settings import Settings
from netdsl.train.tally import Reading, Tally
from netdsl.train.transforms import Transform

_REPORT_EVERY = 0.25  # seconds; each report waits for the device


@dataclass(slots=True)
class Training:
    """A network that is being trained: what it learns from, and how far it is."""

    model: nn.Module
    optimiser: SGD
    source: Feed
    augment: tuple[Transform, ...]
    settings: Settings
    report: Progress
    steps: int  # of an epoch
    done: int = 0  # steps, over all epochs
    rows: list[Row] = field(default_factory=list)
    began: float = field(default_factory=time.perf_counter)
    reported: float = 0.0

    @property
    def best(self) -> Row:
        """The epoch of the highest accuracy, and of the lowest loss among equal ones."""
        return max(self.rows, key=lambda row: (row.val_accuracy, -row.val_loss))

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0 over all epochs."""
        s = self.settings
        return one_cycle(step, self.steps * s.epochs, s.lr, s.warmup)


def train_epoch(job: Training) -> Reading:
    """Take every step of the next epoch, and return what they came to."""
    epoch = len(job.rows) + 1
    tally = Tally()
    job.model.train()
    batches = shuffled(job.source, job.augment, job.settings.seed, epoch)
    for step, (images, labels) in enumerate(batches, start=1):
        loss, logits = _step(job, images, labels, f"in epoch {epoch}, step {step} of {job.steps}")
        tally.add(loss, logits, labels)
        if step == job.steps or time.perf_counter() - job.reported > _REPORT_EVERY:
            _tell(job, tally.read(), epoch, step)
    return tally.read()


def _step(job: Training, images: Tensor, labels: Tensor, where: str) -> tuple[Tensor, Tensor]:
    lr = job.rate(job.done)
    set_rate(job.optimiser, lr)
    job.optimiser.zero_grad()
    logits = forward(job.model, images, job.settings)
    loss = cross_entropy(logits, labels)
    if job.settings.device == "cpu":  # elsewhere each look waits for the device
        _check(loss.item(), where, lr)
    loss.backward()  # type: ignore[no-untyped-call]
    job.optimiser.step()
    job.done += 1
    return loss, logits


def _tell(job: Training, reading: Reading, epoch: int, step: int) -> None:
    _check(reading.loss, f"in epoch {epoch}, by step {step} of {job.steps}", job.rate(job.done - 1))
    job.reported = time.perf_counter()
    left = job.steps * job.settings.epochs - job.done
    job.report.step(
        Step(
            epoch=epoch,
            step=step,
            steps=job.steps,
            loss=reading.loss,
            accuracy=reading.accuracy,
            images_per_second=reading.images_per_second,
            seconds_left=(job.reported - job.began) * left / job.done,
        )
    )


def _check(loss: float, where: str, lr: float) -> None:
    if not math.isfinite(loss):
        raise diverged(f"the loss became {loss} {where}", lr)
