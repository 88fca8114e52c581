"""Any layer class of `torch.nn`: the one op that is measured on torch and not by a formula."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, count
from math import gcd
from typing import Any, ClassVar, NamedTuple

from netdsl.amounts import counted
from netdsl.errors import Misfit
from netdsl.first_line import first_line
from netdsl.ir import Call, Cost, Family, Keeps, Op, Shape, Size, Window
from netdsl.ops.catalogue import arg, layer
from netdsl.ops.torch_memory import KEEPS, OVERWRITING, SOFTMAXES, VIEWS
from netdsl.suggest import closest

WEIGHTED = ("Conv2d", "ConvTranspose2d", "Linear")  # what the depth of a network counts
# Weights of these meet each position alone; norms count so too, over whatever they average.
POINTWISE = ("PReLU", "Norm")
# Of how many dimensions is what these take for one image, in which each channel is for itself.
UNBATCHED = {"Dropout1d": 2, "InstanceNorm1d": 2, "Dropout3d": 4, "InstanceNorm3d": 4}
# What layers with a kernel slide it by; of padding where it is no word.
LEAST = {"kernel_size": 1, "stride": 1, "dilation": 1, "padding": 0}
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

    target: str = arg()
    numbers: tuple[int | float, ...] = ()
    options: tuple[tuple[str, object], ...] = ()

    def kept(self) -> TorchLayer:
        """Return the layer so that it leaves its input as it is."""
        options = tuple((k, False if k == "inplace" else v) for k, v in self.options)
        return replace(self, options=options)

    @property
    def overwrites(self) -> bool:
        """Whether the output lies where the input was, and is all that the layer keeps."""
        return self._name in OVERWRITING and ("inplace", True) in self.options

    @property
    def shares(self) -> bool:
        """Whether the output lies where the input was."""
        return self.overwrites or self._name in VIEWS

    @property
    def is_dropout(self) -> bool:
        """Whether evaluation passes the input on as it is: each of torch's dropouts."""
        return self._name.endswith(("Dropout", "Dropout1d", "Dropout2d", "Dropout3d"))

    @property
    def keeps(self) -> Keeps:  # type: ignore[override]
        return "output" if self.overwrites else KEEPS.get(self._name, "input")

    def infer(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        dims = _measure(self.target, self.numbers, self.options, x).dims
        if len(dims) not in (1, 3):
            raise Misfit(
                "E0308", f"{self.target} makes {dims}, which is neither a map nor a vector"
            )
        if min(dims) < 1:
            raise Misfit("E0308", f"{self.target} makes {dims}, in which there are no numbers")
        return Shape(*dims)

    def call(self, *inputs: Shape) -> Call:
        names = (x.name for x in _parameters(self.target) if x.kind is x.POSITIONAL_OR_KEYWORD)
        more = (f"argument{i}" for i in count(1))  # `nn.Identity` takes any number, and names none
        numbers = dict(zip(chain(names, more), self.numbers, strict=False))
        return Call(self.target, {**numbers, **dict(self.options)}, positional=len(numbers))

    def cost(self, *inputs: Shape) -> Cost:
        (x,) = inputs
        found = _measure(self.target, self.numbers, self.options, x)
        return Cost(found.params, found.macs)

    @property
    def depth(self) -> int:
        return int(self._name in WEIGHTED)

    @property
    def _name(self) -> str:
        """The name of the class in torch.nn."""
        return self.target.removeprefix("nn.")

    def window(self, *inputs: Shape) -> Window | None:
        (x,) = inputs
        return _measure(self.target, self.numbers, self.options, x).window


def allowed(target: str) -> str | None:
    """Return why `target` cannot be used, or None."""
    from torch import nn

    name = target.removeprefix("nn.")
    cls = getattr(nn, name, None) if target.startswith("nn.") else None
    if _is_module(cls):
        why = _unfit(cls)
        return why and f"`{target}` is no layer here: {why}"
    known = [n for n in dir(nn) if _is_module(one := getattr(nn, n)) and not _unfit(one)]
    near = closest(name, known)
    return f"`{target}` is no layer of torch.nn" + (f"; did you mean `nn.{near}`?" if near else "")


def is_in_place(target: str, numbers: int) -> bool:
    """Say whether one of so many bare numbers falls on `inplace` of a class."""
    return "inplace" in [one.name for one in _parameters(target)[:numbers]]


def options_of(target: str) -> tuple[str, ...] | None:
    """Return the options of a class, but for those that a module decides: where and as what.

    None where it takes any.
    """
    found = _parameters(target)
    if any(one.kind is one.VAR_KEYWORD for one in found):
        return None
    return tuple(one.name for one in found if one.name not in ("device", "dtype"))


def _parameters(target: str) -> list[inspect.Parameter]:
    from torch import nn

    return [*inspect.signature(getattr(nn, target.removeprefix("nn."))).parameters.values()]


def _is_module(found: Any) -> bool:
    from torch import nn

    return isinstance(found, type) and issubclass(found, nn.Module)


def _unfit(cls: Any) -> str | None:
    """Return why a class of torch.nn cannot be a layer here, or None."""
    from torch import nn
    from torch.nn.modules.lazy import LazyModuleMixin

    name = cls.__name__
    if issubclass(cls, LazyModuleMixin):
        return f"it has no parameters before its first run; `nn.{name.removeprefix('Lazy')}` has"
    if name in CONTAINERS:
        return "it is a container"
    if name.startswith("Transformer"):
        return "it would take the batch for a sequence"
    if name.endswith("Loss"):
        return "it is a loss"
    return "it gives several values" if issubclass(cls, (nn.RNNBase, nn.LSTMCell)) else None


class _Measured(NamedTuple):
    """What a run of one image without data tells; `window` is None for the whole map."""

    dims: tuple[int, ...]
    params: int
    macs: int
    window: Window | None


@cache
def _measure(
    target: str, numbers: tuple[int | float, ...], options: tuple[tuple[str, object], ...], x: Shape
) -> _Measured:
    import torch
    from torch.utils._python_dispatch import _disable_current_modes
    from torch.utils.flop_counter import FlopCounterMode

    meta = torch.device("meta")
    try:
        # What torch warns of, as of weights without numbers, it says to whoever builds it.
        with warnings.catch_warnings(action="ignore"), _disable_current_modes(), meta:
            module = getattr(torch.nn, target.removeprefix("nn."))(*numbers, **dict(options)).eval()
            counter = FlopCounterMode(display=False)
            with counter, torch.no_grad():
                y = module(torch.empty(1, *x.dims))
            with torch.no_grad():
                several = module(torch.empty(3, *x.dims))
    except Exception as error:  # whatever a foreign constructor or forward may raise
        raise Misfit("E0308", f"{target} cannot take {x}: {first_line(error)}") from None
    if why := _misfit(module, x):
        raise Misfit("E0308", f"{target} cannot take {x}: {why}")
    tensors = isinstance(y, torch.Tensor) and isinstance(several, torch.Tensor)
    if target.removeprefix("nn.") in SOFTMAXES and module.dim in (0, -1 - len(x.dims)):
        raise Misfit("E0308", f"{target} over dim={module.dim} mixes the images of a batch")
    if not tensors or y.shape[0] != 1 or several.shape != (3, *y.shape[1:]):
        raise Misfit("E0308", f"{target} does not turn one image into one tensor")
    dims, params = tuple(y.shape[1:]), sum(p.numel() for p in module.parameters())
    if hasattr(module, "kernel_size"):
        window = _sliding(module) if x.is_map else None
    else:
        apart = dims == x.dims and _is_pointwise(module, params, x)
        window = Window() if apart else None
    return _Measured(dims, params, counter.get_total_flops() // 2, window)


def _misfit(module: Any, x: Shape) -> str | None:
    """Return why a module does not take an input, where a run without data does not show it."""
    name, last = type(module).__name__, len(x.dims)
    for option, least in LEAST.items() if hasattr(module, "kernel_size") else ():
        if any(n < least for n in _sizes(getattr(module, option, ()))):
            return f"{option} must be at least {least}"
    if name == "ConvTranspose2d":
        if module.in_channels != x.channels:
            return f"it is for {counted(module.in_channels, 'channel')}"
        larger = map(max, module.stride, module.dilation)
        if any(n >= most for n, most in zip(module.output_padding, larger, strict=True)):
            return "output_padding must be less than stride or dilation"
    if last + 1 == UNBATCHED.get(name):
        return "it would take the images of a batch for channels"
    if name in SOFTMAXES and module.dim is not None and not -1 - last <= module.dim <= last:
        return f"with the batch it has {last + 1} dimensions, and none is {module.dim}"
    return None


def _sizes(size: object) -> tuple[int, ...]:
    """Return the sizes along the axes, as far as they are whole numbers."""
    return tuple(n for n in (size if isinstance(size, tuple) else (size,)) if isinstance(n, int))


def _sliding(module: Any) -> Window | None:
    """Return what convolutions and pools see of a map, as they say it themselves."""
    if not hasattr(module, "stride"):  # a fractional pool draws its windows
        return None
    kernel, stride = _pair(module.kernel_size), _pair(module.stride or module.kernel_size)
    dilation = _pair(getattr(module, "dilation", 1))
    if "Transpose" not in type(module).__name__:
        return Window(kernel, stride, dilation)
    # An output position sees every s / gcd(s, d)-th number of the kernel, at inputs d / gcd apart.
    common = [gcd(s, d) for s, d in zip(stride, dilation, strict=True)]
    h, w = (-(-k * c // s) for k, s, c in zip(kernel, stride, common, strict=True))
    return Window((h, w), (1, 1), (dilation[0] // common[0], dilation[1] // common[1]), stride)


def _is_pointwise(module: Any, params: int, x: Shape) -> bool:
    """Say whether a layer that keeps the shape sees one position at a time."""
    name = type(module).__name__
    if name in SOFTMAXES:
        return x.is_map and module.dim in (None, 1, -3)  # over channels
    return not params or any(part in name for part in POINTWISE)


def _pair(size: int | tuple[int, ...]) -> Size:
    """Return a size along the two axes of a map, whose channels are the first of three axes."""
    return (size, size) if isinstance(size, int) else (size[-2], size[-1])
