"""Images in memory and any network to the probabilities of its classes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from netdsl.train.batches import Feed, batches_in_order
from netdsl.train.computing import computing
from netdsl.train.data.dataset import show_shape
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.evaluation import try_images
from netdsl.train.faults import memory_faults
from netdsl.train.inference.about import About
from netdsl.train.inference.fast import Fast, make_fast
from netdsl.train.resolve import resolve
from netdsl.train.settings import Settings


def predict(
    model: nn.Module,
    images: Tensor,
    *,
    mean: Sequence[float],
    std: Sequence[float],
    settings: Settings | None = None,
) -> Tensor:
    """Return what a network takes images for: uint8 (N, C, H, W) to float32 (N, classes).

    Each row holds the probabilities of the classes, which add up to 1. `mean` and `std` are of
    each channel, of pixels in 0 … 1, as in the training; a mean of each pixel is one number for
    each of H × W × C values, as `About` holds them. A copy of the network computes, with its
    batch norms folded, on the device, in the precision and in batches of the size that the
    settings say: those of this machine, bf16 where that is faster, unless given. What torch does
    not compute in bf16, such as a Fourier transform, is computed in fp32, all of it. Raises
    `TrainError` for other images, for numbers that normalise nothing, and where memory ends.

    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(12, 5))
    >>> black = torch.zeros(2, 3, 2, 2, dtype=torch.uint8)
    >>> predict(network, black, mean=[0.5] * 3, std=[0.25] * 3).shape
    torch.Size([2, 5])
    """
    _check(images, mean, std)
    settings = resolve() if settings is None else settings
    _, channels, height, width = images.shape
    about = About("", (channels, height, width), (), tuple(mean), tuple(std))
    rows, unknown = images.permute(0, 2, 3, 1).contiguous(), torch.full((len(images),), -1)
    with memory_faults(settings), computing(settings):
        feed = about.feed(rows, unknown, settings)
        fast, none = _fast(model, about, settings)
        return torch.cat([none.cpu(), *probabilities(fast, feed)])


def _fast(model: nn.Module, about: About, settings: Settings) -> tuple[Fast, Tensor]:
    """Return a network made fast, in bf16 only where it runs in it, and its logits of no image."""
    fp32 = replace(settings, precision="fp32")
    fast = make_fast(model, settings)
    try:
        # What is fast has its precision in itself.
        return fast, try_images(fast, about.shape, f"{show_shape(about.shape)} images", fp32)[:0]
    except TrainError:
        if settings.precision == "fp32":
            raise
    return _fast(model, about, fp32)


def probabilities(model: nn.Module, source: Feed) -> Iterator[Tensor]:
    """Yield the probabilities of the classes, batch after batch, on the CPU."""
    with torch.no_grad():
        for images, _ in batches_in_order(source):
            yield model(images).softmax(1).cpu()


def _check(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> None:
    if not isinstance(images, Tensor):
        fact = f"images are a tensor, not of type {type(images).__name__}"
        raise TrainError(fact, "`torch.from_numpy` makes one of an array", ExitCode.USAGE)
    if images.dtype != torch.uint8 or images.ndim != 4:
        fact = f"images are uint8 (N, C, H, W), not {images.dtype} {tuple(images.shape)}"
        raise TrainError(fact, "pixels as they are in files: 0 to 255", ExitCode.USAGE)
    channels, height, width = images.shape[1:]
    rules = (
        ("mean", mean, (channels, channels * height * width), -math.inf, "a number"),
        ("std", std, (channels,), 0, "a number above 0"),
    )
    for name, values, counts, lowest, rule in rules:
        if len(values) not in counts or not all(lowest < value < math.inf for value in values):
            fact = f"{name} is {tuple(values)}, but must be {rule} for each of {channels} channels"
            raise TrainError(fact, "as in the training: `data.mean`, `data.std`", ExitCode.USAGE)
