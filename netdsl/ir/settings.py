"""The settings of a network: what its header says once for all layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from netdsl.ir.limits import FEATURES
from netdsl.ir.shape import Shape

NormKind = Literal["batch", "group", "layer", "none"]
ActKind = Literal[
    "relu", "relu6", "gelu", "silu", "hardswish", "leaky_relu", "elu", "sigmoid", "tanh", "none"
]
Init = Literal["kaiming", "xavier", "zero_last", "torch"]
Bias = Literal["auto", "on", "off"]
Policy = Literal["pad", "avgpad", "project", "avgproject", "always", "identity"]
ShortcutNorm = Literal["after", "before", "none", "shared"]
Head = Literal["flatten", "gap"]

# What is accepted as the value of `bias` beside its own words.
BIAS = {"true": "on", "false": "off"}
SLOPE = 0.01  # of a leaky ReLU, as torch has it, unless a default says another


@dataclass(frozen=True, slots=True)
class Settings:
    """One field a setting; `netdsl.ops.describe` reads names, types, defaults, limits from here."""

    name: str = ""
    input: Shape | None = None
    classes: int | None = field(default=None, metadata={"least": 1, "most": FEATURES})
    norm: NormKind = "batch"
    act: ActKind = "relu"
    init: Init = "kaiming"
    bias: Bias = field(default="auto", metadata={"words": BIAS})
    shortcut: Policy = "avgpad"
    shortcut_kernel: int = field(default=1, metadata={"least": 1, "most": 99, "odd": True})
    shortcut_norm: ShortcutNorm | None = None
    residual: bool = True
    head: Head = "flatten"
    drop_path: float = field(default=0.0, metadata={"least": 0, "most": 1})
