"""Locks on open files and folders, which the kernel gives back when their process ends."""

from __future__ import annotations

import os

HAS_LOCKS = os.name == "posix"  # other systems have no flock, and nobody is kept away there


def lock(descriptor: int, *, shared: bool = False, wait: bool = False) -> bool:
    """Lock what is open until it is closed; say no where another process has it.

    A process that looks takes a shared lock, so that two of them do not keep each other away.
    """
    if not HAS_LOCKS:
        return True
    import fcntl

    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
