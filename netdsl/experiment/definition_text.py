"""The tables of a definition to TOML, for comparisons that netdsl puts together itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from netdsl.train.files import read_file, write_file

Table = Mapping[str, object]


def write_definition(path: Path, top: Table, networks: list[dict[str, object]]) -> Path | None:
    """Store a definition as a file that can be changed and run again.

    Another that is there, which somebody may have changed, is kept beside it; returns where.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [*_lines(top)]
    for network in networks:
        lines += ["", "[[network]]", *_lines(network)]
    content = ("\n".join(lines) + "\n").encode()
    former = read_file(path) if path.is_file() else content
    aside = path.with_name(f"{path.stem}.before{path.suffix}")
    if former != content:
        write_file(aside, former)
    write_file(path, content)
    return aside if former != content else None


def _lines(table: Table) -> Iterator[str]:
    """Yield a line for each key that has something to say."""
    for key, value in table.items():
        if value not in (None, "", {}, ()):
            yield f"{_key(key)} = {_value(value)}"


def _value(value: object) -> str:
    """Write a value as TOML has it.

    >>> _value({"lr": 0.1, "BB.dropout": 0, "augment": ("flip",)})
    '{ lr = 0.1, "BB.dropout" = 0, augment = ["flip"] }'
    """
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(k)} = {_value(v)}' for k, v in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return _quoted(value)


def _quoted(value: object) -> str:
    # TOML refuses one character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else _quoted(key)
