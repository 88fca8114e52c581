"""A network, a data set and settings to a trained network and a filled run folder."""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch
from torch import nn

from netdsl.train.batches import Feed, count_steps, feed
from netdsl.train.data.dataset import DataSet
from netdsl.train.epoch import Training, train_epoch
from netdsl.train.evaluation import measure, place, try_out
from netdsl.train.faults import diverged, memory_faults
from netdsl.train.machine import threads
from netdsl.train.metrics import Row
from netdsl.train.optimiser import make_sgd
from netdsl.train.progress import SILENT, Progress, Start, Summary
from netdsl.train.run import RunFolder
from netdsl.train.settings import Settings
from netdsl.train.weights import count_parameters, is_finite, save_weights


def train(
    model: nn.Module,
    data: DataSet,
    settings: Settings,
    run: RunFolder,
    report: Progress = SILENT,
) -> Summary:
    """Train a network on a data set, and fill the folder of the run epoch by epoch.

    `metrics.csv`, `last.safetensors` and `best.safetensors` are renewed after each epoch, curves
    and `summary.json` written at the end. Weights that are NaN or infinite are never written. An
    interrupt passes through, after `last.safetensors` holds the weights of that moment.
    """
    with memory_faults(settings), threads(settings.threads):
        job = _prepare(model, data, settings, report)
        _take_epochs(job, run, feed(data.val, data, settings))
        summary = _summary(job)
        run.write_summary(summary, job.rows)
        report.finished(summary)
        return summary


def _prepare(model: nn.Module, data: DataSet, settings: Settings, report: Progress) -> Training:
    torch.manual_seed(settings.seed)
    place(model, settings)
    try_out(model, data, settings)
    parameters = count_parameters(model)
    report.started(Start(data.name, len(data.train), len(data.val), parameters, settings))
    return Training(
        model=model,
        optimiser=make_sgd(model, settings),
        source=feed(data.train, data, settings),
        augment=data.augment if settings.augment else (),
        settings=settings,
        report=report,
        steps=count_steps(len(data.train), settings.batch_size),
    )


def _take_epochs(job: Training, run: RunFolder, val: Feed) -> None:
    try:
        for _ in range(job.settings.epochs):
            _store(job, run, _next_row(job, val))
    except KeyboardInterrupt:
        if is_finite(job.model):
            _save(job, run.last)
        raise


def _next_row(job: Training, val: Feed) -> Row:
    began, epoch = time.perf_counter(), len(job.rows) + 1
    reading = train_epoch(job)
    lr = job.rate(job.done - 1)
    if not is_finite(job.model):
        raise diverged(f"a weight became NaN or infinite in epoch {epoch}", lr)
    result = measure(job.model, val, job.settings)
    if not math.isfinite(result.loss):
        raise diverged(f"the validation loss became {result.loss} in epoch {epoch}", lr)
    return Row(
        epoch=epoch,
        lr=lr,
        train_loss=reading.loss,
        train_accuracy=reading.accuracy,
        val_loss=result.loss,
        val_accuracy=result.accuracy,
        images_per_second=round(reading.images_per_second, 1),
        seconds=round(time.perf_counter() - began, 3),
    )


def _store(job: Training, run: RunFolder, row: Row) -> None:
    job.rows.append(row)
    _save(job, run.last)
    if job.best is row:
        _save(job, run.best)
    run.write_rows(job.rows)
    job.report.epoch(row)


def _save(job: Training, path: Path) -> None:
    save_weights(job.model, path, {"epochs": len(job.rows), "steps": job.done})


def _summary(job: Training) -> Summary:
    return Summary(
        best=job.best,
        last=job.rows[-1],
        seconds=round(time.perf_counter() - job.began, 3),
        parameters=count_parameters(job.model),
        device=job.settings.device,
        torch=torch.__version__,
        settings=job.settings,
    )
