"""Layers that have numbers of their own, in the order in which they run or are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from netdsl.amounts import sized

Kind = Literal["weights", "norm", "factor"]
Role = Literal["branch", "shortcut"]

# What the shortcuts of residual blocks are called: here, in torchvision's ResNets and its RegNets,
# and in well-known code of wide ResNets and of Xception.
SHORTCUTS = frozenset({
    "shortcut", "shortcut_norm", "downsample", "proj",
    "convShortcut", "conv_shortcut", "skip", "skipbn",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Weighted:
    """One layer: its name and its parameters and buffers, by their own names.

    Of a source that was run they hold the random numbers that it was compared under.
    """

    name: str
    tensors: Mapping[str, Tensor] = field(repr=False)

    @property
    def role(self) -> Role:
        """Whether the layer is on the shortcut of a residual block."""
        return "branch" if SHORTCUTS.isdisjoint(self.name.split(".")) else "shortcut"

    @property
    def kind(self) -> Kind:
        """What the numbers do: mix channels, normalise them, or scale them."""
        weight = self.tensors.get("weight")
        if weight is not None and weight.ndim > 1:
            return "weights"
        return "norm" if weight is not None or "running_mean" in self.tensors else "factor"

    @property
    def params(self) -> int:
        """The number of learned values."""
        return sum(t.numel() for t in self.tensors.values() if isinstance(t, nn.Parameter))

    def shapes(self) -> str:
        """Write the shapes of parameters and buffers: `weight 64x3x7x7, bias 64`.

        The order is that of torch's layers, whatever a file has.
        """
        order = {"weight": 0, "bias": 1}
        return ", ".join(
            f"{name} {sized(self.tensors[name].shape)}"
            for name in sorted(self.tensors, key=lambda name: order.get(name, 2))
            if self.tensors[name].ndim
        )


def executed(model: nn.Module, x: Tensor) -> tuple[Weighted, ...]:
    """Return the layers of a network in the order in which they run on `x`, each once.

    A module that holds other layers beside its own numbers counts where it ends, as the layer
    scale of a ConvNeXt block does.
    """
    order: dict[str, nn.Module] = {}
    with torch.no_grad(), watched(model, lambda name, module, _: order.setdefault(name, module)):
        model(x)
    return tuple(Weighted(name, own(module)) for name, module in order.items())


def registered(state: Mapping[str, Tensor]) -> tuple[Weighted, ...]:
    """Return the layers of a state dict in its order, which is that of construction."""
    layers: dict[str, dict[str, Tensor]] = {}
    for key, tensor in state.items():
        name, _, last = key.rpartition(".")
        layers.setdefault(name, {})[last] = tensor
    return tuple(Weighted(name, tensors) for name, tensors in layers.items())


def weighted_layers(state: Mapping[str, Tensor]) -> tuple[tuple[Weighted, ...], bool]:
    """Return the layers of a state dict by the order of its file, and whether that is of names.

    safetensors sorts names, those of each type of number apart. Layers of such a state are
    returned in the order in which people count, which need not be that of construction.

    >>> zeros = torch.zeros(1)
    >>> state = {"a.10.weight": zeros, "a.9.bias": zeros, "a.9.weight": zeros}
    >>> layers, is_sorted = weighted_layers(state)
    >>> [layer.name for layer in layers], is_sorted
    (['a.9', 'a.10'], True)
    """
    layers = registered(state)
    by_type: dict[torch.dtype, list[str]] = {}
    for key, tensor in state.items():
        by_type.setdefault(tensor.dtype, []).append(key)
    if any(keys != sorted(keys) for keys in by_type.values()):
        return layers, False
    return tuple(sorted(layers, key=lambda layer: counted_up(layer.name))), True


def counted_up(name: str) -> str:
    """Return a name as it is sorted among others: 2 before 10."""
    return re.sub("[0-9]+", lambda number: number[0].zfill(20), name)


def own(module: nn.Module) -> dict[str, Tensor]:
    """Return the parameters and buffers that a module has itself, not in its children."""
    held = (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False))
    return dict(held)


@contextmanager
def watched(model: nn.Module, see: Callable[[str, nn.Module, Tensor], object]) -> Iterator[None]:
    """Call `see(name, module, output)` after every layer with numbers of its own has run.

    What `see` returns takes the place of the output if it is a tensor.
    """

    def hook(name: str) -> Callable[[nn.Module, object, Tensor], Tensor | None]:
        def after(module: nn.Module, _: object, y: Tensor) -> Tensor | None:
            replaced = see(name, module, y)
            return replaced if isinstance(replaced, Tensor) else None

        return after

    hooks = [
        module.register_forward_hook(hook(name))
        for name, module in model.named_modules()
        if own(module)
    ]
    try:
        yield
    finally:
        for handle in hooks:
            handle.remove()
