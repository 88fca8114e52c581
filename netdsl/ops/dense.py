"""Fully connected layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netdsl.errors import Misfit
from netdsl.ir import Block, Builder, Call, Cost, Family, Graph, Keeps, Node, Op, Shape, Window
from netdsl.ir.limits import FEATURES
from netdsl.ir.settings import BIAS, ActKind, Bias, Head
from netdsl.ops.act import HiddenAct, activate
from netdsl.ops.catalogue import arg, layer
from netdsl.ops.pool import GlobalAvgPool


@dataclass(frozen=True, slots=True)
class Linear(Op):
    """A fully connected layer on a vector and nothing else."""

    family: ClassVar[Family] = "dense"
    keeps: ClassVar[Keeps] = "input"

    features: int
    bias: bool = True

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if x.is_map:
            raise Misfit("E0307", f"FC needs a vector, and {x} is a map")
        return Shape(self.features)

    def call(self, *inputs: Shape) -> Call:
        (x,) = inputs
        arguments: dict[str, object] = {"in_features": x.channels, "out_features": self.features}
        if not self.bias:
            arguments["bias"] = False
        return Call("nn.Linear", arguments, positional=2)

    def cost(self, *inputs: Shape) -> Cost:
        (x,) = inputs
        weights = x.channels * self.features
        return Cost(weights + self.bias * self.features, weights)

    def window(self, *inputs: Shape) -> Window | None:
        return None

    @property
    def depth(self) -> int:
        return 1


def before_linear(graph: Graph) -> set[str]:
    """Return the nodes from which a fully connected layer can be reached."""
    before: set[str] = set()
    for node in reversed(tuple(graph)):
        if node.name in before or isinstance(node.op, Linear):
            before.update(node.inputs)
    return before


@layer("Flatten", examples=("Flatten",))
@dataclass(frozen=True, slots=True)
class Flatten(Op):
    """A map as one vector, channel by channel: `Flatten`. `FC` does it by itself."""

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return Shape(x.size)

    def call(self, *inputs: Shape) -> Call:
        return Call("nn.Flatten")


@layer(
    "FC",
    examples=("FC 7", "FC 2*3+1", "FC 5 FC 7", "FC 5 act=gelu", "FC 7 bias=off head=gap"),
    positional=("features",),
    flags={"bias": ("bias", "on")},
)
@dataclass(frozen=True, slots=True)
class FullyConnected(Block):
    """Fully connected layer: `FC features`.

    A map is flattened first, or averaged where `head` is gap. Behind it stands the activation,
    unless no other FC follows: the last one gives the scores.
    """

    family: ClassVar[Family] = "dense"

    features: int = arg(least=1, most=FEATURES)
    act: ActKind | None = arg(None)
    bias: Bias = arg("auto", setting="bias", words=BIAS)
    head: Head = arg("flatten", setting="head")

    def expand(self, build: Builder, x: Node) -> Node:
        if x.shape.is_map and self.head == "gap" and x.shape.hw != (1, 1):
            x = build(GlobalAvgPool(), x, name="pool")
        if x.shape.is_map:
            x = build(Flatten(), x, name="flatten")
        y = build(Linear(self.features, self.bias != "off"), x)
        if self.act is not None:
            return activate(build, y, self.act, "act")
        hidden = build.hidden_act or build.settings.act
        return y if hidden == "none" else build(HiddenAct(hidden, build.slope), y, name="act")
