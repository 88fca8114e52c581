"""What a training is told on the command line: a recipe, the usual flags, and `--set`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from netdsl.cli.kinds import TEXT

if TYPE_CHECKING:
    from netdsl.train import Choices
    from netdsl.train.recipe import Recipe

RECIPE = click.option(
    "--recipe",
    type=TEXT,
    metavar="NAME|FILE",
    help="Train as a recipe says; `netdsl recipes` lists them.",
)
OPTIONS = (
    click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE",
                 help="Any key of a recipe, which it overrides; may be repeated."),
    click.option("--epochs", type=click.IntRange(1), help="How often every image is seen."),
    click.option("--batch-size", type=click.IntRange(2), help="Images a step."),
    click.option("--lr", type=float, help="The highest learning rate."),
    click.option("--seed", type=click.IntRange(0),
                 help="Of initial weights, order, augmentation; 0 unless given."),
    click.option("--precision", type=click.Choice(["bf16", "fp32"]),
                 help="bf16 where the machine is faster in it, unless given."),
    click.option("--threads", type=click.IntRange(1),
                 help="Of the CPU; as many as there are cores, unless given."),
    click.option("--device", type=TEXT, help="cpu, cuda or mps; the best "
                 "there is unless given. CUDA_VISIBLE_DEVICES=1 chooses one of several GPUs."),
    click.option("--no-augment", "augment", flag_value=(), type=click.UNPROCESSED, default=None,
                 help="Leave the images as they are."),
    click.option("--sync-bn", is_flag=True, default=None,
                 help="Batch norm over the images of all processes, on GPUs."),
    click.option("--exact", is_flag=True, default=None,
                 help="No fused kernels and no compilation; in fp32 and with "
                 "--set channels_last=false, bit for bit what a plain PyTorch loop computes."),
    click.option("--deterministic", is_flag=True, default=None,
                 help="The same bits every time on a GPU too, or an error."),
    click.option("--compile/--no-compile", "compile", default=None,
                 help="Train through torch.compile; where it pays, unless given."),
)  # fmt: skip
FLAGS = (
    "epochs", "batch_size", "lr", "seed", "precision", "threads", "device", "augment",
    "sync_bn", "exact", "deterministic", "compile",
)  # fmt: skip


def training_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the choices of a training."""
    for option in reversed((RECIPE, *OPTIONS)):
        command = option(command)
    return command


def take_choices(options: dict[str, Any]) -> Choices:
    """Take the options out that choose settings, and return what they choose."""
    from netdsl.train.choices import parse_choices

    assigned = parse_choices(options.pop("assignments"))
    flags = {name: options.pop(name) for name in FLAGS}
    said: Any = {name: value for name, value in flags.items() if value is not None}
    if twice := sorted(said.keys() & assigned.keys()):
        raise click.UsageError(f"{twice[0]} is given by its own option and by --set")
    if "epochs" in said and "iterations" in assigned:
        raise click.UsageError(
            "--epochs and --set iterations=… are both given, and each says how long to train"
        )
    return {**assigned, **said}


def take_recipe(options: dict[str, Any]) -> Recipe:
    """Take the option out that names a recipe, and return the recipe; an empty one if none is."""
    from netdsl.train.recipe import Recipe, read_recipe

    name = options.pop("recipe")
    return Recipe("", "") if name is None else read_recipe(name)


def with_recipe(said: Any, recipe: Recipe) -> Any:
    """Return what is said in place of a network's file, the recipe's part below the rest."""
    by = dict.fromkeys(recipe.network.keys() - said.names, f"recipe {recipe.name}, [network]")
    return replace(said, names={**recipe.network, **said.names}, said_by=by)
