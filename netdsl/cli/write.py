"""Texts that a command writes into files of the user's."""

from __future__ import annotations

from pathlib import Path

from netdsl.disk import write_out
from netdsl.errors import fail


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, whole or not at all; raise `NetDSLError` where that cannot be done."""
    try:
        write_out(path, text.encode("utf-8"))
    except OSError as error:
        raise fail("E0606", f"cannot write {path}: {error.strerror}") from None
