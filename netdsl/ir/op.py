"""What every layer must say about itself."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from netdsl.ir.shape import Shape, Size

Family = Literal["conv", "pool", "block", "dense", "norm", "act", "regularise", "wiring"]


@dataclass(frozen=True, slots=True)
class Call:
    """The constructor call of one torch module, kept as data.

    The PyTorch back end makes the call and the Python back end prints it, so the two cannot
    disagree; and nothing below the back ends has to import torch. A target without a dot is one
    of the modules of `netdsl.backends.layers`.

    >>> arguments = {"in_channels": 3, "out_channels": 64, "kernel_size": 3}
    >>> print(Call("nn.Conv2d", arguments, positional=2))
    nn.Conv2d(3, 64, kernel_size=3)
    """

    target: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    positional: int = 0

    def __str__(self) -> str:
        written = [
            repr(value) if i < self.positional else f"{key}={value!r}"
            for i, (key, value) in enumerate(self.arguments.items())
        ]
        return f"{self.target}({', '.join(written)})"


@dataclass(frozen=True, slots=True)
class Cost:
    """Learned parameters, and multiply-adds of one example."""

    params: int = 0
    macs: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.params + other.params, self.macs + other.macs)


@dataclass(frozen=True, slots=True)
class Window:
    """Which input positions one output position sees: per axis a kernel, its stride and dilation.

    `up` is the factor by which the map grows (transposed convolution, upsampling).
    """

    kernel: Size = (1, 1)
    stride: Size = (1, 1)
    dilation: Size = (1, 1)
    up: Size = (1, 1)


# NOTE: what an op keeps for the backward pass is what torch's autograd saves, in fp32: its input
# ("input": convolution, norm), its output ("output": ReLU), both of these ("both": a maximum over
# channels), a mask of the same size ("mask": dropout), or nothing (addition).
Keeps = Literal["input", "output", "mask", "nothing", "both"]


class Op(abc.ABC):
    """One node of the graph: a frozen dataclass that becomes one torch module.

    `infer`, `call` and `cost` get the shapes of the inputs, in the order of the operands.
    """

    __slots__ = ()

    family: ClassVar[Family] = "wiring"
    keeps: ClassVar[Keeps] = "nothing"

    @abc.abstractmethod
    def infer(self, *inputs: Shape) -> Shape:
        """Return the output shape, or raise `Misfit`."""

    @abc.abstractmethod
    def call(self, *inputs: Shape) -> Call | None:
        """Return the torch module; None for what a pass replaces before there is one."""

    def cost(self, *inputs: Shape) -> Cost:
        return Cost()

    def keeps_inside(self, *inputs: Shape) -> int:
        """How many numbers it keeps for the backward pass beside what `keeps` says."""
        return 0

    def window(self, *inputs: Shape) -> Window | None:
        """What an output position sees; None for the whole map."""
        return Window()

    @property
    def is_identity(self) -> bool:
        """Whether its arguments make it hand on what it gets, whatever that is: `Dropout 0`."""
        return False

    @property
    def depth(self) -> int:
        """1 for what the papers count as a layer: a convolution or a fully connected layer."""
        return 0
