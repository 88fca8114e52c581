"""The numbers of a network: lent, widened, refused where they are none, moved from another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import reduce

import torch
from torch import Tensor, nn

from netdsl.errors import fail
from netdsl.transfer.pairs import Pair


@contextmanager
def widened(module: nn.Module) -> Iterator[torch.dtype]:
    """Let a network compute in one type that holds all of its own, fp32 at the least; give it.

    Every tensor is of its own type again behind it.
    """
    own = {name: tensor.dtype for name, tensor in _named(module)}
    floating = (dtype for dtype in own.values() if dtype.is_floating_point)
    wide = reduce(torch.promote_types, floating, torch.float32)
    module.to(wide)
    try:
        yield wide
    finally:
        for name, tensor in _named(module):
            tensor.data = tensor.data.to(own[name])


def _named(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield parameters and buffers, those of several names by each of them."""
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


@contextmanager
def lent(module: nn.Module) -> Iterator[None]:
    """Lend a network to other numbers, and give it back with its own."""
    kept = [(tensor, tensor.detach().clone()) for tensor in numbers_of(module).values()]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, before in kept:
                tensor.copy_(before)


def numbers_of(module: nn.Module) -> dict[str, Tensor]:
    """Return parameters and buffers by name."""
    return dict(module.named_parameters()) | dict(module.named_buffers())


def refuse_empty(state: Mapping[str, Tensor]) -> None:
    """Refuse tensors that have no numbers, or not one for each place."""
    for name, tensor in state.items():
        if tensor.is_meta:
            message = f"`{name}` of the source has no numbers: its device is torch's `meta`"
            raise fail("E0703", message)
        if tensor.layout is not torch.strided:
            message = f"`{name}` of the source is sparse"
            raise fail("E0703", message, help="`tensor.to_dense()` makes it one that can be moved")


def refuse_unsound(pairs: tuple[Pair, ...], state: Mapping[str, Tensor]) -> None:
    """Refuse NaN, and what is not of floating point where the network is, as quantised weights."""
    for name, target, found in _moves(pairs, state):
        if not target.is_floating_point():
            continue
        if not found.is_floating_point():
            fact = f"`{name}` of the source is of {found.dtype}, which is no floating point"
            help = "quantised weights stand for others: give these, with their scale"
            raise fail("E0703", fact, help=help)
        if bool(found.to(target.dtype).isnan().any()):
            help = "a training that diverged leaves such weights: take those of a step before"
            raise fail("E0703", f"`{name}` of the source holds NaN", help=help)


@torch.no_grad()
def move(pairs: tuple[Pair, ...], state: Mapping[str, Tensor]) -> None:
    """Copy the numbers of the pairs that fit from the state dict of the second network."""
    for _, target, found in _moves(pairs, state):
        target.copy_(found.reshape(target.shape))


def _moves(
    pairs: tuple[Pair, ...], state: Mapping[str, Tensor]
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Yield a name in the state dict, the tensor that is filled, and the one whose numbers it gets.

    Of pairs that do not fit there is none.
    """
    for pair in pairs:
        prefix = f"{pair.theirs.name}." if pair.theirs.name else ""
        for mine, theirs in pair.names() if pair.fits else ():
            if prefix + theirs in state:
                yield prefix + theirs, pair.ours.tensors[mine], state[prefix + theirs]
