"""A trained network and a data set to what it says of every validation image."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from netdsl.train import DataSet, Settings
from netdsl.train.batches import batches_in_order, feed
from netdsl.train.computing import computing
from netdsl.train.evaluation import place, try_out
from netdsl.train.faults import memory_faults
from netdsl.train.forward import forward
from netdsl.train.gathering import stays

Labels = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Of N images: what is right, the likeliest class, the five likeliest, all C probabilities."""

    labels: Labels  # (N)
    predicted: Labels  # (N)
    likeliest: Labels = field(repr=False)  # (N, up to 5), from the likeliest on
    probabilities: Numbers = field(repr=False)  # (N, C)

    @property
    def confidence(self) -> Numbers:
        """The probability of the class that each image is taken for."""
        found: Numbers = self.probabilities[np.arange(len(self.labels)), self.predicted]
        return found

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each image is taken for what it is."""
        found: NDArray[np.bool_] = self.predicted == self.labels
        return found


def look(model: nn.Module, data: DataSet, settings: Settings) -> Predictions:
    """Return what a network says of the validation images, in their order.

    Batch by batch the same numbers as those of the evaluation after an epoch. The network is left
    in evaluation mode, on the device of the settings.
    """
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    with memory_faults(settings), computing(settings), torch.no_grad():
        place(model, settings)
        try_out(model, data, settings)
        model.eval()
        here = stays([data.val.images.nbytes], settings.device)
        for images, _ in batches_in_order(feed(data.val, data, settings, stays=here)):
            logits = forward(model, images, settings)
            # NOTE: logits in bf16 have ties, so that each is decided as the evaluation does.
            five = logits.topk(min(5, logits.shape[1])).indices
            parts.append((logits.cpu(), logits.argmax(1).cpu(), five.cpu()))
    logits, predicted, likeliest = (torch.cat(part) for part in zip(*parts, strict=True))
    return Predictions(
        data.val.labels.numpy(), predicted.numpy(), likeliest.numpy(),
        logits.double().softmax(1).numpy(),
    )  # fmt: skip
