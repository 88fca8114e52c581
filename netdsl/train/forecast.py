"""A network, images and settings to what training will take, from a few steps that are undone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import nn

from netdsl import resources
from netdsl.train.checkpoint import save
from netdsl.train.computing import computing
from netdsl.train.data.dataset import DataSet, Split
from netdsl.train.distributed import ALONE
from netdsl.train.dropout import fast_dropout
from netdsl.train.epoch import train_epoch
from netdsl.train.evaluation import measure
from netdsl.train.faults import memory_faults
from netdsl.train.memory import peak_memory
from netdsl.train.narrow import narrow_convolutions
from netdsl.train.pace import wait
from netdsl.train.prepare import prepare
from netdsl.train.progress import SILENT
from netdsl.train.random_state import random_state, restore_random_state
from netdsl.train.run import RunFolder
from netdsl.train.settings import Settings
from netdsl.train.signals import Stop
from netdsl.train.steps import count_steps
from netdsl.train.training import Training
from netdsl.train.weights import state_of, write_weights

_STEPS = 3
_TIMES = 3  # that the same is timed, beside other processes too; the least counts
_ENOUGH = 2.0  # seconds, behind which it is not timed again
_MUCH = 0.2  # of the time: alone, a thread waits for less
_TEXTS = 300_000  # bytes of the network's source, the tables and the curves


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a training will take: seconds, the most bytes in memory, and bytes on the disk.

    An epoch is its steps, its evaluations, and the storing of what came of it. `waited` is the
    part of the time it was measured in that went by without a core, which other processes had.
    """

    seconds_per_step: float
    seconds_per_epoch: float
    seconds: float
    steps: int
    epochs: int
    peak_memory: int
    disk: int
    waited: float = 0.0

    @property
    def is_disturbed(self) -> bool:
        """Say whether other processes made it much longer than a training alone takes."""
        return self.waited > _MUCH


def forecast(model: nn.Module, data: DataSet, settings: Settings) -> Forecast:
    """Return what `train` would take, measured on some batches of the data.

    A few steps are taken to get everything ready, then as many are timed, an evaluation (both up to
    three times, of which the least counts), and a checkpoint in the system's folder for temporary
    files. Network and random numbers are left as they were. Raises what `train` would raise before
    its first step.
    """
    with (
        TemporaryDirectory(prefix="netdsl-") as place,
        _same_random_numbers(model, settings),
        memory_faults(settings),
        computing(settings),
    ):
        run = RunFolder.create("", settings, {}, path=Path(place, "run"))
        part, copied = _part(data, settings), deepcopy(model)
        with fast_dropout(copied, settings), narrow_convolutions(copied, settings.device):
            job = prepare(copied, part, settings, run, SILENT, Stop(), ALONE, whole=data)
            waiting = _part_waited()
            step = _timed(settings, lambda: _again(job)) / job.steps
        image = _timed(settings, lambda: measure(job.evaluated, job.feeds.val, settings))
        store = _timed(settings, lambda: _store(job), warm=False)
        found = _scaled(job, data, part, (step, image / len(part.val), store))
        return replace(found, waited=waiting())


def _scaled(
    job: Training, data: DataSet, part: DataSet, took: tuple[float, float, float]
) -> Forecast:
    """Return what the whole takes, by the seconds of a step, of an image, of a checkpoint."""
    step, image, store = took
    settings, sample = job.settings, min(job.settings.sample, len(data.train))
    steps = count_steps(len(data.train), settings.batch_size)
    epoch = steps * step + (len(data.val) + sample) * image + store
    weights = sum(tensor.nbytes for tensor in state_of(job.evaluated).values())
    checkpoint = job.run.checkpoint.stat().st_size
    unseen = len(data.train) + len(data.val) - len(part.train) - len(part.val)
    images = unseen + sample - min(sample, len(part.train))  # a sample is a copy
    return Forecast(
        seconds_per_step=step,
        seconds_per_epoch=epoch,
        seconds=epoch * settings.epochs,
        steps=steps,
        epochs=settings.epochs,
        peak_memory=peak_memory(settings.device) + images * data.train.images[0].numel(),
        # NOTE: a checkpoint is written beside the one before; it holds the best weights too.
        disk=2 * weights + 2 * (checkpoint + weights) + _TEXTS,
    )


def _part(data: DataSet, settings: Settings) -> DataSet:
    """Return as many images as a few steps learn from, and a batch to evaluate."""
    few = _STEPS * settings.batch_size
    train = Split(data.train.images[:few], data.train.labels[:few])
    val = Split(data.val.images[: settings.batch_size], data.val.labels[: settings.batch_size])
    return replace(data, train=train, val=val)


def _again(job: Training) -> None:
    """Take the steps of the first epoch."""
    job.done = 0
    train_epoch(job)


def _store(job: Training) -> None:
    """Write what an epoch leaves behind."""
    for path in (job.run.last, job.run.best):
        write_weights(state_of(job.evaluated), path, job.about)
    save(job)


def _timed(settings: Settings, act: Callable[[], object], *, warm: bool = True) -> float:
    """Return the seconds that something takes: the least of some times, behind one that prepares.

    What needs no preparing is timed once.
    """
    if not warm:
        return _seconds(settings, act)
    act()
    took = [_seconds(settings, act)]
    while len(took) < _TIMES and sum(took) < _ENOUGH:
        took.append(_seconds(settings, act))
    return min(took)


def _seconds(settings: Settings, act: Callable[[], object]) -> float:
    wait(settings.device)
    began = time.perf_counter()
    act()
    wait(settings.device)
    return time.perf_counter() - began


def _part_waited() -> Callable[[], float]:
    """Return what tells the part of the time from now on that this thread waits for a core."""
    began, before = time.perf_counter(), resources.waited()

    def told() -> float:
        now = resources.waited()
        idle = 0.0 if now is None or before is None else now - before
        return min(1.0, idle / (time.perf_counter() - began))

    return told


@contextmanager
def _same_random_numbers(model: nn.Module, settings: Settings) -> Iterator[None]:
    before = random_state(model, settings)
    try:
        yield
    finally:
        restore_random_state(model, settings, before)
