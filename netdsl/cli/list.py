"""`netdsl list`: what there is."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator

import click

_HEADS = {"classics": "classics", "torchvision": "the zoo of torchvision"}  # by their folder


@click.command("list")
@click.argument("what", type=click.Choice(["architectures", "layers"]), default="architectures")
def command(what: str) -> None:
    """List the shipped architectures, with their variants, or the layers of the language."""
    for line in layers() if what == "layers" else architectures():
        click.echo(line)


def layers() -> Iterator[str]:
    """Yield every layer with the first line of its manual."""
    from netdsl.ops import CATALOGUE
    from netdsl.ops.manual import COMBINATIONS

    for code, cls in sorted({**CATALOGUE, **COMBINATIONS}.items()):
        yield f"{code:<10} {cls.__doc__.splitlines()[0]}"


def architectures() -> Iterator[str]:
    """Yield the files of papers and those of the zoo, each with the names of its variants."""
    from netdsl.shelf import shipped, variants

    files, scales = shipped(), variants()
    left = max(map(len, files)) + 2
    width = max(shutil.get_terminal_size().columns, left + 40)
    folder = ""
    for name, path in files.items():
        if path.parent.name != folder and folder:
            yield f"\n{_HEADS[path.parent.name]}:"
        folder = path.parent.name
        names = ", ".join(scale for scale, home in scales.items() if home == path)
        lines = textwrap.wrap(names, width - left, break_on_hyphens=False) or [""]
        yield from (
            f"{head:<{left}}{line}".rstrip()
            for head, line in zip([name, *[""] * (len(lines) - 1)], lines, strict=True)
        )
