"""A line of `netdsl train` to what it would train, by the code that trains it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from netdsl.cli.called import key_of
from netdsl.cli.choices import take_choices, take_recipe
from netdsl.cli.network import open_source
from netdsl.cli.plans import TrainingPlan, plan_stages, planned
from netdsl.cli.stages import note_random, stage_folders
from netdsl.cli.train import command

if TYPE_CHECKING:
    from netdsl.experiment.key import Resolved, Stage
    from netdsl.train import Choices

_OF_RUNNING = ("run_dir", "resume", "save_minutes", "tensorboard")


def resolve_line(line: Sequence[str]) -> Resolved:
    """Return what `netdsl train …` stands for: its stages, or the one that it is."""
    try:
        return _resolved(line)
    except click.UsageError as error:
        raise _of_a_file(error) from error


def _of_a_file(error: click.UsageError) -> Exception:
    """Return what is wrong with a line in the words of the file that it was made of."""
    from netdsl.train import ExitCode, TrainError

    if not isinstance(error, click.BadParameter):
        return TrainError(error.format_message(), None, ExitCode.USAGE)
    named = error.param_hint or (error.param.opts[-1] if error.param else "")
    option = named if isinstance(named, str) else named[-1]
    return TrainError(f"{key_of(option)}: {error.message.rstrip('.')}", None, ExitCode.USAGE)


def _resolved(line: Sequence[str]) -> Resolved:
    _, _, *arguments = line
    options: dict[str, Any] = command.make_context("netdsl train", arguments).params
    arch = options.pop("arch")
    run_dir = options["run_dir"]
    options = {key: value for key, value in options.items() if key not in _OF_RUNNING}
    chosen, recipe = take_choices(options), take_recipe(options)
    source = open_source(arch)
    if not recipe.stages:
        return (_stage(planned(source, {}, chosen, recipe, **options), recipe.train, chosen),)
    folders = stage_folders(run_dir, recipe)
    plans = plan_stages(source, [{}] * len(folders), chosen, recipe, folders, options)
    note_random(plans[0].asked["init"], recipe)
    return tuple(
        _stage(plan, stage.train, chosen, folder.name)
        for plan, stage, folder in zip(plans, recipe.stages, folders, strict=True)
    )


def _stage(plan: TrainingPlan, of_recipe: Choices, chosen: Choices, folder: str = "") -> Stage:
    from netdsl.experiment.key import Stage

    names = frozenset({**of_recipe, **chosen})
    return Stage(plan.network, plan.images, plan.settings, plan.asked, names, folder)
