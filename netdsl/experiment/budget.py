"""`epochs=5,classes=20,limit=2000` to what a smaller comparison of the same kind is made with."""

from __future__ import annotations

from collections.abc import Mapping

from netdsl.train import ExitCode, TrainError
from netdsl.train.choices import TYPES, parse_choices
from netdsl.train.suggest import did_you_mean

_COUNTS = {"classes": 2, "limit": 2}  # and the least that makes sense


def parse_budget(text: str) -> Mapping[str, object]:
    """Return what a budget says; a key that is neither of the images nor a setting is an error.

    >>> parse_budget("epochs=5,classes=20")
    {'epochs': 5, 'classes': 20}
    """
    found: dict[str, object] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals:
            raise _wrong(f"--budget: {part!r} is not of the form KEY=VALUE", "as in epochs=5")
        if key not in (*_COUNTS, *TYPES) or key == "seed":
            hint = did_you_mean(
                key, (*_COUNTS, *(name for name in TYPES if name != "seed")), "keys"
            )
            raise _wrong(f"--budget: {key!r} is not a setting", hint)
        found |= {key: _count(key, value)} if key in _COUNTS else dict(parse_choices((part,)))
    return found


def _count(key: str, value: str) -> int:
    if not (value.isdecimal() and value.isascii() and int(value) >= _COUNTS[key]):
        raise _wrong(f"--budget: {key} is {value}, but must be {_COUNTS[key]} or more")
    return int(value)


def _wrong(fact: str, help: str | None = None) -> TrainError:
    return TrainError(fact, help, ExitCode.USAGE)
