"""Functions of torch, `F.max_pool2d(x, 2)`, to what they are written here."""

from __future__ import annotations

import re

from netdsl.syntax.foreign_calls import CHANGES_NOTHING, layer_of

# Functions of torch, and the class that computes the same.
_FUNCTIONS = {
    **{name.lower(): name for name in ("ReLU", "ReLU6", "GELU", "SiLU", "Hardswish", "ELU")},
    **{name.lower(): name for name in ("Sigmoid", "Tanh", "Dropout", "Flatten", "Softmax")},
    "leaky_relu": "LeakyReLU", "log_softmax": "LogSoftmax", "interpolate": "Upsample",
    "max_pool2d": "MaxPool2d", "avg_pool2d": "AvgPool2d",
    "adaptive_avg_pool2d": "AdaptiveAvgPool2d",
}  # fmt: skip
# A function of a map, as `x = F.relu(x)`.
FUNCTION = re.compile(
    r"(?:\b[a-z]\w*\s*=\s*)?\b(?:(?:torch\.)?nn\.functional|F|torch)\."
    rf"(?P<name>{'|'.join(_FUNCTIONS)})\s*\(\s*[a-z]\w*\s*"
    r"(?:,(?P<arguments>(?:[^()]|\([^()]*\))*))?\)"
)
_TRAINS = re.compile(r"\btraining\s*=\s*(?!True\b)")


def function_here(match: re.Match[str]) -> tuple[str, str | None]:
    """Return the class of torch that computes what a function does, and what is written here.

    >>> function_here(FUNCTION.match("x = F.max_pool2d(x, 3, stride=2)"))
    ('MaxPool2d', 'Max 3 s2 p0')
    """
    name = _FUNCTIONS[match["name"]]
    return name, None if name in CHANGES_NOTHING else layer_of(name, match["arguments"] or "", {})


def unlike_class(match: re.Match[str]) -> str | None:
    """Say what a function of torch does and its class, and the layer here, do not, if anything.

    >>> unlike_class(FUNCTION.match("torch.flatten(x)"))
    'torch flattens the batch too, unless `1` stands behind `x`'
    >>> unlike_class(FUNCTION.match("F.dropout(x, 0.3, training=self.training)"))
    """
    arguments = match["arguments"] or ""
    if match["name"] == "dropout" and not _TRAINS.search(arguments):
        return "torch drops in evaluation too, unless `training=self.training` is given"
    is_whole = match["name"] == "flatten" and "start_dim" not in arguments
    if is_whole and re.match(r"\s*(?:\w+\s*=|\Z)", arguments):
        return "torch flattens the batch too, unless `1` stands behind `x`"
    return None
