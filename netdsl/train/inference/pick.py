"""Paths, or a data set and one of its splits, to the images that a network is to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netdsl.amounts import part
from netdsl.train.data.dataset import Listing, Shape
from netdsl.train.data.folder import HOLDOUT, open_folder
from netdsl.train.data.images import ENDINGS, ImageFiles, is_image
from netdsl.train.data.load import DATA_SETS, called, list_images
from netdsl.train.data.source import Images
from netdsl.train.data.store import FolderStore
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.inference.about import About

SPLITS = ("train", "val", "test", "all")


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """Some images of a source, by their positions in it; -1 is a label that nobody knows.

    `where` is what a person calls all of them, `held_out` says of every image of the source whether
    it validates.
    """

    where: str
    images: Images
    positions: NDArray[np.int64]
    labels: NDArray[np.int64]
    classes: tuple[str, ...] = ()
    class_ids: tuple[str, ...] = ()
    held_out: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def to_train(self) -> NDArray[np.bool_]:
        """Say of each image whether its source has it to be trained on."""
        if self.held_out is None:
            return np.zeros(len(self), np.bool_)
        return (self.labels >= 0) & ~self.held_out[self.positions]

    def file(self, place: int) -> str:
        """Return what an image is called: its file, or its number where it has none."""
        position = int(self.positions[place])
        if isinstance(self.images, ImageFiles):
            return self.images.names[position]
        return str(position)

    def known_to(self, about: About) -> tuple[Picked, str | None]:
        """Return the images with the labels that a network gives their classes.

        Classes are matched by their ids. Where the data have all classes of the network, and more,
        images of the others are left out, which the sentence says. Where they lack one and have
        one that the network does not know, they are other classes, and that is an error.
        """
        if (self.labels < 0).any():
            fact = f"the classes of {self.where} are not known"
            raise TrainError(fact, "`netdsl predict` tells them", ExitCode.USAGE)
        numbers = {name: number for number, name in enumerate(about.ids)}
        theirs = self.class_ids or self.classes
        if not set(theirs) & set(about.class_ids):  # a file that was written before it held ids
            numbers = {name: number for number, name in enumerate(about.classes)}
            theirs = self.classes
        strange = [name for name in theirs if name not in numbers]
        if strange and numbers.keys() - set(theirs):
            raise _other_classes(self.where, strange, about)
        table = np.array([numbers.get(name, -1) for name in theirs])
        labels = table[self.labels]
        kept = np.flatnonzero(labels >= 0)
        found = replace(self, positions=self.positions[kept], labels=labels[kept])
        if not strange:
            return found, None
        left = f"{part(len(self) - len(kept), len(self), 'image')} left out"
        return found, f"{left}: the network does not know {len(strange)} of {len(theirs)} classes"


def pick_split(
    name: str,
    split: str,
    *,
    data_dir: Path | None = None,
    holdout: float = HOLDOUT,
    free: tuple[Shape | None, int | None] = (None, None),
) -> Picked:
    """Return a split of a data set or a folder; `all` is every image whose class is known.

    `test` is what lies in the folder `test`. `free` is the shape and the number of classes of a
    data set that is made as it is asked for.
    """
    test = Path(name) / "test"
    if name not in DATA_SETS and split == "test" and test.is_dir():
        listing = open_folder(test, holdout, 0)
        chosen = np.arange(len(listing.labels))
    else:
        listing = list_images(name, data_dir, holdout, 0, free)
        chosen = _chosen(listing, split)
    where = called(name)
    if not len(chosen):
        there = ", ".join(each for each in SPLITS if len(_chosen(listing, each)))
        raise TrainError(f"{where} has no {split} images", f"it has {there}", ExitCode.USAGE)
    return Picked(
        f"{where}, {split}", listing.images, chosen, listing.labels[chosen],
        listing.classes, listing.class_ids, listing.held_out,
    )  # fmt: skip


def find_files(paths: Sequence[Path]) -> Picked:
    """Return image files by their paths; of a folder every image below it, in order."""
    names: list[str] = []
    for path in paths:
        names += map(str, _below(path) if path.is_dir() else _there(path))
    unknown = np.full(len(names), -1)
    where = str(paths[0]) if len(paths) == 1 else f"{len(names):,} images"
    return Picked(where, ImageFiles(FolderStore(Path()), names), np.arange(len(names)), unknown)


def _chosen(listing: Listing, split: str) -> NDArray[np.int64]:
    known, held_out = listing.labels >= 0, listing.held_out
    parts = {"train": known & ~held_out, "val": known & held_out, "test": ~known, "all": known}
    return np.flatnonzero(parts[split])


def _below(folder: Path) -> Iterator[Path]:
    names = FolderStore(folder).names()
    found = [name for name in names if is_image(name) and not _hidden(name)]
    if not found:
        raise TrainError(f"no image is below {folder}", ENDINGS)
    return (folder / name for name in found)


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _there(path: Path) -> Iterator[Path]:
    if not path.exists():
        raise TrainError(f"there is no file and no folder {path}")
    yield path


def _other_classes(where: str, strange: list[str], about: About) -> TrainError:
    known = ", ".join(about.classes[:3]) + (", …" if len(about.classes) > 3 else "")
    return TrainError(
        f"class {strange[0]} of {where} is not among the {len(about.classes)} "
        f"that the network tells: {known}",
        "take data with the classes that it was trained on; `netdsl predict` needs no classes",
    )
