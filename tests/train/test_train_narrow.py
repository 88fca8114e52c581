"""Narrow strided convolutions of 1x1, whose gradient torch gets wrong where channels come last."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import nn

from netdsl.experiment.analysis.probe import probe
from netdsl.train import load
from netdsl.train.evaluation import place
from netdsl.train.forecast import forecast
from netdsl.train.narrow import narrow_convolutions
from netdsl.train.settings import Settings

# A process of its own: without what is tested here it ends by a signal, or never.
TRAINING = """
import sys
from pathlib import Path
import torch
from torch import nn
from netdsl.train import RunFolder, Settings, load, train

torch.manual_seed(0)
torch.set_num_threads(1)
data = load("shapes", limit=400)
settings = Settings(epochs=3, batch_size=8, lr=0.01, precision="fp32")
model = nn.Sequential(nn.Conv2d(data.shape[0], 16, 1, stride=2), nn.AdaptiveAvgPool2d(1),
                      nn.Flatten(), nn.Linear(16, len(data.classes)))
run = RunFolder.create("", settings, {}, data=data, path=Path(sys.argv[1]))
train(model, data, settings, run)
print(data.shape[0], "channels")
"""


def test_a_training_of_one_comes_to_its_end(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TRAINING, f"{tmp_path}/run"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "3 channels\n"), done.stderr


@pytest.mark.parametrize("stride", [2, (1, 2)])
def test_its_gradient_is_that_of_contiguous_images(stride: int | tuple[int, int]) -> None:
    torch.manual_seed(0)
    layer, x = nn.Conv2d(6, 12, 1, stride=stride), torch.randn(8, 6, 16, 16)
    layer(x).square().sum().backward()
    assert layer.weight.grad is not None
    expected = layer.weight.grad.clone()
    layer.zero_grad()
    model = nn.Sequential(layer)
    place(model, Settings(channels_last=True))
    model.to(memory_format=torch.channels_last)  # as somebody may have done before
    with narrow_convolutions(model, "cpu"):
        y = model(x.contiguous(memory_format=torch.channels_last))
        y.square().sum().backward()
    assert layer.weight.stride() == (6, 1, 1, 1)
    torch.testing.assert_close(layer.weight.grad, expected)


class Recording(nn.Conv2d):
    """A convolution that notes of each map that it learns from whether it is contiguous."""

    seen: ClassVar[list[bool]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled():
            self.seen.append(x.is_contiguous())
        return super().forward(x)


class Turned(nn.Module):
    """Channels to the last place in memory, as a layer norm over them leaves a map."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.contiguous(memory_format=torch.channels_last)


@pytest.fixture
def recording() -> nn.Module:
    Recording.seen.clear()
    return nn.Sequential(
        Turned(), Recording(3, 16, 1, stride=2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)
    )  # fmt: skip


def test_a_forecast_and_a_probe_hand_on_contiguous_maps_too(recording: nn.Module) -> None:
    data = load("shapes", limit=40)
    forecast(recording, data, Settings(epochs=1, batch_size=8, lr=0.01, precision="fp32"))
    assert {*Recording.seen} == {True}
    Recording.seen.clear()
    probe(recording, (), torch.randn(4, 3, 16, 16), torch.arange(4))
    assert {*Recording.seen} == {True}


def test_others_and_other_devices_are_left_alone() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 1, stride=2), nn.Conv2d(8, 16, 1), nn.Conv2d(16, 32, 1, 2)
    )
    with narrow_convolutions(model, "cuda"):
        assert not any(layer._forward_pre_hooks for layer in model)
    with narrow_convolutions(model, "cpu"):
        assert [len(layer._forward_pre_hooks) for layer in model] == [1, 0, 0]
    assert not any(layer._forward_pre_hooks for layer in model)
