"""A network, a data set and settings to a trained network and a filled run folder."""

from __future__ import annotations

import math
from contextlib import ExitStack

import torch
from torch import nn

from netdsl.train.batches import Feed
from netdsl.train.checkpoint import about_best, check_finite, pause, save
from netdsl.train.computing import computing
from netdsl.train.data.dataset import DataSet
from netdsl.train.distributed import current, together
from netdsl.train.dropout import fast_dropout
from netdsl.train.epoch import train_epoch
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.evaluation import Evaluation, measure
from netdsl.train.faults import diverged, memory_faults
from netdsl.train.files import only_process, remove_leftovers
from netdsl.train.guessing import begins_to_guess, guessing_note
from netdsl.train.machine import name_device
from netdsl.train.memory import peak_memory
from netdsl.train.metrics import Row
from netdsl.train.narrow import narrow_convolutions
from netdsl.train.origin import refuse_other_settings
from netdsl.train.prepare import prepare
from netdsl.train.progress import SILENT, Progress, Summary
from netdsl.train.replica import share_buffers
from netdsl.train.run import RunFolder
from netdsl.train.settings import Settings
from netdsl.train.signals import listen_for_stop
from netdsl.train.tally import Tally
from netdsl.train.training import Training
from netdsl.train.weights import count_parameters, state_of, write_weights


def train(
    model: nn.Module,
    data: DataSet,
    settings: Settings,
    run: RunFolder,
    report: Progress = SILENT,
    *,
    save_minutes: float = 10.0,
) -> Summary:
    """Train a network on a data set, and fill the folder of the run epoch by epoch.

    Where the folder holds a checkpoint the training goes on from there, as if it had never been
    cut. One is written after each epoch, every `save_minutes`, and on Ctrl-C and SIGTERM, which
    end the training after the step under way; numbers that are NaN or infinite are never written.

    `metrics.csv`, `last.safetensors` and `best.safetensors` are renewed after each epoch, curves
    and `summary.json` written at the end. An averaged network is what is evaluated and stored.

    Processes that have joined (`distributed`) call this together, and train one network; the first
    of them alone writes and reports.
    """
    world = current()
    report = report if world.leads else SILENT
    with (
        ExitStack() as held,
        listen_for_stop(report.stopping) as stop,
        memory_faults(settings),
        together(world),
        computing(settings),
        fast_dropout(model, settings),
        narrow_convolutions(model, settings.device),
    ):
        world.lead(lambda: _take(run, settings, held))
        job = prepare(model, data, settings, run, report, stop, world)
        job.save_every = save_minutes * 60
        while not job.is_over:
            train_epoch(job)
            _store(job, _row(job))
        return _finish(job)


def _take(run: RunFolder, settings: Settings, held: ExitStack) -> None:
    """Keep other trainings away from a run that is not finished, and other settings too."""
    held.enter_context(only_process(run.path))
    if run.is_finished:
        raise TrainError(f"the training in {run.path} is finished", None, ExitCode.USAGE)
    if not run.checkpoint.exists():  # which holds all to go on with
        run.refuse_another_start()
        refuse_other_settings(run.settings, settings, str(run.path))
    remove_leftovers(run.path)


def _row(job: Training) -> Row:
    """Evaluate the network; return what the epoch came to, the same in every process."""
    check_finite(job)
    share_buffers(job.evaluated, job.world)
    reading = job.tally.read(job.world)
    result = _measure(job, job.feeds.val)
    if not math.isfinite(result.loss):
        fact = f"the validation loss became {result.loss} in epoch {job.epoch}"
        raise diverged(fact, job.lr, reading.last_norm)
    sample = _measure(job, job.feeds.sample)
    peak = max(job.world.each(lambda: peak_memory(job.settings.device)))
    row = Row(
        epoch=job.epoch,
        lr=job.lr,
        gradient_norm=reading.gradient_norm,
        train_loss=reading.loss,
        train_accuracy=reading.accuracy,
        sample_accuracy=sample.accuracy,
        val_loss=result.loss,
        val_accuracy=result.accuracy,
        val_top5=result.top5,
        images_per_second=round(reading.images_per_second, 1),
        seconds=round(job.elapsed - sum(row.seconds for row in job.rows), 3),
        peak_memory=peak,
    )
    return job.world.lead(lambda: row)


def _measure(job: Training, source: Feed) -> Evaluation:
    return measure(job.evaluated, source, job.settings, lambda: pause(job))


def _store(job: Training, row: Row) -> None:
    """Write what an epoch came to; the checkpoint last, for it says that all else is there."""
    job.rows.append(row)
    job.tally = Tally()
    job.world.lead(lambda: _write(job, row))
    save(job)
    job.report.epoch(row)
    if begins_to_guess(job.rows, job.classes):
        job.report.note(guessing_note(job.rows, job.classes))


def _write(job: Training, row: Row) -> None:
    weights = state_of(job.evaluated)
    write_weights(weights, job.run.last, {**job.about, "epochs": row.epoch, "steps": job.done})
    if job.best is row:
        job.best_weights = weights
        write_weights(weights, job.run.best, about_best(job))
    job.run.write_rows(job.rows)


def _finish(job: Training) -> Summary:
    summary = Summary(
        best=job.best,
        last=job.rows[-1],
        seconds=round(job.elapsed, 3),
        parameters=count_parameters(job.model),
        device=job.settings.device,
        torch=torch.__version__,
        settings=job.settings,
        forecast_seconds=None if job.forecast is None else round(job.forecast, 3),
        processes=job.world.size,
        device_name=name_device(job.settings.device),
        classes=job.classes,
    )
    job.world.lead(lambda: _end(job, summary))
    job.report.finished(summary)
    return summary


def _end(job: Training, summary: Summary) -> None:
    job.run.write_summary(summary, job.rows)
    job.run.checkpoint.unlink(missing_ok=True)
