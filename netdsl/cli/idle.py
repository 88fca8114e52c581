"""Options that change nothing beside the others: told, for somebody meant something by them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from netdsl.cli.called import called, typed
from netdsl.cli.images import HOLDOUT
from netdsl.cli.notes import note


def note_idle(option: str, why: str) -> None:
    """Say that an option changes nothing."""
    note(f"{option} changes nothing: {why}")


def note_idle_beside(names: Collection[str], why: str) -> None:
    """Say which of some options of the command, by their names, were typed and change nothing."""
    for name, option in typed().items():
        if name in names:
            note_idle(option, why)


def note_idle_place(data: str, data_dir: Path | None) -> None:
    """Say that nobody looks for images that come along, wherever they are said to lie."""
    if data_dir is not None and _comes_along(data):
        note_idle(called("--data-dir"), f"{data} comes along with netdsl")


def note_idle_images(where: Mapping[str, Any], data_dir: Path | None) -> None:
    """Say which options of images change nothing for those that are chosen."""
    from netdsl.train import DATA_SETS

    name = where["data"]
    entry = DATA_SETS.get(name)
    if entry is not None and where.get("holdout", HOLDOUT) != HOLDOUT:
        note_idle(called("--holdout"), f"{name} says itself which images validate")
    if _comes_along(name) and where.get("on_bad_image", "error") != "error":
        note_idle("--on-bad-image", f"no image of {name} can be damaged")
    note_idle_place(name, data_dir)
    if entry is None and data_dir is not None:
        note_idle(called("--data-dir"), f"{name} is no name of a data set, but a folder")


def _comes_along(data: str) -> bool:
    from netdsl.train import DATA_SETS

    return data in DATA_SETS and DATA_SETS[data].archive is None
