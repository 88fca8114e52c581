"""Bytes to a file that is either the old one or the new one, whatever happens meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

from netdsl.train.errors import ExitCode, TrainError


def write_file(path: Path, content: bytes) -> None:
    """Replace a file, or leave it as it was: written beside it, put on the disk, then renamed."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise TrainError(f"cannot write {path}: {error.strerror}", None, ExitCode.IO) from error
    finally:
        beside.unlink(missing_ok=True)


def read_file(path: Path) -> bytes:
    """Return what a file holds."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise TrainError(f"cannot read {path}: {error.strerror}", None, ExitCode.IO) from error


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # other systems open no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
