"""A name or a folder to a data set in memory: listed, cut down, decoded, checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from netdsl.amounts import part
from netdsl.suggest import did_you_mean
from netdsl.train.data.cache import read_decoded
from netdsl.train.data.cifar import CIFAR10, CIFAR100
from netdsl.train.data.dataset import (
    DataSet,
    Entry,
    Listing,
    Request,
    Shape,
    Split,
    passed_over,
    refuse_too_few,
    show_shape,
)
from netdsl.train.data.digits import DIGITS
from netdsl.train.data.folder import HOLDOUT, LAYOUT, open_folder
from netdsl.train.data.place import data_folder
from netdsl.train.data.shapes import SHAPES
from netdsl.train.data.source import Wanted
from netdsl.train.data.split import choose
from netdsl.train.data.statistics import Channels, of_levels
from netdsl.train.data.tiny_imagenet import TINY_IMAGENET
from netdsl.train.data.told import Told
from netdsl.train.errors import ExitCode, TrainError


def _by_name(entries: Iterable[Entry]) -> dict[str, Entry]:
    named: dict[str, Entry] = {}
    for entry in entries:
        assert entry.name not in named, f"two data sets are called {entry.name}"
        named[entry.name] = entry
    return named


ON_BAD_IMAGE = ("error", "skip")
DATA_SETS = _by_name((DIGITS, SHAPES, CIFAR10, CIFAR100, TINY_IMAGENET))


@dataclass(frozen=True, slots=True, eq=False)
class _Images:
    """Both splits in memory, and what was found while they were decoded."""

    train: Split
    val: Split
    mean: Channels
    std: Channels
    fingerprint: str
    notes: tuple[str, ...]


def load(  # noqa: PLR0913
    name: str,
    *,
    data_dir: str | Path | None = None,
    limit_classes: int | None = None,
    limit: int | None = None,
    holdout: float = HOLDOUT,
    seed: int = 0,
    shape: Shape | None = None,
    on_bad_image: str = "error",
    decoded: Told = lambda done, total: None,
) -> DataSet:
    """Return a data set by its name, or the one in a folder, as uint8 images.

    `limit_classes` keeps the first classes in their order. `limit` keeps at most that many
    training images, each class its share and the first ones of it, and of the validation images
    the same part, rounded up. A folder without `val` has the part `holdout` of each class held
    out for validation, chosen by `seed`. `data_dir` is where a named data set lies that is not
    bundled. Images are cut and rescaled to `shape`, if one is given; with `on_bad_image` "skip"
    those that cannot be read are left out. `decoded` hears how many images are read so far, and
    of how many. What takes time to decode is kept, and is a memory map.
    """
    if on_bad_image not in ON_BAD_IMAGE:
        fact = f"on_bad_image is {on_bad_image!r}, not one of {', '.join(ON_BAD_IMAGE)}"
        raise TrainError(fact, exit_code=ExitCode.USAGE)
    entry = DATA_SETS.get(name)
    free = entry is not None and entry.free
    listing = list_images(name, data_dir, holdout, seed, (shape, limit_classes))
    wanted = Wanted(None if free else shape, on_bad_image == "skip")
    found = _read(listing, name, (limit_classes, limit), wanted, decoded)
    classes = listing.classes[:limit_classes]
    if entry is None or free:
        data = _measured(name, classes, found, entry)
    else:
        data = _of_entry(entry, classes, found, shape)
    notes = (*filter(None, [passed_over(listing.others)]), *data.notes)
    return replace(data, class_ids=listing.class_ids[:limit_classes], notes=notes)


def list_images(
    name: str,
    data_dir: str | Path | None = None,
    holdout: float = HOLDOUT,
    seed: int = 0,
    free: tuple[Shape | None, int | None] = (None, None),
) -> Listing:
    """Return the images of a data set or a folder before any is decoded.

    `free` is the shape and the number of classes of a data set that is made as it is asked for.
    """
    if not _is_part(holdout):
        fact = f"holdout is {holdout!r}, but must be a number above 0 and below 1"
        raise TrainError(fact, exit_code=ExitCode.USAGE)
    entry = DATA_SETS.get(name)
    try:
        if entry is None:
            return open_folder(_folder(name), holdout, seed)
        return entry.open(Request(Path(data_dir) if data_dir else data_folder(), *free, seed))
    except OSError as error:  # of a look at what may not be looked at
        raise TrainError(
            f"cannot read {error.filename or name}: {error.strerror or error}"
        ) from error


def called(name: str) -> str:
    """Return what a data set is called: one that has a name by it, a folder as the folder is."""
    return name if name in DATA_SETS else Path(name).resolve().name


def _is_part(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value < 1


def _read(
    listing: Listing,
    name: str,
    limits: tuple[int | None, int | None],
    wanted: Wanted,
    decoded: Told,
) -> _Images:
    train, val = choose(listing, *limits)
    chosen = np.concatenate((train, val))
    _check_counts(name, listing.part, len(train), len(val))
    made = read_decoded(called(name), listing.images, chosen, len(train), wanted, decoded)
    good = np.array([place not in made.found.bad for place in range(len(chosen))])
    n = int(good[: len(train)].sum())
    _check_counts(name, listing.part, n, len(made.pixels) - n)
    labels = listing.labels[chosen][good]
    images, known = torch.from_numpy(made.pixels).permute(0, 3, 1, 2), torch.from_numpy(labels)
    mean, std = of_levels(made.found.levels)
    facts = f"{made.found.digest} {n} {made.found.shape} {listing.classes}".encode()
    return _Images(
        train=Split(images[:n], known[:n]),
        val=Split(images[n:], known[n:]),
        mean=mean,
        std=std,
        fingerprint=hashlib.sha256(facts + labels.tobytes()).hexdigest(),
        notes=(*_left_out(made.found.bad, len(chosen)), *made.notes),
    )


def _check_counts(name: str, part: float | None, train: int, val: int) -> None:
    help = None
    if part is not None and train + val > 2:
        smaller = f"a smaller --holdout than {part:g} leaves more to train on"
        help = smaller if train < 2 else f"a larger --holdout than {part:g} holds more out"
    refuse_too_few(name, train, val, help)


def _left_out(bad: Mapping[int, str], asked: int) -> tuple[str, ...]:
    first = (f"the first: {bad[place]}" for place in sorted(bad)[:1])
    return tuple(f"{part(len(bad), asked, 'image')} left out; {fact}" for fact in first)


def _of_entry(
    entry: Entry, classes: tuple[str, ...], found: _Images, shape: Shape | None
) -> DataSet:
    """Use the published mean and std, unless the images were brought to another shape."""
    published = shape in (None, entry.shape)
    data = DataSet(
        entry.name, classes, found.train, found.val,
        entry.mean if published else found.mean, entry.std if published else found.std,
        entry.augment, entry.defaults, found.fingerprint, found.notes,
    )  # fmt: skip
    if data.shape != (shape or entry.shape):
        there, expected = (show_shape(shape) for shape in (data.shape, entry.shape))
        raise TrainError(f"{entry.name} is made of {expected} images, but these are {there}")
    return data


def _measured(name: str, classes: tuple[str, ...], found: _Images, entry: Entry | None) -> DataSet:
    """Measure mean and std; a folder is shifted by an eighth, which suits all images."""
    padding = max(1, min(found.train.images.shape[2:]) // 8)
    return DataSet(
        called(name), classes, found.train, found.val, found.mean, found.std,
        entry.augment if entry else (f"pad_crop padding={padding}",),
        entry.defaults if entry else {}, found.fingerprint, found.notes,
    )  # fmt: skip


def _folder(name: str) -> Path:
    if Path(name).is_dir():
        return Path(name)
    if Path(name).is_file():
        help = f"if it is an archive, unpack it and name the folder: {LAYOUT}"
        raise TrainError(f"{name} is a file, and no folder of images", help)
    hint = did_you_mean(name, DATA_SETS, "data sets")
    raise TrainError(f"no data set and no folder is called {name}", hint)
