"""The files that a definition names, its networks and recipes, to whether they have changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from netdsl.errors import NetDSLError
from netdsl.experiment.definition import Definition
from netdsl.lower import inline
from netdsl.shelf import open_arch
from netdsl.syntax import to_text
from netdsl.train import TrainError
from netdsl.train.files import read_file
from netdsl.train.recipe import base_of, recipes


def digest_of_sources(definition: Definition) -> str:
    """Return a digest of what these files say, wherever they lie; empty where none is named.

    What comes with netdsl is left out: a plan tells the version.
    """
    networks = _own(variant.arch for variant in definition.networks)
    chosen = _own(variant.recipe for variant in definition.networks)
    varied = _own(str(name) for name in definition.grid.get("recipe", ()))
    texts = [*map(_network, networks), *map(_recipe, chosen | varied)]
    return sha256(json.dumps(sorted(texts)).encode()).hexdigest() if texts else ""


def _own(names: Iterable[str]) -> set[Path]:
    """Return the files of a person's own: a definition names them by whole paths."""
    return {path for path in map(Path, names) if path.is_absolute()}


def _network(path: Path) -> str:
    """Return what a file says of a network, in canonical layout, with what it uses."""
    try:
        source = open_arch(path)
        return to_text(inline(source.file, source.loader))
    except NetDSLError:
        return _unread(path)


def _recipe(path: Path) -> str:
    """Return what the file of a recipe says, and each of one's own that it is a variation of."""
    shipped, files = {file.resolve() for file in recipes().values()}, [path.resolve()]
    try:
        while (base := base_of(files[-1])) and (file := base.resolve()) not in (*shipped, *files):
            files.append(file)
        return "\n".join(read_file(file).decode("utf-8", "replace") for file in files)
    except TrainError:
        return _unread(path)


def _unread(path: Path) -> str:
    return f"{path.name} cannot be read"
