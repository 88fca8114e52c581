"""All that a training needs, put together: begun anew, or where it was cut."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from netdsl.train.averaging import Average
from netdsl.train.batches import feed
from netdsl.train.checkpoint import restore
from netdsl.train.compiling import compile_where_it_pays
from netdsl.train.data.dataset import DataSet, Split
from netdsl.train.evaluation import place, try_out
from netdsl.train.faults import refuse_too_large
from netdsl.train.gathering import stays
from netdsl.train.memory import estimate, free_memory
from netdsl.train.normalising import mean_and_std
from netdsl.train.optimiser import make_optimiser
from netdsl.train.origin import origin_of
from netdsl.train.progress import Progress, Start
from netdsl.train.run import RunFolder
from netdsl.train.settings import Settings
from netdsl.train.signals import Stop
from netdsl.train.steps import count_steps
from netdsl.train.training import Feeds, Training
from netdsl.train.transforms import random_order
from netdsl.train.weights import count_parameters

_SAMPLE = 2000  # the stream of random numbers; batches use the ones below


def prepare(
    model: nn.Module,
    data: DataSet,
    settings: Settings,
    run: RunFolder,
    report: Progress,
    stop: Stop,
    save_every: float,
) -> Training:
    """Return a training before its next step; tell of it, and of what differs since it was cut."""
    torch.manual_seed(settings.seed)
    place(model, settings)
    try_out(model, data, settings)
    need, largest = estimate(model, data.shape, settings), min(settings.batch_size, len(data.train))
    refuse_too_large(need, free_memory(settings.device), replace(settings, batch_size=largest))
    feeds = _feeds(data, settings, need.at(largest))
    decided, compiled, source = compile_where_it_pays(model, feeds.train, settings, report.note)
    if decided != settings:
        run.settle(decided)
        settings = decided
    job = Training(
        model=model,
        optimiser=make_optimiser(model, settings),
        average=Average(model, settings.average) if settings.average else None,
        feeds=replace(feeds, train=source),
        settings=settings,
        run=run,
        origin=origin_of(run.network, data, settings),
        about=_about(run.network, data, settings),
        report=report,
        stop=stop,
        save_every=save_every,
        steps=count_steps(len(data.train), settings.batch_size),
        compiled=compiled,
    )
    changes = restore(job) if run.checkpoint.exists() else ()
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
        changes=changes,
    )


def _feeds(data: DataSet, settings: Settings, need: int) -> Feeds:
    splits = (data.train, data.val, _sample(data.train, settings))
    here = stays([split.images.nbytes for split in splits], settings.device, need)
    train, val, sample = (feed(split, data, settings, stays=here) for split in splits)
    return Feeds(train=train, val=val, sample=sample)


def _sample(split: Split, settings: Settings) -> Split:
    """Return the training images that every epoch is evaluated on, the same for equal seeds."""
    order = random_order(settings.seed, 0, _SAMPLE, len(split))
    chosen = order[: settings.sample].sort().values
    return Split(split.images[chosen], split.labels[chosen])


def _about(network: str, data: DataSet, settings: Settings) -> dict[str, object]:
    """Return what somebody needs to use the weights who has nothing else of the run."""
    mean, std = mean_and_std(data, settings.normalise)
    values = len(mean) if settings.normalise == "pixel" else data.shape[0]
    return {
        "network": network,
        "data": data.name,
        "shape": list(data.shape),
        "classes": list(data.classes),
        "normalise": settings.normalise,
        "mean": mean[:values].tolist(),
        "std": std[: data.shape[0]].tolist(),
    }
