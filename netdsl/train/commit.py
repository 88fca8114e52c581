"""The folder that netdsl runs from to the commit of its source, where it is a working tree."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

_SOURCE = Path(__file__).parents[1]


@cache
def commit(source: Path = _SOURCE) -> str | None:
    """Return the commit of netdsl's own source, with a + where files differ from it.

    An installed netdsl has none, though it may lie in a working tree of somebody else's.
    """
    if _git(source, "rev-parse", "--show-prefix") != f"{source.name}/":
        return None
    found = _git(source, "rev-parse", "--short=12", "HEAD")
    changed = _git(source, "status", "--porcelain", "--untracked-files=no", "--", ".")
    return found and f"{found}{'+' if changed else ''}"


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git says, or None where it is missing or knows nothing."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True, text=True, timeout=10, check=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
