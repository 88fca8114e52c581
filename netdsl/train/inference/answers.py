"""Images that were picked to the likeliest classes of each, a part after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from netdsl.amounts import part
from netdsl.train.computing import computing
from netdsl.train.data.dataset import show_shape
from netdsl.train.data.source import Wanted, none_readable
from netdsl.train.data.told import Told
from netdsl.train.faults import memory_faults
from netdsl.train.inference.about import About
from netdsl.train.inference.pick import Picked
from netdsl.train.inference.predicting import probabilities
from netdsl.train.inference.read import read
from netdsl.train.settings import Settings


@dataclass(frozen=True, slots=True)
class Answer:
    """An image and its likeliest classes, by their numbers, the likeliest first."""

    file: str
    classes: tuple[int, ...]
    probabilities: tuple[float, ...]

    @property
    def name(self) -> str:
        """The file without its folder."""
        return Path(self.file).name


@dataclass(frozen=True, slots=True)
class Answers:
    """What a network takes images for; `bad` says of files left out what is wrong with them."""

    answers: tuple[Answer, ...]
    rescaled: int
    bad: Mapping[str, str]


def answer(
    model: nn.Module,
    about: About,
    picked: Picked,
    settings: Settings,
    *,
    top: int = 5,
    skip: bool = False,
    told: Told = lambda done, total: None,
) -> Answers:
    """Return the `top` likeliest classes of every image that was picked.

    `model` takes normalised images, as `make_fast` makes it. With `skip`, images that cannot be
    read are left out.
    """
    answers: list[Answer] = []
    bad: dict[str, str] = {}
    rescaled, kept = 0, min(top, len(about.classes))
    with memory_faults(settings), computing(settings):
        for block in read(picked, Wanted(about.shape, skip)):
            rescaled += block.rescaled
            bad |= {picked.file(place): fact for place, fact in block.bad.items()}
            rows = torch.from_numpy(block.pixels)
            feed = about.feed(rows, torch.full((len(rows),), -1), settings)
            files = map(picked.file, block.places)
            for batch in probabilities(model, feed):
                answers += _likeliest(files, batch, kept)
            told(len(answers) + len(bad), len(picked))
    if not answers:
        raise none_readable(len(picked), bad)
    return Answers(tuple(answers), rescaled, bad)


def _likeliest(files: Iterator[str], batch: Tensor, kept: int) -> Iterator[Answer]:
    """Yield the answers of the next files, one for each row of probabilities."""
    chances, labels = batch.topk(kept)
    for each, most in zip(labels.tolist(), chances.tolist(), strict=True):
        yield Answer(next(files), tuple(each), tuple(most))


def tell_rescaled(rescaled: int, total: int, about: About) -> str:
    """Say how many images had another size than the network takes."""
    return f"{part(rescaled, total, 'image')} cut and rescaled to {show_shape(about.shape)}"
