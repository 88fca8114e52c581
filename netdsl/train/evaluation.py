"""A network and a data set to loss and accuracy, over every validation image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from netdsl.train.batches import Feed, feed, in_order
from netdsl.train.data.dataset import DataSet, show_shape
from netdsl.train.errors import TrainError
from netdsl.train.faults import memory_faults
from netdsl.train.machine import threads
from netdsl.train.settings import Settings


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Mean cross entropy and the part of `n` images that are classified right."""

    loss: float
    accuracy: float
    n: int


def evaluate(model: nn.Module, data: DataSet, settings: Settings) -> Evaluation:
    """Return what a network makes of the validation images.

    With the settings of a run and its weights, exactly the accuracy that the run recorded. The
    network is left on the device of the settings.
    """
    with memory_faults(settings), threads(settings.threads):
        place(model, settings)
        try_out(model, data, settings)
        return measure(model, feed(data.val, data, settings), settings)


def place(model: nn.Module, settings: Settings) -> None:
    """Put a network on its device, in its memory format."""
    model.to(settings.device)
    if settings.channels_last:
        model.to(memory_format=torch.channels_last)


def try_out(model: nn.Module, data: DataSet, settings: Settings) -> None:
    """Raise if a network does not take the images of a data set, or tells other classes."""
    batch = torch.zeros((2, *data.shape), device=settings.device)
    taken = f"the {show_shape(data.shape)} images of {data.name}"
    with _evaluating(model):
        try:
            logits = forward(model, batch, settings)
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise TrainError(f"the network does not take {taken}: {reason}") from error
    if logits.shape[1:] != (len(data.classes),):
        found = show_shape(tuple(logits.shape[1:]))
        raise TrainError(
            f"the network gives {found} numbers an image, "
            f"but {data.name} has {len(data.classes)} classes"
        )


def forward(model: nn.Module, images: Tensor, settings: Settings) -> Tensor:
    """Return the float32 logits of a batch, computed in the precision of the settings."""
    bf16 = settings.precision == "bf16"
    with torch.autocast(settings.device, torch.bfloat16, enabled=bf16):
        logits: Tensor = model(images)
    return logits.float()


def measure(model: nn.Module, source: Feed, settings: Settings) -> Evaluation:
    """Return loss and accuracy over a whole feed, in evaluation mode."""
    loss = torch.zeros((), device=source.labels.device)
    right = torch.zeros((), dtype=torch.int64, device=source.labels.device)
    with _evaluating(model):
        for images, labels in in_order(source):
            logits = forward(model, images, settings)
            loss += cross_entropy(logits, labels, reduction="sum")
            right += (logits.argmax(1) == labels).sum()
    n = len(source.labels)
    return Evaluation(loss.item() / n, right.item() / n, n)


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)
