"""`netdsl reproduce`: a run trained again beside it, and whether it comes to the same."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netdsl.cli.asked import DATA_NOW, images_here
from netdsl.cli.images import folder_of
from netdsl.cli.kinds import PLACE
from netdsl.cli.plans import TrainingPlan
from netdsl.cli.resume import reopen_unchanged
from netdsl.cli.stages import stage_before
from netdsl.cli.train import run_planned
from netdsl.trained import asked_of

if TYPE_CHECKING:
    from netdsl.train import RunFolder


_DIFFERS = 8  # an exit code


@click.command("reproduce")
@click.argument("run", type=PLACE)
@click.option("--run-dir", type=PLACE,
              help="The folder of the new run; RUN-again unless given.")  # fmt: skip
@DATA_NOW
def command(run: Path, run_dir: Path | None, data_dir: Path | None) -> int:
    """Train a finished RUN again, of the same source, settings and images, and compare.

    Weights and metrics.csv are compared bit for bit; exits with 8 where they differ. A second call
    goes on where it was cut.
    """
    from netdsl.experiment.again import differences, kept_weights
    from netdsl.train import RunFolder

    first = RunFolder.open(run)
    _refuse_unfinished(first)
    kept_weights(first)  # what is wrong with them is said before a long training
    run = run if run.name else run.resolve()
    again = run_dir or run.with_name(f"{run.name}-again")
    if again.resolve() == run.resolve():
        raise click.UsageError(f"{again} is the run itself: name another folder")
    earlier = RunFolder.begun(again)
    plan, before = _plan(first, data_dir), stage_before(first)
    if before is not None and again.resolve().parent != run.resolve().parent:
        after = os.path.relpath(before.parent, again.resolve().parent)
        plan = replace(plan, asked={**plan.asked, "after": after})
    second = run_planned(
        plan, earlier, lambda: again, before, save_minutes=10.0,
        tensorboard=False,
    )  # fmt: skip
    assert second is not None, "it was to be trained, not planned"
    found = differences(first, second)
    for difference in found:
        click.echo(f"{difference.what}: {difference.how}")
    same = "is equal to" if not found else "differs from"
    lost = [path for path, one in ((run, first), (again, second)) if not one.last.is_file()]
    unknown = f"; the weights of {lost[0]} were not kept" if lost else ""
    click.echo(f"{again} {same} {run}" + ("" if found else ", bit for bit") + unknown)
    return _DIFFERS if found else 0


def _plan(first: RunFolder, data_dir: Path | None) -> TrainingPlan:
    """Return the plan of a run, on this machine's device if its own is not here."""
    from netdsl.train.machine import is_available, pick_device
    from netdsl.train.resolve import on_device

    network, images = reopen_unchanged(first, data_dir)
    settings = first.undecided
    if not is_available(settings.device):
        settings = on_device(settings, pick_device())
    asked = {**asked_of(first), "folder": folder_of(images_here(first, data_dir))}
    plan = TrainingPlan(network, first.network, images, settings, asked)
    for change in _changes(first, plan):
        click.echo(f"{change}: the numbers may differ", err=True)
    return plan


def _changes(first: RunFolder, plan: TrainingPlan) -> list[str]:
    """Return what differs from when the run was made."""
    from netdsl.train.machine import name_device
    from netdsl.train.origin import origin_of

    before, now = dict(first.origin), dict(origin_of(plan.text, plan.images, plan.settings))
    changes = [
        f"{name} was {before.get(name)} and is {now[name]}"
        for name in ("netdsl", "torch", "device")
        if before.get(name) != now[name]
    ]
    was, here = first.device_name, name_device(plan.settings.device)
    if before.get("device") == now["device"] and not here.startswith(was):
        changes.append(f"the machine was {was} and is {here}")  # older runs tell its first words
    return changes


def _refuse_unfinished(run: RunFolder) -> None:
    from netdsl.train import ExitCode, TrainError

    if not run.is_finished:
        help = f"`netdsl train --resume {run.path}` goes on with it"
        raise TrainError(f"{run.path} is not finished", help, ExitCode.USAGE)
