"""What lies beside the weights in a file to what is needed to use them, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from netdsl.train.batches import Feed, feed_rows
from netdsl.train.data.dataset import Shape
from netdsl.train.data.folder import HOLDOUT
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.gathering import stays
from netdsl.train.settings import Settings
from netdsl.train.weights import read_about

_WHOLE = "give the folder of its run, or weights that `netdsl train` wrote"


@dataclass(frozen=True, slots=True)
class About:
    """A network as text, the images that it takes, and the classes that it tells.

    `mean` holds a number for each channel or for each of the H × W × C values of an image, of
    pixels in 0 … 1, and `std` one for each channel. `overrides` and `scale` are what was said in
    place of the text. `class_ids` are what lists of classes call them, such as WordNet's ids.
    `holdout` is the part of a folder's images that was held back from the training.
    """

    network: str
    shape: Shape
    classes: tuple[str, ...]
    mean: tuple[float, ...] = field(repr=False)
    std: tuple[float, ...] = field(repr=False)
    class_ids: tuple[str, ...] = ()
    data: str = ""
    overrides: Mapping[str, object] = field(default_factory=dict)
    scale: str | None = None
    holdout: float = HOLDOUT

    def __post_init__(self) -> None:
        channels, height, width = self.shape
        counts = (
            ("means", len(self.mean), (channels, channels * height * width), "channels"),
            ("stds", len(self.std), (channels,), "channels"),
            ("class ids", len(self.class_ids), (len(self.classes), 0), "classes"),
        )
        for name, count, fitting, whose in counts:
            if count not in fitting:
                raise ValueError(f"{count} {name} for {fitting[0]} {whose}")

    @property
    def ids(self) -> tuple[str, ...]:
        """What lists of classes call them; their names, unless they have others."""
        return self.class_ids or self.classes

    def feed(self, rows: Tensor, labels: Tensor, settings: Settings) -> Feed:
        """Return uint8 images (N, H, W, C) as a feed that normalises them as in training."""
        channels, height, width = self.shape
        pixels = height * width
        mean, std = torch.tensor(self.mean), torch.tensor(self.std).repeat(pixels)
        mean = mean.repeat(pixels) if len(mean) == channels else mean
        here = stays([rows.nbytes], settings.device)
        return feed_rows(rows, labels, (mean, std), settings, stays=here)


def about_weights(path: Path) -> About:
    """Return what a file of weights says of itself; raise where it does not say enough."""
    found: Any = read_about(path)
    if "network" not in found:
        raise TrainError(f"{path} does not say which network it is of", _WHOLE, ExitCode.USAGE)
    try:
        return About(
            network=_text(found["network"]),
            shape=_shape(found["shape"]),
            classes=tuple(map(_text, found["classes"])),
            mean=tuple(map(float, found["mean"])),
            std=tuple(map(float, found["std"])),
            class_ids=tuple(map(_text, found.get("class_ids", ()))),
            data=_text(found.get("data", "")),
            overrides=dict(found.get("overrides", {})),
            scale=found.get("scale"),
            holdout=float(found.get("holdout", HOLDOUT)),
        )
    except (KeyError, TypeError, ValueError) as error:
        fact = f"{path} does not say soundly what its network takes and tells: {error}"
        raise TrainError(fact, _WHOLE) from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _shape(values: Any) -> Shape:
    channels, height, width = (int(value) for value in values)
    if min(channels, height, width) < 1:
        raise ValueError(f"shape {values}")
    return channels, height, width
