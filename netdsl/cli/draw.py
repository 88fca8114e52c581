"""`netdsl draw`: a network as a figure."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import click

from netdsl.cli.kinds import PLACE
from netdsl.cli.network import network_options, read, refuse_own_twin, show_warnings
from netdsl.cli.notes import note


@click.command("draw")
@click.argument("arch")
@network_options
@click.option(
    "-o", "--output", type=PLACE, metavar="FILE", help="Where to: .svg, .png, .pdf or .dot."
)
@click.option("--twins", is_flag=True, help="The network beside its plain twin.")
@click.option("--expand", is_flag=True, help="Every repetition and every node.")
def command(arch: str, output: Path | None, twins: bool, expand: bool, **options: Any) -> None:
    """Draw ARCH (a path, a shipped name, or -) into a file.

    NAME.svg unless -o says otherwise; NAME-plain.svg with --plain, NAME-twins.svg with --twins.
    """
    network = read(arch, **options)
    show_warnings(network)
    stem = "network" if arch == "-" else Path(arch).stem
    which = "-twins" if twins else "-plain" if options["plain"] else ""
    path = output or Path(f"{stem}{which}.svg")
    if twins and options["plain"]:
        raise click.UsageError("--twins draws the plain network too; leave --plain away")
    if twins:
        refuse_own_twin(network)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        network.draw(path, twin=twins, expand=expand)
    for one in said:
        note(str(one.message))
    click.echo(str(path))
