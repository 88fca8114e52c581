"""A split of a data set to batches: gathered, augmented, normalised and mixed on the device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from netdsl.train.data.dataset import DataSet, Split
from netdsl.train.distributed import ALONE, World
from netdsl.train.mixing import Target, draw, mix
from netdsl.train.normalising import mean_and_std
from netdsl.train.settings import Settings
from netdsl.train.steps import count_steps
from netdsl.train.transforms import make, random_numbers, random_order

Batch = tuple[Tensor, Tensor]  # float32 images (N, C, H, W), int64 labels (N)
_PIXELS_AT_ONCE = 2**18  # a megabyte of floats: it stays in the cache


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """A split on its device: uint8 rows (N, H, W, C), labels, and how a batch is made of them.

    `mean` and `scale` hold one number for each of the H × W × C values of an image, since a whole
    image is normalised faster by its like than channel by channel. `world` shares the images out.
    """

    rows: Tensor
    labels: Tensor
    mean: Tensor
    scale: Tensor
    batch_size: int
    channels_last: bool
    world: World = ALONE

    def normalise(self, rows: Tensor) -> Tensor:
        """Return (pixel / 255 - mean) / std as float32 (N, C, H, W)."""
        flat = rows.reshape(len(rows), -1).float().sub_(self.mean).mul_(self.scale)
        images = flat.view(rows.shape).permute(0, 3, 1, 2)
        return images if self.channels_last else images.contiguous()


def feed(split: Split, data: DataSet, settings: Settings, world: World = ALONE) -> Feed:
    """Put a split on the device that the settings name."""
    rows = split.images.permute(0, 2, 3, 1).contiguous()
    mean, std = mean_and_std(data, settings.normalise)
    device = settings.device
    return Feed(
        rows=rows.to(device),
        labels=split.labels.to(device),
        mean=(mean * 255).to(device),
        scale=(1 / (std * 255)).to(device),
        batch_size=settings.batch_size,
        channels_last=settings.channels_last,
        world=world,
    )


def in_order(source: Feed) -> Iterator[Batch]:
    """Give every image once, as it is, in whole batches; process after process takes the next."""
    size, world = source.batch_size, source.world
    for begin in range(world.rank * size, len(source.labels), world.size * size):
        part = slice(begin, begin + size)
        yield source.normalise(source.rows[part]), source.labels[part]


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
    count, size, device = len(source.labels), source.batch_size, source.rows.device
    augment, seed = [make(text) for text in settings.augment], settings.seed
    order = random_order(seed, epoch, 0, count)
    ahead = _ahead(source, settings)
    own, size = _own(order, source, ahead).to(device), len(source.world.part(size)) + ahead
    numbers = [
        random_numbers(seed, epoch, stream, count, transform.draws).to(device)
        for stream, transform in enumerate(augment, start=1)
    ]
    for chosen in torch.split(own, size * _batches_at_once(source, ahead))[skip:]:
        rows = source.rows.index_select(0, chosen)
        for transform, drawn in zip(augment, numbers, strict=True):
            rows = transform(rows, drawn.index_select(0, chosen))
        images, labels = source.normalise(rows), source.labels.index_select(0, chosen)
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
