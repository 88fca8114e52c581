"""Normalisation."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import ClassVar

from netdsl.errors import Misfit
from netdsl.ir import Block, Builder, Call, Cost, Family, Keeps, Node, Op, Shape
from netdsl.ir.settings import NormKind
from netdsl.ops.catalogue import arg, layer
from netdsl.ops.window import need_parts


@dataclass(frozen=True, slots=True)
class Normalization(Op):
    """One of the normalisations: batch, group, or layer (over the channels of each position)."""

    family: ClassVar[Family] = "norm"
    keeps: ClassVar[Keeps] = "input"

    kind: NormKind
    eps: float = 1e-5
    momentum: float = 0.1
    groups: int = 32
    affine: bool = True

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if self.kind == "group":
            help = f"say how many: `default Norm(groups={gcd(x.channels, self.groups)})`"
            need_parts(x.channels, self.groups, "groups of the norm", help=help)
        if self.kind == "group" and x.size == self.groups:
            message = "each group of the norm has one value, of which it leaves nothing"
            raise Misfit("E0306", message, help="norm a map, or have fewer groups")
        if self.kind == "layer" and x.channels == 1:
            message = "the norm has one value at each position, of which it leaves nothing"
            raise Misfit("E0306", message, help="norm several channels, or have another norm")
        return x

    def call(self, *inputs: Shape) -> Call:
        (x,) = inputs
        c = x.channels
        tail: dict[str, object] = {"eps": self.eps} if self.eps != 1e-5 else {}
        if self.kind == "batch" and self.momentum != 0.1:
            tail["momentum"] = self.momentum
        if not self.affine:
            tail["elementwise_affine" if self.kind == "layer" else "affine"] = False
        if self.kind == "group":
            head: dict[str, object] = {"num_groups": self.groups, "num_channels": c}
            return Call("nn.GroupNorm", {**head, **tail}, positional=2)
        if self.kind == "layer":
            target = "ChannelNorm" if x.is_map else "nn.LayerNorm"
            return Call(target, {"normalized_shape": c, **tail}, positional=1)
        target = "nn.BatchNorm2d" if x.is_map else "nn.BatchNorm1d"
        return Call(target, {"num_features": c, **tail}, positional=1)

    def cost(self, *inputs: Shape) -> Cost:
        (x,) = inputs
        return Cost(params=2 * x.channels * self.affine)


@layer(
    "Norm",
    examples=(
        "Norm", "Norm kind=layer eps=1e-6", "Norm group groups=3", "Norm momentum=0.01",
        "Norm affine=off",
    ),
    flags={kind: ("kind", kind) for kind in ("batch", "group", "layer")},
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class Norm(Block):
    """Normalisation of its own: `Norm`; nothing where the header says `norm none` (W0512).

    `batch`, `group` (with `groups=32`) or `layer`, over C at each position. Its options in a
    `default Norm(eps=0.001)` reach every norm of the network, those of `Conv` and blocks included.
    """

    family: ClassVar[Family] = "norm"

    kind: NormKind = arg("batch", setting="norm")
    eps: float = arg(1e-5, least=0, most=1)
    momentum: float = arg(0.1, least=0, most=1, needs=("kind", ("batch", "none")))
    groups: int = arg(32, least=1, needs=("kind", ("group", "none")))
    affine: bool = arg(True)

    def expand(self, build: Builder, x: Node) -> Node:
        if self.kind == "none":
            return x
        return build(Normalization(self.kind, self.eps, self.momentum, self.groups, self.affine), x)


def normalize(build: Builder, x: Node, kind: NormKind, name: str) -> Node:
    """Add a norm with the file's options, unless it is `none`."""
    if kind == "none":
        return x
    return build(Normalization(kind, **build.norm_options), x, name=name)  # type: ignore[arg-type]
