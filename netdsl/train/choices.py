"""What somebody wrote, in a recipe or on a command line, to choices of the right types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from netdsl.suggest import did_you_mean
from netdsl.train.errors import ExitCode, TrainError, together
from netdsl.train.kinds import KINDS, Numbers, Texts
from netdsl.train.resolve import Choices, refuse_two_lengths
from netdsl.train.settings import TYPES, refuse_out_of_range

OTHER_WORDS = {
    "batch": "batch_size",
    "ema": "average",
    "gradient_clipping": "clip",
    "learning_rate": "lr",
    "lr_schedule": "schedule",
    "normalisation": "normalise",
    "normalization": "normalise",
    "scheduler": "schedule",
    "transforms": "augment",
    "wd": "weight_decay",
}
SWITCH = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}


def read_choices(table: Mapping[str, object], where: str = "") -> Choices:
    """Return a table of settings as choices; a key or a value that cannot be is an error.

    `where` is put before what is wrong, and all that is wrong is told.

    >>> read_choices({"lr": 1, "milestones": [30, 60]})
    {'lr': 1.0, 'milestones': (30.0, 60.0)}
    """
    refuse_two_lengths(table, where)
    read: dict[str, object] = {}
    wrong: list[TrainError] = []
    for key, value in table.items():
        try:
            read[key] = _typed(key, value, where)
            refuse_out_of_range(key, read[key], where)
        except TrainError as error:
            wrong.append(error)
    if wrong:
        raise together(wrong)
    return cast(Choices, read)


def parse_choices(texts: tuple[str, ...]) -> Choices:
    """Return what `KEY=VALUE` texts choose; a list is written with commas, an empty one `none`.

    A key that is given twice is an error.

    >>> parse_choices(("lr=0.05", "augment=flip,pad_crop padding=2", "nesterov=off"))
    {'lr': 0.05, 'augment': ('flip', 'pad_crop padding=2'), 'nesterov': False}
    """
    parsed = [_parsed(text) for text in texts]
    refuse_twice([key for key, _ in parsed])
    return read_choices(dict(parsed))


def refuse_twice(keys: Sequence[str], where: str = "") -> None:
    """Raise where a key is given more than once, as somebody types it; `where` is put before."""
    if twice := [key for place, key in enumerate(keys) if key in keys[:place]]:
        fact = f"{where}{twice[0]} is given twice"
        raise TrainError(fact, "leave one of them out", ExitCode.USAGE)


def _parsed(text: str) -> tuple[str, object]:
    key, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        fact = f"{text!r} is not of the form KEY=VALUE"
        raise TrainError(fact, "as in --set lr=0.05", ExitCode.USAGE)
    kind = _type(key, "")
    if kind in (Texts, Numbers):
        parts = [part.strip() for part in value.split(",") if part.strip() not in ("", "none")]
        return key, parts if kind is Texts else [_number(part) for part in parts]
    if kind in (bool, bool | None):
        return key, SWITCH.get(value.lower(), value)
    return key, value if kind is str else _number(value)


def _number(text: str) -> object:
    """Return a number that is written in plain digits; any other text as it is."""
    for kind in (int, float) if text.isascii() and "_" not in text else ():
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _typed(key: str, value: object, where: str) -> object:
    kind = KINDS[_type(key, where)]
    kind.refuse_other(f"{where}{key}", value)
    try:
        return kind.make(value)
    except OverflowError:
        raise TrainError(f"{where}{key} is too large", None, ExitCode.USAGE) from None


def _type(key: str, where: str) -> Any:
    if key not in TYPES:
        help = did_you_mean(key, TYPES, "settings", OTHER_WORDS)
        raise TrainError(f"{where}{key!r} is not a setting", help, ExitCode.USAGE)
    return TYPES[key]
