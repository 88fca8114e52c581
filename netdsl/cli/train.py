"""`netdsl train`: a network and images to a run folder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netdsl.amounts import counted
from netdsl.cli.choices import take_choices, take_recipe, training_options
from netdsl.cli.idle import note_idle_beside
from netdsl.cli.images import data_options, reading_once
from netdsl.cli.kinds import TEXT
from netdsl.cli.network import network_options, open_source, show_warnings
from netdsl.cli.notes import each_once, note
from netdsl.cli.plans import TrainingPlan, plan_stages, planned
from netdsl.cli.ranks import one_voice
from netdsl.cli.resume import earlier_run, goes_on, machine_of, replan, run_options
from netdsl.cli.slug import slug
from netdsl.cli.stages import (
    carry_over,
    note_random,
    place_of_stage,
    stage_before,
    stage_folders,
)

if TYPE_CHECKING:
    from torch.nn import Module

    from netdsl.network import Network
    from netdsl.train import Choices, RunFolder
    from netdsl.train.recipe import Recipe


@click.command("train")
@click.argument("arch", required=False)
@network_options
@data_options
@click.option(
    "--init",
    type=TEXT,
    metavar="FILE|torchvision:NAME|timm:NAME",
    help="Begin with these weights, as with RUN/last.safetensors to train for more epochs; if the "
    "number of classes differs, the last layer keeps its initial values.",
)
@training_options
@run_options
def command(
    arch: str | None,
    run_dir: Path | None,
    resume: str | None,
    only_planned: bool,
    save_minutes: float,
    tensorboard: bool,
    **options: Any,
) -> None:
    """Train ARCH (a path, a shipped name, or -), as a recipe says or as suits the images.

    --classes N takes the first N classes of the data. The run folder holds the network, all
    settings, metrics.csv, curves, the best and the last weights, and a summary.

    On several devices: `torchrun --nproc-per-node 2 -m netdsl train …`.
    """
    if only_planned and resume is not None:
        raise click.UsageError("--plan is about a training that has not begun: leave --resume away")
    how: dict[str, Any] = {
        "only_planned": only_planned, "save_minutes": save_minutes, "tensorboard": tensorboard,
    }  # fmt: skip
    with one_voice():
        if only_planned:
            of_runs = ("run_dir", "save_minutes", "tensorboard")
            note_idle_beside(of_runs, "--plan leaves no run behind")
        from netdsl.train.distributed import joined

        with joined():
            _train(arch, run_dir, resume, how, options)


def _train(
    arch: str | None, run_dir: Path | None, resume: str | None, how: dict[str, Any],
    options: dict[str, Any],
) -> None:  # fmt: skip
    chosen, recipe = take_choices(options), take_recipe(options)
    if arch is not None and recipe.stages:
        _train_by_stages(arch, chosen, recipe, run_dir, resume, how, options)
        return
    earlier = _earlier(arch, resume, run_dir)
    if arch is None:
        assert earlier is not None, "neither a network nor a run"
        plan = replan(earlier, options["data_dir"], chosen)
    else:
        plan = planned(open_source(arch), machine_of(earlier), chosen, recipe, **options)
        show_warnings(plan.network)
    before = None if earlier is None else stage_before(earlier)
    run_planned(plan, earlier, lambda: run_dir, before, **how)


def _train_by_stages(
    arch: str, chosen: Choices, recipe: Recipe, run_dir: Path | None, resume: str | None,
    how: dict[str, Any], options: dict[str, Any],
) -> None:  # fmt: skip
    """Train stage after stage, each a run in a folder of its own below `run_dir`."""
    if resume is not None and (resume != "auto" or run_dir is None):
        message = f"recipe {recipe.name} trains by stages: go on with --run-dir D --resume auto"
        raise click.UsageError(message)
    folders = stage_folders(run_dir or Path(), recipe)
    earlier = [_earlier(arch, resume, folder) for folder in folders]
    machines = [machine_of(run) for run in earlier]
    with reading_once(), each_once():
        source = open_source(arch)
        plans = plan_stages(source, machines, chosen, recipe, folders, options)
    if earlier[0] is None:
        note_random(plans[0].asked["init"], recipe)
    before: RunFolder | None = None
    for number, plan in enumerate(plans):
        click.echo(f"stage {number + 1} of {len(plans)}: {recipe.stages[number].name}")
        show_warnings(plan.network)
        weights = before.last if before else None
        whole = before.path.parent if before else run_dir
        place = partial(place_of_stage, whole, recipe, number)
        before = run_planned(plan, earlier[number], place, weights, **how)


def run_planned(
    plan: TrainingPlan, earlier: RunFolder | None, place: Callable[[], Path | None],
    before: Path | None, *, save_minutes: float, tensorboard: bool, only_planned: bool = False,
) -> RunFolder | None:  # fmt: skip
    """Train what is planned, unless it is trained already; return where it lies.

    `place` gives the folder of a run that begins, where one is named; `before` holds the weights
    that a stage begins with.
    """
    from netdsl import train
    from netdsl.allocator import keep_memory
    from netdsl.cli.progress import disturbed, listen, plan_lines
    from netdsl.train.distributed import current, refuse_unfit
    from netdsl.train.freezing import freeze, refuse_unlearnable

    world = current()
    plan = replace(plan, settings=world.lead(lambda: plan.settings))
    if earlier is not None and world.lead(lambda: goes_on(earlier, plan).is_finished):
        click.echo(f"the training in {earlier.path} is finished")
        return earlier
    keep_memory()
    module = _module(plan, earlier, before)
    if frozen := tuple(plan.asked.get("freeze", ())):
        still = freeze(module, frozen)
        do = "does" if len(still) == 1 else "do"
        weights = counted(len(still), "weight")
        click.echo(f"{', '.join(frozen)}: {weights} {do} not learn in this stage")
    if only_planned:
        found = train.forecast(module, plan.images, plan.settings)
        for line in plan_lines(found):
            click.echo(line)
        if found.is_disturbed:
            note(disturbed(found.waited))
        return None
    # The folder is made last: a start that is refused leaves nothing behind.
    refuse_unlearnable(module)
    refuse_unfit(plan.settings, len(plan.images.train), world)
    run = earlier or world.lead(lambda: _started(plan, place()))
    shown = listen(run.path, tensorboard) if world.leads else nullcontext(train.SILENT)
    with shown as told:
        train.train(module, plan.images, plan.settings, run, told, save_minutes=save_minutes)
    return run


def _earlier(arch: str | None, resume: str | None, folder: Path | None) -> RunFolder | None:
    """Return the run that is to go on, if there is one, as the first process sees it."""
    from netdsl.train.distributed import current

    return current().each(lambda: earlier_run(arch, resume, folder))[0]


def _module(plan: TrainingPlan, earlier: RunFolder | None, before: Path | None) -> Module:
    """Return the network as it is before the first step, or as a checkpoint will fill it."""
    seed = plan.settings.seed
    # A checkpoint holds the weights: those of a file, which may be gone, are read no more.
    if earlier is not None and earlier.checkpoint.exists():
        module: Module = plan.network.module(seed)
        return module
    if before is not None:
        return carry_over(plan.network, before, seed)
    return _begin(plan.network, plan.asked["init"], seed)


def _started(plan: TrainingPlan, run_dir: Path | None) -> RunFolder:
    from netdsl.train import RunFolder

    return RunFolder.create(
        plan.text, plan.settings, plan.asked,
        data=plan.images, path=run_dir, name=_run_name(plan.network),
    )  # fmt: skip


def _begin(network: Network, init: str | None, seed: int) -> Module:
    """Return the network as it is before the first step; say what became of `init`."""
    if init is None:
        return network.module(seed)
    from netdsl.transfer import open_source

    found = network.transfer(open_source(init), seed=seed)
    left = f"; initialised: {', '.join(found.initialised)}" if found.initialised else ""
    layers, params = counted(len(found.moved), "layer"), counted(found.params, "parameter")
    click.echo(f"{layers} with {params} from {init}{left}", err=True)
    for fact in (found.caution, network.trained_elsewhere(init, found)):
        if fact:
            note(fact)
    return found.module


def _run_name(network: Network) -> str:
    return f"{slug(network.name) or 'network'}{'' if network.settings.residual else '-plain'}"
