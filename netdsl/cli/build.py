"""`netdsl build`: a network checked, counted and shown layer by layer."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from netdsl.amounts import counted
from netdsl.cli.idle import note_idle
from netdsl.cli.network import network_options, read, show_warnings
from netdsl.collector import paused

if TYPE_CHECKING:
    from netdsl.backends.table import Table
    from netdsl.network import Network

STYLES = {"heading": "bold", "node": "dim", "layer": ""}


@click.command("build")
@click.argument("arch")
@network_options
@click.option("--expand", is_flag=True, help="Every repetition and every node of each layer.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@paused()
def command(arch: str, expand: bool, as_json: bool, **options: Any) -> None:
    """Check ARCH (a path, a shipped name, or -) and show its layers.

    Each with its output shape, parameters, multiply-adds and receptive field; then the totals, the
    shortcuts that were inserted, what a plain twin would lack, what stochastic depth leaves of a
    training step, and which settings were assumed.
    """
    from netdsl.backends.table import make_table

    network = read(arch, **options)
    show_warnings(network)
    if as_json:
        if expand:
            note_idle("--expand", "--json has every repetition as it is")
        click.echo(json.dumps(record(network), indent=2))
        return
    table = make_table(network.checked, expand=expand)
    click.echo(title(network))
    if sys.stdout.isatty():
        _show(table)
    else:
        click.echo(str(table))
    if network.assumed:
        click.echo(f"Assumed: {', '.join(network.assumed)}.")


def record(network: Network) -> dict[str, object]:
    """Return what `--json` prints; keys are only ever added to it."""
    from netdsl.backends.table import layers

    return {
        "name": network.name,
        "plain": not network.settings.residual,
        "input": list(network.input_shape),
        "output": list(network.output_shape),
        "depth": network.depth,
        "params": network.params,
        "macs": network.macs,
        "blocks": network.blocks,
        "expected_blocks": network.expected_blocks,
        "expected_macs": network.expected_macs,
        "layers": layers(network.checked),
    }


def title(network: Network) -> str:
    """Name the network in one line."""
    return f"{network.title}: {counted(network.depth, 'layer')}\n"


def _show(table: Table) -> None:
    """Print the table in colour, as wide as the terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    from netdsl.backends.table import HEADER, NUMBERS

    shown = RichTable(box=SIMPLE_HEAD, pad_edge=False, show_footer=True)
    width = len(HEADER) if table.shortcuts else len(HEADER) - 1
    for name, total in list(zip(HEADER, table.total, strict=True))[:width]:
        shown.add_column(
            name, total, justify="right" if name in NUMBERS else "left", no_wrap=name in NUMBERS
        )
    for line in table.lines:
        shown.add_row(*map(Text, line.cells[:width]), style=STYLES[line.kind])
    console = Console()
    console.print(shown)
    for note in table.notes:
        console.print(note, highlight=False, markup=False)
