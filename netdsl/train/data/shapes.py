"""Made-up silhouettes of any size, in any number of classes: to try a network with no download.

A class is an outline, drawn at random places, sizes, turns and colours over noise. Means of
pixels tell nothing, so that a linear classifier fails where a few convolutions do not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from netdsl.train.data.dataset import Entry, Listing, Request, Shape
from netdsl.train.data.source import Arrays, Pixels, Positions

_TRAIN = 4000
_BYTES = 2**27  # of images, unless the classes are too many for it
_ANGLES = 1024  # at which an outline is known
_NOISE = 0.06

Outline = NDArray[np.float32]


def open_shapes(request: Request) -> Listing:
    """List images of the shape and the number of classes that are asked for."""
    shape, classes = request.shape or SHAPES.shape, request.classes or SHAPES.classes
    train = max(2 * classes, min(_TRAIN, _BYTES // int(np.prod(shape))))
    count = train + max(classes, train // 4)
    outlines = [_outline(request.seed, label) for label in range(classes)]

    def read(positions: Positions) -> Pixels:
        return np.stack([
            _draw(outlines[i % classes], shape, _random(request.seed, 1, i)) for i in positions
        ])  # fmt: skip

    return Listing(
        classes=tuple(f"shape {label}" for label in range(classes)),
        labels=np.arange(count) % classes,
        held_out=np.arange(count) >= train,
        images=Arrays(read),
    )


def _outline(seed: int, label: int) -> Outline:
    """Return the radius at each angle: a circle with lobes of two kinds."""
    random = _random(seed, 0, label)
    lobes = np.array([2 + label % 5, random.integers(1, 8)])[:, None]
    phases = random.uniform(0, 2 * np.pi, (2, 1))
    angles = np.linspace(0, 2 * np.pi, _ANGLES, endpoint=False)
    heights = np.array([[0.35], [0.2]])
    radii: Outline = (1 + (heights * np.cos(lobes * angles + phases)).sum(0)).astype(np.float32)
    return radii


def _draw(outline: Outline, shape: Shape, random: np.random.Generator) -> Pixels:
    """Return one image, (H, W, C)."""
    channels, height, width = shape
    side = min(height, width)
    top, left = (random.uniform(0.38, 0.62, 2) * (height, width)).astype(np.float32)
    radius, turn = random.uniform(0.22, 0.36) * side, random.uniform(-0.25, 0.25)
    down = np.arange(height, dtype=np.float32)[:, None] - top
    across = np.arange(width, dtype=np.float32) - left
    turned = (np.arctan2(down, across) + turn) * (_ANGLES / (2 * np.pi))
    edge = outline[turned.astype(np.int32) % _ANGLES] * radius
    inside = np.clip(edge - np.hypot(down, across) + 0.5, 0, 1)[:, :, None]
    behind = random.uniform(0, 1, channels).astype(np.float32)
    before = (behind + random.uniform(0.3, 0.7, channels).astype(np.float32)) % 1
    noise = random.standard_normal((height, width, channels), np.float32) * _NOISE
    levels = (behind + (before - behind) * inside + noise) * 255
    pixels: Pixels = np.clip(levels, 0, 255).astype(np.uint8)
    return pixels


def _random(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([int(k) for k in key])))


SHAPES = Entry(
    name="shapes",
    shape=(3, 32, 32),
    classes=10,
    mean=(),  # measured, as they are of any number of channels
    std=(),
    augment=(),
    defaults={"epochs": 5, "batch_size": 64, "lr": 0.05, "weight_decay": 5e-4},
    source="made when it is asked for, by netdsl",
    open=open_shapes,
    free=True,
)
