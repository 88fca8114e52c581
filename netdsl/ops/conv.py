"""Convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netdsl.errors import Misfit
from netdsl.ir import Block, Builder, Call, Cost, Family, Keeps, Node, Op, Shape, Size, Window
from netdsl.ir.settings import ActKind, Bias, NormKind
from netdsl.ops.act import activate
from netdsl.ops.catalogue import arg, layer
from netdsl.ops.norm import normalize
from netdsl.ops.window import fit, need_map, out_size, short

BIAS = {"true": "on", "false": "off"}
CHANNELS = 10**6
KERNEL = 10**4


@dataclass(frozen=True, slots=True)
class Convolution(Op):
    """A 2-d convolution and nothing else.

    `counted` is off for projections and for squeeze-and-excitation: papers do not count those
    as layers.
    """

    family: ClassVar[Family] = "conv"
    keeps: ClassVar[Keeps] = "input"

    channels: int
    kernel: Size = (3, 3)
    stride: Size = (1, 1)
    padding: Size = (1, 1)
    dilation: Size = (1, 1)
    groups: int = 1
    bias: bool = False
    counted: bool = True

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_map(x, "a convolution")
        for what, channels in (("input", x.channels), ("output", self.channels)):
            if channels % self.groups:
                raise Misfit(
                    "E0306", f"{channels} {what} channels do not divide into {self.groups} groups"
                )
        window = "x".join(map(str, self.kernel))
        fit(f"Conv {window}", x, self.kernel, self.padding, self.dilation)
        return Shape(
            self.channels, *out_size(x.hw, self.kernel, self.stride, self.padding, self.dilation)
        )

    def call(self, *inputs: Shape) -> Call:
        (x,) = inputs
        arguments: dict[str, object] = {
            "in_channels": x.channels, "out_channels": self.channels,
            "kernel_size": short(self.kernel), "stride": short(self.stride),
            "padding": short(self.padding), "dilation": short(self.dilation),
            "groups": self.groups, "bias": self.bias,
        }  # fmt: skip
        return Call("nn.Conv2d", _without(arguments, CONV_DEFAULTS), positional=3)

    def cost(self, *inputs: Shape) -> Cost:
        (x,) = inputs
        y = self.infer(x)
        weights = x.channels // self.groups * self.channels * self.kernel[0] * self.kernel[1]
        return Cost(weights + self.bias * self.channels, weights * y.height * y.width)

    def window(self, *inputs: Shape) -> Window:
        return Window(self.kernel, self.stride, self.dilation)

    @property
    def depth(self) -> int:
        return int(self.counted)


@dataclass(frozen=True, slots=True)
class TransposedConvolution(Op):
    """A 2-d transposed convolution whose output is stride x input."""

    family: ClassVar[Family] = "conv"
    keeps: ClassVar[Keeps] = "input"

    channels: int
    kernel: Size
    stride: Size
    groups: int = 1
    bias: bool = False

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_map(x, "a transposed convolution")
        for what, channels in (("input", x.channels), ("output", self.channels)):
            if channels % self.groups:
                raise Misfit(
                    "E0306", f"{channels} {what} channels do not divide into {self.groups} groups"
                )
        if any(e >= s for e, s in zip(self._padding()[1], self.stride, strict=True)):
            k, s = (short(size) for size in (self.kernel, self.stride))
            raise Misfit(
                "E0305", f"a kernel of {k} with stride {s} has no padding that gives {s} x input"
            )
        return Shape(self.channels, x.height * self.stride[0], x.width * self.stride[1])

    def call(self, *inputs: Shape) -> Call:
        (x,) = inputs
        padding, extra = self._padding()
        arguments: dict[str, object] = {
            "in_channels": x.channels, "out_channels": self.channels,
            "kernel_size": short(self.kernel), "stride": short(self.stride),
            "padding": short(padding), "output_padding": short(extra),
            "groups": self.groups, "bias": self.bias,
        }  # fmt: skip
        return Call("nn.ConvTranspose2d", _without(arguments, CONV_DEFAULTS), positional=3)

    def cost(self, *inputs: Shape) -> Cost:
        (x,) = inputs
        weights = x.channels * (self.channels // self.groups) * self.kernel[0] * self.kernel[1]
        return Cost(weights + self.bias * self.channels, weights * x.height * x.width)

    def window(self, *inputs: Shape) -> Window:
        # An output position sees ceil(kernel / stride) input positions, s of them side by side.
        kernel = tuple(-(-k // s) for k, s in zip(self.kernel, self.stride, strict=True))
        return Window(kernel=(kernel[0], kernel[1]), up=self.stride)

    @property
    def depth(self) -> int:
        return 1

    def _padding(self) -> tuple[Size, Size]:
        """Padding and output padding for out = s * in = (in - 1) s - 2 p + k + extra."""
        over = [k - s for k, s in zip(self.kernel, self.stride, strict=True)]
        p = [-(-max(n, 0) // 2) for n in over]
        extra = [2 * p_ - n for p_, n in zip(p, over, strict=True)]
        return (p[0], p[1]), (extra[0], extra[1])


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

    Padding keeps the size at stride 1 ("same"): d(k-1)/2 for odd kernels, (k-s)/2 for even ones
    with an even stride; any other even kernel needs `p`.
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
        "Deconv 4 bias",
    ),
    positional=("channels",),
    size="k",
    flags={"bias": ("bias", "on")},
)
@dataclass(frozen=True, slots=True)
class Deconv(Block):
    """Transposed convolution, then norm and activation: `Deconv channels s=2 [k=s]`.

    The output is stride times the input, whatever the kernel.
    """

    family: ClassVar[Family] = "conv"

    channels: int = arg(least=1, most=CHANNELS, scaled=True)
    k: Size | None = arg(None, least=1, most=KERNEL)
    s: Size = arg((1, 1), least=1, most=KERNEL)
    g: int = arg(1, least=1)
    norm: NormKind = arg("batch", setting="norm")
    act: ActKind = arg("relu", setting="act")
    bias: Bias = arg("auto", setting="bias", words=BIAS)

    def expand(self, build: Builder, x: Node) -> Node:
        op = TransposedConvolution(
            self.channels, self.k or self.s, self.s, self.g, has_bias(self.bias, self.norm)
        )
        y = normalize(build, build(op, x), self.norm, "norm")
        return activate(build, y, self.act, "act")


def _convolve(
    build: Builder, x: Node, layer: Conv | DepthwiseConv, channels: int, groups: int
) -> Node:
    """Add the convolution of a written layer, its norm and its activation."""
    p = padding(build, x, layer.k, layer.s, layer.p, layer.d)
    bias = has_bias(layer.bias, layer.norm)
    y = build(Convolution(channels, layer.k, layer.s, p, layer.d, groups, bias), x)
    y = normalize(build, y, layer.norm, "norm")
    return activate(build, y, layer.act, "act")


def padding(build: Builder, x: Node, k: Size, s: Size, p: Size | None, d: Size) -> Size:
    """Return the padding that was given, else the "same" one; an even kernel may have none."""
    if p is not None:
        return p
    try:
        return _same(k[0], s[0], d[0]), _same(k[1], s[1], d[1])
    except Misfit as misfit:
        build.reject(misfit, (x,))
        return (0, 0)


def has_bias(bias: Bias, norm: NormKind) -> bool:
    """A convolution has a bias exactly where no norm follows, unless it is said otherwise."""
    return bias == "on" or (bias == "auto" and norm == "none")


def _same(k: int, s: int, d: int) -> int:
    if k % 2:
        return d * (k - 1) // 2
    if s % 2 == 0:
        return max(k - s, 0) // 2
    raise Misfit(
        "E0305",
        f'a kernel of {k} with stride {s} has no "same" padding',
        help=f"write the padding: `p{k // 2}` or `p{k // 2 - 1}`",
    )


CONV_DEFAULTS: dict[str, object] = {
    "stride": 1, "padding": 0, "output_padding": 0, "dilation": 1, "groups": 1, "bias": True
}  # fmt: skip


def _without(arguments: dict[str, object], defaults: dict[str, object]) -> dict[str, object]:
    return {
        key: value
        for key, value in arguments.items()
        if key not in defaults or defaults[key] != value
    }
