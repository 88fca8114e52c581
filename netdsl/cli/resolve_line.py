"""A line of `netdsl train` to what it would train, by the code that trains it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from netdsl.cli.choices import take_choices, take_recipe
from netdsl.cli.network import open_source
from netdsl.cli.stages import (
    alone,
    note_random,
    planning,
    refuse_unfreezable,
    stage_folder,
)
from netdsl.cli.train import command, planned

if TYPE_CHECKING:
    from netdsl.experiment.key import Resolved, Stage
    from netdsl.train.recipe import Recipe

_OF_RUNNING = ("run_dir", "resume", "save_minutes", "tensorboard")
_KEYS = {"--init": "weights", "-D": "params"}  # that a file calls otherwise than a command line


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
    key = _KEYS.get(option, option.lstrip("-").replace("-", "_"))
    return TrainError(f"{key}: {error.message.rstrip('.')}", None, ExitCode.USAGE)


def _resolved(line: Sequence[str]) -> Resolved:
    _, _, *arguments = line
    options: dict[str, Any] = command.make_context("netdsl train", arguments).params
    arch = options.pop("arch")
    run_dir = options["run_dir"]
    options = {key: value for key, value in options.items() if key not in _OF_RUNNING}
    chosen, recipe = take_choices(options), take_recipe(options)
    if not recipe.stages:
        return (_stage(arch, chosen, recipe, "", options),)
    found = []
    for number, stage in enumerate(recipe.stages, 1):
        folder = stage_folder(run_dir, number, stage).name
        # Later stages begin with what the one before came to, not with weights of a file.
        said = options if number == 1 else {**options, "init": None}
        with planning(number, stage):
            resolved = _stage(arch, chosen, alone(recipe, stage), folder, said)
            refuse_unfreezable(resolved.network, stage)
        asked = {**resolved.asked, "freeze": list(stage.freeze)}
        found.append(replace(resolved, asked=asked))
    note_random(found[0].asked["init"], recipe)
    return tuple(found)


def _stage(arch: str, chosen: Any, recipe: Recipe, folder: str, options: dict[str, Any]) -> Stage:
    from netdsl.experiment.key import Stage

    plan = planned(open_source(arch), {}, chosen, recipe, **options)
    names = frozenset({**recipe.train, **chosen})
    return Stage(plan.network, plan.images, plan.settings, plan.asked, names, folder)
