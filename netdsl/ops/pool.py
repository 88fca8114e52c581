"""Pooling."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import ClassVar

from netdsl.errors import Misfit
from netdsl.ir import Call, Family, Keeps, Op, Shape, Size, Window
from netdsl.ir.limits import KERNEL
from netdsl.ops.catalogue import arg, layer
from netdsl.ops.window import fit, need_map, out_size, short
from netdsl.padding import pool_padding


@dataclass(frozen=True, slots=True)
class Pool(Op):
    """A window that slides over the map; the stride is the kernel unless it is given.

    A stride below the kernel pads by (k-1)//2, so that the map keeps its size up to the stride.
    """

    family: ClassVar[Family] = "pool"
    keeps: ClassVar[Keeps] = "input"
    code: ClassVar[str]
    target: ClassVar[str]

    k: Size = arg(least=1, most=KERNEL)
    s: Size | None = arg(None, least=1, most=KERNEL)
    p: Size | None = arg(None, least=0, most=KERNEL)
    ceil: bool = arg(False)

    @property
    def stride(self) -> Size:
        return self.s or self.k

    @property
    def padding(self) -> Size:
        if self.p is not None:
            return self.p
        h, w = map(pool_padding, self.k, self.stride)
        return h, w

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        who = f"{self.code} {'x'.join(map(str, dict.fromkeys(self.k)))}"
        need_map(x, who)
        if any(2 * p > k for p, k in zip(self.padding, self.k, strict=True)):
            raise Misfit("E0305", f"{who} cannot pad by more than half of its window")
        try:
            fit(who, x, self.k, self.padding)
        except Misfit as misfit:
            smaller = max((n for n in range(2, min(x.hw) + 1) if min(x.hw) % n == 0), default=0)
            instead = f"`{self.code}{smaller}` or " if smaller else ""
            raise Misfit(misfit.code, misfit.message, help=f"use {instead}`GAP`") from None
        return Shape(x.channels, *out_size(x.hw, self.k, self.stride, self.padding, ceil=self.ceil))

    def call(self, *inputs: Shape) -> Call:
        arguments: dict[str, object] = {"kernel_size": short(self.k)}
        if self.stride != self.k:
            arguments["stride"] = short(self.stride)
        if any(self.padding):
            arguments["padding"] = short(self.padding)
        if self.ceil:
            arguments["ceil_mode"] = True
        return Call(self.target, arguments, positional=1)

    def window(self, *inputs: Shape) -> Window:
        return Window(self.k, self.stride)

    @property
    def is_identity(self) -> bool:
        return self.k == self.stride == (1, 1) and self.padding == (0, 0)


@layer(
    "Max",
    examples=("Max 2", "Max 3 s2", "Max 3x2", "Max 3 s2 ceil", "Max 2 s1 p1", "Max 3x3 s=2x1"),
    positional=("k",),
    size="k",
    flags={"ceil": ("ceil", True)},
)
@dataclass(frozen=True, slots=True)
class MaxPool(Pool):
    """Maximum over a window: `Max k [s=k]`.

    A stride below the kernel pads (k-1)//2; `ceil` rounds the size up, `p` pads otherwise.
    """

    target: ClassVar[str] = "nn.MaxPool2d"


@layer(
    "Avg",
    examples=("Avg 2", "Avg 3 s2", "Avg 2x3", "Avg 3 s2 ceil p1", "Avg 3 s1"),
    positional=("k",),
    size="k",
    flags={"ceil": ("ceil", True)},
)
@dataclass(frozen=True, slots=True)
class AvgPool(Pool):
    """Average over a window: `Avg k [s=k]`.

    A stride below the kernel pads (k-1)//2, and the average counts that padding, as torch does.
    """

    target: ClassVar[str] = "nn.AvgPool2d"


@layer("AvgTo", examples=("AvgTo 2", "AvgTo 3x2"), positional=("n",), size="n")
@dataclass(frozen=True, slots=True)
class AvgPoolTo(Op):
    """Average over windows chosen so that the output has this size: `AvgTo 6`, `AvgTo 3x2`."""

    family: ClassVar[Family] = "pool"

    n: Size = arg(least=1, most=KERNEL)

    @property
    def keeps(self) -> Keeps:  # type: ignore[override]
        return "nothing" if self.n == (1, 1) else "input"  # to 1x1 torch takes a mean

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_map(x, "AvgTo")
        return Shape(x.channels, *self.n)

    def call(self, *inputs: Shape) -> Call:
        return Call("nn.AdaptiveAvgPool2d", {"output_size": short(self.n)}, positional=1)

    def window(self, *inputs: Shape) -> Window | None:
        (x,) = inputs
        if self.n == (1, 1):
            return None
        h, w = (gcd(size, n) for size, n in zip(x.hw, self.n, strict=True))
        # torch averages from floor(i * size / n) to ceil((i + 1) * size / n): of unlike lengths
        # where n does not divide the size, and this is the longest.
        kernel = (-(-(size + n - c) // n) for size, n, c in zip(x.hw, self.n, (h, w), strict=True))
        stride, up = (x.height // h, x.width // w), (self.n[0] // h, self.n[1] // w)
        return Window((next(kernel), next(kernel)), stride, up=up)


@layer("GAP", examples=("GAP",))
@dataclass(frozen=True, slots=True)
class GlobalAvgPool(Op):
    """Average over the whole map, which leaves C x 1 x 1: `GAP`."""

    family: ClassVar[Family] = "pool"

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_map(x, "global average pooling")
        return Shape(x.channels, 1, 1)

    def call(self, *inputs: Shape) -> Call:
        return Call("nn.AdaptiveAvgPool2d", {"output_size": 1}, positional=1)

    def window(self, *inputs: Shape) -> Window | None:
        return None
