"""Activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from netdsl.ir import Builder, Call, Family, Keeps, Node, Op, Shape
from netdsl.ir.settings import SLOPE, ActKind
from netdsl.ops.catalogue import arg, layer

GateKind = Literal["sigmoid", "hardsigmoid"]

MODULES = {
    "relu": "nn.ReLU", "relu6": "nn.ReLU6", "gelu": "nn.GELU", "silu": "nn.SiLU",
    "hardswish": "nn.Hardswish", "leaky_relu": "nn.LeakyReLU", "elu": "nn.ELU",
    "sigmoid": "nn.Sigmoid", "tanh": "nn.Tanh", "none": "nn.Identity",
    "hardsigmoid": "nn.Hardsigmoid",
}  # fmt: skip

# These keep their output for the backward pass, the others their input.
FROM_OUTPUT = ("relu", "sigmoid", "tanh")
# These may overwrite their input; then they keep their output.
IN_PLACE = ("relu", "leaky_relu", "elu")


@dataclass(frozen=True, slots=True)
class Activation(Op):
    """What all activations have in common; they are torch's with its numbers, but for a slope."""

    family: ClassVar[Family] = "act"

    kind: ActKind = arg("relu", setting="act")
    slope: float = arg(SLOPE, least=0, most=1, needs=("kind", ("leaky_relu",)))

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return x

    def call(self, *inputs: Shape) -> Call:
        return Call(MODULES[self.kind], self._numbers())

    def _numbers(self) -> dict[str, object]:
        has_slope = self.kind == "leaky_relu" and self.slope != SLOPE
        return {"negative_slope": self.slope} if has_slope else {}

    @property
    def is_identity(self) -> bool:
        return self.kind == "none"

    @property
    def keeps(self) -> Keeps:  # type: ignore[override]
        if self.is_identity:
            return "nothing"
        return "output" if self.kind in FROM_OUTPUT else "input"


@layer(
    "Act",
    examples=(
        "Act", "Act gelu", "Act leaky_relu", "Act leaky_relu slope=0.1", "Act none",
        "Act kind=tanh", "Act relu6",
    ),
    flags={kind: ("kind", kind) for kind in MODULES if kind != "hardsigmoid"},
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class Act(Activation):
    """An activation of its own: `Act gelu`; alone, the activation of the header.

    They are torch's with its numbers, but for the slope of `leaky_relu`: a `default Act(slope=0.1)`
    reaches every one of the network. Other activations are written `Torch "nn.Mish"`.
    """


@dataclass(frozen=True, slots=True)
class InPlaceAct(Activation):
    """An activation that overwrites its input, which nobody else reads."""

    keeps: ClassVar[Keeps] = "output"

    def call(self, *inputs: Shape) -> Call:
        return Call(MODULES[self.kind], {**self._numbers(), "inplace": True})


@dataclass(frozen=True, slots=True)
class HiddenAct(Activation):
    """The activation behind a fully connected layer, unless that layer is the last one.

    `settle_activations` decides.
    """


@dataclass(frozen=True, slots=True)
class Gate(Op):
    """Maps a value into 0 to 1: the last step of squeeze-and-excitation before it multiplies."""

    kind: GateKind

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return x

    def call(self, *inputs: Shape) -> Call:
        return Call(MODULES[self.kind])

    @property
    def keeps(self) -> Keeps:  # type: ignore[override]
        return "output" if self.kind in FROM_OUTPUT else "input"


def activate(build: Builder, x: Node, kind: ActKind, name: str) -> Node:
    """Add an activation, unless it is `none`."""
    return x if kind == "none" else build(Act(kind, build.slope), x, name=name)
