"""What was given to a call of torch or Keras, to the layer that computes the same here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netdsl.padding import pool_padding, same_padding, transposed_padding
from netdsl.syntax.foreign import act_here

Given = Mapping[str, str]
# From the name here, that of the call, and what was given, to what is written; None for what is not
# known, or cannot be said.
Write = Callable[[str, str, Given], str | None]
Pair = tuple[int, int]


def conv(here: str, name: str, given: Given) -> str | None:
    """Return `Conv 64 7x7 s2` with the padding that is not the usual one here."""
    padding = _padding(given, _same(given), name)
    return _layer(here, given, "3", ("s", "d", "g"), padding)


def deconv(here: str, name: str, given: Given) -> str | None:
    """Return `Deconv 64 s2`, whose output is stride x input, or one with the padding of torch."""
    k, s = _windows(here, given)
    usual, extra = zip(*map(transposed_padding, k, s), strict=True)
    fits = all(e < n for e, n in zip(extra, s, strict=True))
    added = pair_of(given.get("op", "0"))
    is_wider = any(n > size for size, n in zip(k, s, strict=True)) and given.get("p") != "same"
    if name == "Conv2DTranspose" and ("op" in given or is_wider):
        return None  # where a stride leaves gaps, Keras fills them up to stride x input
    if given.get("p") == "same":
        padding: list[str] | None = [] if fits else None
    elif fits and added == extra and _padding(given, [*usual], name) == []:
        padding = []
    else:  # with a padding that is given nothing is added
        padding = _padding(given, [None, None], name) if added == (0, 0) else None
    return _layer(here, given, given.get("s", "1"), ("s", "g"), padding)


def pool(here: str, name: str, given: Given) -> str | None:
    """Return `Max 3 s2`; where Keras pads, it rounds up the size."""
    kernel = given.get("k", "2" if name.endswith("D") else "")
    if not kernel or given.get("d", "1") != "1":
        return None
    stride = given.get("s", kernel)
    k, s = pair_of(kernel), pair_of(stride)
    usual = list(map(pool_padding, k, s))
    ceil = given.get("ceil") == "True"
    if given.get("p") == "same":
        # The usual padding of an even kernel gives size / stride at a stride of 2 alone.
        others = any(a % 2 == 0 and b < a and b != 2 for a, b in zip(k, s, strict=True))
        ceil = any(a % 2 == 0 or b >= a > 1 for a, b in zip(k, s, strict=True))
        is_down = any(a % 2 and 1 < b < a for a, b in zip(k, s, strict=True))
        padding: list[str] | None = None if others or (ceil and is_down) else []
    else:
        padding = _padding(given, [*usual], name)
    if padding is None:
        return None
    strides = [_option("s", stride)] if s != k else []
    return " ".join([here, kernel, *strides, *padding, *["ceil"] * ceil])


def is_padded(given: Given) -> bool:
    """Say whether a pool that is "same" has padding here."""
    return any(map(pool_padding, *_windows("Avg", given)))


def rounds_down(here: str, given: Given) -> bool:
    """Say whether a convolution that is "same" rounds down size / stride: one of an even kernel."""
    return here in ("Conv", "DWConv") and any(k % 2 == 0 for k in _windows(here, given)[0])


def shift_from_keras(here: str, given: Given) -> int:
    """Return how many positions of padding in front Keras does not have, where it is "same".

    It is counted for a size that the stride divides. There Keras takes as little as gives
    size / stride, half of it in front, and the odd one behind.

    >>> [shift_from_keras("Conv", {"k": k, "s": "4"}) for k in ("3", "8", "11")]
    [1, 0, 2]
    >>> shift_from_keras("Conv", {"k": "5", "d": "2"})
    0
    """
    k, s = _windows(here, given)
    d = pair_of(given.get("d", "1"))
    keras = [max((a - 1) * c + 1 - b, 0) // 2 for a, b, c in zip(k, s, d, strict=True)]
    if here == "Deconv":
        ours: list[int | None] = [transposed_padding(a, b)[0] for a, b in zip(k, s, strict=True)]
    elif here in ("Max", "Avg"):
        ours = list(map(pool_padding, k, s))
    else:
        ours = _same(given)
    return max((a - b for a, b in zip(ours, keras, strict=True) if a is not None), default=0)


def average_to(here: str, name: str, given: Given) -> str | None:
    size = given.get("size", "1")
    return "GAP" if size == "1" else f"{here} {size}"


def most_to(here: str, name: str, given: Given) -> str | None:
    """Return the pool of torch that takes the largest number, to a square of one size."""
    size = given.get("size", "")
    return f"{here} {size}" if size.isdecimal() else None


def up(here: str, name: str, given: Given) -> str | None:
    """Return `Up 2 bilinear`; what torch calls a size is one, and Keras calls a factor so."""
    bilinear = " bilinear" * (given.get("mode") == "bilinear")
    size = given.get("to", "None").replace("None", "")
    if name == "Upsample" and size:
        return f"UpTo {size}{bilinear}"
    factor = given.get("k") or (size or "2" if name.endswith("D") else None)
    return f"{here} {factor}{bilinear}" if factor else None


def separable(here: str, name: str, given: Given) -> str | None:
    depthwise = conv("DWConv", name, {key: given[key] for key in ("k", "s", "p") if key in given})
    if depthwise is None or "channels" not in given:
        return None
    pointwise = _layer(here, given, given.get("k", "3"), (), ["1x1"])
    return f"{depthwise} bias=off norm=none act=none  {pointwise}"


def norm(here: str, name: str, given: Given) -> str | None:
    affine = given.get("affine", "True") == "True"
    if given.get("bias") == "False" and affine:  # here it has factor and bias, or neither
        return None
    groups = [f"groups={given['groups']}"] if given.get("groups", "32") != "32" else []
    eps = float(given.get("eps", "1e-5"))
    momentum = float(given.get("momentum", "0.1"))
    if name == "BatchNormalization" and "momentum" in given:  # of Keras: what is kept
        momentum = round(1 - momentum, 9)
    numbers = {"eps": (eps, 1e-5), "momentum": (momentum, 0.1)}
    said = [f"{option}={value:g}" for option, (value, usual) in numbers.items() if value != usual]
    return " ".join([here, *groups, *said, *["affine=off"] * (not affine)])


def number(here: str, name: str, given: Given) -> str | None:
    """Return a layer with the one number that it may have, its bias and its activation."""
    return _layer(here, given, "", (), [])


def block(here: str, name: str, given: Given) -> str | None:
    """Return a residual block with its channels and its stride."""
    return _layer(here, given, "", ("s",), [])


def elu(here: str, name: str, given: Given) -> str | None:
    """Return the activation; one of another alpha than 1 is a class of torch."""
    is_usual = float(given.get("channels", "1")) == 1
    return here if is_usual else number('Torch "nn.ELU"', name, given)


def activation(here: str, name: str, given: Given) -> str | None:
    """Return the activation that is named in the brackets."""
    known = act_here(given.get("act", ""))
    return f"{here} {known}" if known else None


def leaky(here: str, name: str, given: Given) -> str | None:
    """Return the activation with its slope, which Keras calls alpha."""
    slope = given.get("channels", given.get("slope", "0.01"))
    return here if float(slope) == 0.01 else f"{here} slope={slope}"


def softmax(here: str, name: str, given: Given) -> str | None:
    return f"{here} {given['dim']}" if "dim" in given else None


def alone(here: str, name: str, given: Given) -> str | None:
    return here


def pair_of(size: str) -> Pair:
    first, _, second = size.partition("x")
    return int(first), int(second or first)


def text_of(pair: Pair) -> str:
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


def _windows(here: str, given: Given) -> tuple[Pair, Pair]:
    """Return kernel and stride, in place of those that are not given the usual ones."""
    is_pool = here in ("Max", "Avg")
    usual = given.get("s", "1") if here == "Deconv" else "2" if is_pool else "3"
    k = given.get("k", usual)
    return pair_of(k), pair_of(given.get("s", k if is_pool else "1"))


def _same(given: Given) -> list[int | None]:
    """Return the usual padding of a convolution along both axes."""
    return list(map(same_padding, *_windows("Conv", given), pair_of(given.get("d", "1"))))


def _padding(given: Given, usual: list[int | None], name: str) -> list[str] | None:
    """Return the padding, where it is not the usual one; None where "same" cannot be had."""
    value = given.get("p", "valid" if name.endswith("D") else "0")
    if value == "same":
        return None if None in usual else []
    pair = pair_of("0" if value == "valid" else value)
    return [] if [*pair] == usual else [_option("p", text_of(pair))]
