"""Chunks of work to their results, in order, on as many cores as are worth it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.machine import count_cores

_WORTH_A_PROCESS = 5_000  # images; below, starting processes costs what they save
_LOOK = 0.5  # seconds between two looks at whether the parent is still there
_KILLED = "most likely the machine ran out of memory: end other programs, or decode on fewer cores"
Chunk = TypeVar("Chunk")
Result = TypeVar("Result")


def in_parallel(
    work: Callable[[Chunk], Result], chunks: Iterable[Chunk], images: int, processes: int | None
) -> Iterator[Result]:
    """Yield what the work makes of each chunk; `images` is how many they hold together."""
    processes = _worth(images) if processes is None else processes
    if processes < 2:
        yield from map(work, chunks)
        return
    # NOTE: processes, since Pillow holds the lock of Python for more than half of a small image:
    # threads are slower than none. Forked, since a spawned one would run the caller's script.
    forked = multiprocessing.get_context("fork")
    waiting: deque[Future[Result]] = deque()
    try:
        with ProcessPoolExecutor(processes, forked, _belong_to, (os.getpid(),)) as pool:
            for chunk in chunks:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
                    waiting.append(pool.submit(work, chunk))
                if len(waiting) > 2 * processes:
                    yield waiting.popleft().result()
            yield from (future.result() for future in waiting)
    except BrokenProcessPool as error:
        message = f"one of {processes} processes that decode images was killed"
        raise TrainError(message, _KILLED, ExitCode.MEMORY) from error


def _worth(images: int) -> int:
    can_fork = sys.platform == "linux"
    return count_cores() if can_fork and images >= _WORTH_A_PROCESS else 1


def _belong_to(parent: int) -> None:
    """Leave Ctrl-C to the process that this one works for, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    # NOTE: who outlives it waits for work for ever, and has the locks that it was forked with:
    # whoever wants the same images next would wait for ever too.
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(1)
