"""What a command says beside its result, on stderr: the same line no more than once if it is so."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from netdsl.train import Choices, Settings

OF_FORMS = "E0121"  # the code of what papers, LaTeX and torch write otherwise
TRANSLATED = "`netdsl translate FILE` writes all of these forms as they are told"
_said: ContextVar[set[str] | None] = ContextVar("notes said", default=None)


@contextlib.contextmanager
def each_once() -> Iterator[None]:
    """Say no line twice for as long as this lasts."""
    token = _said.set(set())
    try:
        yield
    finally:
        _said.reset(token)


def note(line: str) -> None:
    """Say a line on stderr, unless it was said and is to be said once."""
    said = _said.get()
    if said is None:
        click.echo(line, err=True)
    elif line not in said:
        said.add(line)
        click.echo(line, err=True)


def note_threads(chosen: Choices, settings: Settings) -> None:
    """Say that somebody chose more threads than there are cores."""
    from netdsl.train.machine import crowded

    if chosen.get("threads") and (fact := crowded(settings.threads, settings.device)):
        note(fact)
