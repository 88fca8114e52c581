"""Images to logits, in the precision of the settings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from netdsl.train.errors import TrainError
from netdsl.train.settings import Settings


def forward(model: nn.Module, images: Tensor, settings: Settings) -> Tensor:
    """Return the logits of a batch, computed in the precision of the settings.

    They are float32, or float64 where the network computes in it.
    """
    bf16 = settings.precision == "bf16"
    with torch.autocast(settings.device, torch.bfloat16, enabled=bf16):
        logits = as_logits(model(images))
    return logits if logits.dtype == torch.float64 else logits.float()


def as_logits(given: object) -> Tensor:
    """Return what a network gives; raise where that is no tensor."""
    if not isinstance(given, Tensor):
        kind = type(given).__name__
        raise TrainError(f"the network gives a {kind}, but must give a tensor, its logits")
    return given
