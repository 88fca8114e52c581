"""Arguments as torch and Keras have them in brackets, to those of a layer here."""

from __future__ import annotations

import re
from functools import lru_cache

from netdsl.syntax.foreign import TORCH_NAMES, setting_here

# What torch means by the numbers in the brackets of a layer.
OF_TORCH: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("Conv", "Deconv"), ("", "k", "s", "p")),
    **dict.fromkeys(("Max", "Avg"), ("", "s", "p")),
    "SE": ("r",),
}
# How many numbers each layer takes, and which options.
_SETTINGS = "norm act bias"
_BLOCK = f"s order dropout drop_path {_SETTINGS} shortcut shortcut_kernel shortcut_norm"
TAKES = {
    "Conv": (1, f"k s p d g {_SETTINGS}"), "Deconv": (1, f"k s p g {_SETTINGS}"),
    "DWConv": (0, f"k s p d m {_SETTINGS}"), "FC": (1, "act bias head"),
    "BB": (1, _BLOCK), "Bott": (1, f"{_BLOCK} e g"), "Max": (1, "s p ceil"),
    "Avg": (1, "s p ceil"), "AvgTo": (1, ""), "GAP": (0, ""), "Up": (1, "mode"),
    "UpTo": (1, "mode"), "Dropout": (1, ""), "Shuffle": (1, ""), "LayerScale": (1, ""),
    "Part": (2, ""), "Norm": (0, "kind eps momentum groups affine"), "Act": (0, "kind slope"),
    "SE": (0, "r c to act gate bias"), "Across": (0, "kind"), "Flatten": (0, ""),
}  # fmt: skip
# Options of torch and Keras that say what comes in, and those that are the number of a layer here.
_GIVEN = ("in_channels", "in_features")
_NUMBERS = ("out_channels", "filters", "out_features", "units", "scale_factor", "output_size")
_KEYS = {
    **TORCH_NAMES, "activation": "act", "use_bias": "bias", "ceil_mode": "ceil", "reduction": "r",
    "strides": "s", "dilation_rate": "d",
}  # fmt: skip
_N = "([0-9]{1,9})"
LARGEST_KERNEL = 11  # that is usual; a larger number is one of channels, or of a map


def words_of(text: str) -> list[str]:
    """Return the arguments within brackets, a size in brackets of its own as the size.

    >>> words_of("64, (3, 5), stride= 2")
    ['64', '3x5', 'stride=2']
    """
    text = re.sub(r"=\s+", "=", text)
    return re.sub(r"\(\s*(\d+)\s*,\s*(\d+)\s*\)", r"\1x\2", text).replace(",", " ").split()


@lru_cache(maxsize=2)
def is_read_alike(layer: str, text: str) -> bool:
    """Say whether one order of three numbers fits all brackets of a convolution in a text.

    They are what comes in, channels and kernel, or channels, kernel and stride.

    >>> is_read_alike("Conv", "Conv(3, 64, 9) Conv(64, 32, 1)")
    True
    >>> is_read_alike("Conv", "Conv(9, 64, 1) Conv(1, 32, 64)")
    False
    """
    if layer not in ("Conv", "Deconv"):
        return True
    brackets = re.findall(rf"\b{layer}\(\s*{_N}\s*,\s*{_N}\s*,\s*{_N}\s*\)", text)
    rows = [(int(first), int(second), int(third)) for first, second, third in brackets]
    of_torch = all(
        k <= LARGEST_KERNEL and (c > LARGEST_KERNEL or _is_unclear(c, k)) for _, c, k in rows
    )
    return of_torch or all(s <= k <= LARGEST_KERNEL for _, k, s in rows)


def _is_unclear(second: int, third: int) -> bool:
    """Say whether small numbers may be channels and kernel as well as kernel and stride."""
    return second % 2 == 0 and third > 2


def written_here(layer: str, words: list[str]) -> str | None:
    """Return how arguments are written here; None where a layer takes no such ones.

    >>> written_here("Conv", ["3", "64", "3", "bias=False"]), written_here("GAP", ["16"])
    ('64 k3 bias=false', None)
    """
    if layer == "Torch":
        return " ".join(words)
    if layer not in TAKES:
        return " ".join(words) if sum(map(str.isdecimal, words)) < 2 else None
    here = as_here(layer, words)
    return None if here is None or not _fits(layer, here) else " ".join(here)


def as_here(layer: str, words: list[str]) -> list[str] | None:
    """Return arguments as torch has them, `64 3 stride=2`, as they are here: `64 k3 s=2`.

    None stands for numbers that may mean one thing or another.
    """
    if len(words) > 1 and re.fullmatch(r"\d+[x×]\d+", words[0]) and words[1].isdecimal():
        words = [words[1], words[0], *words[2:]]  # as in `Conv(3x3, 64)`
    named = [word.partition("=")[::2] for word in words if "=" in word]
    bare = [word for word in words if "=" not in word]
    bare += [value for key, value in named if key in _NUMBERS]
    rest = [(key, value) for key, value in named if key not in (*_GIVEN, *_NUMBERS)]
    order = OF_TORCH.get(layer, ("",))
    if layer in ("Conv", "Deconv", "FC") and all(map(str.isdecimal, bare)):
        numbers = [int(word) for word in bare]
        if len(numbers) > 1 and (layer == "FC" or numbers[1] > LARGEST_KERNEL):
            bare = bare[1:]  # what comes in stands first, as in torch
        elif numbers[2:] and _is_unclear(*numbers[1:3]):
            return None
    if len(bare) <= len(order) and all(map(str.isdecimal, bare[1:])):
        bare = [f"{letter}{word}" for letter, word in zip(order, bare, strict=False)]
    options = [_option(layer, _KEYS.get(key, key), value.strip("'\"")) for key, value in rest]
    return [*bare, *(option for option in options if option)]


def _fits(layer: str, words: list[str]) -> bool:
    """Say whether a layer takes as many numbers and these options."""
    count, options = TAKES[layer]
    keys = [word.partition("=")[0] for word in words if "=" in word]
    numbers = sum(re.fullmatch(r"[0-9.]+", word) is not None for word in words)
    return numbers <= count and {*keys} <= {*options.split()} and not any("(" in w for w in words)


def _option(layer: str, key: str, value: str) -> str:
    """Return an option with its value as it is written here; nothing for what is usual here."""
    if key == "p" and value.lower() == "same" and layer in ("Conv", "DWConv"):
        return ""
    if key == "p" and value.lower() == "valid":
        return "p0"
    if value in ("True", "False", "None") or key in ("act", "norm"):
        value = setting_here(key, value) or value.lower()
    return f"{key}={value}"
