"""The binary archives of CIFAR-10 and CIFAR-100 to a listing; their pickles are never read.

Nor are pickles needed for what people make of them: folders of images, `cifar10/train/CLASS/…` and
`cifar10/test/CLASS/…` (or `val`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from netdsl.train.data.archive import Archive
from netdsl.train.data.bring import missing
from netdsl.train.data.dataset import Entry, Listing, Request
from netdsl.train.data.folder import open_folder
from netdsl.train.data.source import Arrays, Pixels, Positions
from netdsl.train.data.statistics import Channels
from netdsl.train.errors import TrainError

_SHAPE = (3, 32, 32)  # planes of red, green and blue
_PIXELS = 3 * 32 * 32
_URL = "https://www.cs.toronto.edu/~kriz"


@dataclass(frozen=True, slots=True)
class Layout:
    """What the files of a CIFAR are called; `labels` bytes come before an image, the last counts.

    Held-out images are the published test set, as in every paper.
    """

    name: str
    archive: Archive
    train: tuple[str, ...]
    test: str
    names: str
    labels: int
    classes: int

    def find(self, place: Path) -> Path | None:
        """Return the folder with the files: the place itself, or one in it."""
        files = (*self.train, self.test, self.names)
        for folder in (place, place / self.archive.root):
            if all((folder / file).is_file() for file in files):
                return folder
        return next((folder for folder in (place, place / self.name) if _held(folder)), None)

    def open(self, request: Request) -> Listing:
        """List the images of a folder."""
        folder = self.find(request.place)
        if folder is None:
            raise missing(self.name, request.place, self.archive)
        held = _held(folder)
        return self._open_folder(folder, held) if held else self._open_records(folder)

    def _open_folder(self, folder: Path, held: str) -> Listing:
        listing = open_folder(folder, held=held)
        if len(listing.classes) != self.classes:
            fact = f"{folder} has {len(listing.classes)} classes, but {self.name} has"
            raise TrainError(f"{fact} {self.classes}", f"--data {folder} takes it as it is")
        return listing

    def _open_records(self, folder: Path) -> Listing:
        files = [self._records(folder / file) for file in (*self.train, self.test)]
        labels = np.concatenate([file[:, self.labels - 1] for file in files]).astype(np.int64)
        lines = (folder / self.names).read_text(encoding="utf-8").split()
        if labels.max() >= len(lines):
            raise TrainError(f"{folder} has labels up to {labels.max()}, but {len(lines)} classes")
        return Listing(
            classes=tuple(lines),
            labels=labels,
            held_out=np.arange(len(labels)) >= len(labels) - len(files[-1]),
            images=Arrays(partial(_read, files, self.labels), self._identity(folder)),
        )

    def _records(self, path: Path) -> Pixels:
        size, record = path.stat().st_size, self.labels + _PIXELS
        if not size or size % record:
            raise TrainError(f"{path} has {size:,} bytes, no whole number of {record:,}")
        return np.memmap(path, np.uint8, "r", shape=(size // record, record))

    def _identity(self, folder: Path) -> str:
        states = [(folder / file).stat() for file in (*self.train, self.test)]
        return f"{self.name} {[(state.st_size, state.st_mtime_ns) for state in states]}"


def _held(folder: Path) -> str | None:
    """Return what the folder of test images is called where images lie in folders of classes."""
    found = [held for held in ("test", "val") if (folder / held).is_dir()]
    return found[0] if found and (folder / "train").is_dir() else None


def _read(files: Sequence[Pixels], labels: int, positions: Positions) -> Pixels:
    """Return images from the files as if these were one, with the channels of a pixel together."""
    ends = np.cumsum([len(file) for file in files])
    home = np.searchsorted(ends, positions, "right")
    found = np.empty((len(positions), 32, 32, 3), np.uint8)
    for i in np.unique(home):
        here = home == i
        records = files[i][positions[here] - (ends[i] - len(files[i])), labels:]
        found[here] = records.reshape(-1, *_SHAPE).transpose(0, 2, 3, 1)
    return found


_CIFAR10 = Layout(
    name="cifar10",
    archive=Archive(
        name="cifar-10-binary.tar.gz",
        size=170_052_171,
        sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        urls=(
            f"{_URL}/cifar-10-binary.tar.gz",
            "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/"
            "cifar-10-binary.tar.gz",
        ),
        root="cifar-10-batches-bin",
        members=r"\w+(?:\.meta)?\.(?:bin|txt|html)",
        most_files=20,
        most_bytes=2**28,
    ),
    train=tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
    test="test_batch.bin",
    names="batches.meta.txt",
    labels=1,
    classes=10,
)

_CIFAR100 = Layout(
    name="cifar100",
    archive=Archive(
        name="cifar-100-binary.tar.gz",
        size=168_513_733,
        sha256="58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        urls=(f"{_URL}/cifar-100-binary.tar.gz",),
        root="cifar-100-binary",
        members=r"\w+\.(?:bin|txt|html)",
        most_files=20,
        most_bytes=2**28,
    ),
    train=("train.bin",),
    test="test.bin",
    names="fine_label_names.txt",
    labels=2,  # of a super-class, then of a class
    classes=100,
)


def _entry(layout: Layout, mean: Channels, std: Channels) -> Entry:
    return Entry(
        name=layout.name,
        shape=_SHAPE,
        classes=layout.classes,
        mean=mean,
        std=std,
        augment=("pad_crop padding=4", "flip"),
        defaults={"epochs": 30, "batch_size": 128, "lr": 0.1, "weight_decay": 5e-4},
        source="Learning Multiple Layers of Features from Tiny Images, Krizhevsky 2009, "
        f"{_URL}/cifar.html",
        open=layout.open,
        find=layout.find,
        archive=layout.archive,
        validation="the published test images",
    )


CIFAR10 = _entry(_CIFAR10, (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
CIFAR100 = _entry(_CIFAR100, (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762))
