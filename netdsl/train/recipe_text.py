"""A recipe to TOML with every key resolved and explained, which can be read as a recipe again."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from netdsl.train import toml
from netdsl.train.files import read_file
from netdsl.train.recipe import Recipe, Stage, base_of, find_recipe, read_recipe
from netdsl.train.resolve import Choices, resolve
from netdsl.train.settings import ABOUT

_LEFT = "# The rest is as it is; a data set may have epochs, batch_size, lr, weight_decay, augment."

Comments = dict[str, str]  # of a key, such as train.lr


def show_recipe(name: str | Path) -> str:
    """Return a recipe as TOML: what it says, then what it leaves alone, as comments.

    The comments of the file, and of those that it is a variation of, stand in place of ours.
    """
    recipe, comments = read_recipe(name), _comments(find_recipe(name))
    head = {"about": recipe.about, "example": recipe.example, "weights": recipe.weights}
    lines = [line for key, value in head.items() if value for line in _lines({key: value}, {}, "")]
    if recipe.network:
        lines += ["", "[network]", *_lines(recipe.network, comments, "network.")]
    explained = {f"train.{key}": text for key, text in ABOUT.items()} | comments
    said = {key: recipe.train[key] for key in ABOUT if key in recipe.train}  # type: ignore[literal-required]
    lines += ["", "[train]", *_lines(said, explained, "train.")]
    lines += [_LEFT, *(f"# {line}" for line in _lines(_left(recipe), explained, "train."))]
    for stage in recipe.stages:
        lines += ["", "[[stage]]", *_stage(stage, recipe)]
    return "\n".join(lines) + "\n"


def _left(recipe: Recipe) -> Mapping[str, object]:
    """Return the settings that a recipe does not choose, as they are on this machine."""
    said = {key: value for key, value in recipe.train.items() if key != "iterations"}
    settings = resolve(Choices(**said)).record()  # type: ignore[typeddict-item]
    hidden = {"epochs"} if "iterations" in recipe.train else set()
    return {k: v for k, v in settings.items() if k not in said and k not in hidden}


def _stage(stage: Stage, recipe: Recipe) -> Iterator[str]:
    """Yield what a stage says beyond the recipe."""
    yield f"name = {toml.value(stage.name)}"
    parts: tuple[tuple[str, Mapping[str, object], Mapping[str, object]], ...] = (
        ("network", stage.network, recipe.network),
        ("train", stage.train, recipe.train),
    )
    for key, own, below in parts:
        more = {k: v for k, v in own.items() if k not in below or below[k] != v}
        if more:
            yield f"{key} = {toml.value(more)}"
    if stage.freeze:
        yield f"freeze = {toml.value(stage.freeze)}"


def _lines(table: Mapping[str, object], comments: Mapping[str, str], prefix: str) -> list[str]:
    written = {key: _line(key, value) for key, value in table.items()}
    width = min(max(map(len, written.values()), default=0), 36)
    return [
        f"{line:<{width}}  # {comments[prefix + key]}" if prefix + key in comments else line
        for key, line in written.items()
    ]


def _line(key: str, value: object) -> str:
    """Return a key with its value; without one, it is decided when a training has begun."""
    return f"{key}: where it pays" if value is None else f"{toml.key(key)} = {toml.value(value)}"


def _comments(path: Path) -> Comments:
    """Return what a file says behind its keys, and what its bases say behind theirs."""
    base = base_of(path)
    found, table = _comments(base) if base else Comments(), ""
    for line in read_file(path).decode("utf-8").splitlines():
        if heading := re.fullmatch(r"\[+([a-z]+)\]+ *(#.*)?", line):
            table = heading[1]
        elif table in ("network", "train") and (both := _split(line)):
            key, comment = both
            found.pop(f"{table}.{key}", None)
            if comment:
                found[f"{table}.{key}"] = comment
    return found


def _split(line: str) -> tuple[str, str] | None:
    """Return the key of a line and the comment behind its value; a # may stand in a text too.

    >>> _split('name = "#1"  # the first')
    ('name', 'the first')
    """
    for end in [*(hash.start() for hash in re.finditer("#", line)), len(line)]:
        try:
            (key,) = tomllib.loads(line[:end])
        except (tomllib.TOMLDecodeError, ValueError):
            continue
        return key, line[end + 1 :].strip()
    return None
