"""`netdsl train`: a network and images to a run folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netdsl.cli.network import network_options, open_source, overrides, show_warnings

if TYPE_CHECKING:
    from torch.nn import Module

    from netdsl.api import Network
    from netdsl.train import DataSet

CHOICES = (
    click.option("--epochs", type=click.IntRange(1), help="How often every image is seen."),
    click.option("--batch-size", type=click.IntRange(2), help="Images a step."),
    click.option("--lr", type=float, help="The peak of the one-cycle learning rate."),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True,
                 help="Of initial weights, order, augmentation."),
    click.option("--precision", type=click.Choice(["bf16", "fp32"]),
                 help="bf16 where the processor has it, unless given."),
    click.option("--threads", type=click.IntRange(1), help="As many as there are cores."),
    click.option("--device", help="cpu, cuda or mps; the best there is unless given."),
    click.option("--no-augment", "augment", flag_value=False, type=bool, default=None,
                 help="Leave the images as they are."),
)  # fmt: skip


def training_options(command: Any) -> Any:
    """Give a command the choices of a training."""
    for option in reversed(CHOICES):
        command = option(command)
    return command


@click.command("train")
@click.argument("arch")
@network_options
@click.option("--data", required=True, metavar="NAME|FOLDER", help="digits, tiny-imagenet, or a "
              "folder with one sub-folder a class.")  # fmt: skip
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where a named data set lies.")
@click.option("--limit", type=click.IntRange(2), help="Use this many training images.")
@click.option(
    "--init",
    metavar="FILE|torchvision:NAME",
    help="Begin with these weights; a last layer of other classes stays as it is initialised.",
)
@training_options
@click.option("--run-dir", type=click.Path(path_type=Path), help="The folder of the run; a new "
              "one below runs/ unless given.")  # fmt: skip
def command(
    arch: str,
    data: str,
    data_dir: Path | None,
    limit: int | None,
    init: str | None,
    run_dir: Path | None,
    **options: Any,
) -> None:
    """Train ARCH (a path, a shipped name, or -) with SGD and a one-cycle learning rate.

    --classes N takes the first N classes of the data. The run folder holds the network, all
    settings, metrics.csv, curves, the best and the last weights, and a summary.
    """
    from netdsl import train
    from netdsl.cli.progress import listener

    source = open_source(arch)
    keys = ("plain", "definitions", "scale", "input_", "classes")
    said = overrides(*(options.pop(key) for key in keys))
    where = {"data": data, "limit": limit, "limit_classes": said.names.get("classes")}
    network, images = _meet(source, said, where, data_dir)
    show_warnings(network)
    settings = train.resolve(images.defaults, options)  # type: ignore[arg-type]
    module = _begin(network, init, settings.seed)
    asked = {
        "network": network.name, "overrides": dict(network.overrides.names),
        "scale": network.overrides.scale, "data": where,
        "data_dir": str(data_dir.resolve()) if data_dir else None,
        "init": init,
    }  # fmt: skip
    run = train.RunFolder.create(
        network.standalone(), settings, asked, path=run_dir, name=_run_name(network)
    )
    train.train(module, images, settings, run, listener(run.path))


def _begin(network: Network, init: str | None, seed: int) -> Module:
    """Return the network as it is before the first step; say which layers `init` left alone."""
    if init is None:
        return network.module(seed)
    from netdsl.transfer import open_source

    found = network.transfer(open_source(init), seed=seed)
    left = f"; initialised: {', '.join(found.initialised)}" if found.initialised else ""
    click.echo(
        f"{len(found.moved)} layers with {found.params:,} parameters from {init}{left}", err=True
    )
    return found.module


def load_images(where: dict[str, Any], data_dir: Path | None) -> DataSet:
    """Read the images that a run is about."""
    from netdsl import train
    from netdsl.cli.progress import decoding

    name = where["data"]
    with decoding(name) as decoded:
        return train.load(
            name, data_dir=data_dir, limit=where["limit"],
            limit_classes=where["limit_classes"], decoded=decoded,
        )  # fmt: skip


def _meet(
    source: Any, said: Any, where: dict[str, Any], data_dir: Path | None
) -> tuple[Network, DataSet]:
    """Read network and images, each told of the other what it does not say itself.

    What is wrong with the network is said before an image is read, where that can be.
    """
    from netdsl import train
    from netdsl.api import build, declared

    entry = train.DATA_SETS.get(where["data"])
    settings = declared(*source.with_overrides(said))
    if entry is not None:
        classes = min(where["limit_classes"] or entry.classes, entry.classes)
        _refuse_conflict(source.name, settings, entry.name, entry.shape, classes)
        build(*source.with_overrides(_completed(said, settings, entry.shape, classes)))
    images = load_images(where, data_dir)
    _refuse_conflict(source.name, settings, images.name, images.shape, len(images.classes))
    completed = _completed(said, settings, images.shape, len(images.classes))
    return build(*source.with_overrides(completed)), images


def _completed(said: Any, settings: Any, shape: tuple[int, int, int], classes: int) -> Any:
    """Add the shape and classes of the data where neither file nor command line says them."""
    names = dict(said.names)
    if settings.input is None:
        names["input"] = shape
    if settings.classes is None:
        names["classes"] = classes
    return replace(said, names=names)


def _refuse_conflict(
    network: str, settings: Any, data: str, shape: tuple[int, int, int], classes: int
) -> None:
    from netdsl.errors import fail

    if settings.input not in (None, shape):
        raise fail(
            "E0311",
            f"{network} takes {settings.input} images, and those of {data} are "
            f"{'x'.join(map(str, shape))}",
            help=f"give --input {'x'.join(map(str, shape))}, if the network is to take these",
        )
    if settings.classes not in (None, classes):
        raise fail(
            "E0311",
            f"{network} tells {settings.classes} classes, and {data} has {classes}",
            help=f"give --classes {min(classes, settings.classes)}",
        )


def _run_name(network: Network) -> str:
    name = "".join(c if c.isalnum() else "-" for c in network.name.lower()).strip("-")
    return f"{name or 'network'}{'' if network.settings.residual else '-plain'}"
