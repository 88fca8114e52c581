"""The ops of convolution: formulas for shape, parameters and multiply-adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netdsl.amounts import sized
from netdsl.errors import Misfit
from netdsl.ir import Call, Cost, Family, Keeps, Op, Shape, Size, Window
from netdsl.ir.settings import Bias, NormKind
from netdsl.ops.window import fit, need_map, need_parts, out_size, short, size_text
from netdsl.padding import transposed_padding

CONV_DEFAULTS: dict[str, object] = {
    "stride": 1, "padding": 0, "output_padding": 0, "dilation": 1, "groups": 1, "bias": True
}  # fmt: skip


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
            need_parts(channels, self.groups, "groups", f"{what} channel")
        fit(f"Conv {sized(self.kernel)}", x, self.kernel, self.padding, self.dilation)
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
    """A 2-d transposed convolution.

    Its output is stride x input, or (input - 1) x stride - 2 x padding + kernel where the padding
    is given.
    """

    family: ClassVar[Family] = "conv"
    keeps: ClassVar[Keeps] = "input"

    channels: int
    kernel: Size
    stride: Size
    groups: int = 1
    bias: bool = False
    padding: Size | None = None

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_map(x, "a transposed convolution")
        for what, channels in (("input", x.channels), ("output", self.channels)):
            need_parts(channels, self.groups, "groups", f"{what} channel")
        if any(e >= s for e, s in zip(self._padding()[1], self.stride, strict=True)):
            k, s = (size_text(size) for size in (self.kernel, self.stride))
            raise Misfit(
                "E0305",
                f"a kernel of {k} with stride {s} has no padding that gives {s} x input",
                help="with a padding, as in `p0`, the output is (input - 1) s - 2 p + k",
            )
        return Shape(self.channels, *self._size(x))

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

    def _size(self, x: Shape) -> Size:
        """Height and width of the output."""
        if self.padding is None:
            return x.height * self.stride[0], x.width * self.stride[1]
        h, w = (
            (n - 1) * s - 2 * p + k
            for n, s, p, k in zip(x.hw, self.stride, self.padding, self.kernel, strict=True)
        )
        if min(h, w) < 1:
            message = f"a padding of {size_text(self.padding)} leaves nothing of {x}"
            raise Misfit("E0305", message, help="its output is (input - 1) s - 2 p + k")
        return h, w

    def _padding(self) -> tuple[Size, Size]:
        """Padding and output padding for out = s * in = (in - 1) s - 2 p + k + extra."""
        if self.padding is not None:
            return self.padding, (0, 0)
        p, extra = zip(*map(transposed_padding, self.kernel, self.stride), strict=True)
        return (p[0], p[1]), (extra[0], extra[1])


def has_bias(bias: Bias, norm: NormKind) -> bool:
    """A convolution has a bias exactly where no norm follows, unless it is said otherwise."""
    return bias == "on" or (bias == "auto" and norm == "none")


def _without(arguments: dict[str, object], defaults: dict[str, object]) -> dict[str, object]:
    return {
        key: value
        for key, value in arguments.items()
        if key not in defaults or defaults[key] != value
    }
