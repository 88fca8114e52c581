"""The catalogue as a table for the manual: one line a layer, from its docstring and fields."""

from __future__ import annotations

from collections.abc import Iterator

from netdsl.ops.blocks import Res
from netdsl.ops.catalogue import CATALOGUE
from netdsl.ops.describe import Argument, arguments
from netdsl.ops.window import size_text
from netdsl.ops.wiring import JOINS

COMBINATIONS: dict[str, type] = {"Res": Res, **JOINS}


def layer_table() -> str:
    """Return the layers of the language as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "| layer | what it is | arguments |"
    yield "|---|---|---|"
    for code, cls in sorted({**CATALOGUE, **COMBINATIONS}.items()):
        text = " ".join(cls.__doc__.split())
        known = () if code == "Torch" else arguments(cls).values()
        options = ", ".join(_argument(a, getattr(cls, "positional", ())) for a in known)
        yield f"| `{code}` | {text} | {options} |".replace("|  |", "| |")


def _argument(argument: Argument, positional: tuple[str, ...]) -> str:
    if argument.name in positional:
        return f"**{argument.name}**"
    if argument.setting:
        return f"`{argument.name}` (the header's)"
    if argument.default in (None, ...):
        return f"`{argument.name}`"
    default = argument.default
    if isinstance(default, bool):
        default = "on" if default else "off"
    elif isinstance(default, tuple):
        default = size_text(default)
    return f"`{argument.name}={default}`"
