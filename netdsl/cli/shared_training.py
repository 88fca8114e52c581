"""What several networks are trained alike with: options, and what they say in a definition."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from netdsl.cli.experiment_options import DEFINITION
from netdsl.cli.notes import note

_LONGEST = 80  # letters of a name that is put together
_OPTIONS = (
    click.option("--data", default="shapes", show_default=True, metavar="NAME|FOLDER",
                 help="What they are trained on."),
    click.option("--recipe", default="", metavar="NAME|FILE", help="How they are trained."),
    click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE",
                 help="Any key of a recipe, over the recipe; may be repeated."),
    click.option("--epochs", type=click.IntRange(1), help="How often every image is seen."),
    click.option("--seeds", type=click.IntRange(1, 10_000), default=3, show_default=True,
                 help="How many trainings of each network."),
    click.option("--input", "input_", default="", metavar="CxHxW", help="The shape of an image."),
    click.option("--classes", type=click.IntRange(2), help="The first so many classes."),
    click.option("--limit", type=click.IntRange(2), help="Use this many training images."),
    click.option("--fit", is_flag=True, help="Bring the images to what each network takes."),
    click.option("--name", default="", help="What the comparison is called."),
)  # fmt: skip


def shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of what is trained alike."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def taken(options: dict[str, Any], name: str) -> dict[str, object]:
    """Take those options out; return the part of a definition that holds for all networks."""
    from netdsl.train.choices import parse_choices

    chosen = dict(parse_choices(options.pop("assignments")))
    if (epochs := options.pop("epochs")) is not None:
        if twice := sorted(chosen.keys() & {"epochs", "iterations"}):
            raise click.UsageError(f"--epochs and --set {twice[0]}=… are both given")
        chosen["epochs"] = epochs
    data, recipe = options.pop("data"), options.pop("recipe")
    return {
        "name": options.pop("name") or name,
        "data": absolute(data) if Path(data).is_dir() else data,
        "recipe": absolute(recipe) if recipe.endswith(".toml") else recipe,
        "input": options.pop("input_"), "classes": options.pop("classes"),
        "limit": options.pop("limit"), "fit": options.pop("fit") or None,
        "seeds": list(range(options.pop("seeds"))), "set": chosen,
    }  # fmt: skip


def refuse_unsound(top: Mapping[str, object], budget: str) -> None:
    """Raise for a name or a budget that cannot be, before anything is written."""
    from netdsl.experiment.budget import read_layers
    from netdsl.experiment.definition import checked_name

    checked_name(str(top["name"]), "--name")
    read_layers(budget)


def define(
    folder: Path, top: Mapping[str, object], networks: list[dict[str, object]], budget: str
) -> Path:
    """Write the definition into the folder of the comparison; say what to know when it is run."""
    from netdsl.experiment.definition_text import write_definition
    from netdsl.experiment.state import refuse_foreign

    refuse_foreign(folder)
    path = folder / DEFINITION
    if aside := write_definition(path, top, networks):
        note(f"{path} was another: that is in {aside.name} now")
    if budget:
        note(f"{path} is not cut: who runs the folder gives --budget {budget} again")
    return path


def absolute(path: str) -> str:
    """Return a path that holds wherever the definition lies."""
    return str(Path(path).resolve())


def arch_of(arch: str) -> str:
    """Return how a definition names a network: a shipped one as it is, a file by where it lies."""
    from netdsl.shelf import find

    path, _ = find(arch)
    return absolute(arch) if path == Path(arch) else arch


def folder_name(words: Sequence[str]) -> str:
    """Return a name for the folder of a comparison of these.

    >>> folder_name(["nets/Net 1.arch", "net6"])
    'net-1-net6'
    >>> folder_name(["网络.arch"])
    'networks-eafd43'
    """
    stems = (Path(word).stem.lower() for word in words)
    name = re.sub(r"[^a-z0-9]+", "-", "-".join(stems)).strip("-")
    mark = sha256(" ".join(words).encode()).hexdigest()[:6]
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST - len(mark)].strip('-')}-{mark}"
    return name or f"networks-{mark}"
