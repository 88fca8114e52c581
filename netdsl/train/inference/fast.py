"""A trained network to the same as fast as the machine computes it: folded, bf16, channels last."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from netdsl.train.evaluation import place
from netdsl.train.forward import as_logits
from netdsl.train.inference.folding import Folded, fold
from netdsl.train.settings import Settings


@final
class Fast(nn.Module):
    """A network for evaluation alone: float32 images (N, C, H, W) in, float32 logits out.

    In between it computes in `dtype`. `folded` of `norms` batch norms were folded; `reason` says
    why none could be.
    """

    def __init__(self, found: Folded, dtype: torch.dtype) -> None:
        super().__init__()
        self.body = found.model
        self.dtype = dtype
        self.norms = found.norms
        self.folded = found.folded
        self.reason = found.reason
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        return as_logits(self.body(images.to(self.dtype))).float()


def make_fast(model: nn.Module, settings: Settings) -> Fast:
    """Return a copy of a network that predicts fast, on the device and in the precision asked for.

    One with complex weights computes in fp32, for torch has none of 16 bits that match bf16. The
    network itself stays as it is, wherever it is.
    """
    found = fold(model)
    numbers = chain(found.model.parameters(), found.model.buffers())
    is_complex = any(tensor.is_complex() for tensor in numbers)
    is_narrow = settings.precision == "bf16" and not is_complex
    dtype = torch.bfloat16 if is_narrow else torch.float32
    _round(found.model, dtype, settings.device)
    place(found.model, settings)
    return Fast(found, dtype)


def _round(model: nn.Module, dtype: torch.dtype, device: str) -> None:
    """Round the weights to a type; batch norms that are left keep float32 where they may."""
    model._apply(partial(_rounded, dtype=dtype))  # type: ignore[no-untyped-call]
    if device != "mps":  # whose batch norm wants one type for all
        for module in model.modules():
            if isinstance(module, _BatchNorm):
                module.float()


def _rounded(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """Return numbers with fractions in a type, and complex ones of 32 bits a part."""
    # NOTE: `Module.to` would take the imaginary parts away.
    if tensor.is_complex():
        return tensor.to(torch.complex64)
    return tensor.to(dtype) if tensor.is_floating_point() else tensor
