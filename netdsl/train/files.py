"""Files of a training: read, written whole, and left over where a process was killed."""

from __future__ import annotations

import errno
import json
import lzma
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from netdsl.disk import replace_file
from netdsl.flock import HAS_LOCKS, claim, is_locked
from netdsl.train.errors import ExitCode, TrainError

# What reading a damaged zip file may raise.
DAMAGED_ZIP = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, RuntimeError, ValueError,
)  # fmt: skip

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def make_folder(path: Path) -> None:
    """Make a folder, and those around it, unless it is there."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainError(f"cannot make {path}: {error.strerror}", None, ExitCode.IO) from error


def write_file(path: Path, content: bytes | memoryview) -> None:
    """Replace a file, or leave it as it was; what goes wrong is a `TrainError`."""
    try:
        replace_file(path, content)
    except OSError as error:
        raise _not_written(path, len(content), error) from error


def write_json(path: Path, record: object, indent: int | None = 2) -> None:
    """Replace a file by a value as JSON; raise `ValueError` for what JSON lacks, as NaN."""
    write_file(path, f"{to_json(record, indent)}\n".encode())


def to_json(record: object, indent: int | None = None) -> str:
    """Return a value as JSON that can be UTF-8; raise `ValueError` for what JSON lacks, as NaN.

    A path that is not UTF-8 comes back as it was.

    >>> json.loads(to_json({"data": "caf\\udce9"})) == {"data": "caf\\udce9"}
    True
    """
    text = json.dumps(record, indent=indent, ensure_ascii=False, allow_nan=False)
    return text.encode(errors="backslashreplace").decode()  # which JSON reads as the same


def read_file(path: Path) -> bytes:
    """Return what a file holds."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise TrainError(f"cannot read {path}: {error.strerror}", None, ExitCode.IO) from error


def hash_of(path: Path) -> str:
    """Return the SHA-256 of what a file holds."""
    return sha256(read_file(path)).hexdigest()


def remove_leftovers(folder: Path) -> None:
    """Remove what a process that was killed while it wrote has left beside its files."""
    for path in filter(is_leftover, folder.iterdir()):
        path.unlink(missing_ok=True)


def is_leftover(path: Path) -> bool:
    """Say whether a file was never finished."""
    return re.fullmatch(r"\..+\.\d+\.tmp", path.name) is not None  # as `replace_file` names them


@contextmanager
def only_process(folder: Path) -> Iterator[None]:
    """Raise if another process works in a folder; keep others away for as long as this lasts."""
    if not HAS_LOCKS:  # other systems open no folders
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if not claim(descriptor):
            raise TrainError(f"another process trains in {folder}", None, ExitCode.IO)
        yield
    finally:
        os.close(descriptor)


def has_process(folder: Path) -> bool:
    """Say whether a process works in a folder, as the `only_process` there."""
    return HAS_LOCKS and folder.is_dir() and is_locked(folder)


def _not_written(path: Path, size: int, error: OSError) -> TrainError:
    full = error.errno in _FULL
    help = f"free {size:,} bytes there; what was stored before is intact" if full else None
    return TrainError(f"cannot write {path}: {error.strerror}", help, ExitCode.IO)
