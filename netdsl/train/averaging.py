"""A network that learns to the moving average of its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


@final
class Average:
    """An exponential moving average of the weights of a network; buffers are those of the last.

    `model` is the network that has the averages.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        self._averaged = AveragedModel(model, multi_avg_fn=average)
        self._averaged.requires_grad_(False)

    @property
    def model(self) -> nn.Module:
        """The network with the averages, to be evaluated and stored."""
        return self._averaged.module

    def update(self, model: nn.Module) -> None:
        """Take in the weights after a step; those after the first are taken as they are."""
        self._averaged.update_parameters(model)

    def state_dict(self) -> dict[str, Any]:
        """Return the averages and how many steps are in them."""
        return self._averaged.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what `state_dict` gave."""
        self._averaged.load_state_dict(state)
