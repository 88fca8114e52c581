"""The tables of a definition to TOML, for comparisons that netdsl puts together itself."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

from netdsl.experiment.definition import Definition, defined_by
from netdsl.train import ExitCode, TrainError, toml
from netdsl.train.files import make_folder, read_file, write_file

Table = Mapping[str, object]


def write_definition(path: Path, top: Table, networks: list[dict[str, object]]) -> Path | None:
    """Store a definition as a file that can be changed and run again.

    Another that is there, which somebody may have changed, is kept beside it; returns where.
    """
    make_folder(path.parent)
    content = _text(top, networks).encode()
    former = read_file(path) if path.is_file() else content
    aside = _put_aside(path, former) if former != content else None
    write_file(path, content)
    return aside


def unwritten_definition(path: Path, top: Table, networks: list[dict[str, object]]) -> Definition:
    """Return what the file would define that `write_definition` stores; nothing is written."""
    return defined_by(tomllib.loads(_text(top, networks)), path)


def _text(top: Table, networks: list[dict[str, object]]) -> str:
    lines = [*_lines(top)]
    for network in networks:
        lines += ["", "[[network]]", *_lines(network)]
    _refuse_other_bytes(lines)
    return "\n".join(lines) + "\n"


def _refuse_other_bytes(lines: Sequence[str]) -> None:
    """Raise for a name of a file that is not UTF-8: Python keeps other bytes as surrogates."""
    for line in lines:
        try:
            line.encode()
        except UnicodeEncodeError as error:
            fact = f"{line} cannot stand in the file of an experiment, which is UTF-8"
            raise TrainError(
                fact, "give the file or folder another name", ExitCode.USAGE
            ) from error


def _put_aside(path: Path, content: bytes) -> Path:
    """Keep what a file held in one beside it that nothing else is kept in; return that one."""
    for number in count(1):
        mark = "before" if number == 1 else f"before-{number}"
        aside = path.with_name(f"{path.stem}.{mark}{path.suffix}")
        if not aside.exists():
            write_file(aside, content)
            return aside
        if read_file(aside) == content:
            return aside
    raise AssertionError("numbers do not end")


def _lines(table: Table) -> Iterator[str]:
    """Yield a line for each key that has something to say."""
    for key, value in table.items():
        if value not in (None, "", {}, ()):
            yield f"{toml.key(key)} = {toml.value(value)}"
