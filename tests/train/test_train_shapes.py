"""Made-up shapes: any size and number of classes, always the same, neither trivial nor hopeless."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from netdsl.train import DataSet, TrainError, load


@pytest.mark.parametrize(
    ("shape", "classes"), [((1, 5, 9), 2), ((3, 16, 12), 7), ((4, 1, 1), 3), ((2, 64, 3), 300)]
)
def test_any_shape_and_number_of_classes_can_be_had(
    shape: tuple[int, int, int], classes: int
) -> None:
    data = load("shapes", shape=shape, limit_classes=classes, limit=2 * classes)
    assert (data.shape, len(data.classes)) == (shape, classes)
    assert data.train.labels.bincount().tolist() == [2] * classes
    assert len(data.val) > 0
    assert (len(data.mean), data.train.images.dtype) == (shape[0], torch.uint8)


def test_they_are_the_same_each_time_and_others_with_another_seed() -> None:
    first, again, other = (load("shapes", limit=50, seed=seed) for seed in (3, 3, 4))
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_large_images_are_fewer() -> None:
    assert len(load("shapes", shape=(1, 8, 8), limit_classes=2).train) == 4000


@pytest.mark.parametrize("classes", [0, 1])
def test_fewer_than_two_classes_are_refused(classes: int) -> None:
    with pytest.raises(TrainError) as caught:
        load("shapes", limit_classes=classes)
    assert str(caught.value) == f"limit_classes is {classes}, but must be 2 or more"


def _accuracy(model: nn.Module, data: DataSet, epochs: int) -> float:
    x, y = data.train.images.float() / 255 - 0.5, data.train.labels
    optimiser = torch.optim.Adam(model.parameters(), 0.003)
    for _ in range(epochs):
        for part in torch.randperm(len(y)).split(32):
            optimiser.zero_grad()
            cross_entropy(model(x[part]), y[part]).backward()
            optimiser.step()
    model.eval()
    right = model(data.val.images.float() / 255 - 0.5).argmax(1) == data.val.labels
    return right.float().mean().item()


def test_a_few_convolutions_learn_what_a_linear_classifier_does_not() -> None:
    torch.manual_seed(0)
    data = load("shapes", shape=(3, 16, 16), limit_classes=5, limit=1000)
    convolutions = nn.Sequential(
        nn.Conv2d(3, 24, 5, padding=2), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(24, 48, 3, padding=1), nn.BatchNorm2d(48), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(48 * 16, 5),
    )  # fmt: skip
    linear = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 5))
    assert _accuracy(linear, data, 6) < 0.35
    assert _accuracy(convolutions, data, 6) > 0.7
