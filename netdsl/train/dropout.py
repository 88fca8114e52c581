"""Dropout modules to ones that draw eight bits an element, for as long as a training lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn

from netdsl.train.settings import Settings

_LEVELS = 256  # of a random byte
_NEAR = 0.05  # how far the part that is dropped, or kept, may be from what was asked for


@contextmanager
def fast_dropout(model: nn.Module, settings: Settings) -> Iterator[None]:
    """Let every `nn.Dropout` of a network draw bytes meanwhile, where that is faster and allowed.

    On a GPU torch's own draws in one kernel already, and so does a network that is compiled.
    """
    fast = settings.device == "cpu" and not settings.exact and not settings.compile
    chosen = [module for module in model.modules() if fast and _is_plain(module)]
    for module in chosen:
        # NOTE: a method, not a closure: a copy of the network then has that of its own module.
        vars(module)["forward"] = MethodType(_forward, module)
    try:
        yield
    finally:
        for module in chosen:
            del vars(module)["forward"]


def _is_plain(module: nn.Module) -> bool:
    """Say whether a module is dropout that bytes come near, with the `forward` of its class."""
    return has_near(module) and "forward" not in vars(module)


def has_near(module: nn.Module) -> bool:
    """Say whether a module is dropout, of a probability that eight bits come near.

    >>> [has_near(nn.Dropout(p)) for p in (0.0, 0.01, 0.05, 0.5, 1.0)]
    [False, False, True, True, False]
    """
    if type(module) is not nn.Dropout:
        return False
    p, dropped = module.p, threshold(module.p) / _LEVELS
    return 0 < p < 1 and abs(dropped - p) <= _NEAR * min(p, 1 - p)


def threshold(p: float) -> int:
    """Return below which byte an element is dropped.

    >>> threshold(0.5), threshold(0.1)
    (128, 26)
    """
    return round(_LEVELS * p)


def _forward(self: nn.Dropout, x: Tensor) -> Tensor:
    if not self.training:
        return x
    dropped: Tensor = _Dropout.apply(x, threshold(self.p))
    return dropped


class _Dropout(torch.autograd.Function):
    """Elements to zero where their random byte is below a threshold; the others larger for it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, below: int) -> Tensor:
        kept = _random_bytes(x).ge_(below)
        # NOTE: not 1 / (1 - p): that would be biased where p is no multiple of 1 / 256.
        ctx.scale = _LEVELS / (_LEVELS - below)
        # As for p = 0.5: a pass over all elements less, where the product fits into a byte.
        if ctx.scale.is_integer() and ctx.scale < _LEVELS:
            kept.mul_(int(ctx.scale))
            ctx.scale = 1.0
        ctx.save_for_backward(kept)
        return _scaled(x, kept, ctx.scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,), (kept,) = gradients, ctx.saved_tensors
        return _scaled(gradient, kept, ctx.scale), None


def _random_bytes(x: Tensor) -> Tensor:
    """Return a random byte for each element, lying in memory as they do."""
    words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64)
    # NOTE: from the lowest number on: `random_()` alone leaves the sign, a bit of each eighth byte.
    flat = words.random_(-(2**63), None).view(torch.uint8)
    return flat.as_strided(x.shape, torch.empty_like(x, device="meta").stride())


def _scaled(x: Tensor, kept: Tensor, scale: float) -> Tensor:
    product = x * kept
    return product if scale == 1 else product.mul_(scale)
