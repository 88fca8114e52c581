"""The heap of this process to one that keeps what it once had, so that no page is faulted twice."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping

SWITCH = "NETDSL_MALLOC"  # "off" has commands leave the heap as it is
_ALLOCATORS = ("jemalloc", "tcmalloc", "mimalloc")
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # malloc.h of glibc
_NEVER = -1  # man 3 mallopt: disables trimming


def keep_memory(environment: Mapping[str, str] = os.environ) -> bool:
    """Let malloc reuse memory in place of giving it back; say whether it will.

    A step of training frees and takes hundreds of megabytes, which glibc maps anew, a page fault
    for every 4 kB. It works for the whole process, so only a command may do it, never the library.
    """
    if environment.get(SWITCH) == "off" or preloaded(environment):
        return False
    mallopt = _mallopt()
    return mallopt is not None and all(
        mallopt(option, value) == 1 for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _NEVER))
    )


def preloaded(environment: Mapping[str, str]) -> str | None:
    """Return the allocator that somebody has put before that of the C library, if there is one."""
    libraries = environment.get("LD_PRELOAD", "")
    return next((name for name in _ALLOCATORS if name in libraries), None)


def _mallopt() -> ctypes._NamedFuncPointer | None:
    """Return glibc's own; musl and macOS have none."""
    try:
        process = ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows
        return None
    return getattr(process, "mallopt", None)
