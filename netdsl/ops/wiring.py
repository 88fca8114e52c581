"""Ops that join values or change their form, and those that the compiler inserts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netdsl.errors import Misfit
from netdsl.ir import Call, Keeps, Op, Shape, Size, Window
from netdsl.ir.settings import Bias, NormKind, Policy, ShortcutNorm
from netdsl.ops.window import short


@dataclass(frozen=True, slots=True)
class Input(Op):
    """Where an example enters."""

    shape: Shape

    def infer(self, *inputs: Shape) -> Shape:
        assert not inputs
        return self.shape

    def call(self, *inputs: Shape) -> Call | None:
        return None


@dataclass(frozen=True, slots=True)
class Sum(Op):
    """The sum of branches of one shape."""

    def infer(self, *inputs: Shape) -> Shape:
        first, *others = inputs
        for other in others:
            if other != first:
                message = f"cannot add {first} and {other}: the shapes differ"
                raise Misfit("E0302", message, help=_to_one_size(first, other))
        return first

    def call(self, *inputs: Shape) -> Call:
        return Call("Add")


@dataclass(frozen=True, slots=True)
class Add(Sum):
    """The sum of branches of one shape, which a plain network keeps: `Add( … | … )`."""


@dataclass(frozen=True, slots=True)
class ShortcutAdd(Sum):
    """The addition at the end of a residual branch: inputs are the branch and its shortcut.

    A `written` shortcut is made of layers of the text, and no policy is over it.
    """

    written: bool = False


@dataclass(frozen=True, slots=True)
class Cat(Op):
    """Branches of one height and width, stacked by channel: `Cat( … | … )`."""

    def infer(self, *inputs: Shape) -> Shape:
        first, *others = inputs
        for other in others:
            if other.hw != first.hw:
                message = f"cannot stack {first} and {other}: the maps differ"
                raise Misfit("E0302", message, help=_to_one_size(first, other))
        return first._replace(channels=sum(x.channels for x in inputs))

    def call(self, *inputs: Shape) -> Call:
        return Call("Cat")


@dataclass(frozen=True, slots=True)
class Multiply(Op):
    """The product of branches: `Mul( … | … )`.

    The others have the shape of the largest, or are factors of it: C x 1 x 1, one a channel, or
    1 x H x W, one a position.
    """

    keeps: ClassVar[Keeps] = "input"

    def infer(self, *inputs: Shape) -> Shape:
        whole = max(inputs, key=lambda shape: shape.size)
        channel, position = Shape(whole.channels, 1, 1), whole._replace(channels=1)
        fitting = (whole, channel, position) if whole.is_map else (whole,)
        for other in inputs:
            if other not in fitting:
                message = f"cannot multiply {whole} and {other}: the shapes differ"
                help = f"a factor is {channel}, one a channel, or {position}, one a position"
                if other.channels > whole.channels:
                    help = "one branch has to be the map that the others scale, as in `Mul( | … )`"
                raise Misfit("E0302", message, help=help if whole.is_map else None)
        return whole

    def keeps_inside(self, *inputs: Shape) -> int:
        """All products but the last, of the first two branches, of the first three, and so on."""
        product, *others = inputs
        sizes = [(product := Shape(*map(max, product, other))).size for other in others]
        return sum(sizes[:-1])

    def call(self, *inputs: Shape) -> Call:
        return Call("Multiply")


def _to_one_size(x: Shape, y: Shape) -> str | None:
    """Say how two maps get one size, where one is a little larger than the other."""
    small, large = sorted((x, y), key=lambda shape: shape.hw)
    is_close = all(0 <= b - a < a / 2 for a, b in zip(small.hw, large.hw, strict=True))
    if small.hw == large.hw or not (x.is_map and y.is_map and is_close):
        return None
    enlarged = f"`UpTo {large.height}x{large.width}` enlarges the smaller one"
    if (n := border(small, large)) is None:
        return enlarged
    return f"{enlarged}, `{with_border(n)}` pads it, and `{with_border(-n)}` crops the larger one"


def border(x: Shape, y: Shape) -> int | None:
    """Return how many positions `y` has more than `x` on each side; None where they are unequal.

    >>> border(Shape(3, 30, 20), Shape(8, 32, 22)), border(Shape(3, 30, 20), Shape(3, 31, 21))
    (1, None)
    """
    high, wide = (b - a for a, b in zip(x.hw, y.hw, strict=True))
    return high // 2 if high == wide and high % 2 == 0 else None


def with_border(n: int) -> str:
    """Return the layer that adds so many positions of zeros on each side, or takes them away."""
    return f'Torch "nn.ZeroPad2d" padding={n}'


JOINS: dict[str, type[Op]] = {"Add": Add, "Cat": Cat, "Mul": Multiply}


@dataclass(frozen=True, slots=True)
class Shortcut(Op):
    """The way around a residual branch that ends with the shape `target` after this stride.

    Reads what enters the block and, where the block begins with norm and activation, what leaves
    them. `fit_shortcuts` turns it into an identity, zero-padding or a projection.
    """

    target: Shape
    stride: Size
    policy: Policy
    kernel: int
    norm_place: ShortcutNorm
    norm: NormKind
    normalization: Op
    bias: Bias

    def is_absent(self, x: Shape) -> bool:
        """Say whether the policy `identity` leaves no shortcut from this shape."""
        return self.policy == "identity" and x != self.target

    def infer(self, *inputs: Shape) -> Shape:
        return self.target

    def call(self, *inputs: Shape) -> Call | None:
        raise AssertionError("fit_shortcuts has not run")


@dataclass(frozen=True, slots=True)
class Pad(Op):
    """A shortcut without weights: fewer positions by the stride, and zero channels more."""

    target: ClassVar[str]

    stride: Size
    channels: int

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        height, width = (-(-n // s) for n, s in zip(x.hw, self.stride, strict=True))
        return (
            Shape(x.channels + self.channels, height, width)
            if x.is_map
            else Shape(x.channels + self.channels)
        )

    def call(self, *inputs: Shape) -> Call:
        (x,) = inputs
        if not x.is_map:
            return Call("nn.ConstantPad1d", {"padding": (0, self.channels), "value": 0.0})
        return Call(self.target, {"stride": short(self.stride), "channels": self.channels})

    def window(self, *inputs: Shape) -> Window | None:
        return Window(stride=self.stride)


@dataclass(frozen=True, slots=True)
class ZeroPad(Pad):
    """Shortcut that subsamples by the stride and stacks zero channels: option A of He et al."""

    target: ClassVar[str] = "ZeroPad"


@dataclass(frozen=True, slots=True)
class AveragePad(Pad):
    """Shortcut that averages over stride x stride windows and stacks zero channels."""

    target: ClassVar[str] = "AveragePad"

    @property
    def keeps(self) -> Keeps:  # type: ignore[override]
        return "nothing" if self.stride == (1, 1) else "input"

    def window(self, *inputs: Shape) -> Window | None:
        return Window(self.stride, self.stride)


@dataclass(frozen=True, slots=True)
class StochasticDepth(Op):
    """The end of a residual branch that training leaves out now and then (Huang et al. 2016).

    `rate` is the block's own; where it is None, `schedule_drop_path` sets `survival` from the
    block's place in the network.
    """

    rate: float | None = None
    survival: float = 1.0

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return x

    def call(self, *inputs: Shape) -> Call:
        return Call("StochasticDepth", {"survival": self.survival})
