"""Calls of torch and Keras, `Conv2d(3, 64, 7, 2, 3)`, to what they are written here."""

from __future__ import annotations

import re
from collections.abc import Mapping

_CONV = ("", "channels", "k", "s", "p", "d", "g")
_POOL = ("k", "s", "p")
# What is written here, and what the numbers of a call are in their order; those without a name
# follow from what comes in.
_CALLS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Conv2d": ("Conv", _CONV),
    "ConvTranspose2d": ("Deconv", _CONV[:5]),
    "Conv2D": ("Conv", ("channels", "k", "s")),
    "DepthwiseConv2D": ("DWConv", ("k", "s")),
    "MaxPool2d": ("Max", _POOL),
    "AvgPool2d": ("Avg", _POOL),
    "MaxPooling2D": ("Max", ("k", "s")),
    "AveragePooling2D": ("Avg", ("k", "s")),
    "AdaptiveAvgPool2d": ("AvgTo", ("size",)),
    "GlobalAveragePooling2D": ("GAP", ()),
    "BatchNorm2d": ("Norm", ("",)),
    "BatchNormalization": ("Norm", ()),
    "LayerNorm": ("Norm layer", ("",)),
    "GroupNorm": ("Norm group", ("groups", "")),
    "Linear": ("FC", ("", "channels")),
    "Dense": ("FC", ("channels", "act")),
    "Dropout": ("Dropout", ("channels",)),
    "Flatten": ("Flatten", ("", "")),
    "Dropout2d": ('Torch "nn.Dropout2d"', ("channels",)),
    "ReLU": ("Act relu", ("",)),
    "ReLU6": ("Act relu6", ("",)),
    "LeakyReLU": ('Torch "nn.LeakyReLU"', ("channels",)),
    **{name: (f"Act {name.lower()}", ("",)) for name in ("GELU", "SiLU", "ELU", "Sigmoid", "Tanh")},
}
_KEYS = {
    "in_channels": "", "out_channels": "channels", "filters": "channels", "units": "channels",
    "in_features": "", "out_features": "channels", "num_features": "", "num_channels": "",
    "kernel_size": "k", "pool_size": "k", "stride": "s", "strides": "s", "padding": "p",
    "dilation": "d", "dilation_rate": "d", "groups": "g", "num_groups": "groups",
    "output_size": "size", "inplace": "", "bias": "bias", "use_bias": "bias", "activation": "act",
    "input_shape": "", "name": "", "start_dim": "", "end_dim": "",
    "negative_slope": "channels", "alpha": "channels", "p": "channels", "rate": "channels",
}  # fmt: skip
_VALUES = {
    "p": r"[0-9]{1,9}(?:x[0-9]{1,9})?|same|valid",
    "act": "[a-z_]+|None",
    "bias": "True|False",
}
_NEEDS = {"Conv": "channels", "Deconv": "channels", "FC": "channels", "Max": "k", "Avg": "k"}
_ARGUMENT = re.compile(r"\s*(?:(\w+)\s*=\s*)?(\([^()]*\)|[^,()]+)")
_OURS = ("Dropout", "Flatten")  # alone they are our own, with brackets that they do not need
# A call, alone or in what puts it into a network, as `self.conv1 = …`, `model.add(…)`.
CALL = re.compile(
    r"(?:(?P<add>\b\w+\.add\(\s*)|\bself\.\w+\s*=\s*)?(?:\b(?:nn|layers|keras\.layers)\.)?"
    rf"\b(?P<name>{'|'.join(_CALLS)})\s*\((?P<arguments>(?:[^()]|\([^()]*\))*)\)(?(add)\s*\))"
)


def call_here(match: re.Match[str]) -> str | None:
    """Return what a call is written here; None where something in it is not known.

    >>> call_here(CALL.match("Conv2d(3, 64, 7, stride=2, padding=3)"))
    'Conv 64 7x7 s2'
    >>> call_here(CALL.match("nn.Linear(64, 1000)")), call_here(CALL.match("MaxPool2d(2, ceil=1)"))
    ('FC 1000', None)
    """
    name = match["name"]
    if name in _OURS and match[0].startswith(name):
        return None
    here, order = _CALLS[name]
    given: dict[str, str] = {}
    for place, argument in enumerate(_ARGUMENT.finditer(match["arguments"])):
        key, value = argument[1], _plain(argument[2])
        field = order[place] if key is None and place < len(order) else _KEYS.get(key or "?")
        known = _VALUES.get(field or "", r"[0-9.]{1,9}(?:x[0-9]{1,9})?")
        if field is None or (field and not re.fullmatch(known, value)):
            return None
        given[field] = value
    given.pop("", None)
    if _NEEDS.get(here, "") not in {"", *given}:
        return None
    if here == "AvgTo":
        return "GAP" if given.get("size") in (None, "1") else f"AvgTo {given['size']}"
    return " ".join([here, *_arguments(here, name, given)])


def _plain(value: str) -> str:
    """Return `(3, 5)` as `3x5`, `(1, 1)` as `1` and `'relu'` as `relu`."""
    value = value.strip().strip("'\"")
    numbers = re.findall(r"\d+", value) if value.startswith("(") else []
    return value if not numbers else numbers[0] if len({*numbers}) == 1 else "x".join(numbers)


def _arguments(here: str, name: str, given: dict[str, str]) -> list[str]:
    channels = [given["channels"]] if "channels" in given else []
    kernel = given.get("k", "")
    if here in ("Max", "Avg"):
        stride = given.get("s", kernel)
        strides = [] if stride == kernel else [f"s{stride}"]
        usual = _half(kernel) if strides else "0"
        return [kernel, *strides, *_padding(given.get("p", "0"), usual)]
    if here in ("Conv", "DWConv", "Deconv"):
        size = [] if kernel in ("", "3") else [kernel if "x" in kernel else f"{kernel}x{kernel}"]
        options = [f"{key}{given[key]}" for key in ("s", "d", "g") if given.get(key, "1") != "1"]
        padding = given.get("p", "valid" if name.endswith("D") else "0")
        options += _padding(padding, _half(kernel or "3", given.get("d", "1")))
        return [*channels, *size, *options, *_words(given)]
    groups = [f"groups={given['groups']}"] if "groups" in given else []
    return [*channels, *groups, *_words(given)]


def _padding(value: str, usual: str) -> list[str]:
    value = {"same": usual, "valid": "0"}.get(value, value)
    return [] if value == usual else [f"p{value}"]


def _half(kernel: str, dilation: str = "1") -> str:
    """Return the padding that keeps the size of a map, which is the usual one here."""
    d = int(dilation) if dilation.isdecimal() else 1
    halves = [str(d * (int(k) - 1) // 2) for k in kernel.split("x") if k.isdecimal()]
    return halves[0] if len({*halves}) == 1 else "x".join(halves)


def _words(given: Mapping[str, str]) -> list[str]:
    bias = {"True": ["bias"], "False": ["bias=off"]}.get(given.get("bias", ""), [])
    act = given.get("act", "softmax")
    return [*bias, *([] if act in ("softmax", "None", "linear") else [f"act={act}"])]
