"""The random numbers that a training step draws, to plain values and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any

import torch
from torch import nn

from netdsl.modes import same_modes
from netdsl.train.settings import Settings

MOST = 1 - 2**-53  # the largest number that is drawn


def random_state(model: nn.Module, settings: Settings) -> dict[str, Any]:
    """Return where torch's numbers are, and those of the network if it has its own."""
    state: dict[str, Any] = {"cpu": torch.get_rng_state()}
    if settings.device == "cuda":
        state["cuda"] = torch.cuda.get_rng_state()
    if settings.device == "mps":
        state["mps"] = torch.mps.get_rng_state()
    own = own_random(model)
    if own is not None:
        state["network"] = own.getstate()
    return state


def restore_random_state(model: nn.Module, settings: Settings, state: Mapping[str, Any]) -> None:
    """Draw on from there."""
    torch.set_rng_state(state["cpu"])
    if settings.device == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"])
    if settings.device == "mps" and "mps" in state:
        torch.mps.set_rng_state(state["mps"])
    own = own_random(model)
    if own is not None:
        own.setstate(state["network"])


@contextmanager
def untouched(model: nn.Module, settings: Settings) -> Iterator[None]:
    """Run a network in training mode, and leave its buffers and random numbers as they were."""
    state = random_state(model, settings)
    buffers = [buffer.clone() for buffer in model.buffers()]
    try:
        with same_modes(model):
            model.train()
            yield
    finally:
        for buffer, before in zip(model.buffers(), buffers, strict=True):
            buffer.copy_(before)
        restore_random_state(model, settings, state)


class Fixed(Random):
    """Draws one number again and again, and remembers whether somebody drew."""

    def __init__(self, number: float) -> None:
        super().__init__()
        self.number = number
        self.drawn = False

    def random(self) -> float:
        self.drawn = True
        return self.number


@contextmanager
def drawing(model: nn.Module, number: float) -> Iterator[Fixed]:
    """Have a network draw this number alone for its blocks.

    All of them survive 0, and of those that can be left out none survives `MOST`.
    """
    own, fixed = own_random(model), Fixed(number)
    if own is not None:
        vars(model)["random"] = fixed
    try:
        yield fixed
    finally:
        if own is not None:
            vars(model)["random"] = own


def own_random(model: nn.Module) -> Random | None:
    """Return what a network with stochastic depth draws its blocks from: its `random`."""
    own = getattr(model, "random", None)
    return own if isinstance(own, Random) else None
