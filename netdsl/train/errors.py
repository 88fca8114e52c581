"""What ends a training before its time, as one exception: message, help, exit code."""

from __future__ import annotations

from enum import IntEnum
from typing import final


class ExitCode(IntEnum):
    """What a command that met the error ends with."""

    USAGE = 2
    DATA = 3
    DIVERGED = 4
    MEMORY = 5
    IO = 6
    INTERRUPTED = 130
    TERMINATED = 143


@final
class TrainError(Exception):
    """A fact that stops a training, what to do about it, and the exit code that says so.

    >>> error = TrainError("no image in cats", "put one there")
    >>> str(error), error.help, error.exit_code
    ('no image in cats', 'put one there', <ExitCode.DATA: 3>)
    """

    def __init__(
        self, message: str, help: str | None = None, exit_code: ExitCode = ExitCode.DATA
    ) -> None:
        # NOTE: all three are handed on, or the error could not come back from another process.
        super().__init__(message, help, exit_code)
        self.message = message
        self.help = help
        self.exit_code = exit_code

    def __str__(self) -> str:
        return self.message
