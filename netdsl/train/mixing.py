"""A batch to mixtures of its images in pairs: mixup and cutmix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from netdsl.train.settings import Settings
from netdsl.train.transforms.transform import generator

STREAM = 1000  # of random numbers; orders and transforms use the ones below


@dataclass(frozen=True, slots=True)
class Mixed:
    """What a batch of mixtures shows: two labels an image, the first for the part `weight`."""

    labels: Tensor
    others: Tensor
    weight: float


Target = Tensor | Mixed


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn for a batch: `part` of each image stays; cutmix puts the rest at `y`, `x`."""

    cut: bool
    part: float
    y: float
    x: float


def draw(settings: Settings, epoch: int, step: int) -> Draw | None:
    """Return how the batch of a step is mixed; None where nothing is to be mixed.

    The part is drawn from Beta(alpha, alpha); where both are wanted, either has an even chance.
    """
    if not settings.mixup and not settings.cutmix:
        return None
    random = generator(settings.seed, epoch, STREAM, step)
    chance, y, x = random.random(3).tolist()
    cut = bool(settings.cutmix) and (not settings.mixup or chance < 0.5)
    alpha = settings.cutmix if cut else settings.mixup
    return Draw(cut, float(random.beta(alpha, alpha)), y, x)


def mix(images: Tensor, labels: Tensor, drawn: Draw, ahead: int = 0) -> tuple[Tensor, Mixed]:
    """Mix each image with the one before it, the first with the last; the order is random anyway.

    As torchvision's `MixUp` and `CutMix` do it. The first `ahead` are left out of what is returned.
    """
    others = images.roll(1, 0)
    if not drawn.cut:
        mixed, weight = torch.lerp(others, images, drawn.part), drawn.part
    else:
        top, bottom, left, right = box(drawn, *images.shape[2:])
        mixed = images.clone()
        mixed[:, :, top:bottom, left:right] = others[:, :, top:bottom, left:right]
        weight = 1 - (bottom - top) * (right - left) / (images.shape[2] * images.shape[3])
    return mixed[ahead:], Mixed(labels[ahead:], labels.roll(1, 0)[ahead:], weight)


def box(drawn: Draw, height: int, width: int) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of what cutmix pastes, cut off at the border."""
    half = 0.5 * np.sqrt(1 - drawn.part)  # Yun et al. 2019, section 3.1
    y, x = int(drawn.y * height), int(drawn.x * width)
    tall, wide = int(half * height), int(half * width)
    return max(y - tall, 0), min(y + tall, height), max(x - wide, 0), min(x + wide, width)
