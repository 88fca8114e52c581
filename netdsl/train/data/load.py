"""A name or a folder to a data set in memory: listed, cut down, decoded, checked."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import torch

from netdsl.train.data.dataset import DataSet, Decoded, Entry, Listing, Split, show_shape
from netdsl.train.data.digits import DIGITS
from netdsl.train.data.folder import open_folder
from netdsl.train.data.split import Positions, choose
from netdsl.train.data.statistics import channel_statistics
from netdsl.train.data.tiny_imagenet import TINY_IMAGENET
from netdsl.train.errors import TrainError
from netdsl.train.transforms import PadCrop


def _by_name(entries: Iterable[Entry]) -> dict[str, Entry]:
    named: dict[str, Entry] = {}
    for entry in entries:
        assert entry.name not in named, f"two data sets are called {entry.name}"
        named[entry.name] = entry
    return named


DATA_SETS = _by_name((DIGITS, TINY_IMAGENET))


def load(
    name: str,
    *,
    data_dir: Path | None = None,
    limit_classes: int | None = None,
    limit: int | None = None,
    holdout: float = 0.2,
    seed: int = 0,
    decoded: Decoded = lambda done, total: None,
) -> DataSet:
    """Return a data set by its name, or the one in a folder, as uint8 images in memory.

    `limit_classes` keeps the first classes in their order. `limit` keeps at most that many
    training images, each class its share and the first ones of it, and of the validation images
    the same part, rounded up. A folder without `val` has the part `holdout` of each class held
    out for validation, chosen by `seed`. `data_dir` is where a named data set lies that is not
    bundled; `decoded` hears how many images are read so far, and of how many.
    """
    entry = DATA_SETS.get(name)
    listing = entry.open(data_dir) if entry else open_folder(_folder(name), holdout, seed)
    splits = _read(listing, name, *choose(listing, limit_classes, limit), decoded)
    classes = listing.classes[:limit_classes]
    return _of_entry(entry, classes, *splits) if entry else _of_folder(name, classes, *splits)


def _read(
    listing: Listing, name: str, train: Positions, val: Positions, decoded: Decoded
) -> tuple[Split, Split]:
    if len(train) < 2 or not len(val):
        counts = f"{len(train)} training and {len(val)} validation images"
        raise TrainError(f"{name} has {counts}, but at least 2 and 1 are needed")
    chosen = np.concatenate((train, val))
    images, labels = listing.read(chosen, decoded), torch.from_numpy(listing.labels[chosen])
    n = len(train)
    return Split(images[:n], labels[:n]), Split(images[n:], labels[n:])


def _of_entry(entry: Entry, classes: tuple[str, ...], train: Split, val: Split) -> DataSet:
    data = DataSet(
        entry.name, classes, train, val, entry.mean, entry.std, entry.augment, entry.defaults
    )
    if data.shape != entry.shape:
        found, expected = (show_shape(shape) for shape in (data.shape, entry.shape))
        raise TrainError(f"{entry.name} is made of {expected} images, but these are {found}")
    return data


def _of_folder(name: str, classes: tuple[str, ...], train: Split, val: Split) -> DataSet:
    """Measure mean and std, and shift by an eighth: the one augmentation that suits all images."""
    mean, std = channel_statistics(train.images)
    shift = PadCrop(pad=max(1, min(train.images.shape[2:]) // 8))
    return DataSet(Path(name).resolve().name, classes, train, val, mean, std, (shift,), {})


def _folder(name: str) -> Path:
    if Path(name).is_dir():
        return Path(name)
    close = get_close_matches(name, DATA_SETS, 1)
    hint = f"did you mean {close[0]}?" if close else f"data sets: {', '.join(DATA_SETS)}"
    raise TrainError(f"no data set and no folder is called {name}", hint)
