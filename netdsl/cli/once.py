"""A group of commands that take an option once, unless it may be repeated."""

from __future__ import annotations

from typing import Any

import click


class OnceGroup(click.Group):
    """Refuses what click takes in silence, the last one of two that were typed."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            refuse_twice(command, rest, click.Context(command, ctx, name))
        return name, command, rest


def refuse_twice(command: click.Command, arguments: list[str], context: click.Context) -> None:
    """Raise where an option stands twice among the arguments of a command."""
    *_, typed = command.make_parser(context).parse_args([*arguments])
    for place, param in enumerate(typed):
        if isinstance(param, click.Option) and not param.multiple and param in typed[:place]:
            name = "/".join((*param.opts, *param.secondary_opts))
            context.fail(f"{name} is given twice; leave one of them out")
