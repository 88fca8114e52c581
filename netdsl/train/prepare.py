"""All that a training needs, put together: begun anew, or where it was cut."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from netdsl.train.averaging import Average
from netdsl.train.batches import feed, try_transforms
from netdsl.train.checkpoint import restore
from netdsl.train.compiling import compile_where_it_pays
from netdsl.train.data.dataset import DataSet, Split
from netdsl.train.distributed import World, refuse_unfit
from netdsl.train.evaluation import place, refuse_other_images, try_out
from netdsl.train.faults import refuse_too_large
from netdsl.train.freezing import refuse_unlearnable
from netdsl.train.gathering import stays
from netdsl.train.memory import estimate, free_memory
from netdsl.train.normalising import mean_and_std
from netdsl.train.optimiser import make_optimiser
from netdsl.train.origin import origin_of
from netdsl.train.progress import Progress, Start
from netdsl.train.replica import replica, synchronised
from netdsl.train.run import RunFolder
from netdsl.train.schedule import refuse_long_warmup
from netdsl.train.settings import Settings
from netdsl.train.signals import Stop
from netdsl.train.steps import count_steps
from netdsl.train.training import Feeds, Training
from netdsl.train.transforms import random_order
from netdsl.train.weights import count_parameters, refuse_unstorable, watch

_SAMPLE = 2000  # the stream of random numbers; batches use the ones below


def prepare(
    model: nn.Module,
    data: DataSet,
    settings: Settings,
    run: RunFolder,
    report: Progress,
    stop: Stop,
    world: World,
    *,
    whole: DataSet | None = None,
) -> Training:
    """Return a training before its next step; tell of it, and of what differs since it was cut.

    `whole` is what the data are a part of, where they are: what depends on how long the training
    is, or on how much its images take, is decided for all of it.
    """
    whole = whole or data
    refuse_unlearnable(model)
    refuse_other_images(model, data)
    refuse_unstorable(model)
    refuse_unfit(settings, len(data.train), world)
    all_steps = count_steps(len(whole.train), settings.batch_size, world.size)
    refuse_long_warmup(all_steps, settings)
    try_transforms(settings, data.shape)
    torch.manual_seed(settings.seed + world.rank)
    model = synchronised(model, settings, world)
    place(model, settings)
    try_out(model, data, settings)
    need = world.each(lambda: _needed(model, data, settings, world))[world.rank]
    feeds = _feeds(data, settings, world, stays(_sizes(whole, settings), settings.device, need))
    decided, compiled, source = compile_where_it_pays(
        model, feeds.train, settings, all_steps * settings.epochs, report.note
    )
    if decided != settings:
        world.lead(lambda: run.settle(decided))
        settings = decided
    job = Training(
        model=model,
        replica=replica(model, data.shape, settings, world),
        optimiser=make_optimiser(model, settings),
        average=Average(model, settings.average) if settings.average else None,
        feeds=replace(feeds, train=source),
        settings=settings,
        run=run,
        origin={**origin_of(run.network, data, settings), "processes": world.size},
        about=_about(run, data, settings),
        report=report,
        stop=stop,
        steps=count_steps(len(data.train), settings.batch_size, world.size),
        classes=len(data.classes),
        compiled=compiled,
        world=world,
        watched=watch(model),
    )
    changes = restore(job) if world.lead(run.checkpoint.exists) else ()
    report.started(_start(job, data, changes))
    return job


def _start(job: Training, data: DataSet, changes: tuple[str, ...]) -> Start:
    return Start(
        data=data.name,
        train_images=len(data.train),
        val_images=len(data.val),
        parameters=count_parameters(job.model),
        settings=job.settings,
        done=job.done,
        steps=job.steps,
        processes=job.world.size,
        changes=changes,
    )


def _needed(model: nn.Module, data: DataSet, settings: Settings, world: World) -> int:
    """Return the bytes that a process's part of a batch takes; raise where there are fewer."""
    largest = len(world.part(min(settings.batch_size, len(data.train))))
    need, free = estimate(model, data.shape, settings), free_memory(settings.device)
    if world.size > 1:  # torch gathers the gradients that are sent
        need = replace(need, fixed=need.fixed + sum(p.nbytes for p in model.parameters()))
    if free is not None and settings.device == "cpu":
        free //= world.local_size
    work = f"training with batches of {largest:,} images on {settings.device}"
    refuse_too_large(need, free, largest, work, lambda fits: f"batch_size {fits * world.size}")
    return need.at(largest)


def _sizes(data: DataSet, settings: Settings) -> list[int]:
    """Return the bytes of the images that `_feeds` holds."""
    train, val = data.train.images, data.val.images
    return [train.nbytes, val.nbytes, train[: settings.sample].nbytes]


def _feeds(data: DataSet, settings: Settings, world: World, here: bool) -> Feeds:
    splits = (data.train, data.val, _sample(data.train, settings))
    train, val, sample = (feed(split, data, settings, world, stays=here) for split in splits)
    return Feeds(train=train, val=val, sample=sample)


def _sample(split: Split, settings: Settings) -> Split:
    """Return the training images that every epoch is evaluated on, the same for equal seeds."""
    order = random_order(settings.seed, 0, _SAMPLE, len(split))
    chosen = order[: settings.sample].sort().values
    return Split(split.images[chosen], split.labels[chosen])


def _about(run: RunFolder, data: DataSet, settings: Settings) -> dict[str, object]:
    """Return what somebody needs to use the weights who has nothing else of the run."""
    mean, std = mean_and_std(data, settings.normalise)
    values = len(mean) if settings.normalise == "pixel" else data.shape[0]
    images: Any = run.asked.get("data", {})
    return {
        "network": run.network,
        **{name: run.asked[name] for name in ("overrides", "scale") if name in run.asked},
        "data": data.name,
        **({"holdout": images["holdout"]} if "holdout" in images else {}),
        "shape": list(data.shape),
        "classes": list(data.classes),
        "class_ids": list(data.class_ids or data.classes),
        "normalise": settings.normalise,
        "mean": mean[:values].tolist(),
        "std": std[: data.shape[0]].tolist(),
    }
