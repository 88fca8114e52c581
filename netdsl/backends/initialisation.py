"""Initial values: every parameter from its own name and the seed, so that twins begin alike."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import torch
from torch import Tensor, nn

from netdsl.ir.settings import Init


def initialise(model: nn.Module, init: Init, seed: int, zero: Iterable[str] = ()) -> None:
    """Fill all parameters and statistics of a model whose memory is not set yet.

    kaiming: normal with the fan out of the convolution (He et al. 2015, as torchvision does it);
    xavier: uniform (Glorot and Bengio 2010); both with biases of 0. torch: as the constructors of
    torch.nn do. Norms start as 1 and 0. `zero` names the modules whose weight starts as 0: the last
    of each residual branch (Goyal et al. 2017).
    """
    zero = frozenset(zero)
    for path, module in model.named_modules():
        weight = getattr(module, "weight", None)
        drawn = isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)
        if drawn and init != "torch":
            assert isinstance(weight, Tensor)
            _fill(module, weight, init, generator(seed, f"{path}.weight"))
        elif hasattr(module, "reset_parameters"):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(_number(seed, path))
                module.reset_parameters()
        if path in zero and isinstance(weight, Tensor):
            nn.init.zeros_(weight)


def generator(seed: int, name: str) -> torch.Generator:
    """Return the random stream of one parameter."""
    return torch.Generator().manual_seed(_number(seed, name))


def _number(seed: int, name: str) -> int:
    return int.from_bytes(blake2b(f"{seed}:{name}".encode(), digest_size=7).digest(), "big")


def _fill(module: nn.Module, weight: Tensor, init: Init, random: torch.Generator) -> None:
    if init == "xavier":
        nn.init.xavier_uniform_(weight, generator=random)
    elif isinstance(module, nn.Linear):
        # The scores of a fresh network have the variance of its features.
        nn.init.kaiming_normal_(weight, nonlinearity="linear", generator=random)
    else:
        nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu", generator=random)
    if isinstance(module.bias, Tensor):
        nn.init.zeros_(module.bias)
