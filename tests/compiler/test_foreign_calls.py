"""Calls of torch, translated, against torch: shapes and parameters of both are equal."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netdsl
from netdsl.syntax.foreign_calls import CALL, call_here

CALLS = [
    "Conv2d(3, 8, 3)",
    "Conv2d(3, 8, 7, 2, 3)",
    "Conv2d(3, 8, kernel_size=(3, 5), padding=(1, 2))",
    "Conv2d(3, 8, (3, 5), stride=(2, 1), padding=0)",
    "Conv2d(3, 9, 3, padding=1, groups=3, bias=False)",
    "Conv2d(3, 8, 3, dilation=2)",
    "Conv2d(3, 8, 3, 1, 2, 2)",
    "Conv2d(in_channels=3, out_channels=8, kernel_size=1)",
    "Conv2d(3, 8, 5, padding='same')",
    "Conv2d(3, 8, 5, padding='valid')",
    "ConvTranspose2d(3, 8, 2, 2)",
    "MaxPool2d(2)",
    "MaxPool2d(3, 2, 1)",
    "MaxPool2d(3, 2)",
    "MaxPool2d(kernel_size=(2, 3), stride=2)",
    "AvgPool2d(2, 2)",
    "AvgPool2d(3, stride=1, padding=1)",
    "AdaptiveAvgPool2d(7)",
    "BatchNorm2d(3)",
    "GroupNorm(3, 3)",
    "ReLU(inplace=True)",
    "GELU()",
    "LeakyReLU(0.1)",
    "Dropout2d(p=0.3)",
]


@pytest.mark.parametrize("call", CALLS)
def test_a_call_of_torch_is_the_layer_that_is_written_for_it(call: str) -> None:
    theirs: nn.Module = eval(f"nn.{call}", {"nn": nn})
    match = CALL.match(call)
    assert match is not None
    text = call_here(match)
    assert text is not None
    alone = " norm=none act=none" if text.startswith(("Conv", "Deconv")) else ""
    ours = netdsl.parse(text + alone, input=(3, 15, 16))
    assert ours.output_shape == tuple(theirs.eval()(torch.zeros(1, 3, 15, 16)).shape[1:])
    assert ours.params == sum(p.numel() for p in theirs.parameters())


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("Linear(64, 1000)", "FC 1000"),
        ("nn.Linear(in_features=64, out_features=10, bias=False)", "FC 10 bias=off"),
        ("Conv2D(64, 3, padding='same', activation='relu')", "Conv 64 act=relu"),
        ("Conv2D(64, (3, 3))", "Conv 64 p0"),
        ("layers.Dense(10, activation=\"softmax\")", "FC 10"),
        ("GlobalAveragePooling2D()", "GAP"),
        ("MaxPooling2D(pool_size=2, strides=2)", "Max 2"),
        ("BatchNormalization()", "Norm"),
        ("model.add(Conv2D(32, (3,3), activation='relu', input_shape=(32,32,3)))", "Conv 32 p0 act=relu"),
        ("net.add( Dense(10, name='scores') )", "FC 10"),
        ("self.conv1 = nn.Conv2d(3, 6, 5)", "Conv 6 5x5 p0"),
        ("keras.layers.Flatten()", "Flatten"),
        ("nn.Flatten(start_dim=1)", "Flatten"),
        ("nn.Dropout(0.3)", "Dropout 0.3"),
        ("Dropout(0.3)", None),
        ("Conv2d(3, 64, k, s)", None),
        ("Conv2d()", None),
        ("MaxPool2d()", None),
        ("Conv2d(3, 64, 3, device=None)", None),
        ("MaxPool2d(2, return_indices=True)", None),
    ],
)  # fmt: skip
def test_what_is_known_of_a_call_is_translated(call: str, text: str | None) -> None:
    match = CALL.match(call)
    assert match is not None
    assert call_here(match) == text
