"""Layers that reorder, select or scale channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from netdsl.errors import Misfit
from netdsl.ir import Call, Cost, Family, Keeps, Op, Shape
from netdsl.ir.limits import CHANNELS
from netdsl.ops.catalogue import arg, layer
from netdsl.ops.window import need_map, need_parts


@layer("Shuffle", examples=("Shuffle 2", "Shuffle 3"), positional=("g",))
@dataclass(frozen=True, slots=True)
class ChannelShuffle(Op):
    """Channels dealt out over g groups in turn (ShuffleNet): `Shuffle g`."""

    g: int = arg(least=1, most=CHANNELS)

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_map(x, "Shuffle")
        need_parts(x.channels, self.g, "groups")
        return x

    def call(self, *inputs: Shape) -> Call:
        return Call("nn.ChannelShuffle", {"groups": self.g}, positional=1)

    @property
    def is_identity(self) -> bool:
        return self.g == 1


@layer("Part", examples=("Part 1 2", "Part 3 3"), positional=("i", "n"))
@dataclass(frozen=True, slots=True)
class ChannelPart(Op):
    """The i-th of n equal parts of the channels, the first being 1: `Part i n`."""

    i: int = arg(least=1, most=CHANNELS)
    n: int = arg(least=1, most=CHANNELS)

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_parts(x.channels, self.n, "parts")
        if self.i > self.n:
            raise Misfit("E0206", f"there is no part {self.i} of {self.n}")
        return x._replace(channels=x.channels // self.n)

    def call(self, *inputs: Shape) -> Call:
        (x,) = inputs
        width = x.channels // self.n
        return Call("Part", {"start": (self.i - 1) * width, "end": self.i * width}, positional=2)

    @property
    def is_identity(self) -> bool:
        return self.n == 1


@layer(
    "Across",
    examples=("Across mean", "Across max", "Across kind=mean"),
    flags={kind: ("kind", kind) for kind in ("mean", "max")},
)
@dataclass(frozen=True, slots=True)
class AcrossChannels(Op):
    """The `mean` or `max` over the channels of each position, which leaves 1 x H x W: `Across max`.

    With `Mul( | Cat( Across max | Across mean ) Conv 1 7x7 act=sigmoid )` positions are gated, as
    in the second half of CBAM (Woo et al. 2018).
    """

    family: ClassVar[Family] = "pool"

    kind: Literal["mean", "max"] = arg()

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_map(x, "Across")
        return x._replace(channels=1)

    def call(self, *inputs: Shape) -> Call:
        return Call("ChannelMax" if self.kind == "max" else "ChannelMean")

    @property
    def keeps(self) -> Keeps:  # type: ignore[override]
        return "both" if self.kind == "max" else "nothing"


@layer("LayerScale", examples=("LayerScale 0.1", "LayerScale"), positional=("v",))
@dataclass(frozen=True, slots=True)
class LayerScale(Op):
    """One learned factor a channel that starts small (ConvNeXt): `LayerScale [v=1e-6]`."""

    family: ClassVar[Family] = "norm"
    keeps: ClassVar[Keeps] = "input"

    v: float = arg(1e-6, least=0, most=1e6)

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_map(x, "LayerScale")
        return x

    def call(self, *inputs: Shape) -> Call:
        (x,) = inputs
        return Call("LayerScale", {"channels": x.channels, "start": self.v}, positional=2)

    def cost(self, *inputs: Shape) -> Cost:
        (x,) = inputs
        return Cost(params=x.channels)
