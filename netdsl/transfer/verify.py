"""Whether two networks with one set of numbers compute the same: tried, with random numbers.

Fresh and even trained weights hide mistakes: norms are all alike at first, a layer scale of 1e-6
silences its branch. So every number is drawn anew with an effect of about one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from netdsl.amounts import numbers, sized
from netdsl.errors import fail
from netdsl.transfer.weighted import Weighted, own, watched

TRIES = 8
_TELLING = 1e-3  # of a deviation, that a layer gives apart for two inputs
_SAMPLE = 4096  # numbers of a layer that are compared


@torch.no_grad()
def randomise(model: nn.Module, x: Tensor) -> tuple[tuple[Weighted, ...], bool]:
    """Draw all parameters and buffers, so that each matters; return the layers as they ran.

    The second value says whether each does: where a layer gave the same for two unlike inputs in
    all tries, nothing before it can be told from other layers.

    Convolutions and fully connected layers are scaled while they run, so that what they give has
    a deviation of one (Mishkin & Matas 2016): no layer drowns the ones beside it. Where the
    activations of a narrow network let nothing through, all is drawn again, and layers of one
    channel, as of a squeeze, so that what they give is above zero on the whole.
    """
    other = torch.Generator().manual_seed(1)
    unlike = 2 - 3 * torch.rand(x.shape, generator=other, dtype=x.dtype, device=x.device)
    is_telling = False
    for seed in range(TRIES):
        random = torch.Generator().manual_seed(seed)
        for module in model.modules():
            for name, tensor in own(module).items():
                _draw(name, tensor, random)
        order, first = _run(model, x, scaled=True, opened=seed > 0)
        _, second = _run(model, unlike, scaled=False)
        is_telling = all(_apart(first[name], second[name]) for name in first.keys() & second.keys())
        if is_telling:
            break
    return tuple(Weighted(name, own(module)) for name, module in order.items()), is_telling


def _run(
    model: nn.Module, x: Tensor, *, scaled: bool, opened: bool = False
) -> tuple[dict[str, nn.Module], dict[str, Tensor]]:
    """Return all layers in the order in which they ran, and numbers that those with weights gave.

    These are divided by their deviation, and their weights with them, where they are `scaled`; and
    where they are `opened`, the sign of a single channel is one that activations let through.
    """
    order: dict[str, nn.Module] = {}
    gave: dict[str, Tensor] = {}

    def note(name: str, module: nn.Module, y: object) -> Tensor | None:
        has_weights = Weighted(name, own(module)).kind == "weights"
        if name in order or not has_weights or not isinstance(y, Tensor):
            order.setdefault(name, module)
            return None
        order[name] = module
        factor = float(y.std())
        if opened and y.ndim > 1 and y.shape[1] == 1 and y.mean() < 0:
            factor = -factor
        if scaled and abs(factor) > 0:
            for tensor in module.parameters(recurse=False):
                tensor.div_(factor)
            y = y / factor
        gave[name] = y.flatten()[:: max(1, y.numel() // _SAMPLE)].clone()
        return y

    with watched(model, note):
        model(x)
    return order, gave


def _apart(one: Tensor, other: Tensor) -> bool:
    """Say whether a layer of a deviation of one gave other numbers for another input."""
    return one.shape != other.shape or float((one - other).abs().max()) > _TELLING


@torch.no_grad()
def difference(
    ours: nn.Module, theirs: nn.Module, x: Tensor, before: tuple[str, str] | None
) -> float:
    """Return the largest difference of what both give, relative to the largest value.

    Where `before` names a layer of each, what these read is compared instead of the logits. Raises
    `NetDSLError` where they do not give as many numbers.
    """
    mine = _seen(ours, x, before[0] if before else None)
    other = _seen(theirs, x, before[1] if before else None)
    if mine.numel() != other.numel():
        source = sized(other.shape[1:]) or "no"
        fact = (
            f"the network comes to {numbers(mine.shape[1:])} an image, and the source to {source}"
        )
        raise fail("E0702", fact)
    other = other.reshape(mine.shape)
    if torch.equal(mine, other):
        return 0.0
    return float((mine - other).abs().max() / other.abs().max())


def _draw(name: str, tensor: Tensor, random: torch.Generator) -> None:
    if not tensor.is_floating_point():
        return
    if tensor.ndim > 1 and max(tensor.shape) < tensor.numel():
        tensor.normal_(generator=random)
    elif name in ("bias", "running_mean"):
        tensor.uniform_(-0.5, 0.5, generator=random)
    else:
        tensor.uniform_(0.5, 1.5, generator=random)


def _seen(model: nn.Module, x: Tensor, layer: str | None) -> Tensor:
    """Return what the network gives, or what one of its layers reads."""
    if layer is None:
        return _logits(model(x))
    seen: list[Tensor] = []
    hook = model.get_submodule(layer).register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0].detach())
    )
    try:
        model(x)
    finally:
        hook.remove()
    return seen[0]


def _logits(y: object) -> Tensor:
    """Return the logits; some networks give them first among others."""
    if isinstance(y, tuple) and y:
        y = y[0]
    if not isinstance(y, Tensor):
        fact = f"the source gives a {type(y).__name__}, and a tensor of logits is needed"
        raise fail("E0701", fact, help="wrap it in a module whose forward returns the logits")
    return y
