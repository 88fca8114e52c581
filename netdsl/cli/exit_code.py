"""An error to the code that the command ends with."""

from __future__ import annotations

import click

INTERNAL = 1
_SOURCE, _IO, _INTERRUPTED = 2, 6, 130


def exit_code_of(error: Exception) -> int:
    """Return the exit code of a command that met an error: an internal one, unless it is known."""
    from netdsl.errors import NetDSLError

    if isinstance(error, click.Abort):
        return _INTERRUPTED
    if isinstance(error, NetDSLError):
        return _IO if any(one.code == "E0606" for one in error.diagnostics) else _SOURCE
    code = getattr(error, "exit_code", None)
    if isinstance(code, int):
        return int(code)
    return _IO if isinstance(error, OSError) else INTERNAL
