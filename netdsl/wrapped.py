"""Networks out of what shares, averages or compiles them, and the names that weights have there."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

WRAPPERS = (DataParallel, DistributedDataParallel, AveragedModel)
COMPILED = "_orig_mod"  # where `torch.compile` keeps what it compiles
COUNTER = "n_averaged"  # the number that `AveragedModel` has beside the network


def unwrapped(source: nn.Module) -> nn.Module:
    """Return the network itself, which computes the same; one that was compiled runs as it is."""
    inner = source.module if isinstance(source, WRAPPERS) else getattr(source, COMPILED, None)
    return unwrapped(inner) if isinstance(inner, nn.Module) else source


def own_names(state: Mapping[object, Tensor]) -> dict[str, Tensor]:
    """Return weights by the names that they have in the network itself.

    >>> import torch
    >>> one = torch.ones(1)
    >>> list(own_names({"n_averaged": one, "module._orig_mod.conv1.weight": one}))
    ['conv1.weight']
    """
    named = {str(key).replace(f"{COMPILED}.", ""): tensor for key, tensor in state.items()}
    return {re.sub(r"^(module\.)+", "", k): v for k, v in named.items() if k != COUNTER}
