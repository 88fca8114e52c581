"""A TOML file to a recipe: how a network is changed before it is built, and how it is trained.

about = "what it is for"
base = "cifar-resnet"                 # a recipe that this one is a variation of
weights = "torchvision:resnet18"      # to begin with

[network]                             # what `-D` takes: parameters, settings, "BB.dropout"
drop_path = 0.5

[train]                               # settings; `netdsl.train.settings.ABOUT` explains them
lr = 0.1

[[stage]]                             # only for a training by stages, one after the other
name = "head"
train = { epochs = 3 }
freeze = ["body"]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from netdsl.suggest import did_you_mean
from netdsl.train import toml
from netdsl.train.choices import read_choices
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.resolve import Choices, over
from netdsl.train.settings import TYPES

SUFFIX = ".toml"
_KEYS = {
    "about": str, "example": str, "base": str, "weights": str, "network": dict, "train": dict,
    "stage": list,
}  # fmt: skip
_STAGE_KEYS = {"name": str, "network": dict, "train": dict, "freeze": list}
_FULL = ("base", "weights", "stage")  # that mean something by being there
_NAMES: dict[type, str] = {str: "a text", dict: "a table", list: "a list"}

Values = Mapping[str, Any]  # `**` hands them to parameters of several types
Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a training by stages: the recipe's values with those of the stage on top.

    `freeze` names the modules, by what their names begin with, that do not learn meanwhile; `body`
    is every module but the last that has weights.
    """

    name: str
    network: Values
    train: Choices
    freeze: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a file says: `network` is for whoever builds the network, as `-D` has it.

    `weights` is what to begin with, as `--init` has it; `example` a command that the recipe is
    meant for; `base` the recipe that this one is a variation of, and `own` the settings that are
    not that one's.
    """

    name: str
    about: str
    example: str = ""
    base: str = ""
    weights: str = ""
    network: Values = field(default_factory=dict)
    train: Choices = field(default_factory=Choices)
    own: Choices = field(default_factory=Choices)
    stages: tuple[Stage, ...] = ()


def recipes() -> dict[str, Path]:
    """Return the recipes that come along, by name."""
    folder = Path(str(resources.files("netdsl.recipes")))
    return {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}"))}


def read_recipe(name: str | Path) -> Recipe:
    """Return a recipe by its path, or one that comes along by its name.

    A recipe with a `base` holds what that one holds, and what it says itself on top.
    """
    path = find_recipe(name)
    table = _with_base(path, ())
    network, train = table.get("network", {}), table.get("train", {})
    return Recipe(
        name=path.stem,
        about=table.get("about", ""),
        example=table.get("example", ""),
        base=table.get("base", ""),
        weights=table.get("weights", ""),
        network=network,
        train=train,
        own=table["own"],
        stages=tuple(_stage(stage, network, train) for stage in table.get("stage", ())),
    )


def find_recipe(name: str | Path) -> Path:
    """Return the file of a recipe."""
    path, known = Path(name), recipes()
    if is_file(path):
        return path
    if str(name) not in known:
        hint = did_you_mean(str(name), known, "recipes")
        raise TrainError(f"no recipe is called {str(name)!r}", hint, ExitCode.USAGE)
    return known[str(name)]


def is_file(name: str | Path) -> bool:
    """Say whether a recipe is named by the path of its file, not as one that comes along."""
    path = Path(name)
    return path.suffix == SUFFIX or len(path.parts) > 1


def base_of(path: Path) -> Path | None:
    """Return the file of the recipe that a file is a variation of; its path is from there."""
    name = _checked(_parse(path), path).get("base")
    try:
        return None if name is None else path.parent.joinpath(find_recipe(name))
    except TrainError as error:
        raise TrainError(f"{path}, base: {error}", error.help, error.exit_code) from error


def _with_base(path: Path, variations: tuple[Path, ...]) -> Table:
    """Return the table of a file on top of that of its base."""
    own, below = _checked(_parse(path), path), base_of(path)
    said = own.get("train", Choices())
    if below is None:
        return {**own, "own": said}
    if below.resolve() in {one.resolve() for one in (*variations, path)}:
        raise TrainError(f"{path}: {below.stem} is a variation of itself", None, ExitCode.USAGE)
    base = _with_base(below, (*variations, path))
    network = {**base.get("network", {}), **own.get("network", {})}
    train = over(base.get("train", Choices()), said)
    return {**base, **own, "network": network, "train": train, "own": said}


def _parse(path: Path) -> Table:
    try:
        return toml.read(path)
    except ValueError as error:
        raise TrainError(f"{path} is not TOML: {error}", None, ExitCode.USAGE) from error
    except TrainError as error:  # as of a file that is not there
        raise TrainError(str(error), error.help, ExitCode.USAGE) from error


def _checked(table: Table, path: Path) -> Table:
    """Return the table of a file, its settings as choices; what it should not hold is an error."""
    _check(table, _KEYS, f"{path}: ")
    stages = [
        _checked_stage(stage, f"{path}, [[stage]] {number}: ")
        for number, stage in enumerate(table.get("stage", ()), 1)
    ]
    read = {"stage": stages} if stages else {}
    return {**table, **_parts(table, str(path)), **read}


def _checked_stage(stage: Table, where: str) -> Table:
    if not isinstance(stage, dict):
        raise TrainError(f"{where}{stage!r} is no table", None, ExitCode.USAGE)
    _check(stage, _STAGE_KEYS, where)
    frozen = stage.get("freeze", [])
    if not all(isinstance(name, str) for name in frozen):
        fact = f"{where}freeze is {frozen!r}, but must be a list of texts"
        raise TrainError(fact, None, ExitCode.USAGE)
    return {**stage, **_parts(stage, where.removesuffix(": "))}


def _parts(table: Table, where: str) -> Table:
    """Return the network and the train part of a table, checked, where it has them."""
    read: Table = {}
    if "train" in table:
        read["train"] = read_choices(table["train"], f"{where}, [train]: ")
    for key, value in table.get("network", {}).items():
        if not isinstance(value, str | int | float):
            fact = (
                f"{where}, [network]: {key} is {value!r}, but must be a number, a text or a truth"
            )
            raise TrainError(fact, toml.in_quotes(key, value), ExitCode.USAGE)
    return read


def _check(table: Table, known: Mapping[str, type], where: str) -> None:
    for key, value in table.items():
        if key not in known:
            hint = did_you_mean(key, known, "keys")
            if key in TYPES and "stage" in known:
                hint = "it belongs below [train]"
            elif key in TYPES:
                hint = f"of this stage alone it is written train = {toml.value({key: value})}"
            raise TrainError(f"{where}{key!r} is not a key of a recipe", hint, ExitCode.USAGE)
        if not isinstance(value, known[key]):
            fact = f"{where}{key} is {value!r}, but must be {_NAMES[known[key]]}"
            raise TrainError(fact, None, ExitCode.USAGE)
        if key in _FULL and not value:
            raise TrainError(f"{where}{key} is empty", "leave it out", ExitCode.USAGE)


def _stage(stage: Table, network: Values, train: Choices) -> Stage:
    return Stage(
        name=stage.get("name", ""),
        network={**network, **stage.get("network", {})},
        train=over(train, stage.get("train", Choices())),
        freeze=tuple(stage.get("freeze", ())),
    )
