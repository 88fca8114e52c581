"""A split of a data set to batches: gathered, augmented, normalised and mixed on the device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from netdsl.train.data.dataset import DataSet, Split
from netdsl.train.gathering import bring
from netdsl.train.mixing import Target, draw, mix
from netdsl.train.normalising import mean_and_std
from netdsl.train.settings import Settings
from netdsl.train.steps import count_steps  # noqa: F401  (what follows is about the same steps)
from netdsl.train.transforms import make, random_numbers, random_order
from netdsl.train.transforms.transform import Transform

Batch = tuple[Tensor, Tensor]  # float32 images (N, C, H, W), int64 labels (N)
_PIXELS_AT_ONCE = 2**18  # a megabyte of floats: it stays in the cache


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """A split for its device: uint8 rows (N, H, W, C), labels, and how a batch is made of them.

    Labels are on the device, and rows if `stays`; else they are brought there. `finish` makes
    images of gathered rows and the numbers of each transform. `mean` and `scale` hold one number
    for each of the H × W × C values of an image, since a whole image is normalised faster by its
    like than channel by channel.
    """

    rows: Tensor
    stays: bool
    labels: Tensor
    mean: Tensor
    scale: Tensor
    batch_size: int
    channels_last: bool
    transforms: tuple[Transform, ...]
    finish: Callable[..., Tensor]

    def normalise(self, rows: Tensor) -> Tensor:
        """Return (pixel / 255 - mean) / std as float32 (N, C, H, W)."""
        return _normalised(rows, self.mean, self.scale, self.channels_last)


def feed(split: Split, data: DataSet, settings: Settings, *, stays: bool = True) -> Feed:
    """Return a split for the device that the settings name, its images put there if it stays."""
    rows = split.images.permute(0, 2, 3, 1).contiguous()
    mean, std = mean_and_std(data, settings.normalise)
    device = settings.device
    transforms = tuple(make(text) for text in settings.augment)
    return Feed(
        rows=rows.to(device) if stays else rows,
        stays=stays,
        labels=split.labels.to(device),
        mean=(mean * 255).to(device),
        scale=(1 / (std * 255)).to(device),
        batch_size=settings.batch_size,
        channels_last=settings.channels_last,
        transforms=transforms,
        finish=partial(_finished, transforms, channels_last=settings.channels_last),
    )


def _finished(
    transforms: tuple[Transform, ...], rows: Tensor, numbers: tuple[Tensor, ...],
    mean: Tensor, scale: Tensor, *, channels_last: bool,
) -> Tensor:  # fmt: skip
    for transform, drawn in zip(transforms, numbers, strict=True):
        rows = transform(rows, drawn)
    return _normalised(rows, mean, scale, channels_last)


def _normalised(rows: Tensor, mean: Tensor, scale: Tensor, channels_last: bool) -> Tensor:
    flat = rows.reshape(len(rows), -1).float().sub_(mean).mul_(scale)
    images = flat.view(rows.shape).permute(0, 3, 1, 2)
    return images if channels_last else images.contiguous()


def in_order(source: Feed) -> Iterator[Batch]:
    """Give every image once, as it is."""
    labels = torch.split(source.labels, source.batch_size)
    if source.stays:
        rows: Iterator[Tensor] = iter(torch.split(source.rows, source.batch_size))
    else:
        places = torch.split(torch.arange(len(source.labels)), source.batch_size)
        rows = bring(source.rows, places, source.labels.device)
    for some, right in zip(rows, labels, strict=True):
        yield source.normalise(some), right


def shuffled(
    source: Feed, settings: Settings, epoch: int, start: int = 0
) -> Iterator[tuple[Tensor, Target, Tensor]]:
    """Give every image once, augmented and mixed: images, what they show, their own labels.

    What a step gets depends on seed, epoch and its place in the epoch alone, so that `start` leaves
    out the steps before it and changes nothing. A last batch of a single image is left out: batch
    norm cannot learn from it.
    """
    together = _batches_at_once(source)
    batches = _augmented(source, settings, epoch, start // together)
    for step, (images, labels) in enumerate(batches, start - start % together):
        if step >= start:
            drawn = draw(settings, epoch, step)
            mixed, target = (images, labels) if drawn is None else mix(images, labels, drawn)
            yield mixed, target, labels


def _augmented(source: Feed, settings: Settings, epoch: int, skip: int) -> Iterator[Batch]:
    """Give batches that are not mixed yet, some made together; `skip` of such makings left out."""
    count, size, seed = len(source.labels), source.batch_size, settings.seed
    device, at_once = source.labels.device, size * _batches_at_once(source)
    order = random_order(seed, epoch, 0, count)[: count - (count % size == 1)]
    numbers = [
        random_numbers(seed, epoch, stream, count, transform.draws).to(device)
        for stream, transform in enumerate(source.transforms, start=1)
    ]
    # NOTE: all copies to the device at once, since each waits for it.
    parts = torch.split(order.to(source.rows.device), at_once)[skip:]
    places = torch.split(order.to(device), at_once)[skip:]
    piles: Iterator[Tensor]
    if source.stays:
        piles = (source.rows.index_select(0, part) for part in parts)
    else:
        piles = bring(source.rows, parts, device)
    for rows, chosen in zip(piles, places, strict=True):
        drawn = tuple(some.index_select(0, chosen) for some in numbers)
        images = source.finish(rows, drawn, source.mean, source.scale)
        labels = source.labels.index_select(0, chosen)
        yield from zip(torch.split(images, size), torch.split(labels, size), strict=True)


def _batches_at_once(source: Feed) -> int:
    """Return how many batches are made together: several, where one is too small to be worth it."""
    return max(1, _PIXELS_AT_ONCE // (source.batch_size * len(source.mean)))
