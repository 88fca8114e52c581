"""A network and a data set to loss and accuracy, over every validation image."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from netdsl.amounts import numbers
from netdsl.first_line import first_line
from netdsl.modes import evaluating
from netdsl.train.batches import Feed, batches_in_order, feed
from netdsl.train.computing import computing
from netdsl.train.data.dataset import DataSet, Shape, show_shape
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.faults import memory_faults
from netdsl.train.forward import forward
from netdsl.train.gathering import stays
from netdsl.train.settings import Settings
from netdsl.wrapped import unwrapped

_FIVE = 5
_OTHER_FORMAT = "try channels_last=false, or let it reshape where it takes a view"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Mean cross entropy and the part of `n` images that are classified right.

    `top5` is the part whose class is among the five likeliest.
    """

    loss: float
    accuracy: float
    top5: float
    n: int


def tells_top5(classes: int) -> bool:
    """Say whether top-5 accuracy says anything: of five classes or fewer it is always 1."""
    return classes > _FIVE


def evaluate(model: nn.Module, data: DataSet, settings: Settings) -> Evaluation:
    """Return what a network makes of the validation images.

    With the settings of a run and its weights, exactly the accuracy that the run recorded. The
    network is left on the device of the settings.
    """
    with memory_faults(settings), computing(settings):
        place(model, settings)
        try_out(model, data, settings)
        here = stays([data.val.images.nbytes], settings.device)
        return measure(model, feed(data.val, data, settings, stays=here), settings)


def place(model: nn.Module, settings: Settings) -> None:
    """Put a network on its device, in its memory format."""
    model.to(settings.device)
    if settings.channels_last:
        # NOTE: not `to`, which raises where weights are of a convolution over volumes.
        model._apply(_channels_last)  # type: ignore[no-untyped-call]


def _channels_last(tensor: Tensor) -> Tensor:
    """Return weights of four dimensions with channels last; of one position they lie so anyway."""
    if tensor.ndim != 4 or tensor.shape[2:] == (1, 1):
        return tensor
    return tensor.to(memory_format=torch.channels_last)


def try_out(model: nn.Module, data: DataSet, settings: Settings) -> None:
    """Raise if a network does not take the images of a data set, or tells other classes."""
    taken = f"the {show_shape(data.shape)} images of {data.name}"
    logits = try_images(model, data.shape, taken, settings)
    if logits.shape[1:] != (len(data.classes),):
        raise TrainError(
            f"the network gives {numbers(logits.shape[1:], '×')} an image, "
            f"but {data.name} has {len(data.classes)} classes"
        )


def refuse_other_images(model: nn.Module, data: DataSet) -> None:
    """Raise where the text of a network says another shape of images than those of a data set.

    It may take them all the same, as one that ends with global average pooling does; but what a run
    stores would then be for images that it never saw.
    """
    said = getattr(unwrapped(model), "declared_input", data.shape)
    if said != data.shape:
        raise TrainError(
            f"the network is for {show_shape(said)} images, "
            f"and those of {data.name} are {show_shape(data.shape)}",
            f"train `net.override(input={data.shape}).module()`, and keep its text",
            ExitCode.USAGE,
        )


def try_images(model: nn.Module, shape: Shape, taken: str, settings: Settings) -> Tensor:
    """Return what a network gives for black images of a shape; raise if it does not take them.

    `taken` is what they are called.
    """
    images = torch.zeros((2, *shape), device=settings.device)
    if settings.channels_last:
        images = images.to(memory_format=torch.channels_last)
    with evaluating(model), torch.no_grad():
        try:
            return forward(model, images, settings)
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, ValueError) as error:
            reason, help = first_line(error), None
            if settings.channels_last and _takes_contiguous(model, images, settings):
                taken, help = f"{taken} in memory with their channels last", _OTHER_FORMAT
            raise TrainError(f"the network does not take {taken}: {reason}", help) from error


def _takes_contiguous(model: nn.Module, images: Tensor, settings: Settings) -> bool:
    """Say whether a network takes images where these and its weights lie as torch has them."""
    model.to(memory_format=torch.contiguous_format)
    try:
        forward(model, images.to(memory_format=torch.contiguous_format), settings)
    except (RuntimeError, ValueError):
        return False
    finally:
        place(model, settings)
    return True


def measure(
    model: nn.Module,
    source: Feed,
    settings: Settings,
    between: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Return loss and accuracy over a whole feed, in evaluation mode.

    `between` is called behind every batch, and may end the evaluation by what it raises. Whoever
    shares the feed calls it as often, and returns the same, which is what one process returns.
    """
    n, world = len(source.labels), source.world
    rounds, sums = math.ceil(n / source.batch_size / world.size), []
    with evaluating(model), torch.no_grad():
        batches = batches_in_order(source)
        for _ in range(rounds):
            for images, labels in itertools.islice(batches, 1):  # none where others have the last
                sums.append(_sums(forward(model, images, settings), labels))
            between()
    # NOTE: the sum of what whole batches come to does not depend on who evaluated which.
    table = torch.zeros((rounds * world.size, 3), dtype=torch.float64)
    if sums:
        table[world.rank :: world.size][: len(sums)] = torch.stack(sums).cpu().double()
    whole = world.total(*table.flatten().tolist())
    loss, first, among_five = (math.fsum(whole[column::3]) for column in range(3))
    return Evaluation(loss / n, first / n, among_five / n, n)


def _sums(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the loss, how many labels are the likeliest class, and how many among the five."""
    loss = cross_entropy(logits, labels, reduction="sum")
    likeliest = logits.topk(min(_FIVE, logits.shape[1])).indices == labels[:, None]
    return torch.stack((loss, (logits.argmax(1) == labels).sum(), likeliest.sum()))
