"""The order in which layers were built, where a file has their names sorted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from netdsl.transfer.weighted import counted_up, registered
from netdsl.transfer.zoos import Torchvision, torchvision_names


def as_built(state: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Return a state dict in the order of the network of torchvision that has its names.

    The last layer may have become several, as in `model.fc = nn.Sequential(...)`. None where no
    network of torchvision has these names. Those that share them have one order.
    """
    # Most files are of ResNets.
    for name in sorted(torchvision_names(), key=lambda name: "resnet" not in name):
        with _Unallocated():
            built = Torchvision().bare(name).state_dict()
        end = f"{registered(built)[-1].name}."
        new = [key for key in state if key not in built]
        if all(key.startswith(end) for key in new):
            known = (key for key in built if key in state)
            return {key: state[key] for key in (*known, *sorted(new, key=counted_up))}
    return None


class _Unallocated(TorchFunctionMode):
    """Build networks without numbers: what is left empty to be drawn has its shape alone.

    `torch.device("meta")` would do it for all tensors, and RegNets compute their widths with some.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call a function of torch, `torch.empty` on the meta device."""
        where = {"device": "meta"} if func is torch.empty else {}
        return func(*args, **{**(kwargs or {}), **where})
