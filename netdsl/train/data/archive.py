"""A downloaded archive to a folder: what is in it is foreseen, or nothing of it is written."""

from __future__ import annotations

import gzip
import io
import os
import re
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from netdsl.train.data.told import Told
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.files import DAMAGED_ZIP

_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that data sets are published as, and what is in it.

    `members` matches the whole name of every file in it, below the one folder `root`; folders are
    made for these. More files or bytes than the caps are not what was published.
    """

    name: str
    size: int
    sha256: str
    urls: tuple[str, ...]
    root: str
    members: str
    most_files: int
    most_bytes: int


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its name, what it says its size is, and how it is opened."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


def extract(path: Path, archive: Archive, into: Path, unpacked: Told) -> Path:
    """Return the folder `into/root` with the files of an archive.

    Every name is checked before its file is written, and every byte is counted. All is written
    into a folder beside, which gets its name when it is complete: there is no half a data set.
    What has that name already is left as it is, and nothing is unpacked.
    """
    refuse_taken(into, archive)
    into.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{archive.root}.", dir=into))
    try:
        with _broken(path):
            _write_all(_members(path, archive), archive, beside, unpacked, path)
        made = beside / archive.root
        if not made.is_dir():
            raise TrainError(f"{path} is an archive of nothing")
        refuse_taken(into, archive)  # by who came meanwhile
        return made.rename(into / archive.root)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def refuse_taken(into: Path, archive: Archive) -> None:
    """Raise where what an archive holds would take the place of what lies there."""
    final = into / archive.root
    if os.path.lexists(final):
        fact = f"{final} is there already, and does not hold what {archive.name} does"
        raise TrainError(fact, "move it away, or delete it if nobody needs it", ExitCode.IO)


def _write_all(
    members: Iterator[Member], archive: Archive, beside: Path, unpacked: Told, path: Path
) -> None:
    written = 0
    allowed = re.compile(f"{re.escape(archive.root)}/(?:{archive.members})")
    for files, member in enumerate(members, start=1):
        if not allowed.fullmatch(member.name):
            raise _refused(path, f"{_shown(member.name)} is none of the files of {archive.name}")
        if files > archive.most_files:
            raise _refused(path, f"it holds more than {archive.most_files:,} files")
        assert ".." not in member.name.split("/"), f"{archive.members} allows to leave the folder"
        target = beside / member.name
        target.parent.mkdir(parents=True, exist_ok=True)
        written += _write(member, target, archive.most_bytes - written, path)
        unpacked(written, archive.most_bytes)


def _write(member: Member, target: Path, most: int, path: Path) -> int:
    """Write a file and return its size, which is counted, whatever the archive says."""
    written = 0
    with member.open() as source, target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > most:
                raise _too_large(path)
            file.write(chunk)
    if written != member.size:
        raise _refused(path, f"{member.name} holds {written:,} bytes of {member.size:,}")
    return written


def _members(path: Path, archive: Archive) -> Iterator[Member]:
    """Yield the files of a zip or tar.gz archive as they come; anything but files is refused."""
    if is_web_page(path):
        raise _refused(path, "it is a web page, not an archive")
    if archive.name.endswith(".zip"):
        yield from _zip_members(path)
    else:
        yield from _tar_members(path, archive)


def _zip_members(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            kind = info.external_attr >> 28  # of the mode that Unix archives hold; 0 elsewhere
            if info.is_dir():
                continue
            if kind not in (0, 0o10):
                raise _refused(path, f"{_shown(info.filename)} is no ordinary file")
            yield Member(info.filename, info.file_size, lambda info=info: archive.open(info))  # type: ignore[misc]


def _tar_members(path: Path, archive: Archive) -> Iterator[Member]:
    # NOTE: a stream, so that neither a million names nor a name of a gigabyte lies in memory.
    with gzip.open(path) as unpacked:
        stream = _Capped(unpacked, archive.most_bytes + archive.most_files * 4096, path)
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for info in tar:
                tar.members.clear()  # type: ignore[attr-defined]
                if info.isdir():
                    continue
                if not info.isreg():
                    raise _refused(path, f"{_shown(info.name)} is no ordinary file")
                file = tar.extractfile(info)
                assert file is not None, info
                yield Member(info.name.removeprefix("./"), info.size, lambda file=file: file)  # type: ignore[misc]


class _Capped(io.RawIOBase):
    """A stream that ends in an error after so many bytes."""

    def __init__(self, stream: gzip.GzipFile, left: int, path: Path) -> None:
        self.stream, self.left, self.path = stream, left, path

    def read(self, size: int = -1) -> bytes:
        content = self.stream.read(size)
        self.left -= len(content)
        if self.left < 0:
            raise _too_large(self.path)
        return content


@contextmanager
def _broken(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, *DAMAGED_ZIP) as error:
        raise _refused(path, f"it is cut short or damaged ({error})") from error
    except FileExistsError as error:
        raise _refused(path, "it holds a file twice") from error
    except OSError as error:
        if error.errno is None:  # how gzip words damage
            raise _refused(path, f"it is cut short or damaged ({error})") from error
        raise TrainError(
            f"cannot unpack {path}: {os.strerror(error.errno)}", None, ExitCode.IO
        ) from error


def is_web_page(path: Path) -> bool:
    """Say whether a file begins as what a server sends in place of one."""
    with path.open("rb") as file:
        return file.read(512).lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml"))


def _shown(name: str) -> str:
    """Return a name that may hold anything, short and in plain characters."""
    return ascii(name if len(name) <= 60 else f"{name[:57]}...")


def _too_large(path: Path) -> TrainError:
    return _refused(path, "it unpacks to more bytes than were published")


def _refused(path: Path, fact: str) -> TrainError:
    return TrainError(f"{path} is not unpacked: {fact}")
