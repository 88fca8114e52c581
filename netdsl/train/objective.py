"""Logits and what is right to the loss that a training lowers."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy

from netdsl.train.mixing import Mixed, Target
from netdsl.train.settings import Settings


def loss_of(logits: Tensor, target: Target, settings: Settings) -> Tensor:
    """Return the mean cross entropy, labels smoothed as the settings say."""
    smoothing = settings.label_smoothing
    if not isinstance(target, Mixed):
        return cross_entropy(logits, target, label_smoothing=smoothing)
    own = cross_entropy(logits, target.labels, label_smoothing=smoothing)
    other = cross_entropy(logits, target.others, label_smoothing=smoothing)
    return target.weight * own + (1 - target.weight) * other
