"""The files that a definition names, its networks and recipes, to whether they have changed."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from netdsl.errors import NetDSLError
from netdsl.experiment.definition import Definition
from netdsl.lower import inline
from netdsl.shelf import open_arch
from netdsl.syntax import to_text
from netdsl.train import TrainError
from netdsl.train.files import read_file


def digest_of_sources(definition: Definition) -> str:
    """Return a digest of what these files say, wherever they lie; empty where none is named.

    What comes with netdsl is left out: a plan tells the version.
    """
    named = {name for variant in definition.networks for name in (variant.arch, variant.recipe)}
    named |= {str(name) for name in definition.grid.get("recipe", ())}
    paths = [Path(name) for name in named if Path(name).is_absolute()]
    texts = sorted(map(_text, paths))
    return sha256(json.dumps(texts).encode()).hexdigest() if texts else ""


def _text(path: Path) -> str:
    """Return what a file says: of a network in canonical layout, with what it uses."""
    try:
        if path.suffix == ".toml":
            return read_file(path).decode("utf-8", "replace")
        source = open_arch(path)
        return to_text(inline(source.file, source.loader))
    except (NetDSLError, TrainError):
        return f"{path.name} cannot be read"
