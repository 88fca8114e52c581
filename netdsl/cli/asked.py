"""The images that a run remembers to have been trained on, and where they lie now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netdsl.cli.kinds import PLACE
from netdsl.trained import asked_of

if TYPE_CHECKING:
    from netdsl.train import RunFolder

DATA_NOW = click.option(
    "--data-dir", type=PLACE,
    help="Where the data set lies now; of a run on a folder, that folder under any name, or the "
    "one that holds it.",
)  # fmt: skip


def images_asked(run: RunFolder) -> dict[str, Any]:
    """Return how the images of a run were chosen; raise where it does not tell.

    A folder of images is found again from any directory, and where it moved along with the
    directory that it was named from.
    """
    from netdsl.train import TrainError

    asked = asked_of(run)
    if asked.get("data") is None:
        fact = f"{run.path} does not tell which images it was trained on: Python made it"
        raise TrainError(fact, "`netdsl evaluate` takes others by --data")
    usual = {"limit": None, "limit_classes": None}
    images, folder = {**usual, **asked["data"]}, asked.get("folder")
    if folder and Path(folder).is_dir():
        images["data"] = folder
    return images


def images_here(run: RunFolder, data_dir: Path | None) -> dict[str, Any]:
    """Return how the images of a run were chosen, a folder of them by where it lies now.

    `data_dir` is that folder, or holds it by its old name; raises where none is there.
    """
    from netdsl.train import DATA_SETS, TrainError

    images = images_asked(run)
    if images["data"] in DATA_SETS:
        return images
    if data_dir is not None:
        images["data"] = str(_folder_now(_old_name(run), data_dir))
    elif not Path(images["data"]).is_dir():
        fact = f"the images of {run.path} are gone: there is no folder {images['data']}"
        raise TrainError(fact, "name the folder where they are now by --data-dir")
    return images


def _old_name(run: RunFolder) -> str:
    """Return what the folder of a run's images was called."""
    asked = asked_of(run)
    return Path(asked.get("folder") or asked["data"]["data"]).name


def _folder_now(name: str, place: Path) -> Path:
    """Return the folder below a place that is called so and holds folders; else the place."""
    from netdsl.train import TrainError

    if not place.is_dir():
        raise TrainError(f"there is no folder {place}")
    below = place / name
    # A class may be called as the folder was; it holds images alone.
    is_data = name and below.is_dir() and any(path.is_dir() for path in below.iterdir())
    return below if is_data else place
