"""Predictions of images in memory: as `predict` computes them, against fp32 eager."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
import torch
from side import THREADS, Turns, side
from table import Measured, rounds, row
from trainings import Case

from netdsl.allocator import keep_memory
from netdsl.train import resolve
from netdsl.train.computing import computing
from netdsl.train.inference.about import About
from netdsl.train.inference.fast import make_fast
from netdsl.train.inference.predicting import probabilities

CASES = (Case("resnet20", "ResNet-20", 32, 1280, 128), Case("net1", "Net 1", 64, 128, 128))
SPREAD = ((0.48, 0.448, 0.398), (0.277, 0.269, 0.282))


def images(case: Case) -> torch.Tensor:
    """Return uint8 images (N, H, W, C)."""
    random = torch.Generator().manual_seed(0)
    shape = (case.images, case.size, case.size, 3)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=random)


def ours(turns: Turns, case: Case, precision: str) -> None:
    """Normalise and predict as the command does once images are decoded, its heap too."""
    keep_memory()
    settings = resolve({"precision": precision, "threads": THREADS, "device": "cpu"})
    about = About("", (3, case.size, case.size), (), *SPREAD)
    source = about.feed(images(case), torch.full((case.images,), -1), settings)
    with computing(settings):
        fast = make_fast(case.network(), settings)
        while True:
            turns.begin()
            start = time.perf_counter()
            for _ in probabilities(fast, source):
                pass
            turns.end(case.images / (time.perf_counter() - start))


@torch.no_grad()
def eager(turns: Turns, case: Case) -> None:
    """Run the network written by hand in fp32 over batches that are normalised already."""
    mean, std = (torch.tensor(numbers)[:, None, None] for numbers in SPREAD)
    pixels = images(case).permute(0, 3, 1, 2).float().div(255)
    batches = ((pixels - mean) / std).contiguous().split(case.batch)
    model = case.by_hand().eval()
    while True:
        turns.begin()
        start = time.perf_counter()
        for batch in batches:
            model(batch).softmax(1)
        turns.end(case.images / (time.perf_counter() - start))


@pytest.mark.parametrize("case", CASES, ids=[case.arch for case in CASES])
def test_predicting(measured: Callable[[Measured], None], case: Case) -> None:
    with ExitStack() as held:
        functions = ((ours, "bf16"), (ours, "fp32"), (eager,))
        sides = [held.enter_context(side(f, case, *more)) for f, *more in functions]
        found = rounds(sides, 7)
    name = "predict in {} ÷ fp32 eager, images/s, {}"
    measured(row(name.format("bf16", case.title), [b / e for b, _, e in found]))
    measured(row(name.format("fp32", case.title), [f / e for _, f, e in found]))
