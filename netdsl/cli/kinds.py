"""Kinds of values without those that click lets through and nobody means: nan, and nothing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click


class Number(click.FloatRange):
    """A number within bounds; nan lies in none."""

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail("nan is not a number", param, ctx)
        return number


class Text(click.types.StringParamType):
    """A text; an empty one, as of a variable of the shell that is not set, is none."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value == "":
            self.fail("an empty text", param, ctx)
        return super().convert(value, param, ctx)


class PlacePath(click.Path):
    """A path; an empty one, as of a variable of the shell that is not set, is none."""

    def __init__(self, *, exists: bool = False) -> None:
        super().__init__(path_type=Path, exists=exists)

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value == "":
            self.fail("an empty path", param, ctx)
        return super().convert(value, param, ctx)


class OutputPath(PlacePath):
    """A file to be written, with one of some suffixes, in letters of either case.

    With `devices` it may be a device or a pipe too, which have none.
    """

    def __init__(self, *suffixes: str, devices: bool = False) -> None:
        super().__init__()
        self.suffixes = suffixes
        self.devices = devices

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        path = super().convert(value, param, ctx)
        if self.devices and _is_device(path):
            return path
        if path.suffix.lower() not in self.suffixes:
            *others, last = self.suffixes
            listed = f"{', '.join(others)} or {last}" if others else last
            self.fail(f"`{path}` must end in {listed}", param, ctx)
        return path


def _is_device(path: Path) -> bool:
    """Say whether a path leads to a device or a pipe; a shell may have put a file behind one."""
    return path.exists() and (path.is_relative_to("/dev") or not path.is_file())


PLACE, TEXT = PlacePath(), Text()
