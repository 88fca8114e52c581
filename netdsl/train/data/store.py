"""A folder or a zip file to named bytes; nothing is ever unpacked."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from netdsl.train.errors import TrainError
from netdsl.train.files import DAMAGED_ZIP

MOST_BYTES = 64 * 2**20  # no image that a network is trained on comes near
_SMALL = 2**16


class Store(Protocol):
    """Files below a root, by names with forward slashes."""

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""

    def read(self, name: str) -> bytes:
        """Return what a file holds."""

    def where(self, name: str) -> str:
        """Return what a person calls the file."""

    def state(self, name: str) -> tuple[int, int]:
        """Return a file's size, and a number that changes when it does: its time or checksum."""


def _unread(error: OSError) -> None:
    raise TrainError(f"cannot read {error.filename}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class FolderStore:
    """The files below a folder."""

    root: Path

    def names(self) -> list[str]:
        """Return the names of all files, sorted; a link to a folder around it is passed over."""
        found: list[str] = []
        reals: dict[Path, Path] = {}
        for folder, folders, files in os.walk(self.root, onerror=_unread, followlinks=True):
            path = Path(folder)
            reals[path] = path.resolve()
            if reals[path] in (reals.get(around) for around in path.parents):
                folders.clear()
                continue
            below = path.relative_to(self.root).as_posix()
            found += files if below == "." else [f"{below}/{file}" for file in files]
        return sorted(found)

    def read(self, name: str) -> bytes:
        try:
            with open(self.where(name), "rb") as file:  # noqa: PTH123
                content = _content(file)
        except OSError as error:
            raise TrainError(f"cannot read {self.where(name)}: {error.strerror}") from error
        return _checked(content, self.where(name))

    def where(self, name: str) -> str:
        # NOTE: texts, not paths: of small files, making paths took a tenth of the time of decoding.
        root = str(self.root)
        return os.path.join(root, name) if name and root != "." else name or root  # noqa: PTH118

    def state(self, name: str) -> tuple[int, int]:
        try:
            found = os.stat(self.where(name))  # noqa: PTH116
        except OSError:  # reading it will tell
            return 0, 0
        return found.st_size, found.st_mtime_ns


@dataclass(frozen=True, slots=True)
class ZipStore:
    """The files of a zip file whose names start with `root`, read where they are."""

    path: Path
    archive: zipfile.ZipFile
    root: str = ""

    def names(self) -> list[str]:
        below = (name for name in self.archive.namelist() if name.startswith(self.root))
        return sorted(name.removeprefix(self.root) for name in below if not name.endswith("/"))

    def read(self, name: str) -> bytes:
        try:
            with self.archive.open(self.root + name) as file:
                content = _content(file)
        except (KeyError, OSError, *DAMAGED_ZIP) as error:
            raise TrainError(f"cannot read {self.where(name)}: {error}") from error
        return _checked(content, self.where(name))

    def where(self, name: str) -> str:
        return f"{self.path}:{self.root}{name}"

    def state(self, name: str) -> tuple[int, int]:
        found = self.archive.getinfo(self.root + name)
        return found.file_size, found.CRC


def open_zip(path: Path, root: str = "") -> ZipStore:
    """Return the files of a zip file; `root` is left away where the archive has it."""
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, *DAMAGED_ZIP) as error:
        raise TrainError(f"{path} is not a readable zip file: {error}") from error
    nested = any(name.startswith(root) for name in archive.namelist())
    return ZipStore(path, archive, root if nested else "")


def _content(file: IO[bytes]) -> bytes:
    """Return what is left of a file, no more than a byte too many."""
    # NOTE: so many bytes are reserved as are asked for: 64 MiB for each of many small images.
    content = file.read(_SMALL)
    return content if len(content) < _SMALL else content + file.read(MOST_BYTES + 1 - _SMALL)


def _checked(content: bytes, where: str) -> bytes:
    if len(content) > MOST_BYTES:
        raise TrainError(f"{where} holds more than {MOST_BYTES // 2**20} MiB")
    return content
