"""Ctrl-C and SIGTERM to a wish that the loop fulfils between two steps."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from netdsl.train.errors import ExitCode

_CODES = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


@dataclass(slots=True)
class Stop:
    """Whether somebody wants the training to end, and with which exit code."""

    code: ExitCode | None = None


@contextmanager
def listen_for_stop(heard: Callable[[], None]) -> Iterator[Stop]:
    """Note the first Ctrl-C or SIGTERM and tell `heard`; let the second end the process at once.

    Elsewhere than in the main thread no signal arrives, and nothing is noted.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def note(number: int, frame: FrameType | None) -> None:
        # NOTE: the system's own handler for a signal that comes again, for one in Python would
        # wait for the end of a long operation of torch. The other signal may be on its way here.
        signal.signal(number, signal.SIG_DFL)
        if stop.code is not None:
            os.kill(os.getpid(), number)
        stop.code = _CODES[signal.Signals(number)]
        heard()

    heeded = [name for name in _CODES if signal.getsignal(name) is not signal.SIG_IGN]
    before = {name: signal.signal(name, note) for name in heeded}
    try:
        yield stop
    finally:
        for name, handler in before.items():
            signal.signal(name, handler or signal.SIG_DFL)
