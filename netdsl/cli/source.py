"""`netdsl source`: a network as Python that stands alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from netdsl.cli.kinds import OutputPath
from netdsl.cli.network import network_options, read, show_warnings
from netdsl.cli.write import write_text
from netdsl.collector import paused


@click.command("source")
@click.argument("arch")
@network_options
@click.option(
    "-o", "--output", type=OutputPath(".py", devices=True), metavar="FILE.py",
    help="Where to; standard output if not given.",
)  # fmt: skip
@paused()
def command(arch: str, output: Path | None, **options: Any) -> None:
    """Print ARCH (a path, a shipped name, or -) as a Python file that imports torch alone.

    The example in it imports the network from FILE.py.
    """
    network = read(arch, **options)
    if output is not None and output.resolve() in {Path(arch).resolve(), *network.loader.files}:
        raise click.UsageError(f"{output} is what the network is read from: name another file")
    if output is not None and output.name == "torch.py":
        raise click.UsageError(f"{output} would hide torch, which it imports: name another file")
    show_warnings(network)
    text = network.source(output.stem if output and output.suffix == ".py" else "")
    if output is None:
        click.echo(text, nl=False)
    else:
        write_text(output, text)
        click.echo(str(output))
