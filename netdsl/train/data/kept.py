"""What is kept of decoded images: how much of it there is, since when nobody used it, its end."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from netdsl.flock import lock
from netdsl.train.data.place import decoded_folder, lock_of

# What is made here, and its copy while it is being made: nothing else in that folder is ours.
_OURS = re.compile(r"(?:[^.].*-[0-9a-f]{20}|\..+-[0-9a-f]{20}\.tmp)")
_DAY = 24 * 60 * 60  # seconds
_ABOUT = "about.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder of decoded images: its bytes, and the days since a command last read it."""

    folder: Path
    size: int
    days: float


def kept_images() -> tuple[Kept, ...]:
    """Return what is kept, with what processes that were killed have left behind."""
    try:
        folders = sorted(path for path in decoded_folder().iterdir() if _is_ours(path))
    except OSError:
        return ()
    return tuple(_kept(folder) for folder in folders)


def _is_ours(path: Path) -> bool:
    return _OURS.fullmatch(path.name) is not None and path.is_dir() and not path.is_symlink()


def note_use(folder: Path) -> None:
    """Note that decoded images are read now; where nothing may be written, nobody notes it."""
    with suppress(OSError):
        os.utime(folder / _ABOUT)


def remove(kept: Kept) -> bool:
    """Remove decoded images; say no where another process is just making them.

    A training that reads them goes on: their bytes stay until it has ended. Raises `OSError`.
    """
    with lock_of(kept.folder).open("wb") as opened:
        if not lock(opened.fileno()):
            return False
        shutil.rmtree(kept.folder)
    return True


def _kept(folder: Path) -> Kept:
    states = [*_states(folder)]
    used = max((state.st_mtime for state in states), default=0.0)
    return Kept(folder, sum(state.st_size for state in states), (time.time() - used) / _DAY)


def _states(folder: Path) -> Iterator[os.stat_result]:
    with suppress(OSError):
        for path in folder.iterdir():
            yield path.stat()
