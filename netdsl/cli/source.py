"""`netdsl source`: a network as Python that stands alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from netdsl.cli.kinds import PLACE
from netdsl.cli.network import network_options, read, show_warnings
from netdsl.collector import paused
from netdsl.disk import write_out
from netdsl.errors import fail


@click.command("source")
@click.argument("arch")
@network_options
@click.option(
    "-o", "--output", type=PLACE, metavar="FILE", help="Where to; standard output if not given."
)
@paused()
def command(arch: str, output: Path | None, **options: Any) -> None:
    """Print ARCH (a path, a shipped name, or -) as a Python file that imports torch alone.

    The example in it imports the network from FILE.
    """
    network = read(arch, **options)
    show_warnings(network)
    text = network.source(output.stem if output and output.suffix == ".py" else "")
    if output is None:
        click.echo(text, nl=False)
    else:
        try:
            write_out(output, text.encode("utf-8"))
        except OSError as error:
            raise fail("E0606", f"cannot write {output}: {error.strerror}") from None
        click.echo(str(output))
