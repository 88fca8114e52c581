"""Where data lie: the folder of downloaded data sets, and that of decoded images."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netdsl.flock import lock

VARIABLE = "NETDSL_DATA"


def data_folder() -> Path:
    """Return the folder that `NETDSL_DATA` names, else the user's own, as the system has it."""
    import pooch  # imports requests, which most commands have no use for

    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path(pooch.os_cache("netdsl"))


def decoded_folder() -> Path:
    """Return the folder of decoded images, which all runs share; it can be deleted."""
    return data_folder() / "decoded"


def lock_of(folder: Path) -> Path:
    """Return the file whose lock whoever makes or removes a folder of decoded images has."""
    name = folder.name.removeprefix(".").removesuffix(".tmp")
    return folder.with_name(f".{name}.lock")


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Wait until no other process is at work under the lock of a file; it ends with its process."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as opened:
        lock(opened.fileno(), wait=True)
        yield
