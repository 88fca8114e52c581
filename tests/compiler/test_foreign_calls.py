"""Calls of torch, translated, against torch: shapes and parameters of both are equal."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

import netdsl
from netdsl.syntax.foreign_calls import CALL, call_here, features_of
from netdsl.syntax.unlike import unlike_here

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
    *(
        f"Conv2d(3, 8, {k}, {s}, {p}, {d})"
        for k in (2, 3, 4, 8, (2, 3))
        for s in (1, 2, 4)
        for p in (0, 1, 2, (1, 0))
        for d in (1, 2)
        if not (k == 8 and d == 2)
    ),
    "LazyConv2d(8, 7, 2, 3)",
    "LazyConv2d(9, kernel_size=(3, 5), groups=3, bias=False)",
    "LazyConvTranspose2d(8, 2, 2)",
    "LazyBatchNorm2d(1e-3)",
    "ConvTranspose2d(3, 8, 2, 2)",
    *(
        f"ConvTranspose2d(3, 8, {k}, {s}, {p}, {extra})"
        for k in (1, 2, 3, 4, 5, (2, 4))
        for s in (1, 2, 3, (2, 1))
        for p in (0, 1, 2, (1, 0))
        for extra in (0, 1, (1, 0))
        if (extra in (0, (1, 0)) and s != 1) or extra == 0 or s in (2, 3)
    ),
    "ConvTranspose2d(3, 8, 4, 1, 0, bias=False)",
    *(
        f"MaxPool2d({k}, {s}, {p}, ceil_mode={ceil})"
        for k in (2, 3, 4, (3, 2))
        for s in (1, 2, 3)
        for p in (0, 1)
        for ceil in (False, True)
    ),
    "MaxPool2d(kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=False)",
    "MaxPool2d(2)",
    "MaxPool2d(3, 2, 1)",
    "MaxPool2d(3, 2)",
    "MaxPool2d(kernel_size=(2, 3), stride=2)",
    "AvgPool2d(2, 2)",
    "AvgPool2d(3, stride=1, padding=1)",
    "AdaptiveAvgPool2d(7)",
    "AdaptiveAvgPool2d((1, 1))",
    "AdaptiveMaxPool2d(2)",
    "Upsample(scale_factor=2)",
    "Upsample(size=(19, 20), mode='bilinear')",
    "Upsample((30, 16))",
    "Upsample(None, 3)",
    "Upsample(scale_factor=(2, 2), mode='bilinear')",
    "BatchNorm2d(3, eps=0.001, momentum=0.01)",
    "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)",
    "ELU(0.5)",
    "ELU()",
    "PReLU()",
    "PReLU(3)",
    "Hardswish(inplace=True)",
    "SELU()",
    "ZeroPad2d(1)",
    "BatchNorm2d(3)",
    "GroupNorm(3, 3)",
    "BatchNorm2d(3, affine=False)",
    "BatchNorm2d(3, 1e-3, 0.2, False)",
    "GroupNorm(3, 3, eps=1e-05, affine=False)",
    "Conv2d(3, 8, 3, padding=1, padding_mode='zeros')",
    "ReLU(inplace=True)",
    "GELU()",
    "LeakyReLU(0.1)",
    "LeakyReLU(negative_slope=0.2, inplace=True)",
    "LeakyReLU()",
    "Dropout2d(p=0.3)",
]


@pytest.mark.parametrize("call", CALLS)
def test_a_call_of_torch_is_the_layer_that_is_written_for_it(call: str) -> None:
    theirs: nn.Module = eval(f"nn.{call}", {"nn": nn})
    match = CALL.match(call)
    assert match is not None
    text = call_here(match)
    if text is None:  # no layer here has this output
        assert call.startswith("ConvTranspose2d")
        return
    alone = " norm=none act=none" if text.startswith(("Conv", "Deconv")) else ""
    ours = netdsl.parse(text + alone, input=(3, 15, 16))
    assert ours.output_shape == tuple(theirs.eval()(torch.zeros(1, 3, 15, 16)).shape[1:])
    assert ours.params == sum(p.numel() for p in theirs.parameters())
    for model in (theirs, our := ours.module().eval()):
        for p in model.parameters():
            nn.init.constant_(p, 0.5)
    x = torch.randn(2, 3, 15, 16)
    torch.testing.assert_close(our(x), theirs.eval()(x))


@pytest.mark.parametrize(
    "calls",
    [
        "nn.Conv2d(3, 8, 3)",
        "nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 9, 3), nn.ReLU(), nn.MaxPool2d(2)",
        "nn.Conv2d(3, 8, 1, bias=False), nn.BatchNorm2d(8), nn.Conv2d(8, 9, 1), nn.ReLU6()",
        "nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.ConvTranspose2d(8, 9, 2, 2), nn.BatchNorm2d(9)",
        "nn.Conv2d(3, 8, 3), nn.ReLU(), nn.BatchNorm2d(8), nn.MaxPool2d(2)",
        "nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 1)",
        "nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(1456, 10)",
        "nn.ConvTranspose2d(3, 8, 2, 2), nn.ReLU()",
        "nn.Conv2d(3, 8, 3), nn.Sigmoid(),nn.Conv2d(8, 9, 1, bias=False), nn.SiLU()",
        "nn.Flatten(), nn.Linear(720, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)",
        "nn.Flatten(), nn.Linear(720, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)",
        "nn.Flatten(), nn.Linear(720, 8), nn.Linear(8, 6), nn.ReLU()",
    ],
)  # fmt: skip
def test_calls_of_torch_one_behind_the_other_are_what_is_written_for_them(calls: str) -> None:
    theirs: nn.Module = eval(f"nn.Sequential({calls})", {"nn": nn})
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(calls, input=(3, 15, 16))
    text = calls
    for found in reversed(caught.value.diagnostics):
        assert found.code == "E0121"
        assert found.span is not None
        here = re.search(r" is written `(.*?)`", found.message)
        text = text[: found.span.start] + (here[1] if here else "") + text[found.span.end :]
    ours = netdsl.parse(text, input=(3, 15, 16))
    assert ours.params == sum(p.numel() for p in theirs.parameters())
    for model in (theirs, our := ours.module().eval()):
        for i, p in enumerate(model.parameters()):
            nn.init.constant_(p, (-1) ** i / 8)
    x = torch.randn(2, 3, 15, 16)
    torch.testing.assert_close(our(x), theirs.eval()(x))


@pytest.mark.parametrize(
    ("call", "features"),
    [
        ("nn.Linear(16 * 5*5, 120)", 400),
        ("nn.Linear(out_features=10, in_features=64)", 64),
        ("nn.Linear(512 * expansion, 10)", None),
        ("nn.Linear(out_features=10)", None),
        ("Dense(10)", None),
    ],
)
def test_what_a_dense_layer_takes_is_read(call: str, features: int | None) -> None:
    match = CALL.match(call)
    assert match is not None
    assert features_of(match) == features


def test_transposed_convolutions_can_be_said_unless_they_add_to_their_output() -> None:
    calls = [call for call in CALLS if call.startswith("ConvTranspose2d")]
    said = {call for call in calls if call_here(CALL.match(call))}  # type: ignore[arg-type]
    assert {call for call in calls if call.endswith(", 0)")} <= said
    assert "ConvTranspose2d(3, 8, 3, 2, 1, 1)" in said


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("Linear(64, 1000)", "FC 1000"),
        ("nn.Linear(in_features=64, out_features=10, bias=False)", "FC 10 bias=off"),
        ("nn.LazyLinear(10)", "FC 10"),
        ("Conv2D(64, 3, padding='same', activation='relu')", "Conv 64 act=relu"),
        ("Conv2D(64, 3, padding='SAME', activation='ReLU')", "Conv 64 act=relu"),
        ("Conv2D(64, (3, 3))", "Conv 64 p0"),
        ("layers.Dense(10, activation=\"softmax\")", "FC 10"),
        ("GlobalAveragePooling2D()", "GAP"),
        ("MaxPooling2D(pool_size=2, strides=2)", "Max 2"),
        ("BatchNormalization()", "Norm eps=0.001 momentum=0.01"),
        ("BatchNormalization(momentum=0.99, epsilon=1e-5)", "Norm momentum=0.01"),
        ("MaxPooling2D()", "Max 2"),
        ("MaxPooling2D((2, 2), padding='same')", "Max 2 ceil"),
        ("MaxPool2D(3, strides=2, padding='same')", "Max 3 s2"),
        ("MaxPooling2D(2, strides=1, padding='same')", None),
        ("UpSampling2D(2, interpolation='bilinear')", "Up 2 bilinear"),
        ("UpSampling2D(size=(2, 3))", "Up 2x3"),
        ("UpSampling2D()", "Up 2"),
        ("layers.LeakyReLU()", "Act leaky_relu slope=0.3"),
        ("model.add(LeakyReLU())", "Act leaky_relu slope=0.3"),
        ("layers.LeakyReLU(0.2)", "Act leaky_relu slope=0.2"),
        ("layers.LeakyReLU(alpha=0.01)", "Act leaky_relu"),
        ("layers.append(nn.LeakyReLU())", "Act leaky_relu"),
        ("blocks.append(nn.LazyConv2d(64, 3, padding=1))", "Conv 64"),
        ("nn.GELU()", "Act gelu"),
        ("Activation('relu')", "Act relu"),
        ("layers.Activation(activation='swish')", "Act silu"),
        ("Activation('selu')", None),
        ("nn.BatchNorm1d(64)", "Norm"),
        ("nn.GELU(approximate='none')", "Act gelu"),
        ("nn.GELU(approximate='tanh')", None),
        ("nn.GELU('tanh')", None),
        ("nn.LayerNorm(64)", "Norm layer"),
        ("LayerNorm((64,), eps=1e-06, elementwise_affine=True)", "Norm layer eps=1e-06"),
        ("nn.LayerNorm(64, elementwise_affine=False)", "Norm layer affine=off"),
        ("nn.Conv2d(3, 4, 3, padding_mode='reflect')", None),
        ("nn.LayerNorm((8, 20, 22))", None),
        ("LeakyReLU(alpha=0.2)", "Act leaky_relu slope=0.2"),
        ("Upsample()", None),
        ("Conv2DTranspose(64, 2, strides=2, padding='same')", "Deconv 64 s2"),
        ("Conv2DTranspose(64, 3, strides=2)", "Deconv 64 3x3 s2 p0"),
        ("SeparableConv2D(64, 5, strides=2, padding='same')", "DWConv 5x5 s2 bias=off norm=none act=none  Conv 64 1x1"),
        ("GlobalMaxPooling2D()", 'Torch "nn.AdaptiveMaxPool2d" 1'),
        ("Conv2D(8, 3, padding='same', kernel_initializer='he_normal', activation='swish')", "Conv 8 act=silu"),
        ("Conv2D(8, 3, activation='selu')", None),
        ("Conv2D(8, 2, padding='same')", None),
        ("tf.keras.layers.Dense(10)", "FC 10"),
        ("torch.nn.Conv2d(3, 4, 3, padding=1)", "Conv 4"),
        ("(conv1): Conv2d(3, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False)", "Conv 64 7x7 s2 bias=off"),
        ("nn.AdaptiveAvgPool2d((None, 7))", None),
        ("nn.Flatten(2)", None),
        ("nn.Flatten(1, -1)", "Flatten"),
        ("nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True)", None),
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


@pytest.mark.parametrize("size", [24, 25, 26, 27])
@pytest.mark.parametrize(
    "call",
    [
        f"{name}({'' if 'Pool' in name or 'Depth' in name else '8, '}{k}, strides={s}, padding='same')"
        for name in ("Conv2D", "DepthwiseConv2D", "MaxPooling2D", "AvgPool2D")
        for k, s in (
            (1, 2),
            (2, 2),
            (3, 1),
            (3, 2),
            (3, 3),
            (4, 2),
            (5, 4),
            (7, 2),
            (8, 4),
            (11, 4),
        )
    ],
)
def test_a_padding_that_is_another_one_in_keras_is_told(call: str, size: int) -> None:
    """Keras pads by (ceil(size / stride) - 1) stride + kernel - size in all, half of it in front."""
    match = CALL.match(call)
    assert match is not None
    text, told = call_here(match), unlike_here(match) or ""
    if text is None:  # no pool here has this output
        assert "Pool" in call
        assert "(8, strides=4" in call
        return
    alone = "" if "Pool" in call else " norm=none act=none"
    net = netdsl.parse(text + alone, input=(3, size, size))
    (layer,) = net.module().children()
    k, s, ours = (n[0] if isinstance(n, tuple) else n for n in
                  (layer.kernel_size, layer.stride, layer.padding))  # fmt: skip
    assert net.output_shape[1] == (size // s if "rounds up" in told else -(-size // s))
    assert ("rounds up" in told) == (k % 2 == 0 and "Conv" in call)
    keras = max((-(-size // s) - 1) * s + k - size, 0) // 2
    if size % s == 0:
        by = ours - keras
        assert ("shifted" in told) == (by > 0)
        assert not by or f"maps shifted by {'one' if by == 1 else by}" in told
    assert ("average" in told) == (ours > 0 and text.startswith("Avg"))


@pytest.mark.parametrize("size", [24, 25, 26, 27, 28])
@pytest.mark.parametrize(
    ("kernel", "stride"),
    [((2, 1), (2, 1)), ((3, 3), (5, 5)), ((1, 1), (3, 3)), ((3, 2), (1, 2)), ((3, 4), (1, 2)), ((3, 3), (2, 3))],
)  # fmt: skip
def test_a_pool_of_keras_that_is_padded_has_its_size_here_or_is_not_told(
    kernel: tuple[int, int], stride: tuple[int, int], size: int
) -> None:
    match = CALL.match(f"MaxPooling2D({kernel}, strides={stride}, padding='same')")
    assert match is not None
    text = call_here(match)
    if text is None:  # one axis is rounded up, the other one not
        assert (kernel, stride) == ((3, 3), (2, 3))
        return
    found = netdsl.parse(text, input=(3, size, size)).output_shape[1:]
    assert found == tuple(-(-size // s) for s in stride)


def test_a_transposed_convolution_of_keras_is_cut_off_less_in_front() -> None:
    told = [unlike_here(CALL.match(f"Conv2DTranspose(8, {k}, 2, 'same')")) for k in (2, 3, 4)]  # type: ignore[arg-type]
    assert [bool(one) for one in told] == [False, True, False]


def test_nothing_is_told_of_a_padding_that_is_the_same() -> None:
    for call in ("Conv2d(3, 8, 3, padding='same')", "Conv2D(8, 3, strides=2)", "Conv2D(8, k)"):
        match = CALL.match(call)
        assert match is not None
        assert unlike_here(match) is None
