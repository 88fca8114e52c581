"""A network to its optimiser: SGD with Nesterov momentum, one pass over the weights a step."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim import SGD

from netdsl.train.settings import Settings


def make_sgd(model: nn.Module, settings: Settings) -> SGD:
    """Return the optimiser of a network that is already in its place and memory format."""
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = SGD(
        weights,
        settings.lr,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        nesterov=True,
        fused=True,
    )
    # NOTE: on a CPU the fused step is silently wrong where a weight and its momentum lie
    # differently in memory, and fails where a first gradient comes late; so momentum is made here.
    for weight in weights:
        optimiser.state[weight]["momentum_buffer"] = torch.zeros_like(weight)
    return optimiser


def set_rate(optimiser: SGD, lr: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = lr
