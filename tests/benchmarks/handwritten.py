"""ResNet-20 and Net 1 as people write them by hand: what compiled networks are measured against."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    """Two 3x3 convolutions with batch norm, dropout between, and a parameter-free shortcut."""

    def __init__(self, inputs: int, channels: int, stride: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.dropout = nn.Dropout(dropout) if dropout else None
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.stride = stride
        self.extra = channels - inputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        if self.dropout is not None:
            y = self.dropout(y)
        y = self.bn2(self.conv2(y))
        if self.stride != 1:
            x = x[:, :, :: self.stride, :: self.stride]
        if self.extra:
            x = F.pad(x, (0, 0, 0, 0, 0, self.extra))
        return self.relu(y + x)


def conv(inputs: int, channels: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, channels, 3, 1, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    ]


def resnet20(classes: int = 10) -> nn.Module:
    blocks = [Block(16, 16) for _ in range(3)]
    for inputs, channels in ((16, 32), (32, 64)):
        blocks.append(Block(inputs, channels, 2))
        blocks += [Block(channels, channels) for _ in range(2)]
    return nn.Sequential(
        *conv(3, 16), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes)
    )


def net1(classes: int = 200) -> nn.Module:
    def pool() -> nn.Module:
        return nn.AvgPool2d(2)

    return nn.Sequential(
        *conv(3, 64), *conv(64, 64), pool(),
        Block(64, 64, dropout=0.5), Block(64, 128, dropout=0.5), pool(),
        Block(128, 128, dropout=0.5), Block(128, 256, dropout=0.5), pool(),
        Block(256, 256, dropout=0.5), pool(), Block(256, 512, dropout=0.5), pool(),
        nn.Flatten(), nn.Linear(2048, classes),
    )  # fmt: skip


def step(model: nn.Module, x: Tensor, y: Tensor) -> None:
    """Forward, backward and a step of SGD, as in any training loop."""
    loss = F.cross_entropy(model(x), y)
    for parameter in model.parameters():
        parameter.grad = None
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            assert parameter.grad is not None
            parameter.add_(parameter.grad, alpha=-0.01)
