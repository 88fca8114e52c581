"""An untrained network and a batch to the norms that go through it, forward and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.modules.batchnorm import _NormBase

from netdsl.experiment.analysis.spots import Spot
from netdsl.train import DataSet, Settings
from netdsl.train.batches import batches_in_order, feed
from netdsl.train.faults import refuse_too_large
from netdsl.train.memory import estimate
from netdsl.train.narrow import narrow_convolutions


@dataclass(frozen=True, slots=True)
class Reading:
    """What goes through a spot.

    `activation` is the root mean square of its output over all units and images, `gradient` that
    of the gradient of an image's loss by its output. `weight` and `weight_gradient` are Euclidean
    norms: of the weights of its convolutions and fully connected layers, and of the gradient of
    the batch's mean loss by these.
    """

    spot: Spot
    activation: float
    gradient: float
    weight: float
    weight_gradient: float

    @property
    def pull(self) -> float:
        """By which part a step at learning rate 1 would change the weights."""
        return self.weight_gradient / self.weight if self.weight else 0.0


@dataclass(frozen=True, slots=True)
class Probe:
    """One network, residual or plain, with the weights of one seed."""

    twin: str
    seed: int
    readings: tuple[Reading, ...]

    @property
    def ratio(self) -> float:
        """The gradient at the first block by that at the last; of layers where no blocks are."""
        ends = [r for r in self.readings if r.spot.kind == "block"] or list(self.readings)
        first, last = ends[0].gradient, ends[-1].gradient
        return first / last if last else float("inf" if first else "nan")


def probe(
    model: nn.Module, spots: Sequence[Spot], images: Tensor, labels: Tensor
) -> tuple[Reading, ...]:
    """Run a batch forward and its cross entropy back, in float32; nothing is learnt.

    Batch norms take mean and variance from the batch, as in the first step of a training. Dropout
    and stochastic depth are left out, so that nothing but the weights is drawn.
    """
    squares: dict[tuple[str, str], float] = {}
    _set_mode(model)
    model.zero_grad(set_to_none=True)
    with ExitStack() as hooks:
        hooks.enter_context(narrow_convolutions(model, str(images.device)))
        for spot in spots:
            hook = _listener(spot.name, len(images), squares)
            handle = model.get_submodule(spot.output).register_forward_hook(hook)
            hooks.callback(handle.remove)
        cross_entropy(model(images), labels).backward()  # type: ignore[no-untyped-call]
    return tuple(
        Reading(
            spot, squares[spot.name, "activation"], squares.get((spot.name, "gradient"), 0.0),
            *_weights(model, spot),
        )
        for spot in spots
    )  # fmt: skip


def _listener(
    name: str, images: int, squares: dict[tuple[str, str], float]
) -> Callable[[nn.Module, Any, Tensor], None]:
    """Return a forward hook that notes the root mean squares of an output and its gradient."""

    def note(module: nn.Module, inputs: Any, output: Tensor) -> None:
        squares[name, "activation"] = _rms(output.detach())
        # NOTE: a hook on the tensor, not on the module: it gets the gradient before a later
        # activation changes the tensor in place.
        output.register_hook(keep)  # type: ignore[no-untyped-call]

    def keep(gradient: Tensor) -> None:
        # An image's loss is weighted 1 / images in the mean.
        squares[name, "gradient"] = _rms(gradient) * images

    return note


def _set_mode(model: nn.Module) -> None:
    model.eval()
    for module in model.modules():
        if isinstance(module, _NormBase):
            module.train()


def _weights(model: nn.Module, spot: Spot) -> tuple[float, float]:
    """Return the norms of the weights of a spot and of their gradient."""
    weights = [
        module.weight
        for name in spot.modules
        for module in model.get_submodule(name).modules()
        if isinstance(module, nn.modules.conv._ConvNd | nn.Linear)
    ]
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    return _norm([weight.detach() for weight in weights]), _norm(gradients)


def _rms(x: Tensor) -> float:
    return float(x.double().square().mean().sqrt())


def _norm(parts: Sequence[Tensor]) -> float:
    return math.sqrt(sum(float(part.double().square().sum()) for part in parts))


def random_batch(
    shape: Sequence[int], output: Sequence[int], images: int, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Return standard normal images and labels for each score that a network of `output` gives."""
    generator = torch.Generator().manual_seed(seed)
    classes, *positions = output
    drawn = torch.randn((images, *shape), generator=generator)
    return drawn, torch.randint(classes, (images, *positions), generator=generator)


def first_batch(data: DataSet, images: int) -> tuple[Tensor, Tensor]:
    """Return the first training images of a data set, normalised by channel, and their labels."""
    settings = Settings(batch_size=images, device="cpu", precision="fp32", channels_last=False)
    return next(batches_in_order(feed(data.train, data, settings, stays=True)))


def refuse_large_batch(model: nn.Module, batch: tuple[int, ...], free: int | None) -> None:
    """Raise where a batch forward and back would not fit into the bytes that are free."""
    images, *shape = batch
    settings = Settings(batch_size=images, device="cpu", precision="fp32", channels_last=False)
    need = estimate(model, tuple(shape), settings)
    work = f"probing with {images:,} images"
    refuse_too_large(need, free, images, work, lambda fits: f"--batch {fits}")
