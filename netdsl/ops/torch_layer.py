"""Any layer class of `torch.nn`: the one op that is measured on torch and not by a formula."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, NamedTuple

from netdsl.errors import Misfit
from netdsl.ir import Call, Cost, Family, Keeps, Op, Shape, Size, Window
from netdsl.ops.catalogue import arg, closest, layer

WEIGHTED = ("Conv2d", "ConvTranspose2d", "Linear")  # what the depth of a network counts
CONTAINERS = ("Module", "Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict",
              "Container", "DataParallel")  # fmt: skip


@layer(
    "Torch",
    examples=(
        'Torch "nn.Hardswish" inplace=true', 'Torch "nn.PReLU" 6',
        'Torch "nn.Conv2d" 6 4 3 padding=1',
    ),
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class TorchLayer(Op):
    """Any layer class of torch.nn, and nothing else: `Torch "nn.Hardswish" inplace=true`.

    Bare numbers and options are handed to its constructor; shape and cost come from a run on
    torch's meta device, so a file that uses it imports torch.
    """

    family: ClassVar[Family] = "act"
    keeps: ClassVar[Keeps] = "input"

    target: str = arg()
    numbers: tuple[int | float, ...] = ()
    options: tuple[tuple[str, object], ...] = ()

    def kept(self) -> TorchLayer:
        """Return the layer so that it leaves its input as it is."""
        options = tuple((k, False if k == "inplace" else v) for k, v in self.options)
        return replace(self, options=options)

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        dims = _measure(self.target, self.numbers, self.options, x).dims
        if len(dims) not in (1, 3):
            raise Misfit(
                "E0308", f"{self.target} makes {dims}, which is neither a map nor a vector"
            )
        return Shape(*dims)

    def call(self, *inputs: Shape) -> Call:
        numbers = {f"argument{i}": n for i, n in enumerate(self.numbers)}
        return Call(self.target, {**numbers, **dict(self.options)}, positional=len(numbers))

    def cost(self, *inputs: Shape) -> Cost:
        (x,) = inputs
        found = _measure(self.target, self.numbers, self.options, x)
        return Cost(found.params, found.macs)

    @property
    def depth(self) -> int:
        return int(self.target.removeprefix("nn.") in WEIGHTED)

    def window(self, *inputs: Shape) -> Window | None:
        (x,) = inputs
        found = _measure(self.target, self.numbers, self.options, x)
        return found.window or (Window() if self.infer(x) == x else None)


def allowed(target: str) -> str | None:
    """Return why `target` cannot be used, or None."""
    from torch import nn

    name = target.removeprefix("nn.")
    known = [n for n in dir(nn) if _is_layer(getattr(nn, n))]
    if target.startswith("nn.") and name in known:
        return None
    near = closest(name, known)
    return f"`{target}` is no layer of torch.nn" + (f"; did you mean `nn.{near}`?" if near else "")


def is_in_place(target: str, numbers: int) -> bool:
    """Say whether one of so many bare numbers falls on `inplace` of a class."""
    from torch import nn

    names = [*inspect.signature(getattr(nn, target.removeprefix("nn."))).parameters]
    return "inplace" in names[:numbers]


def _is_layer(cls: Any) -> bool:
    from torch import nn
    from torch.nn.modules.lazy import LazyModuleMixin

    name = getattr(cls, "__name__", "")
    return (
        isinstance(cls, type)
        and issubclass(cls, nn.Module)
        and not issubclass(cls, LazyModuleMixin)  # has no parameters before its first run
        and name not in CONTAINERS
        and not name.startswith("Transformer")  # would take the batch for a sequence
        and not name.endswith("Loss")
    )


class _Measured(NamedTuple):
    """What a run of one image without data tells; `window` where the layer says what it sees."""

    dims: tuple[int, ...]
    params: int
    macs: int
    window: Window | None


@cache
def _measure(
    target: str, numbers: tuple[int | float, ...], options: tuple[tuple[str, object], ...], x: Shape
) -> _Measured:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    try:
        with torch.device("meta"):
            module = getattr(torch.nn, target.removeprefix("nn."))(*numbers, **dict(options)).eval()
            counter = FlopCounterMode(display=False)
            with counter, torch.no_grad():
                y = module(torch.empty(1, *x.dims))
            with torch.no_grad():
                several = module(torch.empty(3, *x.dims))
    except Exception as error:  # whatever a foreign constructor or forward may raise
        first = str(error).strip().split("\n")[0]
        raise Misfit("E0308", f"{target} cannot take {x}: {first}") from None
    tensors = isinstance(y, torch.Tensor) and isinstance(several, torch.Tensor)
    if not tensors or y.shape[0] != 1 or several.shape != (3, *y.shape[1:]):
        raise Misfit("E0308", f"{target} does not turn one image into one tensor")
    params = sum(p.numel() for p in module.parameters())
    return _Measured(
        tuple(y.shape[1:]), params, counter.get_total_flops() // 2, _window(module, target)
    )


def _window(module: Any, target: str) -> Window | None:
    """Return what convolutions and pools of torch.nn see, as they say it themselves."""
    if not hasattr(module, "kernel_size") or "Transpose" in target or "Unpool" in target:
        return None
    kernel, stride = _pair(module.kernel_size), _pair(module.stride or module.kernel_size)
    return Window(kernel, stride, _pair(getattr(module, "dilation", 1)))


def _pair(size: int | tuple[int, int]) -> Size:
    return (size, size) if isinstance(size, int) else size
