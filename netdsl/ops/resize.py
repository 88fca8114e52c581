"""Layers that change the size of a map and learn nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from netdsl.ir import Call, Family, Op, Shape, Size, Window
from netdsl.ops.catalogue import arg, layer
from netdsl.ops.window import need_map, short


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
        reach = 1 if self.mode == "nearest" else 2
        return Window(kernel=(reach, reach), up=self.factor)
