"""A network to what a training step runs: itself, or its replica on each of several processes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from netdsl.train.distributed import World
from netdsl.train.forward import forward
from netdsl.train.random_state import MOST, drawing, own_random, untouched
from netdsl.train.settings import Settings


def synchronised(model: nn.Module, settings: Settings, world: World) -> nn.Module:
    """Return a network whose batch norms take in the images of all processes, if that is wanted."""
    if world.size == 1 or not settings.sync_bn:
        return model
    converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
    return converted


def replica(
    model: nn.Module, shape: tuple[int, int, int], settings: Settings, world: World
) -> nn.Module:
    """Return what a step runs: its gradients are the means over all processes.

    Everywhere the network begins as it is in the first process, with the random numbers that leave
    blocks out. The running means of batch norm are those of the first process.
    """
    if world.size == 1:
        return model
    own = own_random(model)
    if own is not None:
        own.setstate(world.lead(own.getstate))
    images = torch.zeros((2, *shape), device=settings.device)
    with untouched(model, settings), drawing(model, MOST) as fixed:
        with torch.no_grad():
            forward(model, images, settings)
        shared = DistributedDataParallel(model, find_unused_parameters=fixed.drawn)
        # NOTE: torch lays the gradients out anew behind the first step, and adds those of three and
        # more processes up in another order then; a resumed training would differ from there on.
        forward(shared, images, settings).sum().backward()  # type: ignore[no-untyped-call]
    model.zero_grad()
    return shared


def share_buffers(model: nn.Module, world: World) -> None:
    """Give every process the buffers of the first, the running means of batch norm among them."""
    if world.size > 1:
        for buffer, first in zip(model.buffers(), world.lead(lambda: _buffers(model)), strict=True):
            buffer.copy_(first)


def _buffers(model: nn.Module) -> list[Tensor]:
    return [buffer.cpu() for buffer in model.buffers()]
