"""One side of a comparison, in a process of its own: what it does to its heap is its alone.

A side gets itself ready, and then measures whenever it is asked to; between two measurements it
waits, so that the other side has the machine to itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Protocol

import torch

THREADS = 1
SHORT = "NETDSL_BENCH_SHORT"  # set: everything runs, and the numbers mean nothing


class Turns(Protocol):
    """What a side measures by."""

    def begin(self) -> None:
        """Wait until somebody wants to know; EOFError when nobody will any more."""

    def end(self, value: float) -> None:
        """Say what was measured since."""


class _Asked:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def begin(self) -> None:
        self.connection.recv()

    def end(self, value: float) -> None:
        self.connection.send(value)


def short(number: int, least: int = 2) -> int:
    """Return how many of something to take: few where nobody wants to know more than that it runs."""
    return min(number, least) if os.environ.get(SHORT) else number


@contextmanager
def side(function: Callable[..., None], *arguments: Any) -> Iterator[Callable[[], float]]:
    """Give what measures once; `function(turns, *arguments)` runs in a process of its own."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, here, function, arguments))
    process.start()
    there.close()

    def measured() -> float:
        here.send(None)
        return float(here.recv())

    try:
        yield measured
    finally:
        here.close()
        process.join(60)
        process.kill()


def _serve(
    there: Connection, here: Connection, function: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    here.close()  # or it would never be told that the other end is closed
    os.environ["OMP_NUM_THREADS"] = str(THREADS)
    torch.set_num_threads(THREADS)
    try:
        function(_Asked(there), *arguments)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
