"""The most memory that a training takes on as many images as Tiny ImageNet has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import torch.nn.functional as F
from side import Turns, short, side
from table import Measured, row
from torch import Tensor
from trainings import Case

from netdsl.allocator import keep_memory
from netdsl.train import DataSet, RunFolder, Silent, Step, train
from netdsl.train.data.dataset import Split
from netdsl.train.memory import free_memory, peak_memory

BATCH = short(128, 16)
CASE = Case("net1", "Net 1", 64, 100_000, BATCH)
TRAIN, VAL, CLASSES, STEPS = short(100_000, 2000), short(10_000, 1000), 10, 2
NAME = "peak memory ÷ float32 in memory, Net 1 on Tiny ImageNet"
NEEDED = 10 * 10**9


class _EnoughError(Exception):
    pass


class _Few:
    """Listens as `Silent` does, and ends a training after a few steps."""

    def __getattr__(self, name: str) -> object:
        return getattr(Silent(), name)

    def step(self, step: Step) -> None:
        if step.step >= STEPS:
            raise _EnoughError


def stored(path: Path) -> Tensor:
    """Return the images (N, C, H, W) as they are decoded into the cache: a file, mapped."""
    shape = (TRAIN + VAL, CASE.size, CASE.size, 3)
    return torch.from_numpy(np.memmap(path, np.uint8, "r+", shape=shape)).permute(0, 3, 1, 2)


def ours(turns: Turns, path: Path) -> None:
    """Train on the mapped file, all of whose pages were read once, as they are in an epoch."""
    keep_memory()
    images, labels = stored(path), torch.arange(TRAIN + VAL) % CLASSES
    for part in images.split(1000):  # at once the sum would be made of 64 bits a byte
        part.sum()
    data = DataSet(
        "mapped", tuple(map(str, range(CLASSES))),
        Split(images[: TRAIN], labels[: TRAIN]),
        Split(images[TRAIN :], labels[TRAIN :]),
        (0.5,) * 3, (0.29,) * 3, (), {},
    )  # fmt: skip
    settings = replace(CASE.settings, sample=2000)
    turns.begin()
    with TemporaryDirectory(prefix="netdsl-bench-") as place:
        run = RunFolder.create("", settings, {}, data=data, path=Path(place, "run"))
        try:
            train(CASE.network(), data, settings, run, _Few())
        except _EnoughError:
            turns.end(peak_memory("cpu"))


def float32(turns: Turns, path: Path) -> None:
    """Train the network written by hand on images in memory, ready to be sliced."""
    images = torch.empty(TRAIN + VAL, 3, CASE.size, CASE.size)
    for here, part in zip(images.split(1000), stored(path).split(1000), strict=True):
        torch.div(part, 255, out=here)
    model = CASE.by_hand().train()
    optimiser = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=5e-4)
    turns.begin()
    for place in torch.randperm(TRAIN).split(CASE.batch)[:STEPS]:
        optimiser.zero_grad()
        F.cross_entropy(model(images[place]), place % CLASSES).backward()
        optimiser.step()
    turns.end(peak_memory("cpu"))


def test_peak_memory(
    measured: Callable[[Measured], None], not_run: Callable[[str, str], None], tmp_path: Path
) -> None:
    if (free := free_memory("cpu")) is None or free < NEEDED:
        not_run(NAME, f"needs {NEEDED // 10**9} GB of free memory")
    path = tmp_path / "images"
    block = np.random.default_rng(0).integers(0, 256, 1000 * CASE.size**2 * 3, np.uint8)
    with path.open("wb") as file:
        for _ in range((TRAIN + VAL) // 1000):
            file.write(block)
    found = []
    for _ in range(short(3)):  # each in processes of their own, one after the other
        peaks = []
        for function in (ours, float32):
            with side(function, path) as measure:
                peaks.append(measure())
        found.append(peaks[0] / peaks[1])
    measured(row(NAME, found))
