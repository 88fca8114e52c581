"""A network to its optimiser: SGD, Adam or AdamW, one pass over the weights a step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import SGD, Adam, AdamW, Optimizer

from netdsl.train.settings import Settings

_NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


def make_optimiser(model: nn.Module, settings: Settings) -> Optimizer:
    """Return the optimiser of a network that is already in its place and memory format."""
    groups = list(_groups(model, settings))
    options: dict[str, Any] = {"lr": settings.lr}
    # NOTE: torch has no fused step for complex weights.
    if not settings.exact and not any(weight.is_complex() for weight in model.parameters()):
        options["fused"] = True
    if settings.optimiser == "sgd":
        return _with_state(
            SGD(groups, momentum=settings.momentum, nesterov=settings.settled_nesterov, **options)
        )
    adam = {"adam": Adam, "adamw": AdamW}[settings.optimiser]
    return _with_state(adam(groups, betas=(settings.momentum, 0.999), **options))


def set_rate(optimiser: Optimizer, lr: float) -> None:
    """Let the next step go at this learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = lr


@torch.no_grad()
def clip_gradients(model: nn.Module, settings: Settings) -> Tensor:
    """Return the norm of all gradients together; scale them down where it exceeds `clip`."""
    weights = [weight for weight in model.parameters() if weight.grad is not None]
    norm = get_total_norm([weight.grad for weight in weights if weight.grad is not None])
    if settings.clip:
        clip_grads_with_norm_(weights, settings.clip, norm)
    return norm


def _groups(model: nn.Module, settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield the weights that learn; norms and biases apart where they are not to decay."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    spared = set() if settings.decay_norms else {id(weight) for weight in _spared(model)}
    for decay, is_spared in ((settings.weight_decay, False), (0.0, True)):
        chosen = [weight for weight in weights if (id(weight) in spared) == is_spared]
        if chosen:
            yield {"params": chosen, "weight_decay": decay}


def _spared(model: nn.Module) -> Iterator[Tensor]:
    """Yield the weights of norms, biases, and what has one number a channel, as layer scales do."""
    for module in model.modules():
        for name, weight in module.named_parameters(recurse=False):
            is_scale = _is_flat(weight) and not isinstance(module, _ConvNd)
            if is_scale or name == "bias" or isinstance(module, _NORMS):
                yield weight


def _is_flat(weight: Tensor) -> bool:
    """Say whether a weight has one number a channel."""
    return weight.ndim < 2 or (weight.ndim == 3 and weight.shape[1:].numel() == 1)


def _with_state(optimiser: Optimizer) -> Optimizer:
    """Make what the optimiser remembers of each weight, zero and as the weight lies in memory."""
    # NOTE: on a CPU the fused step is silently wrong where a weight and its momentum lie
    # differently in memory, and fails where a first gradient comes late; so they are made here.
    for group in optimiser.param_groups:
        for weight in group["params"]:
            optimiser.state[weight].update(_state(weight, group))
    return optimiser


def _state(weight: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
    if "momentum" in group:
        return {"momentum_buffer": torch.zeros_like(weight)} if group["momentum"] else {}
    device = weight.device if group["fused"] else torch.device("cpu")
    return {
        "step": torch.zeros((), dtype=torch.float32, device=device),
        "exp_avg": torch.zeros_like(weight),
        "exp_avg_sq": torch.zeros_like(weight),
    }
