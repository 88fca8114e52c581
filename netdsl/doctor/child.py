"""A question to another process, so that a library that crashes takes nobody with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECONDS = 120


@dataclass(frozen=True, slots=True)
class Answer:
    """What a process found, what it wrote to standard error, and why it failed if it did."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    said: str = ""
    failure: str | None = None


def ask(module: str, *arguments: str, seconds: float = SECONDS) -> Answer:
    """Run a module that prints one JSON object last, with the import paths of this process."""
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", module, *arguments], capture_output=True, text=True,
            encoding="utf-8", errors="replace", timeout=seconds, check=False,
            env={**os.environ, "PYTHONPATH": paths}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Answer(failure=f"no answer within {seconds:g} seconds")
    except OSError as error:
        return Answer(failure=f"cannot start {sys.executable}: {error.strerror}")
    if done.returncode:
        return Answer(said=done.stderr, failure=_reason(done.returncode, done.stderr))
    try:
        return Answer(dict(json.loads(done.stdout.splitlines()[-1])), done.stderr)
    except (IndexError, TypeError, ValueError):
        return Answer(said=done.stderr, failure="it printed something else than was asked for")


def _reason(status: int, said: str) -> str:
    """Return how a process ended: by a signal, or with the last line of its traceback."""
    if status < 0:
        return f"crashed with {_signal(-status)}"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else f"ended with status {status}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
