"""Layers that change the size of a map and learn nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import ClassVar, Literal

from netdsl.amounts import sized
from netdsl.errors import Misfit
from netdsl.ir import Call, Family, Op, Shape, Size, Window
from netdsl.ir.limits import KERNEL
from netdsl.ops.catalogue import arg, layer
from netdsl.ops.window import need_map, short, size_text


@layer(
    "Up",
    examples=("Up 2", "Up 2x3", "Up 2 bilinear", "Up 2 mode=nearest"),
    positional=("factor",),
    size="factor",
    flags={"bilinear": ("mode", "bilinear"), "nearest": ("mode", "nearest")},
)
@dataclass(frozen=True, slots=True)
class Upsample(Op):
    """The map enlarged by a whole factor: `Up 2`.

    Nearest neighbour unless `bilinear`, whose corners are not aligned.
    """

    family: ClassVar[Family] = "pool"

    factor: Size = arg(least=1, most=1000)
    mode: Literal["nearest", "bilinear"] = arg("nearest")

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_map(x, "Up")
        return Shape(x.channels, x.height * self.factor[0], x.width * self.factor[1])

    def call(self, *inputs: Shape) -> Call:
        arguments: dict[str, object] = {"scale_factor": short(self.factor)}
        if self.mode != "nearest":
            arguments["mode"] = self.mode
        return Call("nn.Upsample", arguments)

    def window(self, *inputs: Shape) -> Window:
        return Window(kernel=_kernel(self.mode, self.factor), up=self.factor)

    @property
    def is_identity(self) -> bool:
        return self.factor == (1, 1)


@layer(
    "UpTo",
    examples=("UpTo 19", "UpTo 15x17 bilinear", "UpTo 9x8", "UpTo 18x16 nearest"),
    positional=("n",),
    size="n",
    flags={"bilinear": ("mode", "bilinear"), "nearest": ("mode", "nearest")},
)
@dataclass(frozen=True, slots=True)
class UpsampleTo(Op):
    """The map enlarged to a size, which need not be a multiple of its own: `UpTo 15x17`.

    Nearest neighbour unless `bilinear`, whose corners are not aligned.
    """

    family: ClassVar[Family] = "pool"

    n: Size = arg(least=1, most=KERNEL)
    mode: Literal["nearest", "bilinear"] = arg("nearest")

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_map(x, "UpTo")
        if any(to < size for to, size in zip(self.n, x.hw, strict=True)):
            message = f"UpTo {sized(self.n)} would make {x} smaller"
            help = f"`AvgTo {size_text(self.n)}` averages to a size"
            raise Misfit("E0305", message, help=help)
        return Shape(x.channels, *self.n)

    def call(self, *inputs: Shape) -> Call:
        arguments: dict[str, object] = {"size": short(self.n)}
        if self.mode != "nearest":
            arguments["mode"] = self.mode
        return Call("nn.Upsample", arguments)

    def window(self, *inputs: Shape) -> Window:
        (x,) = inputs
        common = [gcd(size, to) for size, to in zip(x.hw, self.n, strict=True)]
        stride, up = (
            [size // c for size, c in zip(sizes, common, strict=True)] for sizes in (x.hw, self.n)
        )
        factor = (up[0], up[1])
        return Window(_kernel(self.mode, factor), (stride[0], stride[1]), up=factor)


def _kernel(mode: str, up: Size) -> Size:
    """Return how many positions are mixed: two by `bilinear` along an axis that grows, else one."""
    height, width = (1 if mode == "nearest" or factor == 1 else 2 for factor in up)
    return height, width
