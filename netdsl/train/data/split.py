"""Labels to positions: which images are held out, which are kept when not all are wanted."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from netdsl.train.data.dataset import Listing
from netdsl.train.errors import ExitCode, TrainError

Labels = NDArray[np.int64]
Positions = NDArray[np.int64]


def choose(
    listing: Listing, limit_classes: int | None, limit: int | None
) -> tuple[Positions, Positions]:
    """Return where the training and the validation images lie that are wanted, as `load` says."""
    classes = len(listing.classes)
    if limit_classes is not None and limit_classes < 2:  # where classes are made, as few are there
        raise _out_of_range(f"limit_classes is {limit_classes}", "2 or more")
    if limit_classes is not None and limit_classes > classes:
        raise _out_of_range(f"limit_classes is {limit_classes}", f"from 2 to {classes}")
    if limit is not None and limit < 2:
        raise _out_of_range(f"limit is {limit}", "2 or more")
    wanted = (listing.labels >= 0) & (listing.labels < (limit_classes or classes))
    train = np.flatnonzero(wanted & ~listing.held_out)
    val = np.flatnonzero(wanted & listing.held_out)
    if limit is None or limit >= len(train):
        return train, val
    fewer = math.ceil(len(val) * limit / len(train))
    labels = listing.labels
    return train[spread(labels[train], limit)], val[spread(labels[val], fewer)]


def spread(labels: Labels, count: int) -> Positions:
    """Return the positions of `count` images, every class its share, the first ones of each.

    Webster's method: the k-th image of a class of n is taken at (k + 1/2) / n. More images never
    lose one that fewer had.

    >>> labels = np.array([0, 0, 0, 0, 1, 1])
    >>> spread(labels, 3).tolist(), spread(labels, 2).tolist()
    ([0, 1, 4], [0, 4])
    """
    sizes = np.bincount(labels)
    by_class = np.argsort(labels, kind="stable")
    starts = np.cumsum(sizes) - sizes
    rank = np.empty(len(labels))
    rank[by_class] = np.arange(len(labels)) - starts[labels[by_class]]
    first = np.lexsort((labels, (rank + 0.5) / sizes[labels]))
    return np.sort(first[:count])


def hold_out(labels: Labels, part: float, seed: int) -> NDArray[np.bool_]:
    """Say of every image whether it is held out: at random, but the same part of every class.

    >>> held = hold_out(np.repeat([0, 1], [10, 20]), 0.2, seed=3)
    >>> held[:10].sum(), held[10:].sum()
    (np.int64(2), np.int64(4))
    """
    order = np.random.Generator(np.random.Philox(seed)).permutation(len(labels))
    held = np.zeros(len(labels), np.bool_)
    held[order[spread(labels[order], round(len(labels) * part))]] = True
    return held


def _out_of_range(fact: str, rule: str) -> TrainError:
    return TrainError(f"{fact}, but must be {rule}", exit_code=ExitCode.USAGE)
