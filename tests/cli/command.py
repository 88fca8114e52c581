"""What a command of netdsl comes to, and how tests run one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Done:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


class Run(Protocol):
    """Run a command in a folder, which is the empty one of the test unless another is given."""

    def __call__(self, *arguments: str, cwd: Path | None = None, stdin: str = "") -> Done: ...
