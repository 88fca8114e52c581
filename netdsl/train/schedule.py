"""A step to its learning rate: one cycle, steps, half a cosine, or none of it."""

from __future__ import annotations

import math

from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.settings import Settings

_START = 25.0  # the first rate of a cycle is the peak divided by this
_END = 1e4  # the last rate is the first divided by this


def rate(step: int, steps_an_epoch: int, settings: Settings) -> float:
    """Return the learning rate of a step counted from 0 over all epochs.

    Equal to torch's schedulers, but a function of the step alone, so that a training can go on
    from any step. All but the cycle climb in a straight line while they warm up.
    """
    steps, peak = steps_an_epoch * settings.epochs, settings.lr
    unit = steps_an_epoch if settings.unit == "epochs" else 1
    warmup = settings.settled_warmup
    climb = warmup * (steps if warmup < 1 else unit)
    if settings.schedule == "one_cycle":
        return one_cycle(step, steps, peak, climb)
    warming = min(1.0, (step + 1) / climb) if climb else 1.0
    if settings.schedule == "step":
        return warming * _stepped(step, peak, settings, unit)
    if settings.schedule == "cosine" and step > climb:
        return _cosine(peak, 0.0, (step - climb) / (steps - climb))
    return warming * peak


def refuse_long_warmup(steps_an_epoch: int, settings: Settings) -> None:
    """Raise where a warm-up of so many iterations would last as long as the training."""
    steps, warmup = steps_an_epoch * settings.epochs, settings.settled_warmup
    if settings.unit == "iterations" and warmup >= max(1, steps):
        fact = f"warmup is {warmup:g} iterations, and the training has {steps:,}"
        raise TrainError(fact, "warm up for less, or train for longer", ExitCode.USAGE)


def one_cycle(step: int, steps: int, peak: float, climb: float) -> float:
    """Return half a cosine up to the peak, for `climb` steps, and half one down.

    Smith & Topin 2018, as torch's `OneCycleLR` has it.

    >>> [round(one_cycle(step, 10, 1.0, 3), 3) for step in (0, 2, 9)]
    [0.04, 1.0, 0.0]
    """
    first, top = peak / _START, climb - 1
    if step <= top and top > 0:
        return _cosine(first, peak, step / top)
    return _cosine(peak, first / _END, (step - top) / (steps - 1 - top))


def _stepped(step: int, peak: float, settings: Settings, unit: int) -> float:
    for milestone in settings.milestones:
        if step >= milestone * unit:
            peak *= settings.gamma
    return peak


def _cosine(begin: float, end: float, part: float) -> float:
    return end + (begin - end) / 2.0 * (math.cos(math.pi * part) + 1)
