"""The modules that torch.nn lacks; compiled networks use them and printed ones contain them.

NOTE: the Python back end prints these classes as they stand here, so each has to make sense alone,
with `torch`, `nn` and `F` as its only names.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Add(nn.Module):
    """The sum of its inputs."""

    def forward(self, x: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            x = x + other
        return x


class Cat(nn.Module):
    """Its inputs, stacked by channel."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat(inputs, 1)


class Multiply(nn.Module):
    """The product of its inputs."""

    def forward(self, x: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            x = x * other
        return x


class ChannelMean(nn.Module):
    """The mean over the channels of each position: N x 1 x H x W."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1, keepdim=True)


class ChannelMax(nn.Module):
    """The largest of the channels of each position: N x 1 x H x W."""

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(1, keepdim=True)


class ZeroPad(nn.Module):
    """Shortcut that subsamples and stacks zero channels (He et al. 2016, option A)."""

    def __init__(self, stride: int | tuple[int, int], channels: int) -> None:
        super().__init__()
        self.stride = (stride, stride) if isinstance(stride, int) else stride
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        height, width = self.stride
        x = x[:, :, ::height, ::width]
        return F.pad(x, (0, 0, 0, 0, 0, self.channels))

    def extra_repr(self) -> str:
        return f"stride={self.stride}, channels={self.channels}"


class AveragePad(nn.Module):
    """Shortcut that averages over stride x stride windows and stacks zero channels."""

    def __init__(self, stride: int | tuple[int, int], channels: int) -> None:
        super().__init__()
        self.stride = (stride, stride) if isinstance(stride, int) else stride
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        if self.stride != (1, 1):
            x = F.avg_pool2d(x, self.stride, ceil_mode=True)
        return F.pad(x, (0, 0, 0, 0, 0, self.channels))

    def extra_repr(self) -> str:
        return f"stride={self.stride}, channels={self.channels}"


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each position of a map (ConvNeXt)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Part(nn.Module):
    """Some of the channels, side by side."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__()
        self.start = start
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.start : self.end]

    def extra_repr(self) -> str:
        return f"{self.start}, {self.end}"


class LayerScale(nn.Module):
    """One learned factor a channel that starts small (ConvNeXt)."""

    def __init__(self, channels: int, start: float) -> None:
        super().__init__()
        self.start = start
        self.scale = nn.Parameter(torch.full((channels, 1, 1), start))

    def reset_parameters(self) -> None:
        nn.init.constant_(self.scale, self.start)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale

    def extra_repr(self) -> str:
        return f"{len(self.scale)}, start={self.start}"


class StochasticDepth(nn.Module):
    """The end of a branch that training leaves out now and then: evaluation scales it."""

    def __init__(self, survival: float) -> None:
        super().__init__()
        self.survival = survival

    def forward(self, x: Tensor) -> Tensor:
        return x if self.training else x * self.survival

    def extra_repr(self) -> str:
        return f"survival={self.survival}"
