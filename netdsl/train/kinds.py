"""What kinds of values settings have: numbers, truths, texts, lists of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Rational, Real
from typing import Any

from netdsl.train.errors import ExitCode, TrainError

Texts, Numbers = tuple[str, ...], tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a setting can be: in words, as a test, and how it is made of what was written."""

    name: str
    fits: Callable[[Any], bool]
    make: Callable[[Any], object]

    def refuse_other(self, name: str, value: object) -> None:
        """Raise where a setting has a value of another kind, as a text is no number."""
        if not self.fits(list(value) if isinstance(value, tuple) else value):
            fact = f"{name} is {value!r}, but must be {self.name}"
            raise TrainError(fact, None, ExitCode.USAGE)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


_SWITCHED = Kind("true or false", lambda value: isinstance(value, bool), bool)
_NUMBER = Kind("a number", _is_number, float)
KINDS: dict[Any, Kind] = {
    int: Kind("a whole number", _is_whole, int),
    float: _NUMBER,
    float | None: _NUMBER,
    bool: _SWITCHED,
    bool | None: _SWITCHED,
    str: Kind("a text", lambda value: isinstance(value, str), str),
    Numbers: Kind(
        "a list of numbers",
        lambda value: isinstance(value, list) and all(map(_is_number, value)),
        lambda value: tuple(map(float, value)),
    ),
    Texts: Kind(
        "a list of texts",
        lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
        tuple,
    ),
}


def of_python(value: object) -> object:
    """Return a number of another library, or a list with some, as Python has it.

    >>> of_python(0.1), of_python(("flip",)), of_python(True)
    (0.1, ('flip',), True)
    """
    if isinstance(value, tuple):
        return tuple(map(of_python, value))
    if type(value) in (int, float, bool) or not isinstance(value, Real):
        return value
    if isinstance(value, Integral):
        return int(value)
    # The digits of a float32 are fewer than those of its `float`.
    return float(value if isinstance(value, Rational) else str(value))


def shown(value: object) -> str:
    """Return a setting as `--set` takes it.

    >>> shown((30.0, 60.0)), shown(()), shown(True), shown(0.1), shown(None)
    ('30, 60', 'none', 'true', '0.1', 'not given')
    """
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return ", ".join(map(shown, value)) or "none"
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)
