"""Ctrl-C and SIGTERM to a wish to stop, counted, so that children can be told as often."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass(slots=True)
class Wish:
    """The latest signal that asked for an end, and how many came."""

    number: int = 0
    count: int = 0

    @property
    def exit_code(self) -> int:
        """What a process ends with that was asked to."""
        return 128 + self.number


@contextmanager
def listen() -> Iterator[Wish]:
    """Note every Ctrl-C, SIGTERM and hang-up for as long as this lasts."""
    wish = Wish()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return

    def note(number: int, frame: FrameType | None) -> None:
        # A hang-up ends the runs as SIGTERM does, which they know.
        wish.number = signal.SIGINT if number == signal.SIGINT else signal.SIGTERM
        wish.count += 1

    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    heeded = [n for n in numbers if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, note) for number in heeded}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
