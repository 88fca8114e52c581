"""Paths of this machine in what an experiment has written to paths that a copy of it may keep."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NAMING = ("arch", "recipe", "command", "overrides", "set")  # keys of a run that may name paths
_DETAILED = ("-D", "--set")  # options with a name before their value
_PATH = r"(?<![\w.:/])/[^\s'\":/][^\s'\":]*"  # in a sentence; no part of an address
_BELOW = r"(?:/[^\s'\":|]*)?"
_END = r"(?=$|[\s'\":|,;)]|\.(?:\s|$))"  # what may stand behind a path


@dataclass(frozen=True, slots=True)
class Places:
    """From where paths are written anew: the experiment, its copy, and where the caller stands.

    Paths are made to hold from there; one that leads elsewhere keeps its last name. `known` is a
    pattern of the paths that the plan names, which may hold blanks, commas and whatever else parts
    words.
    """

    folder: Path
    out: Path
    here: Path
    known: str

    def path(self, text: str) -> str:
        """Return a path as the copy has it, and any other text as it is."""
        path = Path(text)
        if not path.is_absolute():
            return text
        if path.is_relative_to(self.folder):
            return (self.out / path.relative_to(self.folder)).as_posix()
        return _from(self.here, path).as_posix()

    def listed(self, text: str) -> str:
        """Return paths and other words that commas part as the copy has them."""
        return ", ".join(map(self.path, self._without_known(text).split(", ")))

    def group(self, text: str) -> str:
        """Return the name of a group, `net.arch|weights=FILE|n=3`, as the copy has it."""
        arch, *details = self._without_known(text).split("|")
        return "|".join([self.path(arch), *map(self._detail, details)])

    def sentence(self, text: str) -> str:
        """Return a text with all that looks like a path as the copy has it."""
        return re.sub(f"{self.known}|{_PATH}", lambda found: self.path(found[0]), text)

    def command(self, words: Sequence[str]) -> list[str]:
        """Return a command without the place of the data, which is each machine's own."""
        return [
            self._detail(word) if before in _DETAILED else self.path(word)
            for before, word in zip(("", *words), words, strict=False)
            if "--data-dir" not in (before, word)
        ]

    def record(self, value: Any) -> Any:
        """Return what JSON holds as the copy has it, without the place of the data."""
        if isinstance(value, dict):
            kept = {key: None if key == "data_dir" else one for key, one in value.items()}
            return {key: self.record(one) for key, one in kept.items()}
        if isinstance(value, list):
            return [self.record(one) for one in value]
        return self.path(value) if isinstance(value, str) else value

    def _detail(self, text: str) -> str:
        name, sign, value = text.partition("=")
        return f"{name}{sign}{self.path(value)}"

    def _without_known(self, text: str) -> str:
        return re.sub(self.known, lambda found: self.path(found[0]), text)


def places_of(plan: Mapping[str, Any], folder: Path, out: Path) -> Places:
    """Return how to write the paths of a plan anew that is copied from one folder to another."""
    folder, here = folder.resolve(), Path.cwd().resolve()
    said = [job.get(key) for job in plan["jobs"] for key in _NAMING]
    texts = {*_texts([*said, plan.get("budget")]), str(folder), str(here)}
    paths = [text for text in texts if Path(text).is_absolute() and text.strip("/")]
    # Longest first: one may be the beginning of another.
    known = "|".join(map(re.escape, sorted(paths, key=lambda path: (-len(path), path))))
    copy = _from(here, out) if out.is_absolute() else out
    return Places(folder, copy, here, rf"(?<![\w./])(?:{known}){_BELOW}{_END}")


def _from(here: Path, path: Path) -> Path:
    return path.relative_to(here) if path.is_relative_to(here) else Path(path.name)


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in what JSON holds."""
    if isinstance(value, str):
        yield value
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
