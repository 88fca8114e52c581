"""What a run remembers of how it was asked for, checked before anything rests on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netdsl.cli.kinds import PLACE

if TYPE_CHECKING:
    from netdsl.train import RunFolder

DATA_NOW = click.option(
    "--data-dir", type=PLACE,
    help="Where the data set lies now; of a run on a folder, that folder under any name, or the "
    "one that holds it.",
)  # fmt: skip


def asked_of(run: RunFolder) -> dict[str, Any]:
    """Return what a run remembers; raise where something in it cannot be what was asked."""
    asked: dict[str, Any] = dict(run.asked)
    _refuse_unsound(asked, _KINDS, run)
    if before := _older_stage(run, asked):
        asked |= {"init": None, "after": before}
    if asked.get("data") is not None:
        _refuse_unsound({"data": None, **asked["data"]}, _OF_IMAGES, run)
    return asked


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


def _older_stage(run: RunFolder, asked: Mapping[str, Any]) -> str:
    """Return the stage before, of a run that remembers it as a file of weights; else nothing."""
    weights = Path(asked.get("init") or "")
    if "after" in asked or weights.name != run.last.name:
        return ""
    numbers = (re.match(r"\d+", path.name) for path in (weights.parent, run.path.resolve()))
    first, second = (int(found[0]) if found else 0 for found in numbers)
    is_beside = (run.path.resolve().parent / weights.parent.name).is_dir()
    return weights.parent.name if first and second == first + 1 and is_beside else ""


def _refuse_unsound(
    values: Mapping[str, Any], kinds: Mapping[str, Callable[[Any], bool]], run: RunFolder
) -> None:
    from netdsl.train import TrainError

    for name, is_sound in kinds.items():
        if name in values and not is_sound(values[name]):
            path = run.path / "settings.json"
            raise TrainError(f"{path} is damaged: {name} is {values[name]!r}")


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _may_be(*kinds: type) -> Callable[[Any], bool]:
    """Return a check that a value is not given, or of a kind; a truth is no number."""
    return lambda value: value is None or (isinstance(value, kinds) and not isinstance(value, bool))


def _is_shape(value: Any) -> bool:
    is_list = isinstance(value, list) and len(value) == 3
    return value is None or (is_list and all(type(n) is int and n > 0 for n in value))


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "overrides": _is(dict), "scale": _may_be(str), "data": _may_be(dict),
    "data_dir": _may_be(str), "folder": _may_be(str), "init": _may_be(str),
    "init_sha256": _may_be(str),
    "after": _may_be(str), "freeze": _is(list),
}  # fmt: skip
_OF_IMAGES: Mapping[str, Callable[[Any], bool]] = {
    "data": _is(str), "limit": _may_be(int), "limit_classes": _may_be(int),
    "holdout": _is(int, float), "shape": _is_shape, "on_bad_image": _is(str),
}  # fmt: skip
