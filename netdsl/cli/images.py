"""The images that a network learns from: chosen, brought and read."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netdsl.cli.called import called, to_one_size
from netdsl.cli.kinds import PLACE, TEXT, Number
from netdsl.cli.notes import note

if TYPE_CHECKING:
    from netdsl.train import DataSet

HOLDOUT = 0.2  # as in netdsl.train.data.folder, which needs torch
_read: ContextVar[dict[str, DataSet] | None] = ContextVar("images read", default=None)

BAD_IMAGE = click.option(
    "--on-bad-image", type=click.Choice(["error", "skip"]), default="error", show_default=True,
    help="What to do about an image that cannot be read.",
)  # fmt: skip
DATA_DIR = click.option(
    "--data-dir", type=PLACE,
    help="Where named data sets lie; NETDSL_DATA or a folder of yours, unless given.",
)  # fmt: skip
OPTIONS = (
    click.option("--data", type=TEXT, metavar="NAME|FOLDER", help="cifar10, cifar100, digits, "
                 "shapes, tiny-imagenet, or a folder with one sub-folder a class; synthetic "
                 "images of the network's own input size and classes, unless given."),
    click.option("--data-dir", type=PLACE,
                 help="Where a named data set lies; NETDSL_DATA or a folder of yours, unless "
                 "given. With --resume RUN, also the folder of images that the run was begun on, "
                 "or the one that holds it."),
    click.option("--limit", type=click.IntRange(2), help="Use this many training "
                 "images, and the same fraction of the validation images."),
    click.option("--holdout", type=Number(0, 1, min_open=True, max_open=True),
                 default=HOLDOUT, show_default=True,
                 help="The part of a folder without val that is held out for validation."),
    BAD_IMAGE,
    click.option("--fit", is_flag=True, help="Crop and rescale the images to the input of the "
                 "network, and give its last layer one output per class of the data."),
)  # fmt: skip


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that choose images."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def wanted_images(options: dict[str, Any], said: Any) -> dict[str, Any]:
    """Take the options out that decide which images these are: what a run remembers of them."""
    where = {name: options.pop(name) for name in ("data", "limit", "holdout", "on_bad_image")}
    if where["data"] is None:
        note("no --data is given: training on synthetic images that fit the network")
        where["data"] = "shapes"
    classes = said.names.get("classes")
    if classes is not None:
        from netdsl.lower import given_setting

        classes = given_setting("classes", classes)
    return where | {"limit_classes": classes, "shape": None}


def folder_of(where: Mapping[str, Any]) -> str | None:
    """Return where a folder of images lies, whatever directory it was named from."""
    from netdsl.train import DATA_SETS

    name = where["data"]
    return None if name in DATA_SETS else str(Path(name).resolve())


@contextlib.contextmanager
def reading_once() -> Iterator[None]:
    """Read the same images no more than once for as long as this lasts."""
    token = _read.set({})
    try:
        yield
    finally:
        _read.reset(token)


def load_images(where: dict[str, Any], data_dir: Path | None) -> DataSet:
    """Read the images that a run is about; bring them first if they are not there."""
    kept = {} if (read := _read.get()) is None else read
    asked = json.dumps([where, str(data_dir)])
    return kept.get(asked) or kept.setdefault(asked, _load(where, data_dir))


def _load(where: dict[str, Any], data_dir: Path | None) -> DataSet:
    from netdsl import train
    from netdsl.cli.progress import decoding

    name = where["data"]
    bring_missing(name, data_dir)
    shape = where.get("shape")
    with decoding(name) as decoded, _in_own_words():
        images = train.load(
            name, data_dir=data_dir, limit=where["limit"], limit_classes=where["limit_classes"],
            holdout=where.get("holdout", HOLDOUT), shape=tuple(shape) if shape else None,
            on_bad_image=where.get("on_bad_image", "error"), decoded=decoded,
        )  # fmt: skip
    for fact in images.notes:
        note(f"{images.name}: {fact}")
    return images


@contextlib.contextmanager
def _in_own_words() -> Iterator[None]:
    """Tell of settings and ways out as the command has them, in place of the library."""
    from netdsl.train import TrainError
    from netdsl.train.data.images import MIXED_SIZES

    try:
        yield
    except TrainError as error:
        fact = re.sub("^limit_classes ", f"{called('--classes')} ", error.message)
        help = to_one_size() if error.help == MIXED_SIZES else error.help
        help = help and help.replace("--holdout", called("--holdout"))
        if (fact, help) == (error.message, error.help):
            raise
        raise TrainError(fact, help, error.exit_code) from error


def bring_missing(name: str, data_dir: Path | None) -> None:
    """Download a named data set that is not there, after saying what and how large.

    A folder that somebody named and that is not there is more likely a slip: nothing is put there.
    """
    from netdsl import train
    from netdsl.cli.progress import bringing
    from netdsl.train.data import bring, data_folder

    entry, place = train.DATA_SETS.get(name), data_dir or data_folder()
    if entry is None or entry.archive is None or entry.find(place):
        return
    if data_dir is not None and not data_dir.is_dir():
        return
    size = f"{entry.archive.size / 1e6:,.0f} MB"
    click.echo(f"{name} is not in {place}: it is downloaded, {size}", err=True)
    with bringing(name) as told:
        bring(entry, place, None, told)
