"""Two runs of the same to whether they are equal, bit for bit, and else how far apart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from netdsl.train import RunFolder
from netdsl.train.files import read_file
from netdsl.train.metrics import METRICS

_WEIGHTS = ("best", "last")


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs, and in words how far."""

    what: str
    how: str


def differences(first: RunFolder, second: RunFolder) -> tuple[Difference, ...]:
    """Return what differs between the results of two runs; nothing where they are equal."""
    return (*_metrics(first, second), *_weights(first, second))


def _metrics(first: RunFolder, second: RunFolder) -> Iterator[Difference]:
    if read_file(first.path / "metrics.csv") == read_file(second.path / "metrics.csv"):
        return
    before, now = first.rows, second.rows
    if len(before) != len(now):
        yield Difference("metrics.csv", f"{len(before)} epochs and {len(now)}")
    for name in METRICS[1:]:
        pairs = [(getattr(a, name), getattr(b, name)) for a, b in zip(before, now, strict=False)]
        farthest = max((abs(a - b) for a, b in pairs), default=0.0)
        if farthest:
            a, b = pairs[-1]
            yield Difference(name, f"up to {farthest:.3g} apart, at the end {a:.6g} and {b:.6g}")


def _weights(first: RunFolder, second: RunFolder) -> Iterator[Difference]:
    from safetensors.torch import load_file

    if not first.last.is_file():  # an experiment that was exported keeps no weights
        return
    for name in _WEIGHTS:
        before, now = (load_file(getattr(run, name)) for run in (first, second))
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
