"""A training that is cut and goes on: equal to one that was not, bit for bit."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from netdsl.train import (
    DataSet,
    ExitCode,
    Row,
    RunFolder,
    Settings,
    Silent,
    TrainError,
    train,
)
from netdsl.train.checkpoint import read_checkpoint

FILES = ("metrics.csv", "last.safetensors", "best.safetensors")


class Dropout(nn.Module):
    """Draws from torch's numbers, in a branch whose weights lie as channels_last lays them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.branch = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1), nn.Dropout(0.3))
        self.head = nn.Linear(6 * 8 * 8, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = relu(self.norm(self.stem(x)))
        return self.head(relu(x + self.keep(x)).flatten(1))

    def keep(self, x: Tensor) -> Tensor:
        return self.branch(x)


class StochasticDepth(Dropout):
    """Draws from its own numbers whether the branch is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.random = random.Random(4)

    def keep(self, x: Tensor) -> Tensor | float:
        left_out = self.training and self.random.random() < 0.5
        return 0.0 if left_out else self.branch(x)


@dataclass
class Watch(Silent):
    """Keeps the checkpoint behind the last epoch."""

    run: RunFolder
    state: dict[str, Any] | None = None

    def epoch(self, row: Row) -> None:
        self.state = dict(read_checkpoint(self.run.checkpoint))


def _cut_in(where: str) -> Callable[[nn.Module, tuple[Tensor], Tensor], None]:
    """Return a hook that sends SIGINT at one point of the second epoch of three."""
    passed = {"training": 0, "validation": 0}

    def hook(module: nn.Module, images: tuple[Tensor], result: Tensor) -> None:
        if len(images[0]) <= 4:  # tried out
            return
        passed["training" if module.training else "validation"] += 1
        if passed == WHEN[where] and module.training == (where != "in validation"):
            signal.raise_signal(signal.SIGINT)

    return hook


# Batches that went through: 7 an epoch in training, 2 for validation and 1 of the sample.
WHEN = {
    "in the midst of an epoch": {"training": 10, "validation": 3},
    "behind the last step": {"training": 14, "validation": 3},
    "in validation": {"training": 14, "validation": 4},
}


def _model(kind: type[Dropout], seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return kind()


@pytest.fixture(scope="module")
def uncut(digits: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Train without a cut, once for each combination."""
    done: dict[Any, Any] = {}

    def run(kind: type[Dropout], settings: Settings) -> tuple[RunFolder, Any]:
        key = (kind, settings)
        if key not in done:
            folder = RunFolder.create("", settings, {}, path=tmp_path_factory.mktemp("uncut"))
            watch = Watch(folder)
            train(_model(kind, 3), digits, settings, folder, watch)
            done[key] = folder, watch.state
        return done[key]

    return run


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give every number of a checkpoint that is not a duration."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}.{number}")
    elif path.rpartition(".")[2] not in {"seconds", "images_per_second", "peak_memory"}:
        yield path, value


def _equal(one: Any, other: Any) -> bool:
    if not isinstance(one, Tensor):
        return bool(one == other)
    return torch.equal(one, other) and one.stride() == other.stride() and one.dtype == other.dtype


@pytest.mark.parametrize("kind", [Dropout, StochasticDepth])
@pytest.mark.parametrize("schedule", ["one_cycle", "step"])
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
@pytest.mark.parametrize(
    "where", ["in the midst of an epoch", "behind the last step", "in validation"]
)
def test_a_resumed_training_equals_one_that_was_never_cut(
    where: str,
    optimiser: str,
    schedule: str,
    kind: type[Dropout],
    digits: DataSet,
    settings: Settings,
    tmp_path: Path,
    uncut: Callable[..., Any],
) -> None:
    settings = replace(
        settings, epochs=3, optimiser=optimiser, schedule=schedule, milestones=(1.5,), lr=0.01,
        average=0.9, mixup=0.2, augment=("pad_crop padding=1",), sample=30, clip=1.0,
    )  # fmt: skip
    expected, state = uncut(kind, settings)
    run = RunFolder.create("", settings, {}, path=tmp_path)
    _cut(_model(kind, 3), digits, settings, run, where)
    watch = Watch(run)
    train(_model(kind, 99), digits, settings, run, watch)
    for name in FILES:
        assert (run.path / name).read_bytes() == (expected.path / name).read_bytes(), name
    found, reference = dict(_leaves(watch.state)), dict(_leaves(state))
    assert found.keys() == reference.keys()
    assert [name for name in found if not _equal(found[name], reference[name])] == []


def _cut(model: nn.Module, data: DataSet, settings: Settings, run: RunFolder, where: str) -> None:
    model.register_forward_hook(_cut_in(where))
    with pytest.raises(TrainError, match=r"^stopped after step ") as caught:
        train(model, data, settings, run)
    assert caught.value.exit_code == ExitCode.INTERRUPTED
    assert read_checkpoint(run.checkpoint)["done"] == WHEN[where]["training"]
    assert len(run.rows) == 1
