"""`netdsl probe`: norms of activations and gradients by depth, before any training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netdsl.cli.idle import note_idle, note_idle_images
from netdsl.cli.kinds import PLACE, TEXT, OutputPath
from netdsl.cli.network import (
    network_options,
    open_source,
    overrides,
    refuse_own_twin,
    show_warnings,
)
from netdsl.cli.notes import note

if TYPE_CHECKING:
    from torch import Tensor

    from netdsl.experiment.analysis import Probe
    from netdsl.network import Network


@click.command("probe")
@click.argument("arch")
@network_options
@click.option("--twins", is_flag=True, help="The network and its plain twin.")
@click.option(
    "--batch", type=click.IntRange(2), default=32, show_default=True, help="How many images."
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 10_000),
    default=3,
    show_default=True,
    help="How many initialisations.",
)
@click.option(
    "--data",
    type=TEXT,
    metavar="NAME|FOLDER",
    help="Real images and labels; normal random numbers and labels, unless given.",
)
@click.option("--data-dir", type=PLACE, help="Where a named data set lies.")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=OutputPath(".svg", ".png", ".csv"),
    metavar="FILE",
    help="A figure (.svg, .png) or all numbers (.csv); may be repeated.",
)
@click.option("--expand", is_flag=True, help="A line for every block.")
def command(
    arch: str, twins: bool, batch: int, seeds: int, data: str | None, data_dir: Path | None,
    outputs: tuple[Path, ...], expand: bool, **options: Any,
) -> None:  # fmt: skip
    """Show what goes through ARCH (a path, a shipped name, or -) at initialisation.

    One batch forward and back for each initialisation; nothing is trained. By residual blocks, and
    layers outside of them: the root mean square of activations and of the gradient of an image's
    loss with respect to them, and the norm of the gradient with respect to the weights, divided by
    the norm of those weights.
    """
    from netdsl.experiment.analysis import draw_probes, probe_csv, probe_text
    from netdsl.train.files import write_file

    if twins and options["plain"]:
        raise click.UsageError("--twins probes the plain network too; leave --plain away")
    network, images, labels = _batch(arch, options, data, data_dir, batch)
    if len(images) < batch:
        note(f"{data} has {len(images):,} training images, fewer than a batch of {batch:,}")
    show_warnings(network)
    if twins:
        refuse_own_twin(network)
    both = [network.override(residual=True), network.plain()] if twins else [network]
    probes = _probed(both, images, labels, seeds)
    click.echo(probe_text(probes, expand=expand))
    files = {"csv": probe_csv(probes)}
    if {path.suffix.lower() for path in outputs} - {".csv"}:
        files |= draw_probes(probes, f"{network.name} at initialisation, {len(images)} images")
    for path in outputs:
        write_file(path, files[path.suffix[1:].lower()])
        click.echo(str(path))


def _batch(
    arch: str, options: dict[str, Any], data: str | None, data_dir: Path | None, batch: int
) -> tuple[Network, Tensor, Tensor]:
    """Return the network with images and labels that it takes."""
    from netdsl.experiment.analysis.probe import first_batch, random_batch, refuse_large_batch
    from netdsl.network import build
    from netdsl.train.memory import free_memory

    keys = ("plain", "definitions", "scale", "input_", "classes")
    source, said = open_source(arch), overrides(*(options[key] for key in keys))
    if data is None:
        if data_dir is not None:
            note_idle("--data-dir", "no --data is given")
        network = build(*source.with_overrides(said))
        _refuse_unfit(network)
        module = network.module()
        refuse_large_batch(module, (batch, *network.input_shape), free_memory("cpu"))
        images, labels = random_batch(network.input_shape, network.output_shape, batch)
        return network, images, labels
    from netdsl.cli.images import HOLDOUT, wanted_images
    from netdsl.cli.meet import meet

    wanted = {"data": data, "limit": batch, "holdout": HOLDOUT, "on_bad_image": "error"}
    where = wanted_images(wanted, said)
    note_idle_images(where, data_dir)
    network, found = meet(source, said, where, data_dir, fit=False)
    _refuse_unfit(network)
    return network, *first_batch(found, batch)


def _refuse_unfit(network: Network) -> None:
    """Refuse a network in which no gradient flows."""
    if not network.params:
        raise click.UsageError(f"{network.name} has no weights, so nothing to probe")
    if network.output_shape[0] < 2:
        raise click.UsageError(f"{network.name} tells one class, whose loss is 0 whatever it sees")


def _probed(
    networks: list[Network], images: Tensor, labels: Tensor, seeds: int
) -> tuple[Probe, ...]:
    from netdsl.cli.progress import probing
    from netdsl.experiment.analysis import Probe, find_spots, probe
    from netdsl.experiment.analysis.probe import refuse_large_batch
    from netdsl.train.memory import free_memory

    found: list[Probe] = []
    with probing(len(networks) * seeds) as advance:
        for network in networks:
            twin = "residual" if network.blocks else "plain"
            if not (spots := find_spots(network)):
                fact = f"{network.title} has no convolution and no fully connected layer"
                raise click.UsageError(f"{fact}, so nothing to probe")
            for seed in range(seeds):
                module = network.module(seed)
                if not found:
                    refuse_large_batch(module, tuple(images.shape), free_memory("cpu"))
                found.append(Probe(twin, seed, probe(module, spots, images, labels)))
                advance()
    return tuple(found)
