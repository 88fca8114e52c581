"""Layers that weigh the channels of a map by what is in the map."""

from __future__ import annotations

from dataclasses import dataclass

from netdsl.ir import Block, Builder, Node, Size
from netdsl.ir.limits import CHANNELS
from netdsl.ir.settings import BIAS, ActKind, Bias
from netdsl.ops.act import Gate, GateKind, activate
from netdsl.ops.catalogue import arg, layer
from netdsl.ops.convolution import Convolution
from netdsl.ops.pool import GlobalAvgPool
from netdsl.ops.scale import round_channels
from netdsl.ops.wiring import Multiply


@layer(
    "SE",
    examples=("SE r2", "SE c=3 act=silu", "SE r2 to=8 gate=hardsigmoid", "SE bias=off"),
    flags={"bias": ("bias", "on")},
)
@dataclass(frozen=True, slots=True)
class SqueezeExcitation(Block):
    """Squeeze-and-excitation (Hu et al. 2018): `SE r=16`.

    The map is averaged, squeezed to C // r channels, at least 1 (or to `c`; `to=8` rounds to a
    multiple of 8), activated, expanded again, and the `gate` (sigmoid, hardsigmoid) of it
    multiplies the channels.
    """

    scoped = True

    r: int = arg(16, least=1, most=CHANNELS, needs=("c", (None,)))
    c: int | None = arg(None, least=1, most=CHANNELS)
    to: int | None = arg(None, least=1, most=1024)
    act: ActKind = arg("relu")
    gate: GateKind = arg("sigmoid")
    bias: Bias = arg("auto", setting="bias", words=BIAS)

    def expand(self, build: Builder, x: Node) -> Node:
        y = build(GlobalAvgPool(), x, name="pool")
        y = build(self._fc(self.squeeze(x.shape.channels)), y, name="fc1")
        y = activate(build, y, self.act, "act")
        y = build(self._fc(x.shape.channels), y, name="fc2")
        y = build(Gate(self.gate), y, name="gate")
        return build(Multiply(), x, y, name="scale")

    def squeeze(self, channels: int) -> int:
        """Return how many channels are left in the middle."""
        width = self.c or max(1, channels // self.r)
        return round_channels(width, self.to) if self.to else width

    def _fc(self, channels: int) -> Convolution:
        one: Size = (1, 1)
        bias = self.bias != "off"
        return Convolution(channels, one, one, (0, 0), bias=bias, counted=False)
