"""Calls of torch and Keras, `Conv2d(3, 64, 7, 2, 3)`, to what they are written here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from math import prod

from netdsl.syntax import foreign_layers
from netdsl.syntax.foreign_layers import Write
from netdsl.syntax.here import is_defined

_CONV = ("", "channels", "k", "s", "p", "d", "g", "bias")
_KERAS = ("channels", "k", "s", "p")
# What is written here, what the numbers of a call are in their order, where those without a name
# follow from what comes in, and how all is put together.
_CALLS: dict[str, tuple[str, tuple[str, ...], Write]] = {
    "Conv2d": ("Conv", _CONV, foreign_layers.conv),
    "Conv2D": ("Conv", _KERAS, foreign_layers.conv),
    "DepthwiseConv2D": ("DWConv", _KERAS[1:], foreign_layers.conv),
    "SeparableConv2D": ("Conv", _KERAS, foreign_layers.separable),
    "ConvTranspose2d": (
        "Deconv",
        ("", "channels", "k", "s", "p", "op", "g", "bias"),
        foreign_layers.deconv,
    ),
    "Conv2DTranspose": ("Deconv", _KERAS, foreign_layers.deconv),
    "MaxPool2d": ("Max", ("k", "s", "p", "d", "no", "ceil"), foreign_layers.pool),
    "AvgPool2d": ("Avg", ("k", "s", "p", "ceil"), foreign_layers.pool),
    **dict.fromkeys(("MaxPooling2D", "MaxPool2D"), ("Max", _KERAS[1:], foreign_layers.pool)),
    **dict.fromkeys(("AveragePooling2D", "AvgPool2D"), ("Avg", _KERAS[1:], foreign_layers.pool)),
    "AdaptiveAvgPool2d": ("AvgTo", ("size",), foreign_layers.average_to),
    "AdaptiveMaxPool2d": ('Torch "nn.AdaptiveMaxPool2d"', ("size",), foreign_layers.most_to),
    **dict.fromkeys(
        ("GlobalMaxPooling2D", "GlobalMaxPool2D"),
        ('Torch "nn.AdaptiveMaxPool2d" 1', (), foreign_layers.alone),
    ),
    **dict.fromkeys(
        ("GlobalAveragePooling2D", "GlobalAvgPool2D"), ("GAP", (), foreign_layers.alone)
    ),
    "Upsample": ("Up", ("to", "k", "mode", "corners"), foreign_layers.up),
    "UpSampling2D": ("Up", ("k",), foreign_layers.up),
    **dict.fromkeys(
        ("BatchNorm1d", "BatchNorm2d"),
        ("Norm", ("", "eps", "momentum", "affine"), foreign_layers.norm),
    ),
    "BatchNormalization": ("Norm", (), foreign_layers.norm),
    "LayerNorm": ("Norm layer", ("shape", "eps", "affine"), foreign_layers.norm),
    "GroupNorm": ("Norm group", ("groups", "", "eps", "affine"), foreign_layers.norm),
    "Linear": ("FC", ("", "channels", "bias"), foreign_layers.number),
    "Dense": ("FC", ("channels", "act"), foreign_layers.number),
    "Dropout": ("Dropout", ("channels",), foreign_layers.number),
    "Dropout2d": ('Torch "nn.Dropout2d"', ("channels",), foreign_layers.number),
    "SpatialDropout2D": ('Torch "nn.Dropout2d"', ("channels",), foreign_layers.number),
    "Flatten": ("Flatten", ("start", "end"), foreign_layers.alone),
    "Activation": ("Act", ("act",), foreign_layers.activation),
    "LeakyReLU": ("Act leaky_relu", ("slope", "inplace"), foreign_layers.leaky),
    "ELU": ("Act elu", ("channels",), foreign_layers.elu),
    **{
        name: (f'Torch "nn.{name}"', ("channels",), foreign_layers.number)
        for name in ("PReLU", "ZeroPad2d")
    },
    **{
        name: (f'Torch "nn.{name}"', ("inplace",), foreign_layers.alone)
        for name in ("Hardsigmoid", "Mish", "SELU")
    },
    **{
        name: (f"Act {name.lower()}", ("inplace",), foreign_layers.alone)
        for name in ("ReLU", "ReLU6", "SiLU", "Hardswish", "Sigmoid", "Tanh")
    },
    "GELU": ("Act gelu", ("approximate",), foreign_layers.alone),
    **{
        name: (f'Torch "nn.{name}"', ("dim",), foreign_layers.softmax)
        for name in ("Softmax", "LogSoftmax")
    },
}
# Classes of torch that ask for no channels of what comes in: `LazyConv2d(64, 3)`.
_LAZY = ("Conv2d", "ConvTranspose2d", "BatchNorm1d", "BatchNorm2d", "Linear")
_CALLS |= {
    f"Lazy{name}": (here, order[1:], write)
    for name, (here, order, write) in _CALLS.items()
    if name in _LAZY
}
# What Keras takes for what a call leaves open, where torch takes something else.
_KERAS_DEFAULTS = {
    "LeakyReLU": {"slope": "0.3"},
    "BatchNormalization": {"eps": "0.001", "momentum": "0.99"},
}
LEFT_TO_THE_LOSS = "the loss takes the scores of the last FC"
# Calls that are left away here, and why.
CHANGES_NOTHING = {
    "Identity": "it changes nothing",
    **dict.fromkeys(("Softmax", "LogSoftmax"), LEFT_TO_THE_LOSS),
}
_KEYS = {
    "in_channels": "", "out_channels": "channels", "filters": "channels", "units": "channels",
    "in_features": "", "out_features": "channels", "num_features": "", "num_channels": "",
    "normalized_shape": "shape", "kernel_size": "k", "pool_size": "k", "stride": "s",
    "strides": "s", "padding": "p", "output_padding": "op", "dilation": "d", "dilation_rate": "d",
    "groups": "g", "num_groups": "groups", "output_size": "size", "scale_factor": "k", "size": "to",
    "mode": "mode", "interpolation": "mode", "align_corners": "corners", "inplace": "inplace",
    "bias": "bias", "use_bias": "bias", "activation": "act", "ceil_mode": "ceil",
    "return_indices": "no", "count_include_pad": "yes", "affine": "affine",
    "elementwise_affine": "affine", "padding_mode": "zeros",
    "track_running_stats": "yes", "eps": "eps", "epsilon": "eps", "momentum": "momentum",
    "dim": "dim", "start_dim": "start", "end_dim": "end", "negative_slope": "slope",
    "alpha": "channels",
    "approximate": "approximate", "p": "channels", "rate": "channels", "num_parameters": "channels",
    **dict.fromkeys((
        "input_shape", "name", "kernel_initializer", "bias_initializer",
        "kernel_regularizer", "data_format", "training",
    ), ""),
}  # fmt: skip
_SIZE = r"[0-9]{1,9}(?:x[0-9]{1,9})?"
_PRODUCT = r"[0-9]{1,9}(?:\s*\*\s*[0-9]{1,9})*"
_DECIMAL = r"[0-9]{1,9}(?:\.[0-9]{0,9})?(?:e-[0-9]{1,2})?"
_VALUES = {
    "p": f"{_SIZE}|same|valid",
    "to": f"{_SIZE}|None",
    "act": "[a-z_0-9]+|None",
    "bias": "True|False",
    "affine": "True|False",
    "zeros": "zeros",
    "ceil": "True|False",
    "yes": "True",
    "no": "False",
    "inplace": "True|False",
    "corners": "False|None",
    "mode": "nearest|bilinear",
    "dim": "1",
    "start": "1",
    "end": "-1",
    "channels": _DECIMAL,
    "slope": _DECIMAL,
    "eps": _DECIMAL,
    "momentum": _DECIMAL,
    "shape": "[0-9]{1,9}",
    "approximate": "none",
}
# What each way of writing a layer reads; a call that says more is not known.
_READ: dict[Write, str] = {
    foreign_layers.conv: "channels k s p d g bias act",
    foreign_layers.deconv: "channels k s p op g bias act",
    foreign_layers.pool: "k s p d no ceil yes",
    foreign_layers.average_to: "size",
    foreign_layers.most_to: "size",
    foreign_layers.up: "to k mode corners",
    foreign_layers.separable: "channels k s p bias act",
    foreign_layers.norm: "groups shape eps momentum affine yes bias",
    foreign_layers.number: "channels bias act",
    foreign_layers.elu: "channels",
    foreign_layers.activation: "act",
    foreign_layers.leaky: "channels slope",
    foreign_layers.alone: "start end approximate",
    foreign_layers.softmax: "dim",
}
_NEEDS = {"Conv": "channels", "Deconv": "channels", "FC": "channels"}
_WEIGHTED = (*_NEEDS, "DWConv")
_ARGUMENT = re.compile(r"\s*(?:(\w+)\s*=\s*)?(\([^()]*\)|[^,()]+)")
_OURS = ("Dropout", "Flatten")  # alone they are our own, with brackets that they do not need
# A call, alone or in what puts it into a network, as `self.conv1 = …`, `model.add(…)`, `(0): …`,
# or `x = …(x)`.
CALL = re.compile(
    r"(?:(?P<add>\b\w+\.(?:add|append)\(\s*)|\b(?:self\.\w+|[a-z]\w*)\s*=\s*|\(\w+\):\s*)?"
    r"(?:\b(?:(?:torch\.)?nn|(?:tf\.)?(?:keras\.)?layers)\.)?"
    rf"\b(?P<name>{'|'.join((*_CALLS, *CHANGES_NOTHING))})"
    r"\((?P<arguments>(?:[^()]|\([^()]*\))*)\)(?(add)\s*\))(?:\([a-z]\w*\))?"
)


def why_left_away(match: re.Match[str]) -> str | None:
    """Return why a call is left away here, if it is.

    >>> why_left_away(CALL.match("Activation('softmax')")), why_left_away(CALL.match("nn.ReLU()"))
    ('the loss takes the scores of the last FC', None)
    """
    name = match["name"]
    of_scores = name == "Activation" and _plain(match["arguments"]) == "softmax"
    why = LEFT_TO_THE_LOSS if of_scores else CHANGES_NOTHING.get(name)
    return None if why == LEFT_TO_THE_LOSS and _goes_on(match) else why


def _goes_on(match: re.Match[str]) -> bool:
    """Say whether layers with weights stand behind a call that is no definition."""
    is_run = not is_defined(match.string, match.start())
    return is_run and match.end() <= _last_weighted(match.string)


@lru_cache(maxsize=2)
def _last_weighted(text: str) -> int:
    """Return where the last call of a layer with weights stands; -1 where there is none."""
    calls = [one for one in CALL.finditer(text) if one["name"] in _CALLS]
    return max((one.start() for one in calls if _CALLS[one["name"]][0] in _WEIGHTED), default=-1)


def call_here(match: re.Match[str]) -> str | None:
    """Return what a call is written here; None where something in it is not known.

    >>> call_here(CALL.match("Conv2d(3, 64, 7, stride=2, padding=3)"))
    'Conv 64 7x7 s2'
    >>> call_here(CALL.match("nn.Linear(64, 1000)")), call_here(CALL.match("MaxPool2d(2, extra=1)"))
    ('FC 1000', None)
    """
    name = match["name"]
    if name in _OURS and match[0].startswith(name):
        return None
    added = match["add"] or ""
    is_of_keras = ".add(" in added or "layers." in match[0].removeprefix(added)
    of_keras = name == "BatchNormalization" or is_of_keras
    if is_of_keras and name == "PReLU":
        return None  # it has a slope for each position
    if re.search(r"\bsoftmax\b", match["arguments"]) and _goes_on(match):
        return None
    return layer_of(name, match["arguments"], _KERAS_DEFAULTS.get(name, {}) if of_keras else {})


def layer_of(name: str, arguments: str, defaults: Mapping[str, str]) -> str | None:
    """Return what a class is written here with these arguments; None if one is not known."""
    here, _, write = _CALLS[name]
    given = _given(name, arguments)
    if given is None:
        return None
    given = {**defaults, **given}
    is_read = given.keys() <= {*_READ[write].split()}
    if not is_read or _NEEDS.get(here, "") not in {"", *given}:
        return None
    return write(here, name, given)


def given_by(match: re.Match[str]) -> dict[str, str] | None:
    """Return the arguments of a call by what they are called here; None if one is not known.

    >>> given_by(CALL.match("Conv2d(3, 64, 7, stride=2)"))
    {'channels': '64', 'k': '7', 's': '2'}
    """
    return _given(match["name"], match["arguments"])


def _given(name: str, arguments: str) -> dict[str, str] | None:
    _, order, _ = _CALLS[name]
    given: dict[str, str] = {}
    for place, argument in enumerate(_ARGUMENT.finditer(arguments)):
        key, value = argument[1], _plain(argument[2])
        field = order[place] if key is None and place < len(order) else _KEYS.get(key or "?")
        if field in ("p", "act") and value != "None":
            value = value.lower()
        if name == "Upsample" and field == "k":
            value = re.sub(r"\.0\b", "", value)  # as torch prints a factor
        if field is None or (field and not re.fullmatch(_VALUES.get(field, _SIZE), value)):
            return None
        given[field] = value
    for key in ("", "inplace", "zeros"):
        given.pop(key, None)
    return given


def features_of(match: re.Match[str]) -> int | None:
    """Return how many numbers a dense layer of torch says that it takes.

    >>> features_of(CALL.match("nn.Linear(16 * 5 * 5, 120)")), features_of(CALL.match("nn.ReLU()"))
    (400, None)
    """
    if match["name"] != "Linear":
        return None
    given = [(argument[1], argument[2]) for argument in _ARGUMENT.finditer(match["arguments"])]
    value = next((value for key, value in given[:1] if key is None), "")
    value = dict(given).get("in_features", value).strip()
    factors = value.split("*") if re.fullmatch(_PRODUCT, value) else []
    return prod(map(int, factors)) if factors else None


def is_class(name: str) -> bool:
    """Say whether torch or Keras has a class of this name that is known here.

    >>> is_class("Conv2d"), is_class("BasicBlock")
    (True, False)
    """
    return name in _CALLS or name in CHANGES_NOTHING


def layer_of_call(match: re.Match[str]) -> str | None:
    """Return which layer a call is here, whatever is in it; None for our own with brackets."""
    name = match["name"]
    return None if name in _OURS and match[0].startswith(name) else _CALLS[name][0]


def _plain(value: str) -> str:
    """Return `(3, 5)` as `3x5`, `(1, 1)` and `(1,)` as `1`, and `'relu'` as `relu`."""
    value = value.strip().strip("'\"")
    if alone := re.fullmatch(r"\(\s*(\d+)\s*,\s*\)", value):
        return alone[1]
    sizes = re.fullmatch(r"\(\s*(\d+)\s*,\s*(\d+)\s*,?\s*\)", value)
    return foreign_layers.text_of((int(sizes[1]), int(sizes[2]))) if sizes else value
