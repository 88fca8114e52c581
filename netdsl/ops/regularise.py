"""Regularisation: what is random in training and nothing in evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netdsl.ir import Call, Family, Keeps, Op, Shape
from netdsl.ops.catalogue import arg, layer


@layer("Dropout", examples=("Dropout", "Dropout 0.3", "Dropout p=0.2"), positional=("p",))
@dataclass(frozen=True, slots=True)
class Dropout(Op):
    """Zeroes each number with probability p in training: `Dropout [p=0.5]`."""

    family: ClassVar[Family] = "regularise"

    p: float = arg(0.5, least=0, below=1)

    @property
    def keeps(self) -> Keeps:  # type: ignore[override]
        return "nothing" if self.is_identity else "mask"

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return x

    def call(self, *inputs: Shape) -> Call:
        return Call("nn.Dropout", {"p": self.p}, positional=1)

    @property
    def is_identity(self) -> bool:
        return not self.p
