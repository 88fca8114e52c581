"""A training under way to the same, one epoch further."""

from __future__ import annotations

import time

from torch import Tensor

from netdsl.train.batches import shuffled
from netdsl.train.checkpoint import pause
from netdsl.train.forward import forward
from netdsl.train.freezing import training_mode
from netdsl.train.mixing import Target
from netdsl.train.objective import loss_of
from netdsl.train.optimiser import clip_gradients, set_rate
from netdsl.train.progress import Step
from netdsl.train.schedule import rate
from netdsl.train.tally import check_step
from netdsl.train.training import Training

_REPORT_EVERY = 0.25  # seconds; each report waits for the device


def train_epoch(job: Training) -> None:
    """Take every step of the epoch under way that is not done yet."""
    training_mode(job.model)
    job.tally.began = time.perf_counter()
    batches = shuffled(job.feeds.train, job.settings, job.epoch, job.step)
    for images, target, labels in batches:
        take_step(job, images, target, labels)
        job.pace.note(job.done, job.steps, job.settings.device)
        if job.step == job.steps or time.perf_counter() - job.reported > _REPORT_EVERY:
            _tell(job)
        pause(job)


def take_step(job: Training, images: Tensor, target: Target, labels: Tensor) -> None:
    """Go one step of the optimiser, by images (N, C, H, W) with their targets."""
    lr = rate(job.done, job.steps, job.settings)
    set_rate(job.optimiser, lr)
    job.optimiser.zero_grad()
    logits = forward(job.learner(len(images)), images, job.settings)
    loss = loss_of(logits, target, job.settings)
    _weighted(job, loss, len(labels)).backward()  # type: ignore[no-untyped-call]
    norm = clip_gradients(job.model, job.settings)
    if job.settings.device == "cpu":  # elsewhere each look waits for the device
        where = f"step {job.step + 1} of {job.steps} in epoch {job.epoch}"
        (whole,) = job.world.total(loss.item() * len(labels) / job.batch)
        check_step(whole, norm.item(), f"in {where}", lr)
    job.optimiser.step()
    if job.average is not None:
        job.average.update(job.model)
    job.done += 1
    job.tally.add(loss, norm, logits, labels)


def _weighted(job: Training, loss: Tensor, images: int) -> Tensor:
    """Return a process's loss so that the mean over all processes is that over all images."""
    return loss if job.world.size == 1 else loss * (images * job.world.size / job.batch)


def _tell(job: Training) -> None:
    """Tell of the images of this process so far, at the pace of all together."""
    reading = job.tally.read()
    job.reported = time.perf_counter()
    job.doubtful = not reading.is_finite
    if job.doubtful:  # which `pause` asks about everywhere
        return
    left = job.steps * job.settings.epochs - job.done
    job.report.step(
        Step(
            epoch=job.epoch,
            step=job.step,
            steps=job.steps,
            loss=reading.loss,
            accuracy=reading.accuracy,
            images_per_second=reading.images_per_second * job.world.size,
            seconds_left=(job.reported - job.began) * left / (job.done - job.begun_at),
        )
    )
