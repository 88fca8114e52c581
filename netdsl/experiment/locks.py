"""One process a run: a lock on a file, which the kernel gives back when its owner ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from netdsl.experiment.folder import LOCKS
from netdsl.flock import claim, is_locked, lock


def take(folder: Path, name: str) -> int | None:
    """Return the lock of a run as a file descriptor, or None where another process has it.

    A child process that inherits it keeps the run locked for as long as it lives.
    """
    descriptor = _open(folder, name)
    with ExitStack() as unless_claimed:
        unless_claimed.callback(os.close, descriptor)
        if claim(descriptor):
            unless_claimed.pop_all()
            return descriptor
    return None


def is_taken(folder: Path, name: str) -> bool:
    """Say whether a process has the lock of a run."""
    path = _path(folder, name)
    return path.exists() and is_locked(path)


@contextmanager
def waiting(folder: Path, name: str) -> Iterator[None]:
    """Hold a lock, after waiting for whoever has it."""
    descriptor = _open(folder, name)
    try:
        lock(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)


def _open(folder: Path, name: str) -> int:
    path = _path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)


def _path(folder: Path, name: str) -> Path:
    return folder / LOCKS / name
