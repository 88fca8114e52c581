"""Calls to torch modules with their first values; what is alike is copied, not constructed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import final

import torch
from torch import Tensor, nn
from torch._C import _len_torch_dispatch_stack
from torch.nn.modules.batchnorm import _NormBase

from netdsl.backends import layers
from netdsl.backends.initialisation import Drawn, drawing, initialise
from netdsl.ir import Call
from netdsl.ir.settings import Init

_Arguments = tuple[tuple[str, object], ...]
_CONTAINERS = (dict, set, list)  # of a module: its hooks, say
_PLAIN = (*_CONTAINERS, int, float, str, tuple, type(None))


class _Conv2d(nn.Conv2d):
    def reset_parameters(self) -> None: ...


class _ConvTranspose2d(nn.ConvTranspose2d):
    def reset_parameters(self) -> None: ...


class _Linear(nn.Linear):
    def reset_parameters(self) -> None: ...


# The same layers without the values that their constructors draw: they are drawn anew.
_UNFILLED: dict[type[nn.Module], type[nn.Module]] = {
    nn.Conv2d: _Conv2d, nn.ConvTranspose2d: _ConvTranspose2d, nn.Linear: _Linear,
}  # fmt: skip
# Layers with parameters whose constructors draw none.
_STEADY = (*_UNFILLED.values(), _NormBase, nn.GroupNorm, nn.LayerNorm, layers.LayerScale)


@final
class Maker:
    """Makes the modules of one network, in training mode, on the CPU, with their first values.

    With init `torch` those are what the constructors of torch.nn draw. `zero` names the modules
    whose weight starts as 0: the last of each residual branch (Goyal et al. 2017).
    """

    def __init__(self, init: Init, seed: int, zero: Iterable[str] = ()) -> None:
        self._init = init
        self._seed = seed
        self._zero = frozenset(zero)
        self._unfilled = init != "torch"
        self._dtype = torch.get_default_dtype()

    def make(self, call: Call, path: str) -> nn.Module:
        """Return the module of a call, whose name in the network is `path`."""
        arguments = tuple(call.arguments.items())
        if not _len_torch_dispatch_stack():  # a mode may make tensors that end with it
            mould = _mould(call.target, arguments, call.positional, self._unfilled, self._dtype)
            if mould is not None:
                return self._begun(mould.copy(), path)
        with drawing(self._seed, path):
            return self._begun(_construct(_kind(call.target), arguments, call.positional), path)

    def _begun(self, module: nn.Module, path: str) -> nn.Module:
        if self._unfilled and (module._parameters or module._modules):
            parts = module.named_modules(prefix=path) if module._modules else ((path, module),)
            for name, part in parts:
                if isinstance(part, Drawn):
                    initialise(part, self._init, self._seed, name)
        if path in self._zero and isinstance(module.weight, Tensor):
            nn.init.zeros_(module.weight)
        return module


@lru_cache(maxsize=1000)
def _mould(
    target: str, arguments: _Arguments, positional: int, unfilled: bool, dtype: torch.dtype
) -> _Mould | None:
    """Return what makes the modules of a call; None where its constructor has to do it each time.

    A constructor takes up to 50 µs, and a network has few calls that are not alike.
    """
    kind = _kind(target)
    assert dtype == torch.get_default_dtype()
    with drawing(0, ""):  # or a network would change what the next one is drawn from
        if unfilled and kind in _UNFILLED:
            arguments = (*arguments, ("device", "meta"))
            module = _construct(_UNFILLED[kind], arguments, positional)
        else:
            module = _construct(kind, arguments, positional)
    return _Mould(kind, module) if _begins_as_its_like(module) else None


def _construct(kind: type[nn.Module], arguments: _Arguments, positional: int) -> nn.Module:
    return kind(*(value for _, value in arguments[:positional]), **dict(arguments[positional:]))


def _kind(target: str) -> type[nn.Module]:
    home = nn if target.startswith("nn.") else layers
    kind: type[nn.Module] = getattr(home, target.removeprefix("nn."))
    return kind


def _begins_as_its_like(module: nn.Module) -> bool:
    """Say whether the same call makes the same values again, and all else can be shared."""
    steady = isinstance(module, _STEADY) or not (module._parameters or module._buffers)
    plain = all(isinstance(value, _PLAIN) for value in vars(module).values())
    return steady and plain and not module._modules


@final
class _Mould:
    """What makes modules as a constructor does; memory that is not set in it is not set there."""

    def __init__(self, kind: type[nn.Module], module: nn.Module) -> None:
        items = vars(module).items()
        self._kind = kind
        self._shared = {k: v for k, v in items if not isinstance(v, _CONTAINERS)}
        self._copied = [(k, v) for k, v in items if isinstance(v, _CONTAINERS)]
        self._parameters = list(module._parameters.items())
        self._buffers = list(module._buffers.items())

    def copy(self) -> nn.Module:
        module = self._kind.__new__(self._kind)
        own = vars(module)
        own.update(self._shared)
        for name, value in self._copied:
            own[name] = value.copy()
        for name, parameter in self._parameters:
            if parameter is not None:
                own["_parameters"][name] = nn.Parameter(_own(parameter), parameter.requires_grad)
        for name, buffer in self._buffers:
            own["_buffers"][name] = None if buffer is None else _own(buffer)
        return module


def _own(tensor: Tensor) -> Tensor:
    if tensor.is_meta:
        return torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu")
    return tensor.detach().clone()
