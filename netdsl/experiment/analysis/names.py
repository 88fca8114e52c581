"""Names of classes as data sets have them to words, and to what fits beside a figure."""

from __future__ import annotations

import re
from pathlib import Path

from netdsl.train.files import read_file

_WNID = re.compile(r"n[0-9]{8}")


def named(classes: tuple[str, ...], data: Path) -> tuple[str, ...]:
    """Return what words.txt calls classes that are ids of WordNet; others as they are.

    It is looked for in the folder of the data, then in the one that holds it.
    """
    found = next((p for p in (data / "words.txt", data.parent / "words.txt") if p.is_file()), None)
    if found is None or not all(map(_WNID.fullmatch, classes)):
        return classes
    lines = read_file(found).decode("utf-8", "replace").splitlines()
    words = dict(line.split("\t", 1) for line in lines if "\t" in line)
    return tuple(words.get(wnid, wnid) for wnid in classes)


def cut(name: str, most: int) -> str:
    """Return a name of at most so many characters.

    >>> cut("Chihuahua", 9), cut("German shepherd", 9)
    ('Chihuahua', 'German s…')
    """
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"
