"""Two runs of the same to whether they are equal, bit for bit, and else how far apart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from netdsl.amounts import counted
from netdsl.train import Row, RunFolder, TrainError
from netdsl.train.files import read_file
from netdsl.train.metrics import METRICS

_WEIGHTS = ("best", "last")


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs, and in words how far."""

    what: str
    how: str


def differences(first: RunFolder, second: RunFolder) -> tuple[Difference, ...]:
    """Return what differs between the results of two runs; nothing where they are equal.

    Weights are compared where both have kept theirs.
    """
    return (*_metrics(first, second), *_weights(first, second))


def kept_weights(run: RunFolder) -> dict[str, dict[str, Tensor]]:
    """Return the best and the last weights of a run; none of one that kept none.

    An experiment that was exported keeps none.
    """
    if not run.last.is_file():
        return {}
    found = {}
    for name in _WEIGHTS:
        path: Path = getattr(run, name)
        try:
            found[name] = load(read_file(path))
        except SafetensorError as error:
            raise TrainError(f"{path} is not a file of weights: {error}") from error
    return found


def _learnt(row: Row) -> list[float]:
    return [getattr(row, name) for name in METRICS]


def _metrics(first: RunFolder, second: RunFolder) -> Iterator[Difference]:
    if read_file(first.path / "metrics.csv") == read_file(second.path / "metrics.csv"):
        return
    before, now = first.rows, second.rows
    if [_learnt(row) for row in before] == [_learnt(row) for row in now]:
        yield Difference("metrics.csv", "the same numbers, written otherwise")
    if len(before) != len(now):
        yield Difference("metrics.csv", f"{counted(len(before), 'epoch')} and {len(now)}")
    for name in METRICS[1:]:
        pairs = [(getattr(a, name), getattr(b, name)) for a, b in zip(before, now, strict=False)]
        farthest = max((abs(a - b) for a, b in pairs), default=0.0)
        if farthest:
            a, b = pairs[-1]
            yield Difference(name, f"up to {farthest:.3g} apart, at the end {a:.6g} and {b:.6g}")


def _weights(first: RunFolder, second: RunFolder) -> Iterator[Difference]:
    kept, new = kept_weights(first), kept_weights(second)
    for name in (name for name in kept if name in new):
        before, now = kept[name], new[name]
        if before.keys() != now.keys():
            yield Difference(f"{name}.safetensors", "other weights by name")
            continue
        apart = [key for key in before if not torch.equal(before[key], now[key])]
        if apart:
            square = sum(float((before[key].double() - now[key].double()).square().sum())
                         for key in apart)  # fmt: skip
            size = sum(float(before[key].double().square().sum()) for key in before)
            far = math.sqrt(square / size) if size else math.inf
            yield Difference(
                f"{name}.safetensors",
                f"{len(apart)} of {len(before)} tensors differ, by {far:.3g} of the norm",
            )
