"""What this process may use of its machine: cores, by affinity and control groups, and memory.

And how long it waited for a core.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")
_UNLIMITED = 2**60  # what control groups write where nothing is limited is larger
# What limits memory and what is used of it, as version 2 and version 1 of control groups name it.
_MEMORY = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))


def affinity() -> int:
    """Return how many cores this process may be scheduled on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_quota(root: Path = ROOT) -> float | None:
    """Return the time of how many cores the control groups of this process leave; None for all."""
    return min((quota for group in _groups("cpu", root) for quota in _quota(group)), default=None)


def usable_cores(cores: int, root: Path = ROOT) -> int:
    """Return how many of so many cores can be kept busy: no more than the quota, rounded."""
    quota = cpu_quota(root)
    return cores if quota is None else min(cores, max(1, round(quota)))


def free_memory(root: Path = ROOT) -> int | None:
    """Return the bytes that machine and control groups leave; None where nothing tells."""
    left = [left for group in _groups("memory", root) for left in _left(group)]
    return min([*_available(root), *left], default=None)


def waited(root: Path = ROOT) -> float | None:
    """Return the seconds that this thread was ready to compute and had no core; None unless told.

    Linux alone tells it, and counts from the beginning of the thread.
    """
    both = " ".join(_lines(root / "proc/thread-self/schedstat")).split()
    return int(both[1]) / 1e9 if len(both) > 1 and both[1].isdecimal() else None


def _groups(controller: str, root: Path) -> Iterator[Path]:
    """Yield the groups around this process that may limit something, of either version of them."""
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        base = root / "sys/fs/cgroup" / (controller if controllers else "")
        inner = base / path.lstrip("/")
        for group in (inner, *inner.parents):
            if group.is_relative_to(base):
                yield group


def _quota(group: Path) -> Iterator[float]:
    """Give the cores that a group leaves, if it limits them."""
    both = " ".join(_lines(group / "cpu.max")).split()
    if not both:
        both = [
            line for name in ("quota", "period") for line in _lines(group / f"cpu.cfs_{name}_us")
        ]
    if len(both) == 2 and all(number.isdecimal() for number in both) and int(both[1]):
        yield int(both[0]) / int(both[1])


def _left(group: Path) -> Iterator[int]:
    """Give the bytes that a group leaves, if it limits them; what it caches can be taken."""
    for limit, usage in _MEMORY:
        limits, used = _lines(group / limit), _lines(group / usage)
        if not limits or not used or not limits[0].isdecimal() or int(limits[0]) > _UNLIMITED:
            continue
        stat = dict(line.split() for line in _lines(group / "memory.stat"))
        cache = int(stat.get("total_inactive_file", stat.get("inactive_file", 0)))
        yield max(0, int(limits[0]) - int(used[0]) + cache)


def _available(root: Path) -> Iterator[int]:
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
