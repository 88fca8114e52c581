"""What torch and the system raise to a TrainError that says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.memory import Need, show_bytes
from netdsl.train.settings import Settings

_NO_MEMORY = ("can't allocate memory", "not enough memory")  # how torch words it on a CPU


@contextmanager
def memory_faults(settings: Settings) -> Iterator[None]:
    """Turn running out of memory into an error that names the batch size."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise _out_of_memory(settings) from error
    except RuntimeError as error:
        if not any(words in str(error) for words in _NO_MEMORY):
            raise
        raise _out_of_memory(settings) from error


def refuse_too_large(
    need: Need, free: int | None, images: int, work: str, offer: Callable[[int], str]
) -> None:
    """Raise where so many images at once would not fit into the bytes that are free.

    `work` is what takes them, and `offer` how a number of images that fits is asked for.
    """
    if free is None or need.at(images) <= free:
        return
    fits = need.largest(free)
    raise TrainError(
        f"{work} takes about {show_bytes(need.at(images))}, and {show_bytes(free)} are free",
        f"{offer(fits)} fits" if fits >= 2 else "no batch fits: take a smaller network",
        ExitCode.MEMORY,
    )


def diverged(fact: str, lr: float, norm: float) -> TrainError:
    """Return the error of a training whose numbers left the finite."""
    return TrainError(
        f"{fact}, at learning rate {lr:.4g}, gradient norm {norm:.4g}",
        "a lower learning rate or a clipped gradient helps in most cases",
        ExitCode.DIVERGED,
    )


def _out_of_memory(settings: Settings) -> TrainError:
    return TrainError(
        f"out of memory on {settings.device} with batches of {settings.batch_size} images",
        f"try batch_size {max(2, settings.batch_size // 2)}",
        ExitCode.MEMORY,
    )
