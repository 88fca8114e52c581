"""TOML: files to tables, and keys and values to the text that it has for them."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.files import read_file


def read(path: Path) -> dict[str, Any]:
    """Return the table of a file, whose editor may have marked it; others are a `ValueError`."""
    try:
        table = tomllib.loads(read_file(path).decode("utf-8-sig"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if any("\0" in text for text in _texts(table)):
        fact = f"{path}: a text in it holds a null character, which no path has"
        raise TrainError(fact, None, ExitCode.USAGE)
    return table


def _texts(value: object) -> Iterator[str]:
    """Yield every text of a table, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def key(name: str) -> str:
    """Write a key; a dot inside would make tables of it.

    >>> key("lr"), key("BB.dropout")
    ('lr', '"BB.dropout"')
    """
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else value(name)


def in_quotes(name: str, found: object) -> str | None:
    """Return how a key is written whose dot has made a table of it; None of what is no table.

    >>> in_quotes("BB", {"dropout": 0.1})
    'a key with a dot stands in quotes: "BB.dropout" = 0.1'
    """
    if not isinstance(found, Mapping) or not found:
        return None
    inner, one = next(iter(found.items()))
    return f"a key with a dot stands in quotes: {key(f'{name}.{inner}')} = {value(one)}"


def value(of: object) -> str:
    """Write a value on one line.

    >>> value({"lr": 5e-4, "BB.dropout": 0, "augment": ("flip",), "exact": True})
    '{ lr = 0.0005, "BB.dropout" = 0, augment = ["flip"], exact = true }'
    """
    if isinstance(of, Mapping):
        pairs = ", ".join(f"{key(name)} = {value(one)}" for name, one in of.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(of, list | tuple):
        return f"[{', '.join(map(value, of))}]"
    if isinstance(of, float) and not math.isfinite(of):
        return str(of)
    # TOML refuses one character that JSON leaves as it is.
    return json.dumps(of, ensure_ascii=False).replace("\x7f", "\\u007f")
