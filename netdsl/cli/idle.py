"""Options that change nothing beside the others: told, for somebody meant something by them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netdsl.cli.called import called
from netdsl.cli.images import HOLDOUT
from netdsl.cli.notes import note


def note_idle(option: str, why: str) -> None:
    """Say that an option changes nothing."""
    note(f"{option} changes nothing: {why}")


def note_idle_images(where: Mapping[str, Any], data_dir: Path | None) -> None:
    """Say which options of images change nothing for those that are chosen."""
    from netdsl.train import DATA_SETS

    name = where["data"]
    entry = DATA_SETS.get(name)
    comes_along = entry is not None and entry.archive is None
    if entry is not None and where.get("holdout", HOLDOUT) != HOLDOUT:
        note_idle(called("--holdout"), f"{name} says itself which images validate")
    if comes_along and where["on_bad_image"] != "error":
        note_idle("--on-bad-image", f"no image of {name} can be damaged")
    if comes_along and data_dir is not None:
        note_idle(called("--data-dir"), f"{name} comes along with netdsl")
    if entry is None and data_dir is not None:
        note_idle(called("--data-dir"), f"{name} is no name of a data set, but a folder")
