"""`netdsl recipes`: the recipes that come along, and what is in one."""

from __future__ import annotations

from collections.abc import Iterator

import click

from netdsl.cli.kinds import TEXT


@click.command("recipes")
@click.argument("name", type=TEXT, required=False, metavar="[NAME|FILE]")
def command(name: str | None) -> None:
    """List the shipped recipes, or show one with every key resolved and explained.

    What is shown is a recipe itself: put it into a file, change it, and train with
    `--recipe FILE`.
    """
    from netdsl.train.recipe_text import show_recipe

    if name is None:
        for line in listing():
            click.echo(line)
    else:
        click.echo(show_recipe(name), nl=False)


def listing() -> Iterator[str]:
    """Yield every recipe with what it is about; variations are below what they vary."""
    from netdsl.train.recipe import read_recipe, recipes

    known = [read_recipe(path) for path in recipes().values()]
    width = max(len(recipe.name) for recipe in known) + 4
    below = {recipe.name: recipe.base for recipe in known}

    def under(base: str, indent: str) -> Iterator[str]:
        for recipe in (recipe for recipe in known if below[recipe.name] == base):
            yield f"{indent + recipe.name:<{width}}{recipe.about}"
            yield from under(recipe.name, indent + "  ")

    yield from under("", "")
