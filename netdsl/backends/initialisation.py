"""Initial values: every parameter from its own name and the seed, so that twins begin alike."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from threading import RLock

import torch
from torch import Tensor, nn

from netdsl.ir.settings import Init

_stream = RLock()  # torch's own, of which there is one for all threads
_AT_ONCE = 2**16  # numbers; a multiple of 16, which torch makes together
# What is drawn for a layer itself, whatever its constructor draws.
Drawn = nn.Conv2d | nn.ConvTranspose2d | nn.Linear


def initialise(module: Drawn, init: Init, seed: int, path: str) -> None:
    """Fill a layer whose memory is not set yet.

    kaiming: normal with the fan out of the convolution (He et al. 2015, as torchvision does it);
    xavier: uniform (Glorot and Bengio 2010); both with biases of 0.
    """
    weight, random = module.weight, generator(seed, f"{path}.weight")
    if init == "xavier":
        nn.init.xavier_uniform_(weight, generator=random)
    else:
        _fill_normal(weight, _kaiming(module), random)
    if isinstance(module.bias, Tensor):
        nn.init.zeros_(module.bias)


def generator(seed: int, name: str) -> torch.Generator:
    """Return the random stream of one parameter."""
    return torch.Generator().manual_seed(_number(seed, name))


@contextmanager
def drawing(seed: int, name: str) -> Iterator[None]:
    """Let whatever draws from torch's own stream draw from that of a name instead."""
    # NOTE: torch.manual_seed would seed every GPU too, which takes longer than a constructor.
    with _stream:
        before = torch.get_rng_state()
        torch.default_generator.manual_seed(_number(seed, name))
        try:
            yield
        finally:
            torch.set_rng_state(before)


def _kaiming(module: Drawn) -> float:
    """Return the deviation of initial weights: gain / sqrt(fan), He et al. 2015, section 2.2."""
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(module.weight)
    if isinstance(module, nn.Linear):
        # The scores of a fresh network have the variance of its features.
        return 1 / math.sqrt(fan_in)
    return math.sqrt(2.0) / math.sqrt(fan_out)


def _fill_normal(weight: Tensor, deviation: float, random: torch.Generator) -> None:
    # NOTE: torch fills with uniform numbers first and makes normal ones of all of them then; part
    # by part they are still in the cache, and the values are the same.
    numbers = weight.detach().view(-1)
    for part in (numbers,) if len(numbers) <= _AT_ONCE else torch.split(numbers, _AT_ONCE):
        part.normal_(0, deviation, generator=random)


def _number(seed: int, name: str) -> int:
    return int.from_bytes(blake2b(f"{seed}:{name}".encode(), digest_size=7).digest(), "big")
