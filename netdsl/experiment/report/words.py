"""Numbers to the text that stands in a table, always of the same number of digits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from netdsl.experiment.report.spread import Spread
from netdsl.train.recipe import SUFFIX, is_file

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
NOTHING = "–"


def percent(value: Spread | float | None) -> str:
    """Return an accuracy in percent, with its deviation where there is one.

    >>> percent(Spread(0.4912, 0.0035, 3)), percent(0.49)
    ('49.12 ± 0.35', '49.00')
    """
    if value is None:
        return NOTHING
    if not isinstance(value, Spread):
        return _signed(100 * value)
    tail = "" if value.deviation is None else f" ± {100 * value.deviation:.2f}"
    return _signed(100 * value.mean) + tail


def points(value: Spread | None) -> str:
    """Return a difference of accuracies in points, with its sign.

    >>> points(Spread(-0.031, None, 1))
    '−3.10'
    """
    return NOTHING if value is None else _signed(100 * value.mean, "+")


def interval(value: Spread | None) -> str:
    """Return where the true difference lies, in points.

    >>> [interval(Spread(0.03, *rest)) for rest in ((0.01, 3), (None, 1), (0.0, 3))]
    ['+0.52 to +5.48', 'none (n = 1)', 'none (alike)']
    """
    if value is None:
        return NOTHING
    if value.interval is None:
        return "none (n = 1)" if value.n == 1 else "none (alike)"
    low, high = (_signed(100 * end, "+") for end in value.interval)
    return f"{low} to {high}"


def short(number: float) -> str:
    """Return a count in three digits.

    >>> short(6_647_176), short(894_582_784), short(999), short(999_999)
    ('6.65 M', '895 M', '999', '1.00 M')
    """
    for size, prefix in _PREFIXES:
        if number >= 0.9995 * size:
            scaled = number / size
            return f"{scaled:.{2 if scaled < 9.995 else 1 if scaled < 99.95 else 0}f} {prefix}"
    return f"{number:,.0f}"


def recipe(name: str) -> str:
    """Return how a recipe is called; that of a person's own is a file.

    >>> recipe("tiny-resnet"), recipe("/home/ada/recipes/slow.toml"), recipe("/home/ada/lr0.1")
    ('tiny-resnet', 'slow', 'lr0.1')
    """
    return PurePath(name).name.removesuffix(SUFFIX) if is_file(name) else name


def pairs(settings: Mapping[str, object]) -> str:
    """Return names with their values.

    >>> pairs({"epochs": 5, "augment": ["flip"], "lr": 0.1})
    'epochs 5, augment flip, lr 0.1'
    """
    return ", ".join(f"{name} {plain(value)}" for name, value in settings.items())


def plain(value: object) -> str:
    """Return a setting as a person would write it.

    >>> plain(True), plain(None), plain([]), plain(4e-07), plain([2.0, 4.5])
    ('yes', 'none', 'none', '4e-07', '2 4.5')
    """
    if value is None or value in ([], ()):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(map(plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _signed(number: float, sign: str = "") -> str:
    """Return a number in two digits, with a real minus, and never a minus before zero.

    >>> _signed(-0.001), _signed(-1.5), _signed(0.0, "+")
    ('0.00', '−1.50', '+0.00')
    """
    number = round(number, 2) + 0.0
    return format(number, f"{sign}.2f").replace("-", "−")
