"""`use "blocks.arch"`: definitions and parameters of another file, which runs no code."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from netdsl.errors import fail
from netdsl.lower.mentions import free_names, names_in
from netdsl.syntax import decode, parse, tree


@dataclass(frozen=True, slots=True)
class Loader:
    """Where `use` looks: relative to `folder`, below `root`, the folder of the file being built.

    `trail` holds the files that are being read, so that a cycle is seen. What was read stays as it
    is in `files`: a network and its twin are of the same text, whatever becomes of the files.
    """

    folder: Path | None = None
    root: Path | None = None
    trail: tuple[Path, ...] = ()
    files: dict[Path, tree.File] = field(default_factory=dict, compare=False, repr=False)


def imported(text: tree.Text, loader: Loader) -> Iterator[tree.Definition | tree.Parameter]:
    """Yield the parameters that the definitions of the file read, then the definitions."""
    file, inner = _read(text, loader)
    entries: list[tree.Definition | tree.Parameter] = []
    for entry in file.header:
        if isinstance(entry, tree.Definition | tree.Parameter):
            entries.append(entry)
        elif path := used_path(entry):
            entries += imported(path, inner)
    needed = _needed(entries)
    yield from (e for e in entries if isinstance(e, tree.Parameter) and e.name in needed)
    yield from (e for e in entries if isinstance(e, tree.Definition))


def used_path(entry: tree.Header) -> tree.Text | None:
    """Return the path of `use "path"`; None for any other entry."""
    if (
        isinstance(entry, tree.Setting)
        and entry.key == "use"
        and isinstance(entry.value, tree.Text)
    ):
        return entry.value
    return None


def inline(file: tree.File, loader: Loader) -> tree.File:
    """Return the file with every `use` replaced by what it brings."""
    header: list[tree.Header] = []
    for entry in file.header:
        if path := used_path(entry):
            header += imported(path, loader)
        else:
            header.append(entry)
    return replace(file, header=tuple(header))


def _read(path: tree.Text, loader: Loader) -> tuple[tree.File, Loader]:
    if loader.folder is None:
        message = "`use` needs a file, and this source has no folder"
        help = "put the text into a file: `use` looks below the folder of that"
        raise fail("E0213", message, path.span, help=help)
    relative = Path(path.value)
    try:
        full = (loader.folder / relative).resolve()
    except (OSError, RuntimeError):  # a link that leads to itself
        raise fail("E0213", "cannot read it: its links lead nowhere", path.span) from None
    root = loader.root or loader.folder
    if relative.is_absolute() or not full.is_relative_to(root.resolve()):
        raise fail("E0213", "`use` reads only files below the folder of the source", path.span)
    if full in loader.trail:
        names = " -> ".join(p.name for p in (*loader.trail, full))
        raise fail("E0213", f"the files use each other: {names}", path.span)
    inner = Loader(full.parent, root, (*loader.trail, full), loader.files)
    if full not in loader.files:
        try:
            data = full.read_bytes()
        except OSError as error:
            raise fail("E0213", f"cannot read it: {error.strerror}", path.span) from None
        name = os.path.normpath(Path(path.span.source.name).parent / relative)
        loader.files[full] = parse(decode(data, name), name)
    return loader.files[full], inner


def _needed(entries: list[tree.Definition | tree.Parameter]) -> set[str]:
    """The names that definitions read, wherever these stand, and those that they read in turn."""
    needed: set[str] = set()
    for entry in entries:
        if isinstance(entry, tree.Definition):
            needed |= free_names(entry)
    for entry in reversed(entries):
        if isinstance(entry, tree.Parameter) and entry.name in needed:
            needed |= names_in(entry)
    return needed
