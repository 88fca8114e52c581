"""What a data set is: as an entry, as a listing not yet read, and as images in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netdsl.amounts import counted, sized
from netdsl.train.data.archive import Archive
from netdsl.train.data.source import Images
from netdsl.train.errors import TrainError
from netdsl.train.resolve import Choices

Shape = tuple[int, int, int]  # channels, height, width


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Images, uint8 (N, C, H, W) with the channels of a pixel side by side, and int64 labels."""

    images: Tensor = field(repr=False)
    labels: Tensor = field(repr=False)

    def __post_init__(self) -> None:
        _check_kind("images", self.images, torch.uint8, "(N, C, H, W)")
        _check_kind("labels", self.labels, torch.int64, "(N)")
        if len(self.images) != len(self.labels):
            raise TrainError(f"{len(self.images):,} images have {len(self.labels):,} labels")

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """Everything that a training needs to know of its data.

    `mean` and `std` are of each channel's pixels in 0 … 1, over all training images at once;
    `augment` and `defaults` are the transforms, as texts, and the settings that suit the data.
    `fingerprint` is of every pixel and label: another one means other images. `notes` say in
    sentences what somebody should know who reads the accuracy, such as images left out.
    `class_ids` are what lists of the classes call them, where that is not their names.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    val: Split
    mean: tuple[float, ...]
    std: tuple[float, ...]
    augment: tuple[str, ...]
    defaults: Choices
    fingerprint: str = ""
    notes: tuple[str, ...] = ()
    class_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("mean", "std"):  # of a tensor, say
            object.__setattr__(self, name, tuple(map(float, getattr(self, name))))
        # NOTE: pixels are not looked at, since they may lie in a file that was not read yet.
        refuse_too_few(self.name, len(self.train), len(self.val))
        shapes = [show_shape(tuple(split.images.shape[1:])) for split in (self.train, self.val)]
        if shapes[0] != shapes[1]:
            raise TrainError(
                f"{self.name} trains on {shapes[0]} images, but validates on {shapes[1]}"
            )
        for word, split in (("training", self.train), ("validation", self.val)):
            self._check_labels(word, split.labels)
        for word, values in (("means", self.mean), ("stds", self.std)):
            if len(values) != self.shape[0]:
                fact = f"{self.name} has {len(values)} {word} for {self.shape[0]} channels"
                raise TrainError(fact)
        self._check_spread()

    @property
    def shape(self) -> Shape:
        """Channels, height, width."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    @property
    def lacks(self) -> tuple[str, ...]:
        """Say of each split which classes have no image in it, if any."""
        words = ((self.train, "training"), (self.val, "validation"))
        return tuple(fact for split, word in words for fact in self._lacking(split, word))

    def _check_labels(self, word: str, labels: Tensor) -> None:
        lowest, highest = (int(label) for label in labels.aminmax())
        wrong = lowest if lowest < 0 else highest
        if not 0 <= wrong < len(self.classes):
            fact = f"a {word} label of {self.name} is {wrong}"
            raise TrainError(f"{fact}, but must be from 0 to {len(self.classes) - 1}")

    def _check_spread(self) -> None:
        for value in self.mean:
            if not 0 <= value <= 1:
                raise TrainError(f"a mean of {self.name} is {value:g}, but must be from 0 to 1")
        for value in self.std:
            if not 0 < value <= 1:
                raise TrainError(
                    f"a std of {self.name} is {value:g}, but must be above 0 and at most 1"
                )

    def _lacking(self, split: Split, word: str) -> Iterator[str]:
        counts = split.labels.bincount(minlength=len(self.classes)).tolist()
        absent = [name for name, n in zip(self.classes, counts, strict=True) if not n]
        if len(absent) == 1:
            yield f"no {word} image of {absent[0]}"
        elif absent:
            yield f"{len(absent)} of {len(counts)} classes have no {word} image"


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The images of a data set before any is decoded: a label each, and whether it is held out.

    An image of a test set has no label that anybody knows: it is -1, and nothing trains on it.
    `class_ids` are what lists of the classes call them, where that is not their names. `part` is
    how much was asked to be held out; None where the images came with a split. `others` are files
    among the images that are none by their suffix.
    """

    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    held_out: NDArray[np.bool_]
    images: Images
    class_ids: tuple[str, ...] = ()
    part: float | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants of a data set: where it lies, and of what size where that is free."""

    place: Path
    shape: Shape | None = None
    classes: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """All that is known of a data set before it is there.

    `open` lists it; `find` says where below a folder it lies, if it does, and `archive` how it
    comes there. `free` is a data set that is made in the shape and with the classes asked for.
    `validation` is what its validation images were published as, where papers test on them.
    """

    name: str
    shape: Shape
    classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    augment: tuple[str, ...]
    defaults: Choices
    source: str
    open: Callable[[Request], Listing]
    find: Callable[[Path], Path | None] = lambda place: place
    archive: Archive | None = None
    free: bool = False
    validation: str = ""


def show_shape(shape: tuple[int, ...]) -> str:
    """Write a shape as the papers do.

    >>> show_shape((3, 64, 64))
    '3×64×64'
    """
    return sized(shape, "×")


def passed_over(others: Sequence[str]) -> str:
    """Say how many files are none of the images by their names; empty where there is none.

    >>> passed_over(["cat/a.txt", "cat/b.txt"])
    '2 files are left out that end otherwise than images; the first: cat/a.txt'
    """
    if not others:
        return ""
    left = "is left out that ends" if len(others) == 1 else "are left out that end"
    return f"{counted(len(others), 'file')} {left} otherwise than images; the first: {others[0]}"


def refuse_too_few(name: str, train: int, val: int, help: str | None = None) -> None:
    """Raise where there are too few images to train on or to validate with."""
    if train < 2 or not val:
        counts = f"{train} training and {val} validation images"
        raise TrainError(f"{name} has {counts}, but at least 2 and 1 are needed", help)


def _check_kind(name: str, tensor: object, dtype: torch.dtype, dims: str) -> None:
    if not isinstance(tensor, Tensor):
        fact = f"{name} are a tensor, not of type {type(tensor).__name__}"
        raise TrainError(fact, "`torch.from_numpy` makes one of an array")
    if tensor.dtype != dtype or tensor.ndim != len(dims.split()):
        wanted, found = (str(each).removeprefix("torch.") for each in (dtype, tensor.dtype))
        raise TrainError(f"{name} are {wanted} {dims}, not {found} {tuple(tensor.shape)}")
