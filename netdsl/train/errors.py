"""What ends a training before its time, as one exception: message, help, exit code."""

from __future__ import annotations

from collections.abc import Sequence
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

    Whatever works on data, run folders or weights that a training kept raises it; what is wrong
    with the network itself is a `netdsl.NetDSLError`. A traceback shows the help below the message.

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
        if help:
            self.add_note(f"  = help: {help}")

    def __str__(self) -> str:
        return self.message


def together(errors: Sequence[TrainError]) -> TrainError:
    """Return one error that says what several say, each on a line of its own.

    >>> print(together([TrainError("lr is -1"), TrainError("'ls' is no key", "did you mean lr?")]))
    lr is -1
      'ls' is no key; did you mean lr?
    """
    first, *others = errors
    if not others:
        return first
    lines = [f"{one}; {one.help}" if one.help else str(one) for one in errors]
    return TrainError("\n  ".join(lines), None, first.exit_code)
