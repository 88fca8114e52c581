"""`epochs=5,classes=20,limit=2000` to what a smaller comparison of the same kind is made with.

A file may give budgets names, under [budget]: `cpu = { epochs = 5, classes = 20, seeds = 1 }`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from netdsl.experiment.keys import wrong
from netdsl.suggest import did_you_mean
from netdsl.train import Choices
from netdsl.train.choices import SWITCH, parse_choices, read_choices, refuse_twice
from netdsl.train.kinds import Numbers, Texts
from netdsl.train.resolve import over, refuse_two_lengths
from netdsl.train.settings import TYPES

Budget = Mapping[str, object]
Layer = tuple[str, Budget]  # the name of a budget of the file, empty for what was typed
# What is no setting: counts and the least that makes sense, texts, and what is true or false.
_COUNTS = {"classes": 2, "limit": 2, "seeds": 1}
_TEXTS = ("data", "input")
_SWITCHES = ("fit",)
_OWN = (*_COUNTS, *_TEXTS, *_SWITCHES)
OF_IMAGES = tuple(key for key in _OWN if key != "seeds")  # which images a network is trained on
_KEYS = (*_OWN, *(name for name in TYPES if name != "seed"))


def read_layers(text: str, named: Mapping[str, Budget] | None = None) -> tuple[Layer, ...]:
    """Return what a budget says, one layer over the other.

    A name stands for one of the `named` budgets. A list goes on up to the next name or key. A key
    that is neither of the images nor a setting is an error, and so is one that is typed twice.

    >>> read_layers("cpu,classes=10", {"cpu": {"epochs": 5, "classes": 20}})
    (('cpu', {'epochs': 5, 'classes': 20}), ('', {'classes': 10}))
    >>> read_layers("milestones=2,4,epochs=5")
    (('', {'milestones': (2.0, 4.0)}), ('', {'epochs': 5}))
    """
    parts = filter(None, (part.strip() for part in text.split(",")))
    layers = tuple(_layer(part, named or {}) for part in _whole(parts, named or {}))
    typed = [key for name, said in layers if not name for key in said]
    refuse_twice(typed, "--budget: ")
    refuse_two_lengths(typed, "--budget: ")
    return layers


def merged(layers: tuple[Layer, ...], own: Mapping[str, Budget] | None = None) -> Budget:
    """Return what all layers say together; what a network says itself of a name goes before it.

    >>> merged((("cpu", {"epochs": 5, "classes": 20}), ("", {"lr": 1})), {"cpu": {"epochs": 9}})
    {'epochs': 9, 'classes': 20, 'lr': 1}
    >>> merged((("cpu", {"epochs": 5}), ("", {"iterations": 30})))
    {'iterations': 30}
    """
    found: dict[str, object] = {}
    for name, said in layers:
        for layer in (said, (own or {}).get(name, {})):
            found = dict(over(cast(Choices, found), cast(Choices, layer)))
    return found


def read_budgets(table: Mapping[str, object], where: str) -> dict[str, Budget]:
    """Return the budgets of a file by name, each of which `--budget` can tell from a key."""
    for name in table:
        if not name.strip() or name != name.strip() or {",", "="} & {*name}:
            raise wrong(f"{where}{name!r} is no name that --budget can be given", "as in cpu")
    return {name: _read(said, f"{where}{name}: ") for name, said in table.items()}


def _read(table: object, where: str) -> Budget:
    if not isinstance(table, dict):
        raise wrong(f"{where}{table!r} is no table", "as in cpu = { epochs = 5, seeds = 1 }")
    for key in table:
        _refuse_unknown(key, where)
    own = {key: _own(key, table[key], where) for key in table if key in _OWN}
    rest = {key: value for key, value in table.items() if key not in own}
    return {**own, **read_choices(rest, where)}


def _whole(parts: Iterable[str], named: Mapping[str, Budget]) -> list[str]:
    """Return the parts with those of a list together: commas stand in lists and between keys.

    >>> _whole(["augment=flip", "pad_crop padding=2", "lr=1", "cpu"], {"cpu": {}})
    ['augment=flip,pad_crop padding=2', 'lr=1', 'cpu']
    """
    found: list[str] = []
    for part in parts:
        key = _key(part)
        is_own = part in named or key in _OWN or key in TYPES
        if found and not is_own and TYPES.get(_key(found[-1])) in (Texts, Numbers):
            found[-1] += f",{part}"
        else:
            found.append(part)
    return found


def _key(part: str) -> str:
    """Return what stands before the `=` of a part, nothing where there is none."""
    key, equals, _ = part.partition("=")
    return key.strip() if equals else ""


def _layer(part: str, named: Mapping[str, Budget]) -> Layer:
    key, equals, value = (word.strip() for word in part.partition("="))
    if not equals:
        return part, _named(part, named)
    _refuse_unknown(key, "--budget: ")
    return "", {key: _parsed(key, value)} if key in _OWN else dict(parse_choices((part,)))


def _named(name: str, named: Mapping[str, Budget]) -> Budget:
    if name in named:
        return named[name]
    fact = f"--budget: {name!r} is not of the form KEY=VALUE"
    if not named:
        raise wrong(fact, "as in epochs=5")
    raise wrong(f"{fact}, and no budget of the file", did_you_mean(name, named, "budgets"))


def _refuse_unknown(key: str, where: str) -> None:
    if key not in _KEYS:
        raise wrong(f"{where}{key!r} is not a setting", did_you_mean(key, _KEYS, "keys"))


def _parsed(key: str, text: str) -> object:
    value: object = text
    if key in _COUNTS and text.isdecimal() and text.isascii():
        value = int(text)
    if key in _SWITCHES:
        value = SWITCH.get(text.lower(), text)
    return _own(key, value, "--budget: ")


def _own(key: str, value: object, where: str) -> object:
    """Return the value of a key that is no setting."""
    if key in _TEXTS and (not isinstance(value, str) or not value):
        raise wrong(f"{where}{key} is {value!r}, but must be a text")
    if key in _SWITCHES and not isinstance(value, bool):
        raise wrong(f"{where}{key} is {value!r}, but must be true or false")
    if key in _COUNTS and (type(value) is not int or value < _COUNTS[key]):
        raise wrong(f"{where}{key} is {value}, but must be {_COUNTS[key]} or more")
    return value
