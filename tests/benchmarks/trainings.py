"""Trainings of one network as sides: ours, the bare loop with our step, loops written by hand.

Each measures images a second over a pass through the same images, after a pass that only warms up.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import handwritten
import torch
import torch.nn.functional as F
import usual_script
from side import THREADS, Turns, short
from torch import Tensor, nn

import netdsl
from netdsl.allocator import keep_memory
from netdsl.train import RunFolder, Settings, load, resolve, train
from netdsl.train.batches import feed, shuffled
from netdsl.train.compiling import Compiled
from netdsl.train.computing import computing
from netdsl.train.data import DataSet
from netdsl.train.data.dataset import Split
from netdsl.train.dropout import fast_dropout
from netdsl.train.evaluation import place
from netdsl.train.metrics import Row
from netdsl.train.pace import wait
from netdsl.train.progress import Start, Step, Summary

_EPOCHS = 100  # more than anybody asks for


@dataclass(frozen=True)
class Case:
    """A network, how many images of which size are enough to time it, and where."""

    arch: str
    title: str
    size: int
    enough: int
    batch: int
    device: str = "cpu"

    @property
    def images(self) -> int:
        return short(self.enough, self.batch)

    @property
    def settings(self) -> Settings:
        """What `netdsl train` takes on this machine; compiled on a GPU, where that always pays.

        On a CPU a long training of ResNet-20 would be compiled too, and be faster than is shown.
        """
        augment = ("pad_crop padding=4", "flip") if self.size == 32 else ("flip", "crop_rescale")
        return resolve({
            "epochs": _EPOCHS, "batch_size": self.batch, "augment": augment, "sample": 2,
            "device": self.device, "threads": THREADS, "compile": self.device == "cuda",
        })  # fmt: skip

    def data(self, folder: Path) -> DataSet:
        """Return the images, and few to validate by, which is off the clock."""
        data = load(str(folder), limit=self.images)
        return replace(data, val=Split(data.val.images[:2], data.val.labels[:2]))

    def network(self) -> nn.Module:
        return netdsl.load(self.arch, classes=10).module()

    def by_hand(self) -> nn.Module:
        model: nn.Module = getattr(handwritten, self.arch)(10)
        return model


def ours(turns: Turns, case: Case, folder: Path, precision: str | None = None) -> None:
    """Train as the command does, heap and all, with everything that it writes and checks."""
    keep_memory()
    settings = case.settings
    settings = replace(settings, precision=precision or settings.precision)
    data = case.data(folder)
    with TemporaryDirectory(prefix="netdsl-bench-") as place:
        run = RunFolder.create("", settings, {}, data=data, path=Path(place, "run"))
        train(case.network(), data, settings, run, _Paced(turns))


def bare(turns: Turns, case: Case, folder: Path) -> None:
    """Take the same step in a loop over batches that are ready: no images to read, no checks."""
    if case.device == "cpu":
        keep_memory()
    settings, model = case.settings, case.network()
    place(model, settings)
    batches = _batches(case, folder, settings)
    optimiser = torch.optim.SGD(
        model.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4, fused=True
    )
    called = Compiled(model, replayed=True) if settings.compile else model
    bf16 = settings.precision == "bf16"

    def step(x: Tensor, y: Tensor) -> None:
        optimiser.zero_grad()
        with torch.autocast(case.device, torch.bfloat16, enabled=bf16):
            logits = called(x)
        F.cross_entropy(logits.float(), y).backward()
        optimiser.step()

    with computing(settings), fast_dropout(model, settings):
        _measure(turns, _loop(step, batches, case.device))


def eager(turns: Turns, case: Case, folder: Path) -> None:
    """Take the step of a network written by hand, fp32, NCHW, over batches that are ready."""
    settings = replace(case.settings, precision="fp32", channels_last=False)
    model = case.by_hand().train()
    optimiser = torch.optim.SGD(
        model.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4
    )

    def step(x: Tensor, y: Tensor) -> None:
        optimiser.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimiser.step()

    _measure(turns, _loop(step, _batches(case, folder, settings), "cpu"))


def usual(turns: Turns, case: Case, folder: Path, workers: int = 0) -> None:
    """Run the script that people write."""
    images = usual_script.loader(folder / "train", case.size, case.batch, workers, case.images)
    _measure(turns, usual_script.train(case.by_hand(), images, _EPOCHS, case.device))


def _batches(case: Case, folder: Path, settings: Settings) -> list[tuple[Tensor, Tensor]]:
    data = case.data(folder)
    source = feed(data.train, data, settings, stays=True)
    return [(images, labels) for images, _, labels in shuffled(source, settings, 1)]


def _loop(
    step: Callable[[Tensor, Tensor], None], batches: list[tuple[Tensor, Tensor]], device: str
) -> Iterator[float]:
    for _ in itertools.count():
        start = time.perf_counter()
        for x, y in batches:
            step(x, y)
        wait(device)
        yield sum(len(y) for _, y in batches) / (time.perf_counter() - start)


def _measure(turns: Turns, paces: Iterator[float]) -> None:
    while True:
        turns.begin()
        turns.end(next(paces))


class _Paced:
    """Lets a training go on an epoch whenever somebody asks how fast it is."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns

    def started(self, start: Start) -> None:
        self.turns.begin()

    def epoch(self, row: Row) -> None:
        self.turns.end(row.images_per_second)
        self.turns.begin()

    def note(self, fact: str) -> None: ...

    def step(self, step: Step) -> None: ...

    def stopping(self) -> None: ...

    def finished(self, summary: Summary) -> None: ...
