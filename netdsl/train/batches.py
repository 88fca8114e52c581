"""A split of a data set to batches: gathered, augmented, normalised and mixed on the device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from netdsl.train.data.dataset import DataSet, Shape, Split
from netdsl.train.distributed import ALONE, World
from netdsl.train.gathering import bring
from netdsl.train.mixing import Target, draw, mix
from netdsl.train.normalising import mean_and_std
from netdsl.train.settings import Settings
from netdsl.train.steps import count_steps
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
    like than channel by channel. `world` shares the images out.
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
    world: World = ALONE

    def normalise(self, rows: Tensor) -> Tensor:
        """Return (pixel / 255 - mean) / std as float32 (N, C, H, W)."""
        return _normalised(rows, self.mean, self.scale, self.channels_last)


def feed(
    split: Split, data: DataSet, settings: Settings, world: World = ALONE, *, stays: bool
) -> Feed:
    """Return a split for the device that the settings name, its images put there if it stays."""
    rows = split.images.permute(0, 2, 3, 1).contiguous()
    mean, std = mean_and_std(data, settings.normalise)
    return feed_rows(rows, split.labels, (mean, std), settings, world, stays=stays)


def feed_rows(
    rows: Tensor, labels: Tensor, spread: tuple[Tensor, Tensor], settings: Settings,
    world: World = ALONE, *, stays: bool,
) -> Feed:  # fmt: skip
    """Return uint8 rows (N, H, W, C) for a device; mean and std are of pixels in 0 … 1."""
    (mean, std), device = spread, settings.device
    transforms = tuple(make(text) for text in settings.augment)
    return Feed(
        rows=rows.to(device) if stays else rows,
        stays=stays,
        labels=labels.to(device),
        mean=(mean * 255).to(device),
        scale=(1 / (std * 255)).to(device),
        batch_size=settings.batch_size,
        channels_last=settings.channels_last,
        transforms=transforms,
        finish=partial(_finished, transforms, channels_last=settings.channels_last),
        world=world,
    )


def try_transforms(settings: Settings, shape: Shape) -> None:
    """Raise if a transform does not take images of a shape."""
    channels, height, width = shape
    rows = torch.zeros((1, height, width, channels), dtype=torch.uint8)
    for transform in map(make, settings.augment):
        transform(rows, torch.zeros((1, transform.draws)))


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
    # NOTE: not `contiguous`, which leaves images of one channel as they lie: convolutions would
    # give channels last.
    return images if channels_last else images.to(memory_format=torch.contiguous_format)


def batches_in_order(source: Feed) -> Iterator[Batch]:
    """Give every image once, as it is, in whole batches; process after process takes the next."""
    size, world, count = source.batch_size, source.world, len(source.labels)
    begins = range(world.rank * size, count, world.size * size)
    parts = [slice(begin, min(begin + size, count)) for begin in begins]
    rows: Iterator[Tensor] = (source.rows[part] for part in parts)
    if not source.stays:
        places = [torch.arange(part.start, part.stop) for part in parts]
        rows = bring(source.rows, places, source.labels.device)
    for some, part in zip(rows, parts, strict=True):
        yield source.normalise(some), source.labels[part]


def shuffled(
    source: Feed, settings: Settings, epoch: int, start: int = 0
) -> Iterator[tuple[Tensor, Target, Tensor]]:
    """Give every image once, augmented and mixed: images, what they show, their own labels.

    Of every batch a process gets its part, as it would be in the whole batch.

    What a step gets depends on seed, epoch and its place in the epoch alone, so that `start` leaves
    out the steps before it and changes nothing. A last batch with less than two images a process is
    left out: batch norm cannot learn from one.
    """
    ahead = _ahead(source, settings)
    together = _batches_at_once(source, ahead)
    batches = _augmented(source, settings, epoch, start // together)
    for step, (images, labels) in enumerate(batches, start - start % together):
        if step >= start:
            drawn = draw(settings, epoch, step)
            if drawn is None:
                yield images, labels, labels
            else:
                yield *mix(images, labels, drawn, ahead), labels[ahead:]


def _augmented(source: Feed, settings: Settings, epoch: int, skip: int) -> Iterator[Batch]:
    """Give batches that are not mixed yet, some made together; `skip` of such makings left out."""
    count, seed, device = len(source.labels), settings.seed, source.labels.device
    ahead = _ahead(source, settings)
    size = len(source.world.part(source.batch_size)) + ahead
    order = _own(random_order(seed, epoch, 0, count), source, ahead)
    numbers = [
        random_numbers(seed, epoch, stream, count, transform.draws).to(device)
        for stream, transform in enumerate(source.transforms, start=1)
    ]
    # NOTE: all copies to the device at once, since each waits for it.
    at_once = size * _batches_at_once(source, ahead)
    parts = torch.split(order.to(source.rows.device), at_once)[skip:]
    places = torch.split(order.to(device), at_once)[skip:]
    piles: Iterator[Tensor] = (source.rows.index_select(0, part) for part in parts)
    if not source.stays:
        piles = bring(source.rows, parts, device)
    for rows, chosen in zip(piles, places, strict=True):
        drawn = tuple(some.index_select(0, chosen) for some in numbers)
        images = source.finish(rows, drawn, source.mean, source.scale)
        labels = source.labels.index_select(0, chosen)
        yield from zip(torch.split(images, size), torch.split(labels, size), strict=True)


def _ahead(source: Feed, settings: Settings) -> int:
    """Return how many images a process needs before its part of a batch: mixing takes one more."""
    return int(source.world.size > 1 and bool(settings.mixup or settings.cutmix))


def _own(order: Tensor, source: Feed, ahead: int) -> Tensor:
    """Return this process's part of each batch and what is ahead of it, one after the other."""
    size, world = source.batch_size, source.world
    order = order[: count_steps(len(order), size, world.size) * size]
    if world.size == 1:
        return order
    parts = []
    for batch in torch.split(order, size):
        part = world.part(len(batch))
        parts.append(batch[torch.arange(part.start - ahead, part.stop) % len(batch)])
    return torch.cat(parts)


def _batches_at_once(source: Feed, ahead: int) -> int:
    """Return how many batches are made together: several, where one is too small to be worth it."""
    size = len(source.world.part(source.batch_size)) + ahead
    return max(1, _PIXELS_AT_ONCE // (size * len(source.mean)))
