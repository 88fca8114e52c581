"""What all tests need: that Ctrl-C reaches the processes they start, and that none is timed."""

from __future__ import annotations

import signal

from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # other work may share the cores
settings.load_profile("untimed")


def pytest_configure() -> None:
    """Listen to Ctrl-C: a shell that starts something in the background has it ignored.

    What is ignored stays so in every process that is started from here, and tests that stop a
    training by Ctrl-C would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
