"""The folder or the zip file of Tiny ImageNet to a listing: 200 classes of 64×64 images."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np

from netdsl.train.data.archive import Archive
from netdsl.train.data.bring import missing
from netdsl.train.data.dataset import Entry, Listing, Request
from netdsl.train.data.images import ImageFiles
from netdsl.train.data.store import FolderStore, Store, open_zip
from netdsl.train.errors import TrainError

_ROOT = "tiny-imagenet-200"
_CLASSES = 200
_LIST = "wnids.txt"  # the classes; copies in other layouts often lack it
_ANNOTATIONS = "val/val_annotations.txt"
_TRAIN = re.compile(r"train/(n[0-9]{8})/(?:images/)?[^/]+\.JPEG")
_VAL = re.compile(r"val/images/([^/]+\.JPEG)")
_VAL_BY_CLASS = re.compile(r"val/(n[0-9]{8})/(?:images/)?[^/]+\.JPEG")
_TEST = re.compile(r"test/(?:images/)?[^/]+\.JPEG")
_MARK = re.compile(
    rf"(?:{_ROOT}/)?(?:wnids\.txt$|train/n[0-9]{{8}}/)"
)  # a name that tells an archive of it

Labelled = list[tuple[str, str]]  # name of an image, its class

ARCHIVE = Archive(
    name=f"{_ROOT}.zip",
    size=248_100_043,
    sha256="6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821",
    urls=(
        f"http://cs231n.stanford.edu/{_ROOT}.zip",
        f"https://image-net.org/data/{_ROOT}.zip",
        f"https://zenodo.org/records/10720917/files/{_ROOT}.zip?download=1",
    ),
    root=_ROOT,
    members=r"(?:(?:train|val|test)/)?(?:n[0-9]{8}/)?(?:images/)?\w+\.(?:JPEG|txt)",
    most_files=130_000,
    most_bytes=2**29,
)


def open_tiny_imagenet(request: Request) -> Listing:
    """List the images in a folder, one that holds it, or the zip file.

    The layout is the official one, or `train/CLASS/*.JPEG` and `val/CLASS/*.JPEG`. Classes are in
    the order of their WordNet ids and are called as in `words.txt`, if it is there.
    """
    store = _store(request.place)
    names = store.names()
    train = _matched(_TRAIN, names)
    val = _matched(_VAL_BY_CLASS, names) or _by_annotation(store, names)
    is_listed = _LIST in names
    classes = sorted(_lines(store, _LIST) if is_listed else {wnid for _, wnid in train + val})
    where = store.where(_LIST if is_listed else "")
    _check_classes(where, classes, {"training": train, "validation": val})
    _check_count(store, classes)
    labels = {wnid: label for label, wnid in enumerate(classes)} | {"": -1}
    every = train + val + [(name, "") for name in names if _TEST.fullmatch(name)]
    held_out = np.zeros(len(every), np.bool_)
    held_out[len(train) : len(train) + len(val)] = True
    return Listing(
        classes=tuple(_words(store, classes, names)),
        labels=np.array([labels[wnid] for _, wnid in every]),
        held_out=held_out,
        images=ImageFiles(store, [name for name, _ in every]),
        class_ids=tuple(classes),
    )


def find_tiny_imagenet(place: Path) -> Path | None:
    """Return the folder or the zip file: the place itself, or what lies in it by its name."""
    if place.is_file():
        return place if place.name == ARCHIVE.name or _is_archive(place) else None
    for folder in (place, place / _ROOT):
        if (folder / _LIST).is_file() or any(folder.glob(f"train/n{'[0-9]' * 8}")):
            return folder
    archive = place / ARCHIVE.name
    return archive if archive.is_file() else None


def _is_archive(path: Path) -> bool:
    """Say whether a file of another name is a zip of it, with its folder or without."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(map(_MARK.match, archive.namelist()))
    except (OSError, zipfile.BadZipFile):
        return False


def _store(place: Path) -> Store:
    found = find_tiny_imagenet(place)
    if found is None:
        raise missing("tiny-imagenet", place, ARCHIVE)
    return open_zip(found, f"{_ROOT}/") if found.is_file() else FolderStore(found)


def _matched(pattern: re.Pattern[str], names: list[str]) -> Labelled:
    """Return the images of a layout that has a folder for each class."""
    return [(name, match[1]) for name in names if (match := pattern.fullmatch(name))]


def _by_annotation(store: Store, names: list[str]) -> Labelled:
    """Return the validation images of the official layout."""
    if _ANNOTATIONS not in names:
        return []
    pairs = [line.split("\t")[:2] for line in _lines(store, _ANNOTATIONS)]
    annotated = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
    there = {match[1] for name in names if (match := _VAL.fullmatch(name))}
    unmatched = sorted(annotated.keys() ^ there)
    if unmatched:
        fact = "is not there" if unmatched[0] in annotated else "is not listed in it"
        raise TrainError(f"{store.where(_ANNOTATIONS)}: val/images/{unmatched[0]} {fact}")
    return [(f"val/images/{name}", wnid) for name, wnid in annotated.items()]


def _check_classes(where: str, classes: list[str], parts: dict[str, Labelled]) -> None:
    for part, images in parts.items():
        found = {wnid for _, wnid in images}
        if missing := [wnid for wnid in classes if wnid not in found]:
            raise TrainError(f"{where}: no {part} image of class {missing[0]} is there")
        if found - set(classes):
            raise TrainError(f"{where}: class {min(found - set(classes))} is not listed in it")


def _check_count(store: Store, classes: list[str]) -> None:
    if len(classes) != _CLASSES:
        raise TrainError(
            f"{store.where('')} has {len(classes)} classes, and Tiny ImageNet has {_CLASSES}",
            "train on it as on any folder: give its path as --data; "
            "the first N classes of the whole are had by --classes N",
        )


def _words(store: Store, classes: list[str], names: list[str]) -> list[str]:
    lines = _lines(store, "words.txt") if "words.txt" in names else []
    words = dict(line.split("\t", 1) for line in lines if "\t" in line)
    return [words.get(wnid, wnid) for wnid in classes]


def _lines(store: Store, name: str) -> list[str]:
    return [line for line in store.read(name).decode("utf-8", "replace").splitlines() if line]


TINY_IMAGENET = Entry(
    name="tiny-imagenet",
    shape=(3, 64, 64),
    classes=_CLASSES,
    mean=(0.4802, 0.4481, 0.3975),
    std=(0.2770, 0.2691, 0.2821),
    augment=("flip", "crop_rescale"),
    defaults={"epochs": 30, "batch_size": 128, "lr": 0.1, "weight_decay": 5e-4},
    source=f"Tiny ImageNet, Stanford CS231N, {ARCHIVE.urls[0]}; "
    "for research and teaching under the terms of ImageNet",
    open=open_tiny_imagenet,
    find=find_tiny_imagenet,
    archive=ARCHIVE,
    validation="the published validation images, which papers report",
)
