"""A TOML file to a definition: which networks are compared, on what, how often.

name = "table1"                       # its folder is experiments/table1
title = "Table 1"
data = "tiny-imagenet"                # this and what follows holds for all networks
recipe = "tiny-resnet"
set = { epochs = 30 }                 # what `--set` takes
seeds = [0, 1, 2]                     # or 3

[[network]]
arch = "net1"
plain = "both"                        # true, false, or both
params = { n = 9 }                    # what `-D` takes
paper = { val = 0.49, train = 0.72, plain = { val = 0.46 } }
budget = { cpu = { epochs = 8 } }     # what `--budget cpu` cuts this one to

[grid]                                # every combination, for the networks that have such a name
n = [3, 5]

[budget]                              # what `--budget cpu` cuts it to
cpu = { epochs = 5, classes = 20, seeds = 1 }

[[figure]]                            # beside the report's own: `wanted` explains them
name = "fig8"
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from netdsl.experiment.budget import Budget, Layer, merged, read_budgets, read_layers
from netdsl.experiment.keys import NETWORK, PAPER, SHARED, TOP, Table, check, wrong
from netdsl.experiment.variant import Value, Variant
from netdsl.experiment.wanted import Wanted, read_wanted
from netdsl.suggest import did_you_mean
from netdsl.train import DATA_SETS, toml
from netdsl.train.choices import read_choices
from netdsl.train.recipe import SUFFIX
from netdsl.train.resolve import over
from netdsl.transfer.zoos import in_zoo

_SEEDS = 10_000  # that a number stands for
_WEIGHTS = ".safetensors"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a file says, before the grid is multiplied out.

    `fixed` holds, for each network, the names that it gives itself: no grid changes those.
    `layers` are what it is cut to, `budgets` what the file has names for. `digest` is of all
    that the file says: two files of one digest differ in comments, blanks and order alone.
    `file` is where somebody wrote it, empty of one that netdsl puts together.
    """

    name: str
    title: str
    seeds: tuple[int, ...]
    networks: tuple[Variant, ...]
    fixed: tuple[frozenset[str], ...]
    grid: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    budgets: Mapping[str, Budget] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()
    figures: tuple[Wanted, ...] = ()
    digest: str = ""
    file: str = ""

    @property
    def budget(self) -> Budget:
        """What the networks are cut to that do not say it themselves."""
        return merged(self.layers)


def read_definition(path: Path) -> Definition:
    """Return what a file defines; an unknown key is an error. Paths in it are from its folder."""
    try:
        table = toml.read(path)
    except ValueError as error:
        raise wrong(f"{path} is not TOML: {error}") from error
    return replace(defined_by(table, path), file=str(path))


def defined_by(table: Table, path: Path) -> Definition:
    """Return what the table of a file defines, whether or not the file is there yet."""
    check(table, TOP, f"{path}: ", "an experiment")
    entries = table.get("network", [])
    if not entries:
        raise wrong(f"{path} names no network", 'as in [[network]] with arch = "net1"')
    shared = {key: value for key, value in table.items() if key in SHARED}
    budgets = _budgets(table.get("budget", {}), f"{path}, [budget]: ", path.parent)
    read = [pair for n, entry in enumerate(entries, 1) for pair in _network(entry, shared, path, n)]
    for variant, _ in read:
        _refuse_unknown_budgets(variant, budgets, path)
    name = checked_name(table.get("name", path.stem), path)
    return Definition(
        name=name,
        title=table.get("title", name),
        seeds=_seeds(table.get("seeds", [0]), path),
        networks=tuple(variant for variant, _ in read),
        fixed=tuple(fixed for _, fixed in read),
        grid={
            key: tuple(_placed({key: one}, path.parent)[key] for one in _values(key, values, path))
            for key, values in table.get("grid", {}).items()
        },
        budgets=budgets,
        figures=read_wanted(table.get("figure", []), path),
        digest=sha256(json.dumps(table, sort_keys=True, default=str).encode()).hexdigest(),
    )


def within(definition: Definition, text: str) -> Definition:
    """Return the definition cut to a budget as it is typed; `seeds` keeps the first of them."""
    cut = replace(definition, layers=read_layers(text, definition.budgets))
    wanted = cast(int | None, cut.budget.get("seeds"))
    if wanted is not None and wanted > len(definition.seeds):
        fact = (
            f"the budget asks for {wanted} seeds, and {definition.name} has {len(definition.seeds)}"
        )
        raise wrong(fact, "say seeds in the file: a budget makes it smaller")
    seeds = definition.seeds[:wanted]
    return replace(cut, seeds=seeds)


def placed_images(data: str, folder: Path) -> str:
    """Return a data set by its name, which goes before a folder called so; a folder by its path."""
    path = folder.joinpath(data)
    return str(path.resolve()) if data not in DATA_SETS and path.is_dir() else data


def _network(
    entry: Any, shared: Table, path: Path, number: int
) -> list[tuple[Variant, frozenset[str]]]:
    """Return the variants that one [[network]] stands for: two where `plain` is both."""
    where = f"{path}, [[network]] {number}: "
    if not isinstance(entry, dict):
        raise wrong(f"{where}{entry!r} is no table")
    check(entry, NETWORK, where, "a network")
    if entry.get("arch", "-") == "-":
        raise wrong(f"{where}arch is missing", "name a file or a shipped architecture")
    _check_paper(entry.get("paper", {}), f"{where}paper: ")
    both = {**shared, **entry}
    both["params"] = {**shared.get("params", {}), **entry.get("params", {})}
    common = read_choices(shared.get("set", {}), f"{path}: set: ")
    both["set"] = dict(over(common, read_choices(entry.get("set", {}), f"{where}set: ")))
    if "seed" in both["set"]:
        raise wrong(f"{where}set: seed is given", "say seeds = [0, 1, 2] for all networks")
    both["budgets"] = _budgets(both.pop("budget", {}), f"{where}budget: ", path.parent)
    plain = _plain(both.pop("plain", False), where)
    fixed = {*entry, *entry.get("params", {}), *entry.get("set", {})}
    variants = [Variant(**_placed(both, path.parent), plain=one) for one in plain]
    if len(plain) > 1:
        variants = [variant.beside_twin() for variant in variants]
    return [(variant, frozenset(fixed)) for variant in variants]


def _budgets(table: Table, where: str, folder: Path) -> dict[str, Budget]:
    """Return budgets by name, their images from where the person stands."""
    budgets = read_budgets(table, where)
    return {name: _placed(dict(said), folder) for name, said in budgets.items()}


def _check_paper(numbers: Table, where: str) -> None:
    """Refuse what is no accuracy between 0 and 1, of the network or of its twin."""
    check(numbers, PAPER, where, "a paper's numbers")
    for key, value in numbers.items():
        if key == "plain":
            _check_paper(value, f"{where}plain: ")
        elif not 0 <= value <= 1:
            raise wrong(f"{where}{key} is {value!r}, but must lie between 0 and 1", "49 % is 0.49")


def _refuse_unknown_budgets(variant: Variant, budgets: Mapping[str, Budget], path: Path) -> None:
    for name, said in variant.budgets.items():
        where = f"{path}: the budget {name} of {variant.label or variant.arch}"
        if name not in budgets:
            raise wrong(f"{where} is none of the file", did_you_mean(name, budgets, "budgets"))
        if "seeds" in said:
            raise wrong(f"{where} has seeds", "say under [budget] how many, for all networks")


def _placed(table: Table, folder: Path) -> Table:
    """Return the table with every path from where the person stands, not from the file's folder."""
    placed = dict(table)
    for key, suffix in (("arch", ".arch"), ("recipe", SUFFIX), ("weights", _WEIGHTS)):
        if (value := table.get(key)) and _is_path(value, suffix, folder):
            placed[key] = str(folder.joinpath(value).resolve())
    if data := table.get("data"):
        placed["data"] = placed_images(data, folder)
    if table.get("data_dir"):
        placed["data_dir"] = str(folder.joinpath(table["data_dir"]).resolve())
    return placed


def _is_path(value: str, suffix: str, folder: Path) -> bool:
    if suffix == _WEIGHTS and in_zoo(value):
        return False
    is_there = suffix == _WEIGHTS and folder.joinpath(value).is_file()  # they have many suffixes
    return value.endswith(suffix) or len(Path(value).parts) > 1 or is_there


def _plain(value: object, where: str) -> tuple[bool, ...]:
    if value == "both":
        return (False, True)
    if not isinstance(value, bool):
        raise wrong(f'{where}plain is {value!r}, but must be true, false or "both"')
    return (value,)


def checked_name(name: str, where: object) -> str:
    """Return the name of an experiment; raise where it is no name of a folder."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        help = "letters, digits, - and _, 100 at most: it is the name of a folder"
        raise wrong(f"{where}: name is {name!r}", help)
    return name


def _seeds(seeds: int | list[object], path: Path) -> tuple[int, ...]:
    if isinstance(seeds, int) and seeds > _SEEDS:
        raise wrong(f"{path}: seeds is {seeds!r}", f"{_SEEDS:,} at most")
    found = list(range(seeds)) if isinstance(seeds, int) else seeds
    whole = [seed for seed in found if type(seed) is int and seed >= 0]
    if not whole or len(set(whole)) != len(found):
        fact = f"{path}: seeds is {seeds!r}"
        if len(set(map(str, found))) != len(found):
            raise wrong(fact, "each seed stands there once")
        raise wrong(fact, "as in seeds = [0, 1, 2], or seeds = 3 for the same")
    return tuple(whole)


def _values(key: str, values: object, path: Path) -> tuple[Value, ...]:
    if not isinstance(values, list) or not values:
        raise wrong(f"{path}, [grid]: {key} is {values!r}, but must be a list of values")
    for value in values:
        if not isinstance(value, str | int | float):
            fact = f"{path}, [grid]: {key} has {value!r}"
            help = "a number, a text or a truth can vary; of lists, a network each is written"
            raise wrong(fact, help)
        if key == "plain" and not isinstance(value, bool):
            raise wrong(f"{path}, [grid]: plain has {value!r}, but must have true and false")
        if key in NETWORK:
            check({key: value}, NETWORK, f"{path}, [grid]: ", "a network")
        if values.count(value) > 1:
            raise wrong(
                f"{path}, [grid]: {key} has {value!r} twice", "each value stands there once"
            )
    return tuple(values)
