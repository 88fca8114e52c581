"""`netdsl translate`: what papers, LaTeX, Keras and torch write, as it is written here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netdsl.cli.exit_code import exit_code_of
from netdsl.cli.kinds import OutputPath
from netdsl.cli.notes import note
from netdsl.cli.write import write_text
from netdsl.collector import paused

if TYPE_CHECKING:
    from netdsl.errors import Diagnostic


@click.command("translate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "-o", "--output", type=OutputPath(".arch", devices=True), metavar="FILE.arch",
    help="Where to; standard output if not given.",
)  # fmt: skip
@paused()
def command(file: str, output: Path | None) -> int:
    """Print the text of FILE (or -) as it is written here: rows of papers, LaTeX, Keras, torch.

    Every change is told on standard error, as the error of it would tell it. Where something stays
    wrong it ends with 2; the text is printed all the same, for you to go on with.
    """
    from netdsl.lower import Loader
    from netdsl.syntax import decode, parse, to_text
    from netdsl.translation import translate

    if file == "-":
        name, data, loader = "<stdin>", sys.stdin.buffer.read(), Loader()
    else:
        name, data, loader = file, Path(file).read_bytes(), Loader(Path(file).parent.resolve())
    done = translate(decode(data, name), name, loader)
    said: set[str] = set()
    for change in done.changes:
        note(_line(change, said))
    text = done.text if done.error else to_text(parse(done.text, name))
    if output is None:
        click.echo(text, nl=False)
    else:
        write_text(output, text)
        click.echo(str(output))
    if done.error:  # said here, for what is said of other errors is to translate
        click.echo(str(done.error), err=True)
        return exit_code_of(done.error)
    return 0


def _line(change: Diagnostic, said: set[str]) -> str:
    """Return a change in a line, with its place, and with its help where that is a new one."""
    assert change.span is not None
    source = change.span.source
    row, column = change.span.position
    is_new = change.help is not None and change.help not in said
    said.add(change.help or "")
    return f"{source.name}:{row}:{column}: {change.message}{f'; {change.help}' if is_new else ''}"
