"""Residual blocks: a branch of convolutions and a shortcut around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal

from netdsl.amounts import counted
from netdsl.errors import Misfit
from netdsl.ir import Block, Builder, Node, Size
from netdsl.ir.limits import CHANNELS, KERNEL
from netdsl.ir.settings import BIAS, ActKind, Bias, NormKind, Policy, ShortcutNorm
from netdsl.ops.act import activate
from netdsl.ops.catalogue import CATALOGUE, arg, layer
from netdsl.ops.convolution import Convolution, has_bias
from netdsl.ops.norm import Normalization, normalize
from netdsl.ops.regularise import Dropout
from netdsl.ops.wiring import Shortcut, ShortcutAdd, StochasticDepth

Order = Literal["original", "bn_after_add", "relu_before_add", "relu_pre", "pre"]

PROJECTING: tuple[Policy, ...] = ("project", "avgproject", "always")
PROJECTION = ("shortcut", PROJECTING)  # what options of projections need

# The options of a block that say what its shortcut is.
OF_THE_SHORTCUT = ("norm", "bias", "shortcut", "shortcut_kernel", "shortcut_norm")

_OTHER_MIDDLE = (
    "a middle of any other width is written out, as in ResNeXt-29 8x64d: "
    "`Res act=relu ( Conv 512 1x1  Conv 512 g8  Conv 256 1x1 act=none )`"
)

# He et al. 2016, figure 4: what surrounds each convolution (c conv, n norm, a activation), and
# how much of the last unit's end stands after the addition.
ORDERS: dict[Order, tuple[str, str]] = {
    "original": ("cna", "a"),
    "bn_after_add": ("cna", "na"),
    "relu_before_add": ("cna", ""),
    "relu_pre": ("acn", ""),
    "pre": ("nac", ""),
}


@dataclass(frozen=True, slots=True)
class ResidualBlock(Block):
    """What BB and Bott have in common: a branch of convolutions in one of the five orders."""

    scoped = True

    channels: int = arg(least=1, most=CHANNELS, scaled=True)
    s: Size = arg((1, 1), least=1, most=KERNEL)
    order: Order = arg("original")
    dropout: float = arg(0.0, least=0, below=1)
    drop_path: float | None = arg(None, least=0, most=1)
    norm: NormKind = arg("batch", setting="norm")
    act: ActKind = arg("relu", setting="act")
    bias: Bias = arg("auto", setting="bias", words=BIAS)
    shortcut: Policy = arg("avgpad", setting="shortcut")
    shortcut_kernel: int = arg(
        1, least=1, most=99, odd=True, setting="shortcut_kernel", needs=PROJECTION
    )
    shortcut_norm: ShortcutNorm | None = arg(None, setting="shortcut_norm", needs=PROJECTION)

    def branch(self, build: Builder, x: Node, convolutions: tuple[Convolution, ...]) -> Node:
        """Add the convolutions with norms and activations around them, the shortcut and the sum."""
        build.units += 1
        unit, after = ORDERS[self.order]
        y = entry = x
        for i, op in enumerate(convolutions, 1):
            last = i == len(convolutions)
            for letter in unit.removesuffix(after) if last else unit:
                if letter == "c" and i == 1:
                    entry = y
                if letter == "c" and last and self.dropout:
                    y = build(Dropout(self.dropout), y, name="dropout")
                y = self._part(build, y, letter, op, f"conv{i}", final=last)
        y = add_shortcut(build, x, entry, y, self, self.s, pre=self.order == "pre")
        for letter in after:
            y = self._part(build, y, letter, op, f"conv{i}", final=True)
        return y

    def _part(
        self, build: Builder, y: Node, letter: str, op: Convolution, name: str, *, final: bool
    ) -> Node:
        parts: dict[str, Callable[[], Node]] = {
            "c": lambda: build(op, y, name=name),
            "n": lambda: normalize(build, y, self.norm, f"{name}_norm"),
            "a": lambda: activate(build, y, self.act, "act" if final else f"{name}_act"),
        }
        return parts[letter]()

    def _conv(self, channels: int, k: int, s: Size = (1, 1), g: int = 1) -> Convolution:
        p = (k - 1) // 2
        bias = has_bias(self.bias, self.norm)
        return Convolution(channels, (k, k), s, (p, p), groups=g, bias=bias)


@layer(
    "BB",
    examples=(
        "BB 6", "BB 8", "BB 8 s2", "BB 8 s2 shortcut=project dropout=0.5 pre",
        "BB 6 order=bn_after_add", "BB 6 order=relu_before_add shortcut=always",
        "BB 8 order=relu_pre shortcut=pad s3",
        "BB 8 s2 shortcut=project shortcut_kernel=3 shortcut_norm=before", "BB 8 shortcut=identity",
        "BB 8 s2 shortcut=avgproject",
        "BB 6 norm=none bias=off act=gelu", "BB 8 pre shortcut=project shortcut_norm=none",
        "BB 6 drop_path=0.2", "BB 8 s=2x1", "BB 6 s=1x3 shortcut=avgproject pre",
    ),
    positional=("channels",),
    flags={"pre": ("order", "pre"), "bias": ("bias", "on")},
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class BasicBlock(ResidualBlock):
    """Basic block of He et al. 2015, two 3x3 convolutions and a shortcut: `BB channels [s=1]`.

    `dropout` stands before the second convolution; `order` is one of original, bn_after_add,
    relu_before_add, relu_pre, pre (He et al. 2016), and `pre` alone is the last of them.
    """

    def expand(self, build: Builder, x: Node) -> Node:
        first = self._conv(self.channels, 3, self.s)
        second = self._conv(self.channels, 3)
        return self.branch(build, x, (first, second))


@layer(
    "Bott",
    examples=(
        "Bott 8", "Bott 8 s2 e2 g2", "Bott 6 e1 pre", "Bott 8 s2 shortcut=project dropout=0.3",
        "Bott 8 order=relu_pre bias=on drop_path=0.1",
    ),
    positional=("channels",),
    flags={"pre": ("order", "pre"), "bias": ("bias", "on")},
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class Bottleneck(ResidualBlock):
    """Bottleneck block, 1x1, 3x3 and 1x1 convolutions and a shortcut: `Bott channels [s=1] [e=4]`.

    `channels` is what comes out; the middle is channels / e wide, in `g` groups (ResNeXt). The
    stride is on the 3x3 convolution.
    """

    e: int = arg(4, least=1, most=CHANNELS, help=_OTHER_MIDDLE)
    g: int = arg(1, least=1, most=CHANNELS)

    def expand(self, build: Builder, x: Node) -> Node:
        width = Fraction(self.channels, self.e)
        if width.denominator != 1:
            do = "does" if self.channels == 1 else "do"
            message = f"{counted(self.channels, 'channel')} {do} not divide by e={self.e}"
            build.reject(Misfit("E0306", message, help=_OTHER_MIDDLE), (x,))
        c = max(1, int(width))
        convolutions = (
            self._conv(c, 1), self._conv(c, 3, self.s, self.g), self._conv(self.channels, 1)
        )  # fmt: skip
        return self.branch(build, x, convolutions)


@dataclass(frozen=True, slots=True)
class Res:
    """A shortcut around a whole group: `Res options ( ... )`; residual of residual (report 002).

    No activation follows unless `act` is given; the stride is the product of those inside. A
    second branch is the shortcut itself, `Res( … | Avg 2 Conv 64 1x1 act=none )`, and an empty one
    the identity.
    """

    act: ActKind = arg("none")
    drop_path: float | None = arg(None, least=0, most=1)
    norm: NormKind = arg("batch", setting="norm")
    bias: Bias = arg("auto", setting="bias", words=BIAS)
    shortcut: Policy = arg("avgpad", setting="shortcut")
    shortcut_kernel: int = arg(
        1, least=1, most=99, odd=True, setting="shortcut_kernel", needs=PROJECTION
    )
    shortcut_norm: ShortcutNorm | None = arg(None, setting="shortcut_norm", needs=PROJECTION)

    flags: ClassVar[Mapping[str, tuple[str, object]]] = {"bias": ("bias", "on")}


def add_shortcut(
    build: Builder,
    x: Node,
    entry: Node,
    y: Node,
    block: ResidualBlock | Res,
    stride: Size,
    *,
    pre: bool = False,
    unit: bool = True,
) -> Node:
    """Add the shortcut from `x` around what ends in `y`, and the sum of both.

    `entry` is what the first convolution reads: a shared norm lets the projection read it too. A
    `unit` is what stochastic depth drops as one.
    """
    place = block.shortcut_norm or ("shared" if pre else "after")
    op = Shortcut(
        y.shape, stride, block.shortcut, block.shortcut_kernel, place, block.norm,
        Normalization(block.norm, **build.norm_options), block.bias,  # type: ignore[arg-type]
    )  # fmt: skip
    y = _droppable(build, y, block) if unit else y
    shortcut = build(op, x, entry, name="shortcut")
    return build(ShortcutAdd(), y, shortcut, name="add")


def add_written(build: Builder, y: Node, shortcut: Node, block: Res, *, unit: bool) -> Node:
    """Add the sum of what ends in `y` and a shortcut that is written out."""
    y = _droppable(build, y, block) if unit else y
    return build(ShortcutAdd(written=True), y, shortcut, name="add")


def _droppable(build: Builder, y: Node, block: ResidualBlock | Res) -> Node:
    """Let training leave out the branch that ends in `y`, if the network or its block says so."""
    if build.settings.drop_path or block.drop_path is not None:
        return build(StochasticDepth(block.drop_path), y, name="drop_path")
    return y


RESIDUAL_BLOCKS = tuple(
    code for code, layer_class in CATALOGUE.items() if issubclass(layer_class, ResidualBlock)
)
WITH_SHORTCUT = (*RESIDUAL_BLOCKS, "Res")
