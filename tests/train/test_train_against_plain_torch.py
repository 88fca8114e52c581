"""With `exact`, what a loop computes that somebody wrote by hand in plain torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from netdsl.lower import make_overrides
from netdsl.network import build
from netdsl.shelf import open_arch
from netdsl.train import DataSet, RunFolder, Settings, train
from netdsl.train.computing import threads
from netdsl.train.data.dataset import Split
from netdsl.train.mixing import Target
from netdsl.train.objective import loss_of

STEPS, IMAGES, BATCH = 50, 20, 2


# The loop by hand. Of netdsl it knows the random streams: generator (seed, epoch, 0) orders the
# images, (seed, epoch, 1) pads and crops, (seed, epoch, 2) flips.
def by_hand(model: nn.Module, data: DataSet, settings: Settings) -> list[float]:
    torch.manual_seed(settings.seed)
    model.train()
    optimiser = torch.optim.SGD(
        model.parameters(), lr=settings.lr, momentum=0.9, weight_decay=1e-4, nesterov=True
    )
    steps_an_epoch = len(data.train) // settings.batch_size
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.lr, total_steps=settings.epochs * steps_an_epoch, cycle_momentum=False
    )
    losses = []
    for epoch in range(1, settings.epochs + 1):
        for images, labels in batches(data, settings, epoch):
            optimiser.zero_grad()
            loss = cross_entropy(model(images), labels)
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
    return losses


def batches(data: DataSet, settings: Settings, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
    n = len(data.train)
    order = numbers(settings.seed, epoch, 0).permutation(n)
    corners = numbers(settings.seed, epoch, 1).random((n, 2), np.float32)
    flips = numbers(settings.seed, epoch, 2).random((n, 1), np.float32)
    mean = torch.tensor(data.mean).view(-1, 1, 1) * 255
    scale = 1 / (torch.tensor(data.std).view(-1, 1, 1) * 255)
    for begin in range(0, n, settings.batch_size):
        chosen = order[begin : begin + settings.batch_size]
        images = []
        for i in chosen:
            image = pad_and_crop(data.train.images[i], corners[i])
            image = image.flip(2) if flips[i, 0] < 0.5 else image
            images.append((image.float() - mean) * scale)
        yield torch.stack(images), data.train.labels[torch.from_numpy(chosen)]


def numbers(*seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))


def pad_and_crop(image: Tensor, corner: np.ndarray) -> Tensor:
    height, width = image.shape[1:]
    top, left = int(corner[0] * np.float32(9)), int(corner[1] * np.float32(9))
    return pad(image, (4, 4, 4, 4))[:, top : top + height, left : left + width]


def _data(shape: tuple[int, int, int], classes: int) -> DataSet:
    rng = np.random.default_rng(5)
    split = Split(
        torch.from_numpy(rng.integers(0, 256, (IMAGES, *shape), np.uint8)).contiguous(
            memory_format=torch.channels_last
        ),
        torch.from_numpy(rng.integers(0, classes, IMAGES)),
    )
    few = Split(split.images[:2], split.labels[:2])
    names = tuple(map(str, range(classes)))
    return DataSet("noise", names, split, few, (0.5, 0.4, 0.3), (0.25, 0.24, 0.26), (), {})


def _noting(losses: list[float]) -> Callable[..., Tensor]:
    """Return what computes the loss, and notes it; epochs keep its mean alone."""

    def noted(logits: Tensor, target: Target, settings: Settings) -> Tensor:
        loss = loss_of(logits, target, settings)
        losses.append(loss.item())
        return loss

    return noted


def _network(arch: str) -> nn.Module:
    none = make_overrides(None, None, None, None, {})
    return build(*open_arch(arch).with_overrides(none)).module(seed=3)


@pytest.mark.parametrize(
    ("arch", "shape", "classes"),
    [
        ("resnet20", (3, 32, 32), 10),
        pytest.param("net1", (3, 64, 64), 200, marks=pytest.mark.slow),
    ],
)
def test_the_first_losses_are_those_of_a_loop_by_hand_to_the_last_bit(
    arch: str,
    shape: tuple[int, int, int],
    classes: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings(
        epochs=STEPS * BATCH // IMAGES, batch_size=BATCH, lr=0.01, weight_decay=1e-4, sample=2,
        augment=("pad_crop padding=4", "flip"), seed=11, exact=True, channels_last=False,
    )  # fmt: skip
    data, run = _data(shape, classes), RunFolder.create("", settings, {}, path=tmp_path)
    found: list[float] = []
    monkeypatch.setattr("netdsl.train.epoch.loss_of", _noting(found))
    train(_network(arch), data, settings, run)
    with threads(settings.threads):
        expected = by_hand(_network(arch), data, settings)
    assert len(found) == STEPS
    assert found == expected
