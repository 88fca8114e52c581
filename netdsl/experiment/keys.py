"""Which keys the tables of an experiment's file may have, and what stands at each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from netdsl.suggest import did_you_mean
from netdsl.train import ExitCode, TrainError, toml
from netdsl.train.recipe import find_recipe

Table = dict[str, Any]
SHARED: dict[str, tuple[type, ...]] = {
    "data": (str,), "data_dir": (str,), "recipe": (str,), "weights": (str,), "input": (str,),
    "classes": (int,), "limit": (int,), "holdout": (float, int), "fit": (bool,), "set": (dict,),
    "params": (dict,),
}  # fmt: skip
TOP: dict[str, tuple[type, ...]] = {
    "name": (str,), "title": (str,), "seeds": (int, list), "network": (list,), "grid": (dict,),
    "budget": (dict,), "figure": (list,), **SHARED,
}  # fmt: skip
NETWORK: dict[str, tuple[type, ...]] = {
    "arch": (str,), "plain": (bool, str), "scale": (str,), "label": (str,), "paper": (dict,),
    "change": (str,), "budget": (dict,), **SHARED,
}  # fmt: skip
PAPER: dict[str, tuple[type, ...]] = {
    "val": (float, int), "train": (float, int), "plain": (dict,)
}  # fmt: skip
_RANGES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "data": (bool, "but must name a data set or a folder"),
    "classes": (lambda n: n >= 2, "but must be 2 or more"),
    "limit": (lambda n: n >= 2, "but must be 2 or more"),
    "holdout": (lambda x: 0 < x < 1, "but must lie between 0 and 1"),
}
_SHOWN = ("title", "label", "change")  # in tables
_WORDS = {
    str: "a text", int: "a whole number", float: "a number", bool: "true or false",
    list: "a list", dict: "a table",
}  # fmt: skip


def check(
    table: Mapping[str, Any], known: Mapping[str, tuple[type, ...]], where: str, what: str
) -> None:
    """Raise for a key that a table may not have, and for a value that can stand at no such key.

    `where` is put before what is wrong; `what` is what the table stands for.
    """
    for key, value in table.items():
        if key not in known:
            hint = did_you_mean(key, known, "keys")
            raise wrong(f"{where}{key!r} is not a key of {what}", hint)
        if not isinstance(value, known[key]) or (type(value) is bool and bool not in known[key]):
            words = " or ".join(_WORDS[kind] for kind in known[key])
            raise wrong(f"{where}{key} is {value!r}, but must be {words}")
        if isinstance(value, str) and key in _SHOWN and value != "".join(value.splitlines()):
            raise wrong(f"{where}{key} is {value!r}, but must stand on one line")
        if key in _RANGES and not _RANGES[key][0](value):
            raise wrong(f"{where}{key} is {value!r}, {_RANGES[key][1]}")
        if key == "label" and not value:
            raise wrong(f"{where}label is empty", "leave it out")
        if key == "params":
            _check_params(value, where)
        if key == "recipe" and value:
            _check_recipe(str(value), where)


def _check_params(params: Any, where: str) -> None:
    for name, value in params.items():
        if not isinstance(value, str | int | float):
            fact = f"{where}params: {name} is {value!r}, but must be a number, a text or a truth"
            raise wrong(fact, toml.in_quotes(name, value))


def _check_recipe(name: str, where: str) -> None:
    try:
        find_recipe(name)
    except TrainError as error:
        raise wrong(f"{where}recipe: {error}", error.help) from error


def wrong(fact: str, help: str | None = None) -> TrainError:
    """Return the error of a file, or a budget, that says what it cannot."""
    return TrainError(fact, help, ExitCode.USAGE)
