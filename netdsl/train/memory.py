"""A network and a batch size to the memory that training takes, against what there is."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from netdsl import resources
from netdsl.train.forward import forward
from netdsl.train.random_state import drawing, untouched
from netdsl.train.settings import Settings

_STATES = {"sgd": 1, "adam": 2, "adamw": 2}  # numbers that an optimiser keeps of each weight
# Measured on ResNet-20 and Net 1, batches of 8 to 512, fp32 and bf16: 0.9 to 1.25 of what it took.
_HEAP = 1.3  # what a heap grows by for the holes between pieces that come and go
_KERNELS = 150 * 10**6  # what torch takes for its kernels at the first step
_CACHE = 1.1  # the same holes, on a device whose memory torch manages itself


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that training takes beyond the network itself: at any batch size, and an image."""

    fixed: int
    image: int

    def at(self, batch_size: int) -> int:
        """Return the bytes with batches of that size."""
        return self.fixed + self.image * batch_size

    def largest(self, free: int) -> int:
        """Return the largest batch that fits into the free bytes, a multiple of 8 from 8 on.

        >>> [Need(1000, 10).largest(free) for free in (1275, 1050, 900)]
        [24, 5, 0]
        """
        images = max(0, (free - self.fixed) // self.image)
        return images // 8 * 8 if images >= 8 else images


def estimate(model: nn.Module, shape: tuple[int, ...], settings: Settings) -> Need:
    """Return what training a network in its place takes: what is counted, and a surcharge."""
    need = count(model, shape, settings)
    if settings.device != "cpu":
        return Need(round(need.fixed * _CACHE), round(need.image * _CACHE))
    return Need(round(need.fixed * _HEAP) + _KERNELS, round(need.image * _HEAP))


def count(model: nn.Module, shape: tuple[int, ...], settings: Settings) -> Need:
    """Return what training keeps in memory, from two forward runs of few images.

    Counted are the gradients, what the optimiser and the average keep, all that the backward run
    needs of the forward run, and twice the largest part of it for what is under way. Network and
    random numbers are left as they were.
    """
    weights = sum(p.nbytes for p in model.parameters() if p.requires_grad)
    copies = 1 + _STATES[settings.optimiser] + bool(settings.average)
    few, many = (_kept(model, shape, settings, images) for images in (2, 4))
    image = max(1, (sum(many) - sum(few)) // 2)
    largest = max(0, max(many) - max(few)) // 2
    return Need(weights * copies + max(0, sum(few) - 2 * image), image + 2 * largest)


def free_memory(device: str) -> int | None:
    """Return the bytes that may still be taken, by machine and control group; None: unknown."""
    if device == "cuda":
        held = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return torch.cuda.mem_get_info()[0] + held
    return resources.free_memory()


def peak_memory(device: str) -> int:
    """Return the most bytes that this process has held, on the GPU where it trains there."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    if sys.platform == "win32":  # which keeps no such account that Python could read
        return 0
    if sys.platform == "linux":
        # NOTE: what getrusage says begins with the peak of the process that started this one.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        if found := re.search(r"VmHWM:\s+(\d+)", status):  # sandboxes leave it out
            return int(found[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def forget_peak(device: str) -> None:
    """Have `peak_memory` begin anew, with what is held now, where the system can: CUDA, Linux."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    if sys.platform != "linux":
        return
    with suppress(AttributeError):  # other heaps than glibc's give back by themselves what is free
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):  # sandboxes leave it out
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # man 5 proc: resets VmHWM


def show_bytes(count: int) -> str:
    """Write a number of bytes for people.

    >>> show_bytes(31_250_000_000), show_bytes(4_200_000)
    ('31.2 GB', '4.2 MB')
    """
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _kept(model: nn.Module, shape: tuple[int, ...], settings: Settings, n: int) -> list[int]:
    """Return the sizes of the pieces of memory that a backward run would need."""
    own = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
    pieces: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            pieces[storage.data_ptr()] = storage.nbytes()
        return tensor

    images = torch.zeros((n, *shape), device=settings.device)
    if settings.channels_last:
        images = images.contiguous(memory_format=torch.channels_last)
    with whole(model, settings), saved_tensors_hooks(note, lambda tensor: tensor):
        # NOTE: the sum holds on to everything, or memory freed early would be counted twice.
        kept = forward(model, images, settings).sum()
    del kept
    return [*pieces.values(), 0]


@contextmanager
def whole(model: nn.Module, settings: Settings) -> Iterator[None]:
    """Run a network in training mode, every residual block, and leave it as it was."""
    with untouched(model, settings), drawing(model, 0.0):
        yield
