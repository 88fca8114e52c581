"""Images whose classes are known to the loss and the accuracy of a network, read as it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

from netdsl.train.computing import computing
from netdsl.train.data.source import Wanted, none_readable
from netdsl.train.data.told import Told
from netdsl.train.evaluation import Evaluation, measure
from netdsl.train.faults import memory_faults
from netdsl.train.inference.about import About
from netdsl.train.inference.pick import Picked
from netdsl.train.inference.read import read
from netdsl.train.settings import Settings


@dataclass(frozen=True, slots=True)
class Score:
    """How good a network is on images; `bad` says of files left out what is wrong with them.

    `training` is how many of the others the data set has to be trained on.
    """

    evaluation: Evaluation
    rescaled: int = 0
    bad: Mapping[str, str] = field(default_factory=dict)
    training: int = 0


def score(
    model: nn.Module,
    about: About,
    picked: Picked,
    settings: Settings,
    *,
    skip: bool = False,
    told: Told = lambda done, total: None,
) -> Score:
    """Return loss and accuracy over images with the labels that the network gives their classes.

    The network is one that `place` has put on its device, or that `make_fast` made.
    """
    parts: list[Evaluation] = []
    bad: dict[str, str] = {}
    rescaled, done, training = 0, 0, 0
    labels = torch.from_numpy(picked.labels)
    with memory_faults(settings), computing(settings):
        for part in read(picked, Wanted(about.shape, skip)):
            rescaled += part.rescaled
            bad |= {picked.file(place): fact for place, fact in part.bad.items()}
            if part.places:
                training += int(picked.to_train[part.places].sum())
                rows = torch.from_numpy(part.pixels)
                parts.append(
                    measure(model, about.feed(rows, labels[part.places], settings), settings)
                )
            done += len(part.places) + len(part.bad)
            told(done, len(picked))
    if not parts:
        raise none_readable(len(picked), bad)
    return Score(_together(parts), rescaled, bad, training)


def _together(parts: list[Evaluation]) -> Evaluation:
    n = sum(part.n for part in parts)
    right, among_five = (
        sum(round(share * part.n) for share, part in zip(shares, parts, strict=True))
        for shares in ([p.accuracy for p in parts], [p.top5 for p in parts])
    )
    loss = sum(part.loss * part.n for part in parts)
    return Evaluation(loss / n, right / n, among_five / n, n)
