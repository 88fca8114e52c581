"""`netdsl fmt`: files in canonical layout."""

from __future__ import annotations

from pathlib import Path

import click

from netdsl.cli.idle import note_idle
from netdsl.cli.network import open_source
from netdsl.cli.write import write_text
from netdsl.collector import paused


@click.command("fmt")
@click.argument("archs", nargs=-1, required=True, metavar="ARCH...")
@click.option("-w", "--write", is_flag=True, help="Rewrite the files in place.")
@click.option("--check", is_flag=True, help="Print nothing; exit with 2 if a file would change.")
@paused()
def command(archs: tuple[str, ...], write: bool, check: bool) -> int:
    """Print every ARCH in canonical layout, its comments kept."""
    from netdsl.syntax import to_text

    if check and write:
        raise click.UsageError("--check writes nothing: leave -w away")
    changed = []
    for arch in archs:
        source = open_source(arch)
        text = to_text(source.file)
        is_canonical = text == source.file.span.source.text
        if not is_canonical:
            changed.append(arch)
        if check:
            continue
        if write and arch == "-":
            note_idle("-w", "what came from standard input is printed")
        if write and arch != "-":
            if source.path != Path(arch):
                raise click.UsageError(f"{arch} comes with netdsl, and -w is for files of your own")
            if not is_canonical:
                write_text(source.path, text)
        else:
            click.echo(text, nl=False)
    if check:
        for arch in changed:
            click.echo(f"{arch} is not in canonical layout", err=True)
    return 2 if check and changed else 0
