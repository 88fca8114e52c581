"""A training by stages: each a run of its own, begun with what fits of the weights before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netdsl.amounts import counted
from netdsl.cli.called import takes
from netdsl.cli.notes import note
from netdsl.cli.slug import slug

if TYPE_CHECKING:
    from torch.nn import Module

    from netdsl.network import Network
    from netdsl.train import RunFolder
    from netdsl.train.recipe import Recipe, Stage
    from netdsl.transfer import Transfer


def alone(recipe: Recipe, number: int) -> Recipe:
    """Return the recipe of one stage, as if there were no other.

    Weights of a file are those of the first: a later one begins with what the one before came to.
    """
    stage, weights = recipe.stages[number - 1], recipe.weights if number == 1 else ""
    return replace(
        recipe, weights=weights, network=stage.network, train=stage.train, own={}, stages=()
    )


@contextmanager
def planning(number: int, stage: Stage) -> Iterator[None]:
    """Say of what cannot be asked for meanwhile of which stage it is asked."""
    from netdsl.errors import NetDSLError
    from netdsl.train import ExitCode, TrainError

    where = f"stage {number}, {stage.name}: " if stage.name else f"stage {number}: "
    try:
        yield
    except TrainError as error:
        if error.exit_code != ExitCode.USAGE:  # as of images that are not there
            raise
        raise TrainError(f"{where}{error}", error.help, error.exit_code) from error
    except NetDSLError as error:
        # What is wrong in a file is shown by its characters, and is so in every stage.
        raise NetDSLError(
            *(
                one if one.span else replace(one, message=f"{where}{one.message}")
                for one in error.diagnostics
            )
        ) from error


def refuse_unfreezable(network: Network, stage: Stage) -> None:
    """Raise where a stage freezes a module that the network has not, or all that could learn."""
    from netdsl.train.freezing import freeze

    if stage.freeze:
        freeze(network.module(), stage.freeze)


def note_random(init: str | None, recipe: Recipe) -> None:
    """Say that the first stage freezes weights as they were drawn, where it begins with no others.

    What later stages freeze has learnt before.
    """
    frozen = ", ".join(recipe.stages[0].freeze)
    if frozen and init is None:
        fact = f"stage 1 of recipe {recipe.name} freezes {frozen}, whose weights are random"
        more = (
            "--init, or weights in a file, names" if takes("--init") else "weights in a file name"
        )
        note(f"{fact}: {more} others to begin with")


def stage_folder(run: Path, number: int, stage: Stage) -> Path:
    """Return where a stage has its own run below that of the whole.

    >>> from netdsl.train.recipe import Stage
    >>> stage_folder(Path("runs/net-1"), 2, Stage("all groups", {}, {}, ())).as_posix()
    'runs/net-1/2-all-groups'
    """
    name = slug(stage.name)
    return run / (f"{number}-{name}" if name else f"{number}")


def stage_folders(run: Path, recipe: Recipe) -> tuple[Path, ...]:
    """Return where each stage has its own run below that of the whole."""
    return tuple(stage_folder(run, number, one) for number, one in enumerate(recipe.stages, 1))


def place_of_stage(whole: Path | None, recipe: Recipe, number: int) -> Path:
    """Return where a stage has its own run, below a new folder where that of the whole is None."""
    from netdsl.train.run import new_folder

    return stage_folders(whole or new_folder(recipe.name), recipe)[number]


def stage_before(run: RunFolder) -> Path | None:
    """Return the weights that a stage began with, which lie beside it; None for another run."""
    from netdsl.train import RunFolder
    from netdsl.trained import asked_of

    after = asked_of(run).get("after")
    return None if after is None else RunFolder(run.path.resolve().parent / str(after)).last


def carry_over(network: Network, weights: Path, seed: int) -> Module:
    """Return a network with those weights of the stage before it that fit by name and shape.

    Says which did not.
    """
    from netdsl.transfer import read_state, transfer

    module = network.module(seed)
    state = read_state(weights)
    found = transfer(module, network.input_shape, state, partial=True, by_name=True)
    layers, params = counted(len(found.moved), "layer"), counted(found.params, "parameter")
    click.echo(f"carried over: {layers} with {params}")
    for line in left_out(found):
        click.echo(line)
    return found.module


def left_out(found: Transfer) -> Iterator[str]:
    """Yield a line for each layer that did not carry over, of either network."""
    before = {pair.ours.name: pair.theirs.shapes() for pair in found.pairs if not pair.fits}
    now = {pair.ours.name: pair.ours.shapes() for pair in found.pairs}
    rows = [
        (name, f"was {before[name]}, is {now[name]}: initialised" if name in before else "new")
        for name in found.initialised
    ]
    rows += [(name, "left behind") for name in found.unused if name not in before]
    width = max((len(name) for name, _ in rows), default=0)
    yield from (f"  {name:<{width}}  {what}" for name, what in rows)
