"""What was looked at, how it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "fault"]  # a note costs speed or is good to know; a fault stops work


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; a fault says in `help` how to get rid of it."""

    state: State
    topic: str
    text: str
    help: str | None = None


def ok(topic: str, text: str) -> Finding:
    """Return that something is as it should be."""
    return Finding("ok", topic, text)


def note(topic: str, text: str, help: str | None = None) -> Finding:
    """Return what is good to know."""
    return Finding("note", topic, text, help)


def fault(topic: str, text: str, help: str) -> Finding:
    """Return what does not work, and the way out."""
    return Finding("fault", topic, text, help)
