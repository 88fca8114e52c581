"""Choices that change nothing beside the others: a milestone where no schedule looks at one."""

from __future__ import annotations

import math
from collections.abc import Iterator

from netdsl.amounts import counted
from netdsl.train.errors import TrainError
from netdsl.train.recipe import Recipe
from netdsl.train.resolve import Choices, resolve
from netdsl.train.settings import Settings
from netdsl.train.steps import count_steps


def idle(
    said: Choices, settings: Settings, images: int | None = None, processes: int = 1
) -> dict[str, str]:
    """Return each choice that changes nothing in a training under these settings, and why.

    `images` is how many there are to train on, by so many processes: without it nobody knows
    whether a milestone that is an iteration is reached.

    >>> from netdsl.train.resolve import resolve
    >>> said = Choices(optimiser="adam", nesterov=True)
    >>> idle(said, resolve(said))
    {'nesterov': 'optimiser is adam'}
    """
    reasons = _reasons(said, settings, images, processes)
    return {name: why for name, is_chosen, why in reasons if is_chosen and why}


def idle_in_recipe(
    recipe: Recipe, settings: Settings, *known: Choices, images: int, processes: int = 1
) -> dict[str, str]:
    """Return which of a recipe's own settings change nothing in itself, nor as it is used here.

    `known` is what the machine and the images say before it. A recipe that is not whole without
    the command line is told nothing, nor is a stage of one.
    """
    try:
        by_itself = resolve(*known, recipe.train, images=images, processes=processes)
    except TrainError:
        return {}
    alone = idle(recipe.own, by_itself, images, processes)
    here = idle(recipe.own, settings, images, processes)
    return {name: why for name, why in here.items() if name in alone}


def young_average(settings: Settings, images: int, processes: int = 1) -> str:
    """Return why an average over more steps than the training has is of little use, else nothing.

    `images` is how many there are to train on, by so many processes.
    """
    steps = settings.epochs * count_steps(images, settings.batch_size, processes)
    span = round(1 / (1 - settings.average))
    if settings.average == 0 or span <= steps:
        return ""
    return (
        f"average {settings.average:g} is over about {span:,} steps, and the training has "
        f"{steps:,}: the averaged network, which is evaluated, stays close to its first weights"
    )


def _reasons(
    said: Choices, s: Settings, images: int | None, processes: int
) -> Iterator[tuple[str, bool, str]]:
    """Yield settings, whether they are chosen, and why they change nothing, empty if they do."""
    of_steps = "" if s.schedule == "step" else f"schedule is {s.schedule}"
    end, length = _end(s, images, processes)
    late = [milestone for milestone in s.milestones if milestone >= end]
    too_late = length if len(late) == len(s.milestones) else ""
    is_one = "gamma is 1" if s.gamma == 1 else ""
    of_all = of_steps or too_late or is_one
    yield "milestones", bool(said.get("milestones")), of_all
    for milestone in late:
        yield f"milestone {milestone:g}", bool(said.get("milestones")) and not of_all, length
    kept = "the rate is multiplied by 1" if s.gamma == 1 else ""
    unused = f"{too_late}, and no milestone lies in them" if too_late else ""
    yield "gamma", said.get("gamma") is not None, of_steps or unused or kept
    is_counted = s.schedule == "step" or s.settled_warmup >= 1
    uncounted = (
        "" if is_counted else "there are no milestones, and warmup is a part of the training"
    )
    yield "unit", said.get("unit") == "iterations", uncounted
    yield "nesterov", said.get("nesterov") is True, _unless(s.optimiser == "sgd", "optimiser", s)
    decays = s.weight_decay > 0
    yield "decay_norms", said.get("decay_norms") is not None, _unless(decays, "weight_decay", s)
    # The first epoch is better than none, so that it is waited for in those behind it.
    lasts = said.get("patience") is not None and 0 < s.patience >= s.epochs - 1
    yield "sync_bn", said.get("sync_bn") is True, "" if processes > 1 else "there is one process"
    yield "patience", lasts, f"the training has {counted(s.epochs, 'epoch')}"


def _end(s: Settings, images: int | None, processes: int) -> tuple[float, str]:
    """Return how long the training is, in the unit of its milestones and in words."""
    if s.unit == "epochs":
        return s.epochs, f"the training has {counted(s.epochs, 'epoch')}"
    if images is None:
        return math.inf, ""
    steps = s.epochs * count_steps(images, s.batch_size, processes)
    return steps, f"the training has {counted(steps, 'iteration')}"


def _unless(holds: bool, name: str, s: Settings) -> str:
    return "" if holds else f"{name} is {getattr(s, name)}"
