"""Convolutions as they are written: with their norm and activation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netdsl.errors import Misfit
from netdsl.ir import Block, Builder, Family, Node, Size
from netdsl.ir.limits import CHANNELS, KERNEL
from netdsl.ir.settings import BIAS, ActKind, Bias, NormKind
from netdsl.ops.act import activate
from netdsl.ops.catalogue import arg, layer
from netdsl.ops.convolution import Convolution, TransposedConvolution, has_bias
from netdsl.ops.norm import normalize
from netdsl.padding import same_padding

_SIZE_OF_MAP = 8  # from here on an even kernel is rather that


@layer(
    "Conv",
    examples=(
        "Conv 4", "Conv 4 5x3 s2", "Conv4k7s2", "Conv 6 k=5x3 act=none norm=none bias g3 d2 p0",
        "Conv 4 k2 s2", "Conv 4 4x4 s2", "Conv 4 act=gelu norm=layer", "Conv 4 s=2x1 p=0x1",
        "Conv 6 norm=group bias=on",
    ),
    positional=("channels",),
    size="k",
    flags={"bias": ("bias", "on")},
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class Conv(Block):
    """Convolution, then norm, then activation: `Conv channels [k=3] [s=1]`.

    Padding keeps the size at stride 1 ("same"): d(k-1)/2 for odd kernels, (d(k-1)+1-s)/2 for even
    ones with an even stride; any other even kernel needs `p`, unless `d` is even too.
    `Conv 64 7x7 s2`, `Conv 64 k=3x5 g32 act=none`.
    """

    family: ClassVar[Family] = "conv"

    channels: int = arg(least=1, most=CHANNELS, scaled=True)
    k: Size = arg((3, 3), least=1, most=KERNEL)
    s: Size = arg((1, 1), least=1, most=KERNEL)
    p: Size | None = arg(None, least=0, most=KERNEL)
    d: Size = arg((1, 1), least=1, most=KERNEL)
    g: int = arg(1, least=1)
    norm: NormKind = arg("batch", setting="norm")
    act: ActKind = arg("relu", setting="act")
    bias: Bias = arg("auto", setting="bias", words=BIAS)

    def expand(self, build: Builder, x: Node) -> Node:
        return _convolve(build, x, self, self.channels, self.g)


@layer(
    "DWConv",
    examples=(
        "DWConv",
        "DWConv 5x3 s2",
        "DWConv m2 act=none",
        "DWConv k3 d2 norm=none",
        "DWConv p2 bias",
    ),
    size="k",
    flags={"bias": ("bias", "on")},
)
@dataclass(frozen=True, slots=True)
class DepthwiseConv(Block):
    """Depthwise convolution, one filter a channel, then norm and activation: `DWConv [k=3] [s=1]`.

    It takes no channel count; `m` gives every channel m filters. `DWConv 3x3`, `DWConv 5x5 s2`.
    """

    family: ClassVar[Family] = "conv"

    k: Size = arg((3, 3), least=1, most=KERNEL)
    s: Size = arg((1, 1), least=1, most=KERNEL)
    p: Size | None = arg(None, least=0, most=KERNEL)
    d: Size = arg((1, 1), least=1, most=KERNEL)
    m: int = arg(1, least=1, most=KERNEL)
    norm: NormKind = arg("batch", setting="norm")
    act: ActKind = arg("relu", setting="act")
    bias: Bias = arg("auto", setting="bias", words=BIAS)

    def expand(self, build: Builder, x: Node) -> Node:
        channels = x.shape.channels
        return _convolve(build, x, self, channels * self.m, channels)


@layer(
    "Deconv",
    examples=(
        "Deconv 4 s2",
        "Deconv 4 k3 s2",
        "Deconv 6 4x4 s2 g3",
        "Deconv 4 3x4 s=3x2",
        "Deconv 4 k1 s3",
        "Deconv 4 4x4 p0",
        "Deconv 4 k3 s2 p=1x0",
        "Deconv 4 s2 bias",
        "Deconv 4 s2 norm=layer act=silu",
    ),
    positional=("channels",),
    size="k",
    flags={"bias": ("bias", "on")},
)
@dataclass(frozen=True, slots=True)
class Deconv(Block):
    """Transposed convolution, then norm and activation: `Deconv channels [s=1] [k=s]`.

    The output is stride times the input, whatever the kernel: `Deconv 64 s2` doubles a map. With a
    padding it is (input - 1) s - 2 p + k, so `Deconv 512 4x4 p0` makes 4x4 of a single position.
    """

    family: ClassVar[Family] = "conv"

    channels: int = arg(least=1, most=CHANNELS, scaled=True)
    k: Size | None = arg(None, least=1, most=KERNEL)
    s: Size = arg((1, 1), least=1, most=KERNEL)
    p: Size | None = arg(None, least=0, most=KERNEL)
    g: int = arg(1, least=1)
    norm: NormKind = arg("batch", setting="norm")
    act: ActKind = arg("relu", setting="act")
    bias: Bias = arg("auto", setting="bias", words=BIAS)

    def expand(self, build: Builder, x: Node) -> Node:
        bias = has_bias(self.bias, self.norm)
        op = TransposedConvolution(self.channels, self.k or self.s, self.s, self.g, bias, self.p)
        y = normalize(build, build(op, x), self.norm, "norm")
        return activate(build, y, self.act, "act")


def _convolve(
    build: Builder, x: Node, layer: Conv | DepthwiseConv, channels: int, groups: int
) -> Node:
    """Add the convolution of a written layer, its norm and its activation."""
    p = _padding(build, x, layer, channels)
    bias = has_bias(layer.bias, layer.norm)
    y = build(Convolution(channels, layer.k, layer.s, p, layer.d, groups, bias), x)
    y = normalize(build, y, layer.norm, "norm")
    return activate(build, y, layer.act, "act")


def _padding(build: Builder, x: Node, layer: Conv | DepthwiseConv, channels: int) -> Size:
    """Return the padding that was given, else the "same" one; an even kernel may have none."""
    if layer.p is not None:
        return layer.p
    (h, w), s, d = layer.k, layer.s, layer.d
    try:
        return _same(h, s[0], d[0]), _same(w, s[1], d[1])
    except Misfit as misfit:
        help = misfit.help
        if channels and h == w >= _SIZE_OF_MAP:
            shape = f":{channels}x{h}x{w}"
            help = f"{help}; the shape of an output is written `{shape}`, behind the layer"
        build.reject(Misfit(misfit.code, misfit.message, help=help), (x,))
        return (0, 0)


def _same(k: int, s: int, d: int) -> int:
    padding = same_padding(k, s, d)
    if padding is not None:
        return padding
    width = d * (k - 1) + 1
    raise Misfit(
        "E0305",
        f'a kernel of {k} with stride {s} has no "same" padding',
        help=f"write the padding: `p{width // 2}` or `p{width // 2 - 1}`",
    )
