"""Each module of a network in training or in evaluation mode, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def same_modes(model: nn.Module) -> Iterator[None]:
    """Put each module of a network back into its own mode afterwards: a part may be frozen."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, and each of its modules back into its own."""
    with same_modes(model):
        model.eval()
        yield
