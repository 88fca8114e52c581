"""A network that learns to the moving average of its weights and of its running statistics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


@final
class Average:
    """An exponential moving average of what a network has learnt; other buffers are the last ones.

    Running means and variances are averaged like the weights: those of the last steps are of the
    features that the last weights made, and averaged weights make others. `model` is the network
    that has the averages.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        self._averaged = AveragedModel(model, multi_avg_fn=average)
        self._averaged.requires_grad_(False)
        self._decay = decay

    @property
    def model(self) -> nn.Module:
        """The network with the averages, to be evaluated and stored."""
        return self._averaged.module

    def update(self, model: nn.Module) -> None:
        """Take in what was learnt in a step; what the first one gave is taken as it is."""
        is_first = not self._averaged.n_averaged
        before = [statistic.clone() for statistic in _statistics(self.model)]
        self._averaged.update_parameters(model)  # and every buffer as it is now
        if not is_first:
            for now, earlier in zip(_statistics(self.model), before, strict=True):
                now.lerp_(earlier, self._decay)

    def state_dict(self) -> dict[str, Any]:
        """Return the averages and how many steps are in them."""
        return self._averaged.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what `state_dict` gave."""
        self._averaged.load_state_dict(state)


def _statistics(model: nn.Module) -> Iterator[Tensor]:
    """Yield the running means and variances of the norms that keep some."""
    for module in model.modules():
        if isinstance(module, _NormBase) and module.track_running_stats:
            assert isinstance(module.running_mean, torch.Tensor)
            assert isinstance(module.running_var, torch.Tensor)
            yield from (module.running_mean, module.running_var)
