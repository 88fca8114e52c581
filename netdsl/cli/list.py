"""`netdsl list`: what there is."""

from __future__ import annotations

import click


@click.command("list")
@click.argument("what", type=click.Choice(["architectures", "layers"]), default="architectures")
def command(what: str) -> None:
    """List the shipped architectures, with their variants, or the layers of the language."""
    if what == "layers":
        from netdsl.ops import CATALOGUE

        for code, cls in sorted(CATALOGUE.items()):
            click.echo(f"{code:<10} {cls.__doc__.splitlines()[0]}")
        return
    from netdsl.shelf import shipped, variants

    for name, path in shipped().items():
        names = [variant for variant, home in variants().items() if home == path]
        click.echo(f"{name:<14} {', '.join(names)}".rstrip())
