"""`netdsl ablate`: a network beside variants of it that each change one thing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netdsl.cli.experiment_options import (
    OF_RUNNING,
    definition_options,
    experiment_folder,
    run_options,
)
from netdsl.cli.idle import note_idle_beside
from netdsl.cli.kinds import TEXT
from netdsl.cli.network import parsed_definitions
from netdsl.cli.shared_training import (
    Draft,
    arch_of,
    folder_name,
    refuse_stdin,
    refuse_unsound,
    shared_options,
    taken,
)
from netdsl.experiment.folder import NETWORKS

if TYPE_CHECKING:
    from netdsl.experiment.ablate import Change
    from netdsl.network import Network


@click.command("ablate")
@click.argument("arch")
@click.option("-D", "definitions", multiple=True, metavar="NAME=VALUE",
              help="Set a parameter or setting of the network; may be repeated.")  # fmt: skip
@click.option("--scale", type=TEXT, metavar="NAME", help="Choose one of the file's scales.")
@shared_options
@click.option("--list", "only_list", is_flag=True, help="Say what would be changed; run nothing.")
@definition_options
@run_options
def command(
    arch: str, definitions: tuple[str, ...], scale: str | None, only_list: bool,
    budget: str | None, dir: Path | None, data_dir: Path | None, **options: Any,
) -> None:  # fmt: skip
    """Train ARCH and variants of it that each change one thing, with equal seeds.

    No shortcuts, each other shortcut policy, no norm, no dropout, no stochastic depth, each other
    block order, half the width: those that differ from ARCH. What is run stands in experiment.toml.
    """
    from netdsl.experiment.ablate import ablate

    if not only_list:
        refuse_stdin([arch])
    else:
        note_idle_beside(("budget", "dir", *OF_RUNNING), "--list runs nothing")
    top = taken(options, f"ablate-{folder_name([arch])}")
    refuse_unsound(top, budget)
    base = _base(arch, definitions, scale, top, data_dir)
    found = ablate(base)
    for line in found.left_out:
        click.echo(f"left out: {line}", err=True)
    if only_list:
        for change in found.changes:
            click.echo(change.words)
        return
    folder = dir or experiment_folder(str(top["name"]))
    said = parsed_definitions(definitions)
    networks = [_network(arch, scale, base.name, said, None)]
    networks += [_network(arch, scale, base.name, said, one) for one in found.changes]
    texts = {folder / _beside(one): one.text for one in found.changes if one.text}
    Draft(folder, top, networks, budget, texts).run(data_dir, options)


def _base(
    arch: str, definitions: tuple[str, ...], scale: str | None, top: dict[str, object],
    data_dir: Path | None,
) -> Network:  # fmt: skip
    """Return the network as its recipe has it: what the recipe says of it can be changed too."""
    from netdsl.checking import declared
    from netdsl.cli.choices import with_recipe
    from netdsl.cli.network import open_source, overrides
    from netdsl.network import build
    from netdsl.train import DATA_SETS
    from netdsl.train.recipe import Recipe, read_recipe

    source, shape, classes = open_source(arch), top["input"], top["classes"]
    assert shape is None or isinstance(shape, str), shape
    assert classes is None or isinstance(classes, int), classes
    entry = DATA_SETS.get(str(top["data"]))
    said = overrides(None, definitions, scale, shape, classes)
    recipe = read_recipe(str(top["recipe"])) if top["recipe"] else Recipe("", "")
    file, chosen, loader = source.with_overrides(with_recipe(said, recipe))
    settings, told = declared(file, chosen, loader), dict[str, object]()
    if None in (settings.input, settings.classes):
        wanted = settings.input if top["fit"] else None
        seen, number = (entry.shape, entry.classes) if entry else _seen(top, data_dir, wanted)
        told = {"input": seen, "classes": number}
        told = {key: value for key, value in told.items() if getattr(settings, key) is None}
    return build(file, replace(chosen, names={**told, **chosen.names}), loader)


def _seen(
    top: dict[str, object], data_dir: Path | None, shape: tuple[int, ...] | None
) -> tuple[tuple[int, ...], int]:
    """Return the shape and the number of classes of a folder of images, brought to a shape."""
    from netdsl.cli.images import load_images

    where = {
        "data": top["data"], "limit": None, "limit_classes": top["classes"],
        "shape": list(shape) if shape else None,
    }  # fmt: skip
    images = load_images(where, data_dir)
    return images.shape, len(images.classes)


def _network(
    arch: str, scale: str | None, label: str, said: dict[str, str], change: Change | None
) -> dict[str, object]:
    """Return the [[network]] of a change, or of the network as it is."""
    entry: dict[str, object] = {"arch": arch_of(arch), "scale": scale, "params": said}
    if change is None:
        return entry | {"label": label}
    if change.text:
        entry["arch"] = _beside(change)
        entry["scale"] = change.scale or _scale_of(arch, scale)
    label = label if change.plain else change.words
    return entry | {
        "scale": change.scale or entry["scale"], "plain": change.plain or None,
        "params": {**said, **change.params}, "label": label, "change": change.words,
    }  # fmt: skip


def _beside(change: Change) -> str:
    """Return where a changed text lies, from the folder of the comparison."""
    return f"{NETWORKS}/{folder_name([change.words])}.arch"


def _scale_of(arch: str, scale: str | None) -> str | None:
    """Return the scale that the name of an architecture stands for."""
    from netdsl.shelf import find

    return scale or find(arch)[1]
