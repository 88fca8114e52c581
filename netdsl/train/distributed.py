"""The processes that torchrun started to one training: who they are, what they agree on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, final

import torch
import torch.distributed as dist

from netdsl.first_line import first_line
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.meeting import meet
from netdsl.train.settings import Settings

T = TypeVar("T")
_PATIENCE = timedelta(hours=1)  # one machine may still decode images that another has decoded
_LOST = ("gloo", "Connection", "NCCL", "Socket", "recv")  # as torch words that a process is gone


@final
@dataclass(frozen=True, slots=True)
class World:
    """The processes of a training: this one is number `rank` of `size`, the first is 0.

    `local_size` of them are on this machine. Every process has to call the same methods in the
    same order, since each of them waits for all.
    """

    rank: int = 0
    size: int = 1
    local_size: int = 1

    @property
    def leads(self) -> bool:
        """Say whether this process is the one that writes and speaks."""
        return self.rank == 0

    def part(self, count: int) -> range:
        """Return this process's part of so many things in a row, as even as can be.

        >>> [World(rank, 3).part(8) for rank in range(3)]
        [range(0, 3), range(3, 6), range(6, 8)]
        """
        share, more = divmod(count, self.size)
        begin = self.rank * share + min(self.rank, more)
        return range(begin, begin + share + (self.rank < more))

    def lead(self, act: Callable[[], T]) -> T:
        """Let the first process act; return everywhere what came of it, or raise its TrainError."""
        if self.size == 1:
            return act()
        outcome: list[Any] = [_outcome(act) if self.leads else None]
        with together(self):
            dist.broadcast_object_list(outcome, src=0)
        value: T = _value(outcome[0])
        return value

    def each(self, act: Callable[[], T]) -> list[T]:
        """Let every process act; return what came of all, or raise everywhere the first error."""
        if self.size == 1:
            return [act()]
        outcomes: list[Any] = [None] * self.size
        with together(self):
            dist.all_gather_object(outcomes, _outcome(act))
        return [_value(outcome) for outcome in outcomes]

    def total(self, *numbers: float) -> list[float]:
        """Return each number added up over all processes."""
        if self.size == 1:
            return list(numbers)
        sums = torch.tensor(numbers, dtype=torch.float64)
        with together(self):
            dist.all_reduce(sums)
        return [float(number) for number in sums.tolist()]


ALONE = World()


def current() -> World:
    """Return the processes that this one has joined."""
    if not dist.is_available() or not dist.is_initialized():
        return ALONE
    size = dist.get_world_size()
    return World(dist.get_rank(), size, int(os.environ.get("LOCAL_WORLD_SIZE", size)))


@contextmanager
def joined() -> Iterator[World]:
    """Join the other processes, on a GPU of one's own where there are GPUs.

    Which they are is read where torchrun writes it: RANK, WORLD_SIZE, LOCAL_RANK,
    LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT. Without it this process is alone.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or current().size > 1:
        yield current()
        return
    local, gpus = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if local < gpus:
        torch.cuda.set_device(local)  # from here on it is what "cuda" means
    try:
        store, rank, size = meet(_PATIENCE)
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if gpus else "gloo",
            timeout=_PATIENCE, store=store, rank=rank, world_size=size,
        )  # fmt: skip
    except (ValueError, RuntimeError) as error:
        fact = f"the processes do not find one another: {first_line(error)}"
        help = "start them with `torchrun --nproc-per-node N -m netdsl train …`"
        raise TrainError(fact, help, ExitCode.USAGE) from error
    yield current()
    # NOTE: not where something failed: the group would wait for a process that may be gone.
    dist.destroy_process_group()


@contextmanager
def together(world: World) -> Iterator[None]:
    """Turn what torch raises when another process is gone into an error that says so."""
    try:
        yield
    except RuntimeError as error:
        if world.size == 1 or not any(word in str(error) for word in _LOST):
            raise
        raise TrainError(
            "another process of this training has ended",
            "it or torchrun says why; --resume goes on from the last checkpoint",
            ExitCode.IO,
        ) from error


def refuse_unfit(settings: Settings, images: int, world: World) -> None:
    """Raise where a training cannot be shared out among so many processes."""
    if world.size == 1:
        return
    fact, help = f"{world.size} processes need at least {2 * world.size} images a step", None
    if settings.batch_size < 2 * world.size:
        fact += f", 2 each for batch norm, and batch_size is {settings.batch_size}"
    elif images < 2 * world.size:
        fact += f", 2 each for batch norm, and there are {images} training images"
    elif settings.compile:
        fact, help = "several processes train uncompiled", "give --no-compile"
    elif settings.device == "mps":
        fact, help = "several processes train on cpu or cuda, not on mps", "give --device cpu"
    elif settings.device == "cuda" and torch.cuda.device_count() < world.local_size:
        fact = (
            f"{world.local_size} processes on this machine need a GPU each, "
            f"and there are {torch.cuda.device_count()}"
        )
    else:
        return
    raise TrainError(fact, help, ExitCode.USAGE)


def _outcome(act: Callable[[], T]) -> T | TrainError:
    try:
        return act()
    except TrainError as error:
        return error


def _value(outcome: Any) -> Any:
    if isinstance(outcome, TrainError):
        raise outcome
    return outcome
