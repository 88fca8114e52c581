"""Random chains of calls of torch, translated, against torch: parameters and outputs are equal."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import netdsl
from netdsl.translation import translate

_NORMS = (
    "BatchNorm2d({c})", "BatchNorm2d({c}, eps=0.001)", "BatchNorm2d({c}, affine=False)",
    "GroupNorm(32, {c})", "GroupNorm(8, {c})",
)  # fmt: skip
_ACTS = ("ReLU()", "ELU()", "ELU(alpha=1.0)", "ELU(0.5)", "LeakyReLU(0.1)", "SiLU()")
_BIASES = ("", ", bias=False", ", bias=True")


@st.composite
def chains(draw: st.DrawFn) -> list[str]:
    """Return convolutions, each with parts in any order, and dense layers behind them."""
    calls, channels = [], 3
    for _ in range(draw(st.integers(1, 3))):
        width, bias = draw(st.sampled_from((32, 64))), draw(st.sampled_from(_BIASES))
        conv = draw(
            st.sampled_from(("Conv2d({c}, {n}, 3, padding=1", "ConvTranspose2d({c}, {n}, 2, 2"))
        )
        groups = draw(st.sampled_from(("", ", groups=32"))) if channels % 32 == 0 else ""
        calls.append(conv.format(c=channels, n=width) + groups + bias + ")")
        parts = draw(st.lists(st.sampled_from((*_NORMS, *_ACTS)), max_size=3))
        calls += [part.format(c=width) for part in parts]
        channels = width
    if widths := draw(st.lists(st.sampled_from((5, 7)), max_size=3)):
        calls += ["AdaptiveAvgPool2d(1)", "Flatten()"]
    for width in widths:
        calls.append(f"Linear({channels}, {width}{draw(st.sampled_from(_BIASES))})")
        calls += draw(st.lists(st.sampled_from(_ACTS), max_size=1))
        channels = width
    return [f"nn.{call}" for call in calls]


@settings(max_examples=40)
@given(chains(), st.sampled_from(("", "bias on", "bias auto", "act elu", "norm batch")))
def test_calls_in_any_order_are_the_network_that_is_written_for_them(
    calls: list[str], header: str
) -> None:
    theirs: nn.Module = eval(f"nn.Sequential({', '.join(calls)})", {"nn": nn}).eval()
    done = translate(f"{header}\n{', '.join(calls)}")
    assert done.error is None
    ours = netdsl.parse(done.text, input=(3, 6, 7))
    assert ours.params == sum(p.numel() for p in theirs.parameters())
    for model in (theirs, our := ours.module().eval()):
        for i, p in enumerate(model.parameters()):
            nn.init.constant_(p, (-1) ** i / 8)
    x = torch.randn(2, 3, 6, 7)
    expected = theirs(x)
    torch.testing.assert_close(our(x).reshape(expected.shape), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()", "Conv 8"),
        (
            "nn.Conv2d(3, 8, 3, padding=1, bias=True), nn.BatchNorm2d(8), nn.ReLU()",
            "Conv 8 bias",
        ),
        ("nn.Conv2d(3, 8, 3, padding=1, bias=True), nn.ReLU()", "Conv 8 norm=none"),
        (
            "nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.ReLU()",
            "Conv 8 bias=off norm=none",
        ),
        ("nn.Flatten(), nn.Linear(63, 8, bias=True), nn.ELU()", "Flatten :63, FC 8 act=elu"),
        ("nn.Flatten(), nn.Linear(63, 8, bias=False)", "Flatten :63, FC 8 bias=off"),
        (
            "bias on nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()",
            "bias on Conv 8 bias=off",
        ),
        (
            "self.conv = nn.Conv2d(3, 8, 3, padding=1, bias=False)",
            "Conv 8 bias=off norm=… act=…",
        ),
        (
            "layers.SeparableConv2D(8, 3, padding='same', use_bias=False), layers.BatchNormalization(), "
            "layers.ReLU()",
            "default Norm(eps=0.001 momentum=0.01) DWConv bias=off norm=none act=none  Conv 8 1x1",
        ),
        ("nn.Conv2d(3, 32, 1), nn.GroupNorm(32, 32), nn.ReLU()", "Conv 32 1x1 bias norm=group"),
        ("nn.Conv2d(3, 8, 1), nn.ELU(alpha=1.0)", "Conv 8 1x1 norm=none act=elu"),
        ("nn.MaxPool2d(2), nn.ELU(1)", "Max 2, Act elu"),
        ("nn.MaxPool2d(2), nn.ELU(0.5)", 'Max 2, Torch "nn.ELU" 0.5'),
    ],
)  # fmt: skip
def test_what_a_layer_has_anyway_is_not_written(text: str, expected: str) -> None:
    assert " ".join(translate(text).text.split()) == " ".join(expected.split())
