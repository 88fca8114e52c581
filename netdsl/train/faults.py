"""What torch and the system raise to a TrainError that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
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


def refuse_too_large(need: Need, free: int | None, settings: Settings, processes: int = 1) -> None:
    """Raise where a training would not fit into the free bytes that each process has."""
    size = settings.batch_size
    if free is None or need.at(size) <= free:
        return
    fits = need.largest(free)
    raise TrainError(
        f"training with batches of {size:,} images takes about {show_bytes(need.at(size))} on "
        f"{settings.device}, and {show_bytes(free)} are free",
        f"batch_size {fits * processes} fits"
        if fits >= 2
        else "no batch fits: take a smaller network",
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
