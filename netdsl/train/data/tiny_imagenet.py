"""The folder or the zip file of Tiny ImageNet to a listing: 200 classes of 64×64 images."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from netdsl.train.data.dataset import Entry, Listing
from netdsl.train.data.images import read_images
from netdsl.train.data.store import FolderStore, Store, open_zip
from netdsl.train.errors import TrainError
from netdsl.train.transforms import CropRescale, Flip

_ROOT = "tiny-imagenet-200"
_ARCHIVE = f"{_ROOT}.zip"
_URL = f"http://cs231n.stanford.edu/{_ARCHIVE}"
_ANNOTATIONS = "val/val_annotations.txt"
_TRAIN = re.compile(r"train/(n[0-9]{8})/images/[^/]+\.JPEG")
_VAL = re.compile(r"val/images/([^/]+\.JPEG)")
_VAL_BY_CLASS = re.compile(r"val/(n[0-9]{8})/(?:images/)?[^/]+\.JPEG")

Labelled = list[tuple[str, str]]  # name of an image, its class


def open_tiny_imagenet(place: Path | None) -> Listing:
    """List the images in a folder of the official layout, or one that holds it, or the zip file.

    Classes are in the order of their sorted WordNet ids and are called as in `words.txt`.
    """
    store = _find(place or Path("data"))
    names = store.names()
    classes = sorted(_lines(store, "wnids.txt"))
    train = [(name, match[1]) for name in names if (match := _TRAIN.fullmatch(name))]
    val = _by_class(names) or _by_annotation(store, names)
    _check_classes(store, classes, {"training": train, "validation": val})
    labels = {wnid: label for label, wnid in enumerate(classes)}
    files = [name for name, _ in train + val]
    return Listing(
        classes=tuple(_words(store, classes, names)),
        labels=np.array([labels[wnid] for _, wnid in train + val]),
        held_out=np.arange(len(files)) >= len(train),
        read=lambda chosen, decoded: read_images(store, [files[i] for i in chosen], decoded),
    )


def _find(place: Path) -> Store:
    """Return what holds `wnids.txt`: the place, a folder below it, or a zip file."""
    openers: dict[Path, Callable[[], Store]] = {
        place / "wnids.txt": lambda: FolderStore(place),
        place / _ROOT / "wnids.txt": lambda: FolderStore(place / _ROOT),
        place / _ARCHIVE: lambda: open_zip(place / _ARCHIVE, f"{_ROOT}/"),
    }
    if place.is_file():
        return open_zip(place, f"{_ROOT}/")
    for path, opener in openers.items():
        if path.is_file():
            return opener()
    looked = ", ".join(str(path) for path in openers)
    raise TrainError(
        f"tiny-imagenet is not in {place}: looked for {looked}",
        f"download {_URL} (248 MB) and name the zip file, or the folder it unpacks to, "
        "as the data folder (`--data-dir`)",
    )


def _by_class(names: list[str]) -> Labelled:
    """Return the validation images of the layout that has a folder for each class."""
    return [(name, match[1]) for name in names if (match := _VAL_BY_CLASS.fullmatch(name))]


def _by_annotation(store: Store, names: list[str]) -> Labelled:
    """Return the validation images of the official layout."""
    pairs = [line.split("\t")[:2] for line in _lines(store, _ANNOTATIONS)]
    annotated = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
    there = {match[1] for name in names if (match := _VAL.fullmatch(name))}
    unmatched = sorted(annotated.keys() ^ there)
    if unmatched:
        fact = "is not there" if unmatched[0] in annotated else "is not listed in it"
        raise TrainError(f"{store.where(_ANNOTATIONS)}: val/images/{unmatched[0]} {fact}")
    return [(f"val/images/{name}", wnid) for name, wnid in annotated.items()]


def _check_classes(store: Store, classes: list[str], parts: dict[str, Labelled]) -> None:
    listed = store.where("wnids.txt")
    for part, images in parts.items():
        found = {wnid for _, wnid in images}
        if missing := [wnid for wnid in classes if wnid not in found]:
            raise TrainError(f"{listed}: no {part} image of class {missing[0]} is there")
        if found - set(classes):
            raise TrainError(f"{listed}: class {min(found - set(classes))} is not listed in it")


def _words(store: Store, classes: list[str], names: list[str]) -> list[str]:
    lines = _lines(store, "words.txt") if "words.txt" in names else []
    words = dict(line.split("\t", 1) for line in lines if "\t" in line)
    return [words.get(wnid, wnid) for wnid in classes]


def _lines(store: Store, name: str) -> list[str]:
    return [line for line in store.read(name).decode("utf-8", "replace").splitlines() if line]


TINY_IMAGENET = Entry(
    name="tiny-imagenet",
    shape=(3, 64, 64),
    classes=200,
    mean=(0.4802, 0.4481, 0.3975),
    std=(0.2770, 0.2691, 0.2821),
    augment=(Flip(), CropRescale()),
    defaults={"epochs": 30, "batch_size": 128, "lr": 0.1, "weight_decay": 5e-4},
    source=f"Tiny ImageNet, Stanford CS231N, {_URL}; "
    "for research and teaching under the terms of ImageNet",
    open=open_tiny_imagenet,
)
