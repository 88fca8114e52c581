"""Locks on open files and folders, which the kernel gives back when their process ends."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

HAS_LOCKS = os.name == "posix"  # other systems have no flock, and nobody is kept away there
# What file systems without locks say (some of NFS, Lustre, FUSE); nobody is kept away there either.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_LOOK = 0.5  # seconds, far more than a look takes


def claim(descriptor: int) -> bool:
    """Lock what is open until it is closed, past all that look; say no where another has it."""
    until = time.monotonic() + _LOOK
    while not lock(descriptor):
        is_held = not lock(descriptor, shared=True)
        if is_held or time.monotonic() > until:
            return False
        unlock(descriptor)
        time.sleep(0.01)
    return True


def is_locked(path: Path) -> bool:
    """Say whether a process has locked a file or folder; that takes no more than reading it.

    It takes a shared lock meanwhile, so that two who look do not keep each other away.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return not lock(descriptor, shared=True)
    finally:
        os.close(descriptor)


def lock(descriptor: int, *, shared: bool = False, wait: bool = False) -> bool:
    """Lock what is open until it is closed; say no where another process has it."""
    if not HAS_LOCKS:
        return True
    import fcntl

    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True


def unlock(descriptor: int) -> None:
    """Give a lock back before what is open is closed."""
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_UN)
