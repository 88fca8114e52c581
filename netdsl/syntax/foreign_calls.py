"""Calls of torch and Keras, `Conv2d(3, 64, 7, 2, 3)`, to what they are written here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from netdsl.syntax.foreign import act_here

Given = Mapping[str, str]
# From the name here, that of the call, and what was given, to what is written; None for what is not
# known, or cannot be said.
Write = Callable[[str, str, Given], str | None]
Pair = tuple[int, int]


def _conv(here: str, name: str, given: Given) -> str | None:
    """Return `Conv 64 7x7 s2` with the padding that is not the usual one here."""
    k, s, d = (
        _pair(given.get(key, default)) for key, default in (("k", "3"), ("s", "1"), ("d", "1"))
    )
    padding = _padding(given, [_same(*sizes) for sizes in zip(k, s, d, strict=True)], name)
    return _layer(here, given, "3", ("s", "d", "g"), padding)


def _deconv(here: str, name: str, given: Given) -> str | None:
    """Return `Deconv 64 s2`, whose output is stride x input, or one with the padding of torch."""
    s = _pair(given.get("s", "1"))
    k = _pair(given.get("k", given.get("s", "1")))
    over = [a - b for a, b in zip(k, s, strict=True)]
    usual = [-(-max(n, 0) // 2) for n in over]
    extra = [2 * p - n for p, n in zip(usual, over, strict=True)]
    fits = all(e < n for e, n in zip(extra, s, strict=True))
    added = _pair(given.get("op", "0"))
    if given.get("p") == "same":
        padding: list[str] | None = [] if fits else None
    elif fits and added == tuple(extra) and _padding(given, [*usual], name) == []:
        padding = []
    else:  # with a padding that is given nothing is added
        padding = _padding(given, [None, None], name) if added == (0, 0) else None
    return _layer(here, given, given.get("s", "1"), ("s", "g"), padding)


def _pool(here: str, name: str, given: Given) -> str | None:
    """Return `Max 3 s2`; where Keras pads, it rounds up the size."""
    kernel = given.get("k", "2" if name.endswith("D") else "")
    if not kernel or given.get("d", "1") != "1":
        return None
    stride = given.get("s", kernel)
    k, s = _pair(kernel), _pair(stride)
    usual = [(a - 1) // 2 if b < a else 0 for a, b in zip(k, s, strict=True)]
    ceil = given.get("ceil") == "True"
    if given.get("p") == "same":
        halves = [b == 1 and a % 2 == 0 for a, b in zip(k, s, strict=True)]
        ceil = any(a % 2 == 0 for a in k) or k == s
        padding: list[str] | None = None if any(halves) else []
    else:
        padding = _padding(given, [*usual], name)
    if padding is None:
        return None
    strides = [_option("s", stride)] if s != k else []
    return " ".join([here, kernel, *strides, *padding, *["ceil"] * ceil])


def _average_to(here: str, name: str, given: Given) -> str | None:
    size = given.get("size", "1")
    return "GAP" if size == "1" else f"{here} {size}"


def _up(here: str, name: str, given: Given) -> str | None:
    """Return `Up 2 bilinear`; what torch calls a size is one, and Keras calls a factor so."""
    bilinear = " bilinear" * (given.get("mode") == "bilinear")
    size = given.get("to", "None").replace("None", "")
    if name == "Upsample" and size:
        return f"UpTo {size}{bilinear}"
    factor = given.get("k") or (size or "2" if name.endswith("D") else None)
    return f"{here} {factor}{bilinear}" if factor else None


def _separable(here: str, name: str, given: Given) -> str | None:
    depthwise = _conv("DWConv", name, {key: given[key] for key in ("k", "s", "p") if key in given})
    if depthwise is None or "channels" not in given:
        return None
    return (
        f"{depthwise} norm=none act=none  {_layer(here, given, given.get('k', '3'), (), ['1x1'])}"
    )


def _norm(here: str, name: str, given: Given) -> str | None:
    groups = [f"groups={given['groups']}"] if "groups" in given else []
    eps = [f"eps={given['eps']}"] if float(given.get("eps", "1e-5")) != 1e-5 else []
    momentum = float(given.get("momentum", "0.1"))
    if name == "BatchNormalization" and "momentum" in given:  # of Keras: what is kept
        momentum = round(1 - momentum, 9)
    return " ".join([here, *groups, *eps, *([f"momentum={momentum:g}"] if momentum != 0.1 else [])])


def _number(here: str, name: str, given: Given) -> str | None:
    """Return a layer with the one number that it may have, its bias and its activation."""
    return _layer(here, given, "", (), [])


def _elu(here: str, name: str, given: Given) -> str | None:
    return _number('Torch "nn.ELU"' if "channels" in given else here, name, given)


def _leaky(here: str, name: str, given: Given) -> str | None:
    """Return the activation with its slope, which Keras calls alpha."""
    slope = given.get("slope", given.get("channels", "0.01"))
    return here if float(slope) == 0.01 else f"{here} slope={slope}"


def _alone(here: str, name: str, given: Given) -> str | None:
    return here


_CONV = ("", "channels", "k", "s", "p", "d", "g")
_KERAS = ("channels", "k", "s", "p")
# What is written here, what the numbers of a call are in their order, where those without a name
# follow from what comes in, and how all is put together.
_CALLS: Mapping[str, tuple[str, tuple[str, ...], Write]] = {
    "Conv2d": ("Conv", _CONV, _conv),
    "Conv2D": ("Conv", _KERAS, _conv),
    "DepthwiseConv2D": ("DWConv", _KERAS[1:], _conv),
    "SeparableConv2D": ("Conv", _KERAS, _separable),
    "ConvTranspose2d": ("Deconv", ("", "channels", "k", "s", "p", "op", "g"), _deconv),
    "Conv2DTranspose": ("Deconv", _KERAS, _deconv),
    "MaxPool2d": ("Max", ("k", "s", "p", "d", "no", "ceil"), _pool),
    "AvgPool2d": ("Avg", ("k", "s", "p", "ceil"), _pool),
    **dict.fromkeys(("MaxPooling2D", "MaxPool2D"), ("Max", _KERAS[1:], _pool)),
    **dict.fromkeys(("AveragePooling2D", "AvgPool2D"), ("Avg", _KERAS[1:], _pool)),
    "AdaptiveAvgPool2d": ("AvgTo", ("size",), _average_to),
    "AdaptiveMaxPool2d": ('Torch "nn.AdaptiveMaxPool2d"', ("channels",), _number),
    **dict.fromkeys(
        ("GlobalMaxPooling2D", "GlobalMaxPool2D"), ('Torch "nn.AdaptiveMaxPool2d" 1', (), _alone)
    ),
    **dict.fromkeys(("GlobalAveragePooling2D", "GlobalAvgPool2D"), ("GAP", (), _alone)),
    "Upsample": ("Up", ("to", "k", "mode", "corners"), _up),
    "UpSampling2D": ("Up", ("k",), _up),
    "BatchNorm2d": ("Norm", ("", "eps", "momentum"), _norm),
    "BatchNormalization": ("Norm", (), _norm),
    "LayerNorm": ("Norm layer", ("", "eps"), _norm),
    "GroupNorm": ("Norm group", ("groups", "", "eps"), _norm),
    "Linear": ("FC", ("", "channels"), _number),
    "Dense": ("FC", ("channels", "act"), _number),
    "Dropout": ("Dropout", ("channels",), _number),
    "Dropout2d": ('Torch "nn.Dropout2d"', ("channels",), _number),
    "SpatialDropout2D": ('Torch "nn.Dropout2d"', ("channels",), _number),
    "Flatten": ("Flatten", ("start", "end"), _alone),
    "LeakyReLU": ("Act leaky_relu", ("slope",), _leaky),
    "ELU": ("Act elu", ("channels",), _elu),
    **{name: (f'Torch "nn.{name}"', ("channels",), _number) for name in ("PReLU", "ZeroPad2d")},
    **{name: (f'Torch "nn.{name}"', ("",), _alone) for name in ("Hardsigmoid", "Mish", "SELU")},
    **{
        name: (f"Act {name.lower()}", ("",), _alone)
        for name in ("ReLU", "ReLU6", "GELU", "SiLU", "Hardswish", "Sigmoid", "Tanh")
    },
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
    "normalized_shape": "", "kernel_size": "k", "pool_size": "k", "stride": "s", "strides": "s",
    "padding": "p", "output_padding": "op", "dilation": "d", "dilation_rate": "d", "groups": "g",
    "num_groups": "groups", "output_size": "size", "scale_factor": "k", "size": "to",
    "mode": "mode", "interpolation": "mode", "align_corners": "corners", "inplace": "",
    "bias": "bias", "use_bias": "bias", "activation": "act", "ceil_mode": "ceil",
    "return_indices": "no", "count_include_pad": "yes", "affine": "yes",
    "track_running_stats": "yes", "eps": "eps", "epsilon": "eps", "momentum": "momentum",
    "start_dim": "start", "end_dim": "end", "negative_slope": "slope", "alpha": "channels",
    "p": "channels", "rate": "channels", "num_parameters": "channels",
    **dict.fromkeys((
        "input_shape", "name", "approximate", "kernel_initializer", "bias_initializer",
        "kernel_regularizer", "data_format",
    ), ""),
}  # fmt: skip
_SIZE = r"[0-9]{1,9}(?:x[0-9]{1,9})?"
_DECIMAL = r"[0-9]{1,9}(?:\.[0-9]{0,9})?(?:e-[0-9]{1,2})?"
_VALUES = {
    "p": f"{_SIZE}|same|valid",
    "to": f"{_SIZE}|None",
    "act": "[a-z_0-9]+|None",
    "bias": "True|False",
    "ceil": "True|False",
    "yes": "True",
    "no": "False",
    "corners": "False|None",
    "mode": "nearest|bilinear",
    "start": "1",
    "end": "-1",
    "channels": _DECIMAL,
    "slope": _DECIMAL,
    "eps": _DECIMAL,
    "momentum": _DECIMAL,
}
_NEEDS = {"Conv": "channels", "Deconv": "channels", "FC": "channels"}
_ARGUMENT = re.compile(r"\s*(?:(\w+)\s*=\s*)?(\([^()]*\)|[^,()]+)")
_OURS = ("Dropout", "Flatten")  # alone they are our own, with brackets that they do not need
# A call, alone or in what puts it into a network, as `self.conv1 = …`, `model.add(…)`, `(0): …`.
CALL = re.compile(
    r"(?:(?P<add>\b\w+\.add\(\s*)|\bself\.\w+\s*=\s*|\(\w+\):\s*)?"
    r"(?:\b(?:(?:torch\.)?nn|(?:tf\.)?(?:keras\.)?layers)\.)?"
    rf"\b(?P<name>{'|'.join((*_CALLS, *CHANGES_NOTHING))})"
    r"\s*\((?P<arguments>(?:[^()]|\([^()]*\))*)\)(?(add)\s*\))"
)


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
    here, order, write = _CALLS[name]
    given: dict[str, str] = {}
    for place, argument in enumerate(_ARGUMENT.finditer(match["arguments"])):
        key, value = argument[1], _plain(argument[2])
        field = order[place] if key is None and place < len(order) else _KEYS.get(key or "?")
        if field is None or (field and not re.fullmatch(_VALUES.get(field, _SIZE), value)):
            return None
        given[field] = value
    given.pop("", None)
    if _NEEDS.get(here, "") not in {"", *given}:
        return None
    return write(here, name, given)


def layer_of_call(match: re.Match[str]) -> str | None:
    """Return which layer a call is here, whatever is in it; None for our own with brackets."""
    name = match["name"]
    return None if name in _OURS and match[0].startswith(name) else _CALLS[name][0]


def _plain(value: str) -> str:
    """Return `(3, 5)` as `3x5`, `(1, 1)` as `1` and `'relu'` as `relu`."""
    value = value.strip().strip("'\"")
    sizes = re.fullmatch(r"\(\s*(\d+)\s*,\s*(\d+)\s*,?\s*\)", value)
    return _text((int(sizes[1]), int(sizes[2]))) if sizes else value


def _pair(size: str) -> Pair:
    first, _, second = size.partition("x")
    return int(first), int(second or first)


def _text(pair: Pair) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}x{pair[1]}"


def _option(key: str, value: str) -> str:
    return f"{key}={value}" if "x" in value else f"{key}{value}"


def _layer(
    here: str, given: Given, usual_kernel: str, options: tuple[str, ...], padding: list[str] | None
) -> str | None:
    """Return a layer with its channels, kernel, options, padding, bias and activation."""
    act = given.get("act", "None")
    known = "" if act in ("softmax", "None", "linear") else act_here(act)
    if padding is None or known is None:
        return None
    channels = [given["channels"]] if "channels" in given else []
    kernel = given.get("k", usual_kernel)
    size = [] if kernel == usual_kernel else [kernel if "x" in kernel else f"{kernel}x{kernel}"]
    said = [_option(key, given[key]) for key in options if given.get(key, "1") != "1"]
    bias = {"True": ["bias"], "False": ["bias=off"]}.get(given.get("bias", ""), [])
    return " ".join(
        [here, *channels, *size, *said, *padding, *bias, *[f"act={known}"] * bool(known)]
    )


def _padding(given: Given, usual: list[int | None], name: str) -> list[str] | None:
    """Return the padding, where it is not the usual one; None where "same" cannot be had."""
    value = given.get("p", "valid" if name.endswith("D") else "0")
    if value == "same":
        return None if None in usual else []
    pair = _pair("0" if value == "valid" else value)
    return [] if [*pair] == usual else [_option("p", _text(pair))]


def _same(k: int, s: int, d: int) -> int | None:
    """Return the padding that keeps the size of a map, which is the usual one here."""
    if k % 2:
        return d * (k - 1) // 2
    return max(k - s, 0) // 2 if s % 2 == 0 else None
