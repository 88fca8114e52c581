"""A person's own folder, one sub-folder a class, to a listing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from netdsl.train.data.dataset import Listing
from netdsl.train.data.images import ENDINGS, ImageFiles, is_image
from netdsl.train.data.split import hold_out
from netdsl.train.data.store import FolderStore
from netdsl.train.errors import TrainError

LAYOUT = (
    "a data folder has one sub-folder a class with its images, "
    "or the sub-folders train and val with such folders each"
)
_OTHERWISE = ("valid", "validation", "dev")  # that others call `val`
_NO_CLASSES = frozenset({"test", "val", *_OTHERWISE})

_LITTER = frozenset({"desktop.ini", "thumbs.db"})  # of Windows

HOLDOUT = 0.2  # the part of a folder without `val` that validates, unless somebody says another
Entry = os.DirEntry[str]
ByClass = dict[str, list[str]]  # class, the names of its images in order


def open_folder(root: Path, part: float = HOLDOUT, seed: int = 0, held: str = "val") -> Listing:
    """List `train/CLASS/IMAGE` and `val/CLASS/IMAGE`, or `CLASS/IMAGE` with a part held out.

    `held` is what the folder of held-out images is called.

    Classes are in the order of their names; hidden files are passed over, and so are those that are
    no image by their suffix: `others` of the listing.
    """
    if (root / "train").is_dir() and (root / held).is_dir():
        if (root / "train").samefile(root / held):
            fact = f"{root / 'train'} and {root / held} are one folder: one is a link to the other"
            raise TrainError(fact, "images that validate are others than those that are trained on")
        (train, others), (val, more) = _classes(root, "train"), _classes(root, held)
        if unknown := sorted(val.keys() - train.keys()):
            raise TrainError(f"class {unknown[0]} is in {root / held} only", LAYOUT)
    else:
        _refuse_train_alone(root, held)
        _refuse_split_among_classes(root)
        (train, others), val, more = _classes(root, ""), {}, []
    if len(train) < 2:
        raise TrainError(f"{root} has fewer than 2 class folders", LAYOUT)
    labelled = list(_labelled(train, val))
    labels = np.array([label for _, label in labelled], np.int64)
    trained = sum(map(len, train.values()))
    held_out = np.arange(len(labels)) >= trained if val else hold_out(labels, part, seed)
    return Listing(
        classes=tuple(train),
        labels=labels,
        held_out=held_out,
        images=ImageFiles(FolderStore(root), [name for name, _ in labelled]),
        part=None if val else part,
        others=(*others, *more),
    )


def _refuse_train_alone(root: Path, held: str) -> None:
    """Raise where class folders lie in `train`, and those of validation are called otherwise."""
    train = root / "train"
    if not train.is_dir() or not _folders(train):
        return
    other = next((root / name for name in _OTHERWISE if (root / name).is_dir()), None)
    alone = f"name {train}: a part of each class is held out of it"
    help = alone if other is None else f"rename {other} to {held}"
    raise TrainError(f"{root} has a folder train and none that is called {held}", help)


def _refuse_split_among_classes(root: Path) -> None:
    """Raise where class folders lie in `root` itself, and with them what is called as a split."""
    folders = _folders(root)
    split = next((folder for folder in folders if folder.name in _NO_CLASSES), None)
    if split and len(folders) > 1:
        help = f"{LAYOUT}; below those a class may be called {split.name}"
        raise TrainError(f"{split} lies among class folders, but is called as a split is", help)


def _labelled(train: ByClass, val: ByClass) -> Iterator[tuple[str, int]]:
    for images in (train, val):
        for label, name in enumerate(train):
            yield from ((image, label) for image in images.get(name, ()))


def _classes(root: Path, below: str) -> tuple[ByClass, list[str]]:
    """Return the images of each class, and the files among them that are none by their suffix."""
    folders = _folders(root / below)
    if odd := [folder for folder in folders if not _is_text(folder.name)]:
        fact = f"the name of the class folder {odd[0]} is not UTF-8"
        raise TrainError(fact, "give it another: classes are written into weights and tables")
    found = {folder: _visible(folder) for folder in folders}
    images = {folder.name: _images(root, folder, inside) for folder, inside in found.items()}
    others = [
        str(folder / entry.name)
        for folder, inside in found.items()
        for entry in inside
        if not is_image(entry.name) and entry.name.lower() not in _LITTER
    ]
    return images, others


def _is_text(name: str) -> bool:
    """Say whether a name is UTF-8: Python keeps other bytes as surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _folders(around: Path) -> list[Path]:
    return [around / entry.name for entry in _visible(around) if _is_folder(entry)]


def _images(root: Path, folder: Path, inside: list[Entry]) -> list[str]:
    if nested := [entry for entry in inside if _is_folder(entry)]:
        raise TrainError(f"{folder / nested[0].name} is a folder inside a class folder", LAYOUT)
    below = folder.relative_to(root).as_posix()
    images = [f"{below}/{entry.name}" for entry in inside if is_image(entry.name)]
    if not images:
        raise TrainError(f"no image in {folder}", ENDINGS if inside else LAYOUT)
    return images


def _visible(folder: Path) -> list[Entry]:
    # NOTE: entries, not paths: of a hundred thousand images, paths took most of a second start.
    try:
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise TrainError(f"cannot read {folder}: {error.strerror}") from error
    return sorted(visible, key=lambda entry: entry.name)


def _is_folder(entry: Entry) -> bool:
    # NOTE: of a link that leads nowhere or to itself, a path is no folder, and an entry may raise.
    return Path(entry).is_dir() if entry.is_symlink() else entry.is_dir()
