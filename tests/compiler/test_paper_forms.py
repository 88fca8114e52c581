"""Tables as papers print them: what is said of each form, written in its place, is the network."""

from __future__ import annotations

import re
from dataclasses import fields
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import netdsl
from netdsl.errors import MOST
from netdsl.ir.settings import Settings
from netdsl.syntax.lexemes import lexemes
from netdsl.translation import translate

# Simonyan and Zisserman 2015, table 1, column A.
VGG = """conv3-64 maxpool conv3-128 maxpool conv3-256 conv3-256 maxpool
conv3-512 conv3-512 maxpool conv3-512 conv3-512 maxpool FC-4096 FC-4096 FC-1000 soft-max"""
# He et al. 2015, table 1, columns 34-layer and 50-layer; strides of stages stand in its text.
HE = """7×7, 64, stride 2
3×3 max pool, stride 2
{0}
average pool, 1000-d fc, softmax"""
RESNET34 = (
    "[3×3, 64\n3×3, 64]×3 [3×3, 128; 3×3, 128]×4 [3×3, 256 3×3, 256]×6 [3×3, 512, 3×3, 512]×3"
)
RESNET50 = r"""[1\times1, 64 \\ 3\times3, 64 \\ 1\times1, 256]\times3
$\left[\begin{array}{c} 1\times1, 128 \\ 3\times3, 128 \\ 1\times1, 512 \end{array}\right]\times4$
[1×1, 256; 3×3, 256; 1×1, 1024]×6 [1×1, 512; 3×3, 512; 1×1, 2048]×3"""

# A table of a report, as its LaTeX has it, with tabs between the columns.
REPORT = r"""n = 2
conv1	$16 \times 32 \times 32$	$[3 \times 3, 16]$
conv2	$16 \times 32 \times 32$	$\begin{bmatrix} 3 \times 3, 16 \\ 3 \times 3, 16 \end{bmatrix} \times n$
conv3	$32 \times 16 \times 16$	$\begin{bmatrix} 3 \times 3, 32 \\ 3 \times 3, 32 \end{bmatrix} \times n$
conv4	$64 \times 8 \times 8$	$\begin{bmatrix} 3 \times 3, 64 \\ 3 \times 3, 64 \end{bmatrix} \times n$
average pooling	$64 \times 1$
fully connected	$10 \times 1$
"""
# Huang et al. 2017, table 1.
DENSENET = """7 × 7 conv, stride 2
3 × 3 max pool, stride 2
[1 × 1 conv; 3 × 3 conv] × 6
1 × 1 conv
2 × 2 average pool, stride 2
7 × 7 global average pool
1000D fully-connected, softmax"""
KERAS = """inputs = keras.Input(shape=(32, 32, 3))
x = layers.Conv2D(64, 3, padding='same')(inputs)
x = layers.Activation('gelu')(x)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dense(10)(x)
outputs = layers.Activation('softmax')(x)"""
# Szegedy et al. 2016, the first rows of table 1, whose sizes are those of the input of a layer.
INCEPTION = """conv 3×3/2 299×299×3
conv 3×3 149×149×32
conv padded 3×3 147×147×32
pool 3×3/2 147×147×64
conv 3×3 73×73×64
conv 3×3/2 71×71×80
conv 3×3 35×35×192
pool 35×35 35×35×288
"""
# The table of He et al. with its sizes, as text and as its LaTeX has it.
RESNET18 = r"""
conv1 112×112 7×7, 64, stride 2
conv2_x 56×56 3×3 max pool, stride 2
[3×3, 64; 3×3, 64]×2
conv3_x 28×28 ⎡ 3×3, 128 ⎤ ×2
⎣ 3×3, 128 ⎦
conv4_x 14×14 3×3, 256
×2
3×3, 256
conv5_x 7×7
$\left[\begin{array}{c}\text{3$\times$3, 512}\\[-.1em] \text{3$\times$3, 512}\end{array}\right]$$\times$2
1×1 average pool, 1000-d fc, softmax"""


def rewritten(text: str) -> str:
    """Return a text with every form of it as it is said to be written, at most twenty at a time."""
    shape = None if "input image" in text else (3, 224, 224)
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=shape)
    apart, whole = text, translate(text)
    for found in reversed(caught.value.diagnostics):
        if found.code == "N0122":
            continue
        assert found.code == "E0121", found
        assert found.span is not None
        here = re.search(r" is written `(.*)`", found.message)
        assert here or found.message.endswith(" is left away here"), found
        said, start, end = here[1] if here else "", found.span.start, found.span.end
        text = text[:start] + said + text[end:]
        apart = f"{apart[:start]} {said} {apart[end:]}"
    assert words(text) == words(apart)
    if len(caught.value.diagnostics) <= MOST and "=…" not in whole.text:
        assert words(whole.text) == words(translate(text).text)
    return text


def words(text: str) -> list[str]:
    """Return the words of a text, each of several options that are glued by itself."""
    return [
        one
        for word in lexemes(text)
        for one in (re.findall("[a-z][^a-z]+", word.text) if word.kind == "short" else [word.text])
    ]


# Howard et al. 2017, table 1; its last `Conv dw` is printed with s2, between maps of 7x7: here it has s1.
MOBILENET = [
    "Conv / s2 3 × 3 × 3 × 32 224 × 224 × 3",
    "Conv dw / s1 3 × 3 × 32 dw 112 × 112 × 32", "Conv / s1 1 × 1 × 32 × 64 112 × 112 × 32",
    "Conv dw / s2 3 × 3 × 64 dw 112 × 112 × 64", "Conv / s1 1 × 1 × 64 × 128 56 × 56 × 64",
    "Conv dw / s1 3 × 3 × 128 dw 56 × 56 × 128", "Conv / s1 1 × 1 × 128 × 128 56 × 56 × 128",
    "Conv dw / s2 3 × 3 × 128 dw 56 × 56 × 128", "Conv / s1 1 × 1 × 128 × 256 28 × 28 × 128",
    "Conv dw / s1 3 × 3 × 256 dw 28 × 28 × 256", "Conv / s1 1 × 1 × 256 × 256 28 × 28 × 256",
    "Conv dw / s2 3 × 3 × 256 dw 28 × 28 × 256", "Conv / s1 1 × 1 × 256 × 512 14 × 14 × 256",
    "(Conv dw / s1 3 × 3 × 512 dw 14 × 14 × 512  Conv / s1 1 × 1 × 512 × 512 14 × 14 × 512)×5",
    "Conv dw / s2 3 × 3 × 512 dw 14 × 14 × 512", "Conv / s1 1 × 1 × 512 × 1024 7 × 7 × 512",
    "Conv dw / s1 3 × 3 × 1024 dw 7 × 7 × 1024", "Conv / s1 1 × 1 × 1024 × 1024 7 × 7 × 1024",
    "Avg Pool / s1 Pool 7 × 7 7 × 7 × 1024", "FC / s1 1024 × 1000 1 × 1 × 1024",
    "Softmax / s1 Classifier 1 × 1 × 1000",
]  # fmt: skip


def test_the_table_of_mobilenet_is_mobilenet() -> None:
    first, last = (rewritten("\n".join(rows)) for rows in (MOBILENET[:13], MOBILENET[13:]))
    ours = netdsl.parse(first + last, input=(3, 224, 224))
    # "4.2 million parameters", "569 million mult-adds"
    assert (ours.params, ours.macs) == (4_231_976, 568_740_352)


# Sandler et al. 2018, table 2, and Howard et al. 2019, table 1, with blocks as they ship.
MOBILENET_V2 = """classes 1000 act relu6 shortcut identity
def Bottleneck(t, c, n, s) {
  (Res((Conv t*cin 1x1)x[1-1//t] DWConv s=[s, 1] Conv c 1x1 act=none))x n
}
Input Operator t c n s
224²×3 conv2d - 32 1 2
Bottleneck 1 16 1 1 Bottleneck 6 24 2 2 Bottleneck 6 32 3 2 Bottleneck 6 64 4 2
Bottleneck 6 96 3 1 Bottleneck 6 160 3 2 Bottleneck 6 320 1 1
7²×320 conv2d 1x1 - 1280 1 1
7²×1280 avgpool 7x7 - - 1 -
1×1×1280 conv2d 1x1 - k -"""
MOBILENET_V3 = """classes 1000 shortcut identity default SE(r=4 to=8 gate=hardsigmoid)
def Bneck(k, e, c, se, a, s) {
  Res(Conv e 1x1 act=a DWConv k=k s=s act=a (SE)x se Conv c 1x1 act=none)
}
224^2×3 conv2d - 16 - HS 2
Res(DWConv act=relu Conv 16 1x1 act=none)
(Bneck 3 [64, 72] 24 0 relu [2, 1])x2 (Bneck 5 [72, 120, 120] 40 1 relu [2, 1, 1])x3
(Bneck 3 [240, 200, 184, 184] 80 0 hardswish [2, 1, 1, 1])x4
(Bneck 3 [480, 672] 112 1 hardswish 1)x2 (Bneck 5 [672, 960, 960] 160 1 hardswish [2, 1, 1])x3
7²×160 conv2d, 1x1 - 960 - HS 1
7 2 × 960 pool, 7x7 - - - - 1
1²×960 conv2d 1x1, NBN - 1280 - HS 1
1²×1280 conv2d 1x1, NBN - k - - 1"""


@pytest.mark.parametrize(
    ("table", "network"),
    [(MOBILENET_V2, "mobilenet_v2"), (MOBILENET_V3, "mobilenet_v3_large")],
)
def test_rows_of_later_mobilenets_around_their_blocks_are_their_layers(
    table: str, network: str
) -> None:
    ours, theirs = netdsl.parse(rewritten(table)), netdsl.load(network)
    assert (ours.params, ours.macs) == (theirs.params, theirs.macs)


@pytest.mark.parametrize(
    "pair",
    [
        "5× {0} 14 × 14 × 512 {1} 14 × 14 × 512",
        "5×\n{0} 14 × 14 × 512\n{1} 14 × 14 × 512",
        "{0} 14 × 14 × 512\n5×\n{1} 14 × 14 × 512",
        "5 × {0}\n{1}",
    ],
)
@pytest.mark.parametrize("gap", ["\n", " "])
def test_five_times_in_the_table_of_mobilenet_are_of_two_rows(pair: str, gap: str) -> None:
    rows = "Conv dw / s1 3 × 3 × 512 dw", "Conv / s1 1 × 1 × 512 × 512"
    text = gap.join([*MOBILENET[11:13], pair.format(*rows), *MOBILENET[14:16]])
    here = "DWConv s2 Conv 512 1x1 (DWConv Conv 512 1x1)x5 DWConv s2 Conv 1024 1x1"
    assert " ".join(rewritten(text).split()) == here


@pytest.mark.parametrize(
    ("form", "here"),
    [
        ("32C3-MP2-64C5-AP-512N-10", "Conv 32  Max 2  Conv 64 5x5  Avg 2  FC 512  FC 10"),
        ("C64 – C64 – P – FC256 – FC10", "Conv 64  Conv 64  Max 2  FC 256  FC 10"),
        (
            "convolution 7×7/2 4×4×64\nmax pool 3×3/2 2×2×64",
            "Conv 64 7x7 s2 :64x4x4\nMax 3 s2 :64x2x2",
        ),
        ("max pool 2×2 conv 1×1/1 4×4×8", "Max 2 Conv 8 1x1 :8x4x4"),
        ("16C3-GAP-7FC-10Softmax", "Conv 16  GAP  FC 7  FC 10"),
        ("Conv 3x3, 64", "Conv 64"),
        ("3x3 conv. 64", "Conv 64"),
        ("5x5 conv 64", "Conv 64 5x5"),
        ("conv, 11×11, 96, stride 4", "Conv 96 11x11 s4"),
        ("Conv5x5-64", "Conv 64 5x5"),
        ("10-way softmax", "FC 10"),
        ("softmax-10", "FC 10"),
        ("fc-10, softmax-10", "FC 10, "),
        ("1000-way fully-connected", "FC 1000"),
        ("Fully connected, 10", "FC 10"),
        ("x = F.relu(x)", "Act relu"),
        ("x = F.max_pool2d(x, 3, stride=2, padding=1)", "Max 3 s2"),
        ("nn.functional.adaptive_avg_pool2d(out, (1, 1))", "GAP"),
        ("x = torch.flatten(x, 1)", "Flatten"),
        ("F.dropout(x, 0.5, training=self.training)", "Dropout 0.5"),
        ("F.log_softmax(x, dim=1)", ""),
        ("max pool\n3x3, 128", "Max 2\nConv 128"),
        ("max pool 3x3, 128", "Max 2 Conv 128"),
        ("max pool 3x3, stride=2", "Max 3 s2"),
        ("3×3 max pool, stride=2", "Max 3 s2"),
        ("max-pooling, 3x3, stride=2", "Max 3 s2"),
        ("3×3, 64, stride=2", "Conv 64 s2"),
        ("global average pool\n1000-d fc, softmax", "GAP\nFC 1000"),
        ("average pooling\n1000-way fully-connected", "GAP\nFC 1000"),
        ("avg pool\n2x2 max pool, stride 2", "Avg 2\nMax 2"),
        ("avgpool, Conv 9, avgpool, fc-120", "Avg 2, Conv 9, Avg 2, FC 120"),
        ("2x2 average pool, Conv 9, average pool", "Avg 2, Conv 9, GAP"),
        ("average pool\n3×3, 64\nmax pool\nglobal average pool", "Avg 2\nConv 64\nMax 2\nGAP"),
        ("Average pool 1000-d fc", "GAP FC 1000"),
        ("avgpool fc-10 soft-max", "GAP FC 10 "),
        ("avgpool Flatten Dense 10 units", "GAP Flatten FC 10"),
        ("avgpool Up 2 fc-10", "Avg 2 Up 2 FC 10"),
        ("1×1 average pool, 1000-d fc", "GAP, FC 1000"),
        ("avg-pool 1×1 [8×8]", "GAP"),
        ("max-pool [3×3], Conv 9", "Max 3, Conv 9"),
        ("avg pool [3×3, 64; 3×3, 64]×2", "Avg 2 (BB 64)x2"),
        ("average pool, 10-d fc, softmax", "GAP, FC 10"),
        ("Global average pooling, 10-way softmax", "GAP, FC 10"),
        ("global max pool", 'Torch "nn.AdaptiveMaxPool2d" 1'),
        ("avg pool 7×7/1 1×1×1024", "Avg 7 :1024x1x1"),
        ("avg pool 3×3/1 7×7×8", "Avg 3 s1 :8x7x7"),
        ("up-conv 2x2, 64", "Deconv 64 s2"),
        ("Leaky ReLU", "Act leaky_relu"),
        ("pool, /2", "Max 2"),
        ("pool 3x3, stride 2", "Max 3 s2"),
        ("pooling\n3x3, 64", "Max 2\nConv 64"),
        ("3x3 conv64", "Conv 64"),
        ("7x7, 64, s2", "Conv 64 7x7 s2"),
        ("7x7, 64, S=2", "Conv 64 7x7 s2"),
        ("3×3 conv, 64, stride 2, pad 0", "Conv 64 s2p0"),
        ("[3x3, 64]*3", "(Conv 64)x3"),
        ("[3x3, 64; 3x3, 64] * 3", "(BB 64)x3"),
        ("1×1 conv256 5x5 conv2d 32", "Conv 256 1x1 Conv 32 5x5"),
        ("⎡ 1×1, 64 ⎤\n⎢ 3×3, 64 ⎥ ×3\n⎣ 1×1, 256 ⎦", "(Bott 256)x3"),
        ("1×1, 64\n3×3, 64\n1×1, 256\n×3", "(Bott 256)x3"),
        ("[conv 3x3, 16; conv 3x3, 16] x 3", "(BB 16)x3"),
        ("[conv, 1x1, 64\nconv, 3x3, 64\nconv, 1x1, 256] x 3", "(Bott 256)x3"),
        ("[3×3, 16, C=4; 3×3, 16]×2", "(Conv 16 g4 Conv 16)x2"),
        ("[BN, ReLU, 3×3, 16; BN, ReLU, 3×3, 16]×18", "(BB 16 pre)x18"),
        ("3×3, 64\n×2\n3×3, 64", "(BB 64)x2"),
        (r"[3\times3,~64; 3\times3,~64]\times2", "(BB 64)x2"),
        ("[1×1, 128; 3×3, 128, C=32; 1×1, 256]×3", "(Bott 256 e2 g32)x3"),
        ("[3×3, 16×4; 3×3, 16×4] × 2", "(BB 64)x2"),
        ("(3×3, 64) × 3", "(Conv 64)x3"),
        ("3×3, 64\n×2\n3×3, 128", "(Conv 64)x2\nConv 128"),
        ("C3-32, C5-64, FC-10", "Conv 32, Conv 64 5x5, FC 10"),
        ("conv64-3 conv512-1", "Conv 64 Conv 512 1x1"),
        ("conv3_64 maxpool conv3_128 2x2 max pool", "Conv 64 Max 2 Conv 128 Max 2"),
        ("conv1_64 conv5_16 conv3_64, s2", "Conv 64 1x1 Conv 16 5x5 Conv 64 s2"),
        ("conv3_1 3×3, 64\nconv3_2 28×28 Conv 64", "Conv 64\n Conv 64"),
        ("conv4_16 [3×3, 64; 3×3, 64]\nconv4_24 3×3, 64", " BB 64\nConv 64"),
        ("conv2_x\nConv 64 conv2_block1_conv Conv 8", "\nConv 64  Conv 8"),
        ("conv3-64/2 conv3-64-s2 conv3-64, s2", "Conv 64 s2 Conv 64 s2 Conv 64 s2"),
        ("(2×128C3)-MP2-32c5-2p-F20-SM10", "(Conv 128)x2  Max 2  Conv 32 5x5  Max 2  FC 20  FC 10"),
        ("20C4-MP2-150N-10N", "Conv 20 4x4 p0  Max 2  FC 150  FC 10"),
        ("[64, 'M', 128, 256, 'M']", "Conv 64  Max 2  Conv 128  Conv 256  Max 2"),
        ("k9n64s1 k3n64s2", "Conv 64 9x9 Conv 64 s2"),
        ("Conv k9n64s1 conv k3n64s2", "Conv 64 9x9 Conv 64 s2"),
        ("conv. 16 × 8 × 8, stride 4", "Conv 16 8x8 s4"),
        ("Conv 3x3x64 Conv 64x5x5", "Conv 64 Conv 64 5x5"),
        ("Conv 64@3x3", "Conv 64"),
        ("C1: feature maps 6@28x28\nS2: f. maps 6@14x14", "Conv 6\nAvg 2"),
        ("conv 8x8 stride 4, 32", "Conv 32 8x8 s4"),
        ("Conv1: 64, 3x3\nStage 2: (Conv 64)x2\nStem: Conv 32", "Conv 64\n (Conv 64)x2\n Conv 32"),
        ("Conv-BN-ReLU 64 BB-64 Conv. 32", "Conv 64 BB 64 Conv 32"),
        ("Drop-\nout 0.5", "Dropout 0.5"),
        ("Conv 64, k=3, s=1, p=1", "Conv 64 k=3 s=1 p=1"),
        ("Conv 64, 3x3, stride=2x2, padding=same, GAP", "Conv 64 3x3 s=2x2, GAP"),
        ("Conv 64 filters 32 channels 10 units", "Conv 64 Conv 32 FC 10"),
        ("Convolution 64 filters Output 10 units", "Conv 64 FC 10"),
        ("3x3 conv, 32 filters", "Conv 32"),
        ("conv3_x (BB 64)x2", "(BB 64)x2"),
        ("model.add(Activation('relu'))", "Act relu"),
        ("dropout (40%) 1×1×64 0\nlinear 1×1×9 1 1000K 1M", "Dropout 0.4\nFC 9"),
        ("linear 1×1×9 1 1000K 1M\nsoftmax 1×1×9 0", "FC 9\n"),
        ("cccp 160 cccp2 9", "Conv 160 1x1 Conv 9 1x1"),
        ("convolution 3×3/1 28×28×192 2 64 192 112K 360.5M", "Conv 192 :192x28x28"),
    ],
)
def test_forms_are_told_as_they_are_written_here(form: str, here: str) -> None:
    assert rewritten(f"Conv 8 Max 2 {form}") == f"Conv 8 Max 2 {here}"


@pytest.mark.parametrize(
    ("line", "here"),
    [
        ("model.add(Conv2D(64, 3, padding='same'))", "Conv 64 norm=none act=none"),
        ("nn.Conv2d(3, 64, kernel_size=3, padding=1),", "Conv 64 norm=none act=none"),
        (r"(Conv 64)$\times$2 & Max 2 \\", "x"),
        ("(Conv 8)$\\times$2 # conv3-64", "x"),
    ],
)
def test_forms_are_told_however_many_characters_of_theirs_are_none_of_ours(
    line: str, here: str
) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"{line}\n" * 30, input=(3, 64, 64))
    *found, more = caught.value.diagnostics
    assert ({one.code for one in found}, len(found), more.code) == ({"E0121"}, 20, "N0122")
    assert f"is written `{here}`" in found[0].message


@pytest.mark.parametrize("sign", [", ", ",", " → ", ",\n  "])
def test_a_sign_before_a_form_is_not_at_fault(sign: str) -> None:
    text = f"Conv 8{sign}3x3 conv 64{sign}Max 2"
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 8, 8))
    (found,) = caught.value.diagnostics
    assert found.message == "`3x3 conv 64` is written `Conv 64`"
    assert netdsl.parse(text.replace("3x3 conv 64", "Conv 64"), input=(3, 8, 8)).depth == 2


@pytest.mark.parametrize(
    ("text", "codes"),
    [("Conv 10-2-3 Conv 3 4", ["E0205"]), ("FC 7 - 2 FC 5 -", ["E0112"]), ("FC 64 5-2", ["E0205"])],
)
def test_a_difference_is_no_chain_of_layers(text: str, codes: list[str]) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 9, 8))
    assert [found.code for found in caught.value.diagnostics] == codes


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("With 64 filters", None),
        ("Layer 128 neurons", None),
        ("Max 64 maps", None),
        ("14×14, 256", None),
        ("Conv 96 11×11 filters", None),
        ("Conv 96 11 × 11 filters", None),
        ("Conn. 64", None),
        ("Fig. 3", None),
        ("FC 10 act=lrelu FC. 10", "FC."),
        ("FC 10 act lrelu FC. 10", "FC."),
    ],
)
def test_a_number_or_a_word_that_is_of_no_layer_is_no_form(text: str, form: str | None) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"3x3 conv, 64\n{text}", input=(3, 9, 9))
    found = [one.span.text for one in caught.value.diagnostics if one.code == "E0121" and one.span]
    assert found == ["3x3 conv, 64", *filter(None, [form])]


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("Conv 256 1x1 maxpool", "Conv 256 1x1 Max 2"),
        ("Conv 64 s2 3×3 max pool, stride 2", "Conv 64 s2 3×3 Max 2"),
        ("Conv 64 1x1 average pool", "Conv 64 1x1 GAP"),
        ("Conv 64 5x5 3x3 maxpool", "Conv 64 5x5 Max 3"),
        ("Conv 64 k5 3x3 maxpool", "Conv 64 k5 Max 3"),
        ("Conv 64\n3x3 maxpool", "Conv 64\nMax 3"),
    ],
)
def test_a_size_that_a_convolution_can_take_is_not_of_the_pool_behind(text: str, here: str) -> None:
    assert rewritten(text) == here


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("Conv 64, BN, ReLU", "Conv 64"),
        ("(Conv 64 BN ReLU)x2 FC 3", "(Conv 64 )x2 FC 3"),
        ("Conv 64 -> BatchNorm2d -> ReLU6", "Conv 64 act=relu6"),
        (
            "DWConv 7x7, LayerNorm, Conv 64 1x1, GELU",
            "DWConv 7x7 norm=layer act=none, Conv 64 1x1 act=gelu norm=none",
        ),
        ("Res(Conv 64, BN, ReLU, Conv 64, BN)", "Res(Conv 64, Conv 64 act=none)"),
        ("Conv 64 -> BN -> Max 2", "Conv 64 act=none -> Max 2"),
        ("norm none Conv 64, ReLU", "norm none Conv 64"),
        (
            "conv3-64, ReLU, conv3-64, BN, conv1-8",
            "Conv 64 norm=none, Conv 64 act=none, Conv 8 1x1",
        ),
        (
            "conv3-64, ReLU, conv3-8, conv1-8",
            "Conv 64 norm=none, Conv 8 norm=none, Conv 8 1x1 norm=none",
        ),
        ("Conv 64, BN 64, ReLU, Conv 8 BN 8 Conv 8", "Conv 64, Conv 8 act=none Conv 8"),
        ("Conv 64, BN 3x3, 64", "Conv 64 act=none Conv 64"),
        (
            "nn.Conv2d(3, 8, 3), nn.Identity(), nn.Conv2d(8, 8, 3)",
            "Conv 8 p0 norm=none act=none, Conv 8 p0 norm=none act=none",
        ),
        ("norm batch conv3-64, ReLU, conv1-8", "norm batch Conv 64 norm=none, Conv 8 1x1"),
        ("FC 64, ReLU, FC 10", "FC 64, FC 10"),
        ("FC 64 -> BN -> nn.ReLU() -> FC 10", "FC 64 act=none Norm -> Act relu -> FC 10"),
        ("nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(3)", "FC 8, FC 3"),
        ("FC 10, ReLU", "FC 10 act=relu"),
        ("Conv 64, BN, lReLU", "Conv 64 act=leaky_relu"),
        ("Conv 64, BN, lRELU", "Conv 64 act=leaky_relu"),
        ("Conv 64, BN, leaky ReLU", "Conv 64 act=leaky_relu"),
        ("Conv 64 bias=off, BN, leaky ReLU", "Conv 64 bias=off act=leaky_relu"),
        ("Conv 64 k5, BN, leaky ReLU", "Conv 64 k5 act=leaky_relu"),
        ("nn.Conv2d(1, 6, 5), nn.Sigmoid()", "Conv 6 5x5 p0 norm=none act=sigmoid"),
        ("norm group Conv 64, BN, ReLU", "norm group Conv 64 norm=batch"),
        ("norm none Deconv 64 s2, BN, ReLU", "norm none Deconv 64 s2 norm=batch"),
        ("Conv 64 Norm(batch) Act(relu)", "Conv 64"),
        ("nn.Conv2d(3, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(),", "Conv 64 bias,"),
        ("conv3-64, stride 2, BN, ReLU", "Conv 64 s2"),
    ],
)
def test_what_a_convolution_brings_is_left_away_behind_it(text: str, here: str) -> None:
    written = re.sub(r"(?<=\d)(?=s2|act|norm)", " ", rewritten(text))
    assert " ".join(written.split()) == here


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Conv 64 norm=none, BN", ["Norm"]),
        ("Conv 64 act=none BN ReLU", ["Norm", "Act relu"]),
        ("Conv 64 (BN ReLU)", ["Norm", "Act relu"]),
        ("default Conv(norm=none) Conv 64, BN", ["Norm"]),
        ("BN ReLU Conv 64 BN ReLU Conv 64", ["Norm", "Act relu"] * 2),
    ],
)
def test_what_no_convolution_brings_is_told_what_it_is_here(text: str, meant: list[str]) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 8, 8))
    said = [re.sub(".*did you mean `(.*)`.*", r"\1", d.message) for d in caught.value.diagnostics]
    assert said == meant


def test_an_order_that_no_convolution_has_is_told_as_it_stands() -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse("Conv 64 -> ReLU -> BN -> GAP", input=(3, 8, 8))
    assert [(found.message, found.help) for found in caught.value.diagnostics] == [
        (
            "`-> ReLU` is written `norm=none`",
            "as an option of the `Conv` before it, which brings its norm and activation: "
            "no norm stands here",
        ),
        ("unknown layer `BN`; did you mean `Norm`?", None),
    ]


def test_a_norm_between_a_dense_layer_and_its_activation_is_told_so() -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse("FC 512, BN, ReLU, FC 10", input=(3, 8, 8))
    assert [(found.message, found.help) for found in caught.value.diagnostics] == [
        ("`, BN` is written `act=none  Norm`", "else the activation stands before the norm"),
        ("unknown layer `ReLU`; did you mean `Act relu`?", None),
    ]


def test_what_nothing_normalises_is_told_once_to_be_so_in_the_header() -> None:
    text = "nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 9, 3)"
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 8, 8))
    assert [(found.message, found.help) for found in caught.value.diagnostics] == [
        (
            "`nn.Conv2d(3, 8, 3)` is written `Conv 8 p0 norm=none`, which brings its activation",
            "nothing here is normalised, which `norm none` in the header says of all layers",
        ),
        ("`, nn.ReLU()` is left away here", "`Conv` brings its activation"),
        ("`nn.Conv2d(8, 9, 3)` is written `Conv 9 p0 norm=none act=none`", None),
    ]


def test_a_layer_of_which_nothing_is_said_is_told_without_norm_where_no_other_has_one() -> None:
    # Lin et al. 2014, of whose convolutions some are printed with their activation.
    text = "5×5 conv, 192, ReLU\n3×3 max pool, stride 2\n5×5 conv, 192\nglobal average pooling"
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 32, 32))
    assert [(found.message, found.help) for found in caught.value.diagnostics] == [
        (
            "`5×5 conv, 192` is written `Conv 192 5x5 norm=none`",
            "nothing here is normalised, which `norm none` in the header says of all layers",
        ),
        ("`, ReLU` is left away here", "`Conv` brings its activation"),
        ("`3×3 max pool, stride 2` is written `Max 3 s2`", None),
        ("`5×5 conv, 192` is written `Conv 192 5x5 norm=none`", None),
        ("`global average pooling` is written `GAP`", None),
    ]


def test_of_layers_that_forward_calls_nothing_is_told_but_what_they_are() -> None:
    text = """self.conv1 = nn.Conv2d(3, 6, 5)
    self.bn1 = nn.BatchNorm2d(6)
    self.pool = nn.MaxPool2d(2, 2)
    self.fc1 = nn.Linear(6 * 2 * 2, 120)
    self.fc2 = nn.Linear(120, 10)"""
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 8, 8))
    assert [(found.message, found.help) for found in caught.value.diagnostics] == [
        (
            "`self.conv1 = nn.Conv2d(3, 6, 5)` is written `Conv 6 5x5 p0 bias`, "
            "which brings its norm and activation",
            "what `forward` does is not read: a layer that it calls twice is written twice, and "
            "one without norm or activation has `norm=none` or `act=none`",
        ),
        (
            "`self.bn1 = nn.BatchNorm2d(6)` is left away here",
            "`Conv` brings its norm and activation",
        ),
        ("`self.pool = nn.MaxPool2d(2, 2)` is written `Max 2`", None),
        (
            "`self.fc1 = nn.Linear(6 * 2 * 2, 120)` is written `Flatten :24  FC 120`, "
            "which brings its activation, unless it is the last",
            None,
        ),
        (
            "`self.fc2 = nn.Linear(120, 10)` is written `FC 10`, "
            "which brings its activation, unless it is the last",
            None,
        ),
    ]


def test_what_is_left_away_is_told_with_its_numbers() -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse("Conv 64, BN, nn.LeakyReLU(0.1)", input=(3, 8, 8))
    assert [(found.message, found.help) for found in caught.value.diagnostics] == [
        ("`, BN` is left away here", "`Conv` brings its norm and activation"),
        (
            "`, nn.LeakyReLU(0.1)` is written `act=leaky_relu`",
            "as an option of the `Conv` before it; "
            "`default Act(slope=0.1)` in the header sets its numbers",
        ),
    ]


def test_a_pool_between_convolutions_is_told_with_the_one_of_the_whole_map() -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse("Conv 64, avgpool, Conv 128, max pool, FC 10", input=(3, 32, 32))
    assert [(found.message, found.help) for found in caught.value.diagnostics] == [
        ("`avgpool` is written `Avg 2`", "or, over the whole map, `GAP`"),
        ("`max pool` is written `Max 2`", None),
    ]


def test_the_network_of_springenberg_et_al_has_no_dense_layer() -> None:
    # Table 1, All-CNN-C with its last rows, for CIFAR-10.
    rows = """3×3 conv. 96 ReLU\n3×3 conv. 96 ReLU\n3×3 conv. 96 ReLU with stride r = 2
    3×3 conv. 192 ReLU\n3×3 conv. 192 ReLU\n3×3 conv. 192 ReLU with stride r = 2
    3×3 conv. 192 ReLU\n1×1 conv. 192 ReLU\n1×1 conv. 10 ReLU
    global averaging over 6×6 spatial dimensions"""
    first, last = rows[: (end := rows.index("1×1 conv. 192"))], rows[end:]
    for softmax in ("10 or 100-way softmax", "10-way softmax"):
        text = rewritten(first) + rewritten(f"{last}\n{softmax}")
        ours = netdsl.parse(f"norm none {text}", input=(3, 32, 32))
        # "1.3 million parameters", nine convolutions
        assert (ours.params, ours.depth, ours.output_shape) == (1_369_738, 9, (10, 1, 1))


@pytest.mark.parametrize(
    "text", ["[3×3, 64; 3×3, 64] × 10\naverage pool", "3×3, 64\n10×10 global average pool"]
)
def test_a_softmax_is_a_dense_layer_where_no_layer_before_has_as_many_numbers(text: str) -> None:
    assert rewritten(f"{text}\n10-way softmax").endswith("GAP\nFC 10")


def test_a_pool_before_a_block_of_ones_own_is_not_of_the_whole_map() -> None:
    block = "def Stage(c) { BB c } Conv 16 Stage 16 {} Stage 32 GAP FC 10"
    here = block.replace("{}", "Avg 2")
    assert rewritten(block.replace("{}", "avgpool")) == here
    assert netdsl.parse(here, input=(3, 8, 8)).depth == 6


def test_no_pool_is_told_that_changes_nothing() -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse("conv3-64 1x1 maxpool", input=(3, 8, 8))
    said = [found.message for found in caught.value.diagnostics]
    assert said == ["`conv3-64` is written `Conv 64`", "`maxpool` is written `Max 2`"]


def test_a_block_of_a_table_may_halve_the_map_which_is_said_elsewhere() -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse("[3×3, 64; 3×3, 64]×2 [1×1, 8; 3×3, 8; 1×1, 32]", input=(3, 8, 8))
    assert [found.help for found in caught.value.diagnostics] == [
        "or, where it halves the map, `(BB 64 s=[2, 1])x2`",
        "or, where it halves the map, `Bott 32 s2`",
    ]


def test_the_column_of_vgg_is_vgg() -> None:
    text = rewritten(VGG)
    assert " ".join(text.split()).startswith("Conv 64 Max 2 Conv 128 Max 2 Conv 256 Conv 256 Max 2")
    ours = netdsl.parse(f"norm none {text}", input=(3, 224, 224))
    assert ours.params == netdsl.load("vgg11").params == 132_863_336


@pytest.mark.parametrize(("cells", "name"), [(RESNET34, "resnet34"), (RESNET50, "resnet50")])
def test_a_column_of_he_et_al_is_the_resnet(cells: str, name: str) -> None:
    ours = netdsl.parse(f"shortcut project {rewritten(HE.format(cells))}", input=(3, 224, 224))
    theirs = netdsl.load(name)
    assert (ours.params, ours.macs) == (theirs.params, theirs.macs)


def test_a_column_of_he_et_al_with_its_sizes_is_the_resnet() -> None:
    text = rewritten(RESNET18)
    assert re.findall(r"s=\[2, 1\]\)x2 :\d+x\d+", text) == [
        f"s=[2, 1])x2 :{shape}" for shape in ("128x28", "256x14", "512x7")
    ]
    ours = netdsl.parse(f"shortcut project {text}", input=(3, 224, 224))
    theirs = netdsl.load("resnet18")
    assert (ours.params, ours.macs) == (theirs.params, theirs.macs)


CELLS = [f"[3×3, {width}; 3×3, {width}]×2" for width in (64, 128, 256)]
STEM = "shortcut project input 3x224x224\nconv1 112×112 7×7, 64, stride 2\n"


@pytest.mark.parametrize(
    ("text", "halves"),
    [
        # As `pdftotext` has it: the pool is of the row below, whose size stands behind it.
        ("{s}3×3 max pool, stride 2\nconv2_x 56×56 {}\nconv3_x 28×28 {}", [None, True]),
        ("{s}3×3 max pool, stride 2\nconv2_x\n56×56\n{}\nconv3_x\n28×28\n{}", [None, True]),
        ("{s}conv2_x 56×56 {}\nconv3_x 56×56 {}", [True, False]),
        ("{s}conv2_x 56×56 3×3 max pool, stride 2\n{}\nconv3_x 28×28 {}", [None, True]),
        ("{s}conv2_x 56×56 3×3 max pool, stride 2\n{}\n{}\nconv4_x 28×28 {}", [None, None, None]),
        ("{s}conv2_x 28×28 {}", [None]),
        (
            "shortcut pad input 3x32x32\nConv 16 Max 2\nconv2_x 16×16 {}\nconv3_x 16×16 {}",
            [None, False],
        ),
    ],
)
def test_a_cell_halves_the_map_where_nothing_else_stands_between_two_sizes(
    text: str, halves: list[bool | None]
) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text.format(*CELLS, s=STEM))
    found = [one for one in caught.value.diagnostics if "(BB" in one.message]
    assert [
        (" s=[2, 1])" in one.message) or (None if one.help else False) for one in found
    ] == halves


def test_a_cell_has_the_size_of_its_own_row_alone() -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"{STEM}3×3 max pool, stride 2\nconv2_x 56×56 {CELLS[0]}\n{CELLS[1]}")
    assert [(found.message, found.help) for found in caught.value.diagnostics[2:]] == [
        (
            "`conv2_x 56×56 [3×3, 64; 3×3, 64]×2` is written `(BB 64)x2 :64x56x56`",
            "or, where it halves the map, `(BB 64 s=[2, 1])x2 :64x56x56`",
        ),
        (
            "`[3×3, 128; 3×3, 128]×2` is written `(BB 128)x2`",
            "or, where it halves the map, `(BB 128 s=[2, 1])x2`",
        ),
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("7×7, 64, stride 2 [3×3, 64; 3×3, 64]×2 [3×3, 128; 3×3, 128]×2 [3×3, 256; 3×3, 256]", 2),
        ("7×7, 64 [1×1, 64; 3×3, 64; 1×1, 256] [1×1, 128; 3×3, 128; 1×1, 512]", 1),
        ("shortcut avgproject 7×7, 64 [1×1, 64; 3×3, 64; 1×1, 256]", None),
        ("3×3, 64 [3×3, 64; 3×3, 64]×2", None),
        ("3×3, 16 [3×3, 16; 3×3, 16]×3 [3×3, 32; 3×3, 32]×3 [3×3, 64; 3×3, 64]", None),
    ],
)
def test_the_shortcuts_of_he_et_al_are_told_once(text: str, place: int | None) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 32, 32))
    help = (
        "where channels change, the ResNets and ResNeXts of ImageNet have projections: "
        "`shortcut project` in the header"
    )
    helps = [found.help or "" for found in caught.value.diagnostics]
    assert [i for i, said in enumerate(helps) if help in said] == ([] if place is None else [place])


def test_the_table_of_a_report_is_its_network() -> None:
    ours = netdsl.parse(rewritten(REPORT), input=(3, 32, 32))
    theirs = netdsl.load("resnet-cifar", n=2)
    assert (ours.params, ours.macs, ours.depth) == (theirs.params, theirs.macs, 14)


@pytest.mark.parametrize(
    ("text", "here"),
    [
        (
            '<table>\n<tr><td align="center">(Conv 64)&times;2</td></tr>\n<tr><td>FC 10</td></tr></table>',
            "(Conv 64)x2FC 10",
        ),
        ("Conv&nbsp;64<br>\nMax 2<br/>\n", "Conv64\nMax 2\n"),
        ("<td>Conv 64</td><td>5x5</td>", "Conv 64 5x5"),
        ("n = 2 (Conv 8)$\\times$n", "n = 2 (Conv 8)x n"),
        (
            "\\begin{tabular}{|l|c|}\n\\toprule\nConv 64 \\\\\n\\cmidrule(lr){1-2}\nMax 2\n\\end{tabular}",
            "\n\nConv 64 \n\nMax 2\n",
        ),
    ],
)
def test_tags_and_the_rules_of_tables_are_left_away(text: str, here: str) -> None:
    assert rewritten(text) == here


@pytest.mark.parametrize(
    ("row", "here"),
    [
        (r"conv1 & $7\times7$, 64, stride 2 & 3 \\", "Conv 64 7x7 s2"),
        (r"conv2\_x & 56$\times$56 & $3\times3$ max pool, stride 2 \\", "Max 3 s2"),
        (r"Conv 64 $5\times5$ s2", "5x5"),
    ],
)
def test_sizes_in_dollars_are_read_as_those_without(row: str, here: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(row, input=(3, 64, 64))
    assert {found.code for found in caught.value.diagnostics} <= {"E0121", "N0122"}
    said = [found.message.partition(" is written ")[2] for found in caught.value.diagnostics]
    assert [one for one in said if one] == [f"`{here}`"]


@pytest.mark.parametrize(
    ("text", "here"),
    [
        (r"\multicolumn{4}{c|}{$7 \times 7$ conv, 64, stride 2} \\ \hline", "Conv 64 7x7 s2"),
        (r"\multirow{3}{*}[-1ex]{\(\left[\begin{array}{c}\text{3$\times$3, 8}\\[-.1em] "
         r"\text{3$\times$3, 8}\end{array}\right]\)$\times$3}", "(BB 8)x3"),
        (r"$\left[\begin{tabular}{c}3$\times$3, 8\\3$\times$3, 8\end{tabular}\right] \times 3$", "(BB 8)x3"),
        (r"$\bigg[ \begin{matrix} $3\times3$, 8 \\ $3\times3$, 8 \end{matrix} \bigg]\times2$", "(BB 8)x2"),
        (r"def A() { Conv 8 } A \textbf{Max 2} \makecell[c]{Conv 8 \\ GAP}", "def A() { Conv 8 } A Max 2 Conv 8 GAP"),
    ],
)  # fmt: skip
def test_what_sets_a_text_in_latex_is_left_away_around_it(text: str, here: str) -> None:
    assert " ".join(rewritten(text).split()) == here


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            r"Size & \multicolumn{4}{c|}{$7 \times 7$ conv, stride 2}",
            "`$7 \\times 7$ conv, stride 2` is written `Conv … 7x7 s2`, "
            "with the number of its channels in place of `…`",
        ),
        (
            r"$\left[\begin{array}{l} 1\times 1 \text{ conv} \\ 3 \times 3\text{ conv} "
            r"\end{array}\right]\times 6$",
            r"`$\left[\begin{array}{l} 1\times 1 \text{…` is written as a block of your own, by `def`",
        ),
        (
            r"$\begin{bmatrix} 1\times1 & \text{conv} \\ 3\times3 & \text{conv} \end{bmatrix}$ $\times$6",
            r"`$\begin{bmatrix} 1\times1 & \text{conv} …` is written as a block of your own, by `def`",
        ),
    ],
)
def test_rows_of_densenet_in_latex_are_told_as_those_without(text: str, said: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 224, 224))
    assert said in [found.message for found in caught.value.diagnostics]


def test_rows_of_densenet_are_told_each_with_what_it_lacks() -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(DENSENET, input=(3, 224, 224))
    said = [found.message.partition(" is ")[2] for found in caught.value.diagnostics]
    assert said == [
        "written `Conv … 7x7 s2`, with the number of its channels in place of `…`",
        "written `Max 3 s2`",
        "written as a block of your own, by `def`",
        "written `Conv … 1x1`, with the number of its channels in place of `…`",
        "written `Avg 2`",
        "written `GAP`",
        "written `FC 1000`",
        "left away here",
    ]


def test_rows_of_densenet_with_their_names_and_sizes_are_told_as_those_without() -> None:
    sizes = ["112 × 112", "56 × 56", "56 × 56", "56 × 56", "28 × 28", "1 × 1", ""]
    names = ["Convolution", "Pooling", "Dense Block (1)", "Transition Layer (1)", "",
             "Classification Layer", ""]  # fmt: skip
    rows = zip(names, sizes, DENSENET.split("\n"), strict=True)
    text = "\n".join("\t".join(filter(None, row)) for row in rows)
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 224, 224))
    said = [found.message.partition(" is ")[2] for found in caught.value.diagnostics]
    name = "left away here"
    assert said == [
        "written `Conv … 7x7 s2`, with the number of its channels in place of `…`",
        name, "written `Max 3 s2`",
        name, "written as a block of your own, by `def`",
        "written `Conv … 1x1`, with the number of its channels in place of `…`",
        name, "written `Avg 2`",
        name, "written `GAP`",
        "written `FC 1000`",
        "left away here",
    ]  # fmt: skip


def test_a_functional_network_of_keras_is_told_line_by_line() -> None:
    text = rewritten(KERAS)
    assert " ".join(text.split()) == "input 3x32x32 Conv 64 norm=none act=gelu GAP FC 10"
    assert netdsl.parse(text).depth == 2


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("| layer | size |\n|---|---|\n| Conv 64 | 5x5 |\n| FC | 10 |", ["Conv 64", "FC 10"]),
        (
            "| Layer | Output |\n|:--|:-:|\n| Conv 64 s2 | 5x5 |\n| Conv 9 | 9x5x5 |\n| GAP | |\n| FC 10 | 10 |",
            ["Conv 64 s2", "Conv 9", "GAP", "FC 10"],
        ),
        ("| Layer | Output |\n| 1 | Conv 64 |\n| 2 | FC 10 |", ["Conv 64", "FC 10"]),
        (
            "| layer name | output size | 18-layer |\n|---|---|---|\n| c1 | 9×9 | Conv 64 |\n| | 1×1 | GAP |",
            ["Conv 64", "GAP"],
        ),
        ("| Type | Output Shape |\n| Conv 64 | 9×9 |", ["Conv 64"]),
        ("Net(\n  (a): MaxPool2d(2)\n  (b): MaxPool2d(2)\n)", ["Max 2", "  Max 2"]),
        ("input 3x32x32\nNet(\n  (a): MaxPool2d(2)\n)", ["input 3x32x32", "Max 2"]),
        ("Net(\n  (a): Sequential(\n    (0): MaxPool2d(2)\n  )\n)", ["Max 2", "  "]),
        ("nn.Sequential([\n  nn.MaxPool2d(2)\n  ])", ["  Max 2"]),
        ("Sequential(MaxPool2d(2))\nCat(Conv 8 | Conv 8\n)", ["Max 2", "Cat(Conv 8 | Conv 8", ")"]),
    ],
)
def test_what_stands_around_layers_is_left_away(text: str, here: list[str]) -> None:
    written = [line for line in rewritten(text).split("\n") if line.strip()]
    assert [line.strip() for line in written] == [line.strip() for line in here if line.strip()]


@pytest.mark.parametrize(
    ("text", "here"),
    [
        (
            "| Layer | Filters | Kernel | Stride |\n|---|---|---|---|\n| Conv | 64 | 7x7 | 2 |\n"
            "| Max | - | 3 × 3 | 2 |\n| Convolution | 96 | 3x3 | 1 |\n| FC | 10 | - | - |",
            ["Conv 64 7x7 s2", "Max 3 s2", "Conv 96", "FC 10"],
        ),
        (
            "| # | Layer | Kernel size | #Channels | Padding | Activation |\n"
            "| 1 | Conv | 5 | 8 | 0 | ReLU |\n| 2 | Conv | (3, 5) | 9 | same | linear |",
            ["Conv 8 5x5 p0 act=relu", "Conv 9 3x5 act=none"],
        ),
        ("| Layer | Kernel | Maps |\n| Conv 64 s2 | 5x5 | |", ["Conv 64 5x5 s2"]),
        (
            "| Layer | Channels | Kernel |\n| Conv | 64 | 3 or 5 |\n| (Conv 8)x2 | | 5x5 |\n"
            "| GAP | 8 | 7x7 |\n| BB | 8 | 3x3 |",
            ["Conv 64 …", "(Conv 8)x2 …", "GAP", "BB 8"],
        ),
    ],
)
def test_columns_of_markdown_are_read_by_their_headings_or_left_open(
    text: str, here: list[str]
) -> None:
    assert [line.strip() for line in translate(text).text.splitlines()] == here


@pytest.mark.parametrize(
    "heading",
    [
        "layer name output size 18-layer 34-layer 50-layer 101-layer 152-layer",
        r"layer name & output size & 18-layer & 34-layer ",
        "| Layers | Output Size | DenseNet-121 | DenseNet-169 |",
        "A A-LRN B C D E",
        "11 weight layers 11 weight layers 13 weight layers",
        "ResNet-50 SE-ResNet-50",
    ],
)
def test_columns_of_several_networks_are_told_to_be_chosen_from(heading: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"{heading}\n3×3, 64\nGAP", input=(3, 9, 9))
    shown = heading.strip() if len(heading.strip()) <= 40 else f"{heading[:40]}…"
    assert (caught.value.diagnostics[0].message, caught.value.diagnostics[0].help) == (
        f"`{shown}` is left away here",
        "each column is a network of its own: paste one of them at a time",
    )


@pytest.mark.parametrize("line", ["FC-64 FC-10", "A B"])
def test_layers_of_a_line_are_no_columns(line: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(
            f"def A() {{ Conv 8 }} def B() {{ Conv 9 }}\n{line}\nconv3-64", input=(3, 9, 9)
        )
    assert not any(found.message.endswith("away here") for found in caught.value.diagnostics)


def test_a_row_of_markdown_is_told_with_what_becomes_of_its_other_columns() -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse("| Conv 64 | 5x5 |\n| conv1 | GAP |\n| FC 10 | |", input=(3, 9, 9))
    help = "other columns are left away; a kernel stands behind its layer, as in `Conv 64 5x5`"
    assert [(found.message, found.help) for found in caught.value.diagnostics] == [
        ("`| Conv 64 | 5x5 |` is written `Conv 64`", help),
        ("`| conv1 | GAP |` is written `GAP`", help),
        ("`| FC 10 | |` is written `FC 10`", None),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Add(\n  Conv 8 act=none\n  | Conv 8 1x1 kernel=1 |\n)",
            ["Conv has no option `kernel`; did you mean `k`?"],
        ),
        ("Cat(\n | Conv 8 1x1 | Conv 8 |\n)\nmaxpool", ["`maxpool` is written `Max 2`"]),
        (
            "Cat(\n | Conv 8 1x1 |\n | Conv 8 |\n)\nconv3-64",
            ["`conv3-64` is written `Conv 64`"],
        ),
        ("Res(\n Conv 8\n)\nmaxpool", ["`maxpool` is written `Max 2`"]),
        ("(maxpool\n)", ["`maxpool` is written `Max 2`"]),
    ],
)
def test_branches_and_brackets_on_lines_of_their_own_are_no_forms(
    text: str, said: list[str]
) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 9, 9))
    assert [found.message for found in caught.value.diagnostics] == said


KERAS_SUMMARY = """Model: "sequential"
 Layer (type)                Output Shape              Param #
=================================================================
 conv2d (Conv2D)             (None, 26, 27, 32)        320
 bn (BatchNormalization)     (None, 26, 27, 32)        128
 max_pooling2d (MaxPooling2D)  (None, 13, 13, 32)      0

│ conv2d_1 (Conv2D)          │ (None, 11, 11, 64)      │ 18,496 │
├────────────────────────────┼─────────────────────────┼────────┤
 flatten (Flatten)           (None, 7744)              0
 dense (Dense)               (None, 10)                77450
=================================================================
Total params: 96,394
"""
TORCH_SUMMARY = """        Layer (type)               Output Shape         Param #
================================================================
            Conv2d-1         [-1, 64, 12, 13]           9,408
       BatchNorm2d-2         [-1, 64, 12, 13]             128
              ReLU-3         [-1, 64, 12, 13]               0
            Conv2d-4         [-1, 32, 12, 13]           9,408
         MaxPool2d-5         [-1, 32, 6, 6]                 0
            Linear-6         [-1, 10]                  11,530
"""


# Names that are too long for their column go on in the next line, cut anywhere.
CUT_SUMMARY = """Model: "sequential"
 input_1 (InputLayer)        [(None, 28, 27, 1)]       0
 conv2d (Conv2D)             (None, 26, 25, 32)        320
 batch_normalization_1 (Batc  (None, 26, 25, 32)       128
 hNormalization)
 max_pooling2d (MaxPooling2D  (None, 13, 12, 32)       0
 )
 depthwise_conv2d (Depthwise  (None, 13, 12, 32)       320
 Conv2D)
 separable_conv2d (SeparableConv2D) (None, 13, 12, 48) 1824
│ up_sampling2d                   │ (None, 26, 24, 48)  │ 0 │
│ (UpSampling2D)                  │                     │   │
 global_average_pooling2d_1   (None, 48)               0
 (GlobalAveragePooling2D)
 dense (Dense)               (None, 10)                490
"""
POOLED_SUMMARY = """        Layer (type)               Output Shape         Param #
 AdaptiveAvgPool2d-1        [-1, 512, 7, 6]               0
 AdaptiveAvgPool2d-2        [-1, 512, 1, 1]               0
   ConvTranspose2d-3         [-1, 64, 2, 2]         131,136
          Upsample-4         [-1, 64, 4, 6]               0
Input size (MB): 0.57
Forward/backward pass size (MB): 96.29
Params size (MB): 44.59
Estimated Total Size (MB): 141.46
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            CUT_SUMMARY,
            [
                "input 1x28x27",
                "Conv 32 … act=none",
                "Max … :32x13x12",
                "DWConv … norm=none act=…",
                "DWConv bias=off norm=none act=none  Conv 48 1x1",
                "UpTo 26x24",
                "GAP",
                "FC 10",
            ],
        ),
        (
            POOLED_SUMMARY,
            ["AvgTo 7x6", "GAP", "Deconv 64 … norm=none act=none", "UpTo 4x6"],
        ),
        (
            KERAS_SUMMARY,
            [
                "Conv 32 … act=none",
                "Max … :32x13x13",
                "Conv 64 … norm=none act=…",
                "Flatten",
                "FC 10",
            ],
        ),
        (TORCH_SUMMARY, ["Conv 64 …", "Conv 32 … norm=none act=none", "Max … :32x6x6", "FC 10"]),
    ],
)
def test_a_printed_summary_is_told_with_what_it_does_not_say(text: str, said: list[str]) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 28, 28))
    assert {found.code for found in caught.value.diagnostics} == {"E0121"}
    head, _, _ = text.partition("\n")
    assert caught.value.diagnostics[0].message == f"`{' '.join(head.split())}` is left away here"
    here = [re.search("is written `(.*?)`", one.message) for one in caught.value.diagnostics]
    assert [found[1] for found in here if found] == said


def test_a_block_of_a_printed_module_is_told_to_be_one_of_your_own() -> None:
    text = "Net(\n  (a): Block(\n    (b): MaxPool2d(2)\n  )\n  (c): MaxPool2d(2)\n)"
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 9, 9))
    said = [(found.message, found.help) for found in caught.value.diagnostics]
    assert said[1] == (
        "`(a): Block(` is written as a block of your own, by `def`",
        "what it does with its layers is not read",
    )
    assert [message for message, _ in said[2:]] == [
        "`(b): MaxPool2d(2)` is written `Max 2`",
        "`(c): MaxPool2d(2)` is written `Max 2`",
        "`)` is left away here",
    ]


@pytest.mark.parametrize("label", ["Conv64", "BB64", "GAP", "ReLU", "MaxPool2", "Norm"])
def test_a_layer_before_a_colon_is_no_label(label: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"Conv 32 {label}: Max 2 GAP FC 10", input=(3, 9, 9))
    assert [found.message for found in caught.value.diagnostics] == [
        "a shape is missing after `:`, as in `:64x32x32`"
    ]


def test_a_block_of_the_text_before_a_colon_is_no_label() -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse("def Stem(c) { Conv c }\nStem64: Conv 64", input=(3, 9, 9))
    assert [found.code for found in caught.value.diagnostics] == ["E0112"]


@pytest.mark.parametrize(
    ("entry", "here"),
    [
        ("norm: BN", "norm batch"),
        ("act: ReLU", "act relu"),
        ("init: Kaiming", "init kaiming"),
        ("shortcut: Project", "shortcut project"),
        ("head: GAP", "head gap"),
        ("num_classes: Ten", "num_classes Ten"),
    ],
)
def test_a_setting_with_a_colon_is_no_label(entry: str, here: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"{entry}\nConv 64 GAP FC 10", input=(3, 9, 9))
    assert [found.message for found in caught.value.diagnostics] == [
        f"a setting has no `:`: write `{here}`"
    ]


@pytest.mark.parametrize("setting", [one.name for one in fields(Settings) if one.name != "head"])
def test_no_setting_is_a_label(setting: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"{setting}: X\nConv 64 conv3-64", input=(3, 9, 9))
    assert "E0113" in [found.code for found in caught.value.diagnostics]


def test_a_head_that_is_none_of_the_settings_is_a_label() -> None:
    assert rewritten("Conv 64\nhead: FC 10") == "Conv 64\n FC 10"


def test_the_stem_of_inception_has_the_sizes_of_its_table() -> None:
    text = rewritten(INCEPTION)
    assert "Max 3 s2 p0 :64x73x73" in text
    assert netdsl.parse(text, input=(3, 299, 299)).depth == 6


@pytest.mark.parametrize(
    ("rows", "here"),
    [
        ("pool 3×3/3 10×10×32", "Max 3 :32x3x3"),
        ("pooling 3×3/2 8×8×32", "Max 3 s2 p0 :32x3x3"),
        ("conv 2×2/2 7×7×32", "Conv 64 2x2 s2 :64x3x3"),
        ("conv 2×2 4×4×32", "Conv 64 2x2 p0 :64x3x3"),
    ],
)
def test_the_sizes_of_a_table_say_whether_a_window_is_padded(rows: str, here: str) -> None:
    channels = 32 if "pool" in rows else 64
    text = rewritten(f"pooling 3×3/2 21×21×3\n{rows}\npool 3×3 3×3×{channels}")
    first, row, last = text.split("\n")
    assert (first.startswith("Max 3 s2"), row, last) == (True, here, "GAP")


@pytest.mark.parametrize("sign", ["{}", "{}.", "{})", "({})", "{}:", "-", "*"])
def test_numbers_and_bullets_of_lines_are_left_away(sign: str) -> None:
    lines = ["Conv 64", "Max 2", "FC 10"]
    text = "\n".join(f"{sign.format(i)} {line}" for i, line in enumerate(lines, 1))
    assert rewritten(text) == "\n".join(f" {line}" for line in lines)


def test_a_number_that_no_other_line_continues_is_no_number_of_a_line() -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse("1 Conv 64\n3 Max 2", input=(3, 9, 9))
    assert [found.code for found in caught.value.diagnostics] == ["E0102"]


@pytest.mark.parametrize(
    "column",
    [
        "3 BB 64\n4 BB 128\n6 BB 256\n3 BB 512",
        "2 Conv 64\n3 Conv 128",
        "1 BB 64\n2 BB 128\n6 BB 256",
        "Conv 64\n2 BB 64\n3 BB 128",
    ],
)
def test_a_column_of_repeats_is_no_column_of_numbers_of_lines(column: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"{column}\nfc-10", input=(3, 9, 9))
    assert not [one for one in caught.value.diagnostics if "no numbers" in (one.help or "")]


def test_the_name_of_a_column_is_that_of_the_network() -> None:
    for header in ("", "norm none\n"):
        text = rewritten(f"{header}Net 3\nConv 64\nFC 10")
        assert netdsl.parse(text, input=(3, 9, 9)).name == "Net 3"


@pytest.mark.parametrize(
    ("size", "here"),
    [
        (" 32 x 32", "3x32x32"),
        (": 224x224", "3x224x224"),
        (" (32×32)", "3x32x32"),
        (" 32×100 RGB image", "3x32x100"),
        (" 28x28 grayscale", "1x28x28"),
    ],
)
def test_a_size_without_channels_is_that_of_a_square_or_an_image(size: str, here: str) -> None:
    assert rewritten(f"input{size}\nConv 8") == f"input {here}\nConv 8"


@pytest.mark.parametrize("size", ["1x784", "3x784", "3x3", "784x1", "100x32", "1x784 pixels"])
def test_two_numbers_that_may_be_no_size_are_given_no_channels(size: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"input {size}\nFC 10")
    assert "E0121" not in {found.code for found in caught.value.diagnostics}


def test_the_first_size_of_a_table_is_that_of_the_input() -> None:
    assert rewritten("224² × 3 Conv 8 112² × 8 FC 10") == "input 3x224x224 Conv 8  FC 10"
    here = rewritten("1x29x29-20C4-MP2-10N")
    assert here == "input 1x29x29  Conv 20 4x4 p0  Max 2  FC 10"
    assert netdsl.parse(here).depth == 2
    for header in ("input 3x32x32", "input: 32x32x3"):
        here = rewritten(f"{header} 3x32x32-8C3-MP2-10N")
        assert here == "input 3x32x32 Conv 8  Max 2  FC 10"
        assert netdsl.parse(here).depth == 2


def test_a_chain_with_an_even_kernel_pads_none() -> None:
    here = rewritten("1x29x29-20C4-MP2-40C5-MP3-8C1-C9-150N-10N")
    layers = "Conv 20 4x4 p0  Max 2  Conv 40 5x5 p0  Max 3  Conv 8 1x1  Conv 9"
    assert here == f"input 1x29x29  {layers}  FC 150  FC 10"
    assert rewritten("(2x8C4)-8C3-10") == "(Conv 8 4x4 p0)x2  Conv 8 p0  FC 10"


# Iandola et al. 2016, table 1, with modules as they ship; its first map has 111 of an input of 227.
SQUEEZENET = """classes 1000 norm none
def Fire(s, e) { Conv s 1x1  Cat( Conv e 1x1 | Conv e ) }
input image 227x227x3
conv1 111x111x96 7x7/2 (x96)
maxpool1 55x55x96 3x3/2
Fire 16 64 Fire 16 64 Fire 32 128
maxpool4 27x27x256 3x3/2
Fire 32 128 Fire 48 192 Fire 48 192 Fire 64 256
maxpool8 13x13x512 3x3/2
Fire 64 256
conv10 13x13x1000 1x1/1 (x1000)
avgpool10 1x1x1000 13x13/1"""


def test_rows_of_squeezenet_have_the_sizes_of_its_table() -> None:
    ours = netdsl.parse(rewritten(SQUEEZENET))
    assert (ours.params, ours.output_shape) == (1_248_424, (1000, 1, 1))


@pytest.mark.parametrize(
    ("rows", "here"),
    [
        (
            "1 Conv3x3 224×224 32 1\n2 Conv3×3 112×112 16 1\n9 Conv1x1 & Pooling & FC 112×112 9 1",
            "Conv 32 s2\nConv 16\nConv 9 1x1  GAP  FC classes",
        ),
        (
            "0 Conv3x3 2 24 1\n7 Conv1x1 & Pooling & FC - 1280 1",
            "Conv 24 s2\nConv 1280 1x1  GAP  FC classes",
        ),
    ],
)
def test_rows_of_efficientnets_around_their_blocks_are_their_layers(rows: str, here: str) -> None:
    assert rewritten(f"classes 10\n{rows}") == f"classes 10\n{here}"


def test_a_line_of_one_layer_for_each_network_is_told_to_be_a_row_of_columns() -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse("conv3-64 conv3-64 conv3-64\nmaxpool\nconv3-9 conv3-9", input=(3, 9, 9))
    help = "in a table with a column for each network: paste one column at a time"
    assert [found.help for found in caught.value.diagnostics] == [help, *[None] * 5]


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("bottleneck 6 24 2 2", "mobilenet_v2"),
        ("fire2 16 64 64", "squeezenet1_1"),
        ("inception (3a) 28×28×256 2 64 96 128 16 32 32 159K 128M", "googlenet"),
        ("MBConv1, k3x3 16", "efficientnet_b0"),
        ("bneck, 3x3 16 16", "mobilenet_v3_large"),
    ],
)
def test_blocks_of_papers_are_told_where_they_are_shown(text: str, network: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"Conv 64\n{text}\nFC 10 Foo", input=(3, 9, 9))
    found = next(one for one in caught.value.diagnostics if one.code == "E0121")
    assert found.message.endswith(" is written as a block of your own, by `def`")
    assert found.help == f"`netdsl fmt {network}` shows how"
    assert netdsl.load(network)


@pytest.mark.parametrize("row", ["bottleneck 6 24 2 2", "2 MBConv6, k3x3 4 40", "fire2, 8, 16 16"])
def test_the_row_of_a_block_ends_with_its_line(row: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"Conv 64\n{row}\n3×3 conv, 64", input=(3, 9, 9))
    block, conv = (one.message for one in caught.value.diagnostics if one.code == "E0121")
    assert block == f"`{row.removeprefix('2 ')}` is written as a block of your own, by `def`"
    assert conv == "`3×3 conv, 64` is written `Conv 64`"


@pytest.mark.parametrize("text", ["conv3_1 conv3_2 pool3", "conv4_10", "Max 2 conv3_9 Max 2"])
def test_a_name_without_anything_in_its_row_is_not_left_away(text: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"Conv 8 {text}", input=(3, 64, 64))
    name = next(word for word in text.split() if word.startswith("conv"))
    assert not any(one.message.startswith(f"`{name}` is left") for one in caught.value.diagnostics)


def test_a_cell_of_wide_networks_is_told_with_its_parameters() -> None:
    header, body = "input 3x32x32 norm batch", "Conv 16 {} GAP FC 10"
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"{header} {body.format('[3×3, 16×k; 3×3, 16×k] × N')}")
    (found,) = caught.value.diagnostics
    assert found.message == "`[3×3, 16×k; 3×3, 16×k] × N` is written `(BB 16*k)x n`"
    assert found.help == (
        "or, where it halves the map, `(BB 16*k s=[2, 1])x n`; "
        "`n` is a parameter of the header, as in `n = 2`; "
        "`k` is a parameter of the header, as in `k = 2`"
    )
    header = f"{header} n = 2 k = 2"
    here = rewritten(f"{header} {body.format('[3×3, 16×k; 3×3, 16×k] × 2n')}")
    assert here == f"{header} {body.format('(BB 16*k)x2*n')}"
    assert netdsl.parse(here).depth == 1 + 8 + 1


@pytest.mark.parametrize(
    ("cell", "network"),
    [
        ("[1×1 conv; 3×3 conv] × 6", "densenet121"),
        ("[d7×7, 96; 1×1, 384; 1×1, 96] × 3", "convnext_tiny"),
        ("[conv, 1×1, 64; conv, 3×3, 64, C=32; conv, 1×1, 256; fc, [16, 256]] × 3", "se_resnet50"),
    ],
)
def test_cells_of_networks_are_told_where_they_are_shown(cell: str, network: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"Conv 64 {cell} FC 10", input=(3, 9, 9))
    (found,) = caught.value.diagnostics
    shown = cell if len(cell) <= 40 else f"{cell[:40]}…"
    assert found.message == f"`{shown}` is written as a block of your own, by `def`"
    assert found.help == f"`netdsl fmt {network}` shows how"
    assert netdsl.load(network)


@pytest.mark.parametrize(
    "begun",
    [
        "nn.Sequential(",
        "features = nn.Sequential(",
        "model = tf.keras.Sequential([",
        "Sequential()",
    ],
)
def test_a_sequential_of_layers_is_left_away(begun: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"{begun} Conv 64 Max 2", input=(3, 9, 9))
    found = next(one for one in caught.value.diagnostics if one.code == "E0121")
    assert found.message == f"`{begun}` is left away here"
    assert found.help == "layers follow one another as they stand"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("def Unit(c, stride=2) { Conv c } Unit 3 Foo 4", ["W0502", "E0201"]),
        ("def Unit(c, stride) { Conv c s=stride } Unit 64 0 Foo 3", ["E0206", "E0201"]),
        ("pool = 9  Conv 3 Max pool Foo 3", ["E0301", "E0201"]),
        ("pool = 9  Conv 3 Max pool Conv3-64", ["E0301", "E0121"]),
        ("stride = 0  Conv 3 s=stride conv3-64", ["E0206", "E0121"]),
        ("pool = 9  Conv 3 k=pool conv3-64", ["E0121"]),
        ("softmax = 9  Conv softmax conv3-64", ["E0121"]),
        ("def Linear(c) { Conv c } Linear(3)", ["E0117"]),
        ("def Unit(c) { Conv c } stride = 0  Unit 3 Conv 3 s=stride conv3-64", ["E0206", "E0121"]),
    ],
)
def test_names_of_a_text_are_no_forms(text: str, codes: list[str]) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 8, 8))
    assert [found.code for found in caught.value.diagnostics] == codes


LONG = [
    "[3x3, 64 ;" + " " * 900_000 + "?",
    "&" * 100_000,
    "conv3-64 " * 30_000,
    "ReLU( " * 30_000,
    "[3x3, 64 " * 20_000,
    "8C3" + "-8C3" * 50_000 + "-?",
    "a." * 300_000 + "Sequential",
    "model.add( " * 50_000,
    "x = F.relu( " * 30_000,
    "[3x3, 8; 3x3, 8]x2\n" * 20_000,
    "[3x3, 8xk; 3x3, 8xk]xn " * 20_000,
    "3x3, 8 x2 3x3, 8 " * 20_000,
    "conv2_x 9x9 [3x3, 8; 3x3, 8]x2\n" * 10_000,
    "pooling 3x3/2 9x9x9 " * 20_000,
    "conv 3×3/2 9×9×3× " * 20_000,
    "def " * 100_000,
    "def A( " * 50_000,
    "def A { " * 50_000,
]
LONGER = [
    "avg pool 3x3, " * 50_000 + "avg pool FC 10",
    "3x3, 64" + " " * 900_000 + "?",
    "[3x3, 64" + " " * 900_000 + "?",
    "[3x3" + " " * 900_000 + "?",
    "max pool" + " " * 900_000 + "?",
    "stride" + " " * 900_000 + "?",
    "pool" + " " * 900_000 + "?",
    "Conv(3, 8, 3) " * 30_000,
    "Conv 3 " * 50_000 + "soft-max",
    "8C3" + " - 8C3" * 50_000 + " -",
    "conv" + " " * 900_000 + "3x3, 64",
    "3x3 conv." + " " * 900_000 + "?",
    "Conv / s1 3 x 3 x 3 x 8" + " " * 900_000 + "?",
    "fully connected" + " " * 900_000 + "?",
    "Conv / s1 " * 50_000,
    "a" * 900_000 + ".add(",
    "F.relu(x" + " " * 900_000 + "?",
    "3x3, 64 x2" + " " * 900_000 + "3x3, 64" + " " * 900_000 + "?",
    "⎡ 3x3, 64" + " " * 900_000 + "?",
    "conv3_x 28x28" + " " * 900_000 + "?",
    "1 Conv 8\n3 Max 2\n" * 20_000,
    "conv 3x3/2 9x9x3\n" * 10_000,
    "conv 3x3 9x9x9 9 " + " " * 900_000 + "?",
    "input 9 x 9" + " " * 900_000 + "?",
    "Conv 8, k=3" + " " * 900_000 + "?",
    "fire2 8" + " " * 900_000 + "?",
    "[8, 'M'" + " " * 900_000 + "?",
    "3x3, 8 x2 " * 20_000,
    "Stage 1" + " " * 900_000 + "?",
    "| Conv 8 |" + " |" * 100_000 + "?",
    "3x3 conv, stride" + " " * 900_000 + "?",
    "x = Input((8, 8, 8" + " " * 900_000 + "?",
    "8 filters " * 50_000,
    "conv1 $8 x 8 x 8" + " " * 900_000 + "?",
    ")\n" * 19 + "\n" * 900_000 + "?",
    "| Conv 8 | 9 |\n" * 20_000,
    "(a): Net(" + " " * 900_000 + "?",
    "9²×3 conv2d - 8 1" + " " * 900_000 + "?",
    "Conv dw / s1 3 x 3 x 8 dw" + " " * 900_000 + "5 x",
    r"\text{ Conv 8 } " * 50_000,
    r"\left[ \begin{array}" + " " * 900_000 + "?",
    "conv2_x 9x9 $[3x3, 8]" + " " * 900_000 + "?",
    r"[1x1 \text{" + " " * 900_000 + "?",
    "conv3-64 " * 9 + " " * 900_000 + "?",
    "[3x3, 64; 3x3, 64; fc, [16" + " " * 900_000 + "?",
    "avg pool [8x8" + " " * 900_000 + "?",
    "[3x3, 64; 3x3, 64; fc" + " " * 900_000 + "?",
    "conv1 9x9x9 7x7/2 " * 20_000,
    "1 Conv3x3 9×9 8 1\n" * 20_000,
    "Model: " + " " * 900_000 + "?",
    "class N(M):\n" + "x = f(y)\n" * 50_000,
    "class N(M):\n" + "a, " * 300_000 + "?",
    r"\newcommand{\a}[1]{" + "{a" * 300_000,
    "INPUT -> [CONV" + " " * 900_000 + "?",
    "INPUT" + " -> CONV" * 100_000,
    r"\newcommand{\a}[1]{" + "{a}" * 200_000 + "?",
    r"\newcommand{\a}[1]{[3x3, #1; 3x3, #1]}" + "\n" + r"\a{8} " * 20_000,
]


@pytest.mark.parametrize(
    "text",
    [*LONG, *(pytest.param(text, marks=pytest.mark.slow) for text in LONGER)],
    ids=lambda text: text[:12],
)
def test_long_texts_with_forms_end_soon(text: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 8, 8))
    assert 0 < len(caught.value.diagnostics) <= 40


MANY = "9" * 5000  # digits, more than Python reads as a number
FORMS = [
    "conv3-64", "7×7, 64, stride 2", "[3×3, 8; 3×3, 8]×2", r"\times", "maxpool", "3x3 max pool",
    "FC-10", "1000-d fc", "soft-max", "Conv 8 7x7 /2", "conv1: Conv 8", "Conv2d(3, 8, 3)",
    "Linear(8, 9)", "$", "# conv3-8\n", '"conv3-8"', "Conv 8", "(Conv 8)x2", "BB 8 s2", "k=[3x3, 5]",
    "def Dense(k) { Conv k }", "Dense(3)", "[", "]", "(", ")", "&", "\\",
    "[1×1, 0; 3×3, 0; 1×1, 0]×2", f"[3×3, {MANY}]", f"conv3-{MANY}", "Conv2d()", "Linear()",
    "32C3-MP2-10", "C8-P", "8-2", "Conv / s2 3 × 3 × 3 × 8", "Conv dw / s1 3 × 3 × 8 dw 9 × 9 × 8",
    "3x3 conv. 8", "Conv 3x3, 8", "10-way softmax", "FC / s1 8 × 9", f"8C{MANY}-3",
    "MaxPool2d()", f"Conv2d(3, {MANY}, 3)", "MaxPool2d(0, 0, 0)", "GroupNorm(0)", "Dense(k)",
    "<td>", "</td><td>", "&times;", r"\begin{tabular}{c}", r"\toprule", r"$8\times8$, 8",
    r"8$\times$8 &", "x = F.relu(x)", "F.max_pool2d(x, 2)", "torch.flatten(x, 1)", "F.softmax(x)",
    "⎡ 3×3, 8 ⎤ ×2\n⎣ 3×3, 8 ⎦", "3×3, 8\n×n\n3×3, 8", "[3×3, 8×k; 3×3, 8×k]×N", "conv2_x 9×9",
    "\n1 Conv 8", "\n2 Max 2", "\n- Conv 8", "Net 3", "Stage 1:", "(2×8C3)-MP2", "[8, 'M']", "k3n8s0",
    "conv 3×3/0 9×9×3", "pool 0×0 0×0×8", "9² × 3", "8@3x3", "Conv 8x3x3", "input 9×9 image",
    f"C{MANY}-8", f"k{MANY}n8s1", "Conv 8, k=3, s=1", "fire2 8 8", "Drop-\nout", f"fc-{MANY}",
    f"conv 3×3/2 9×9×3\n{MANY}×9×9", f"conv 3×3/2 9×9×3 {MANY}×9×9", f"{MANY}-d fc", f"{MANY} units",
    f"fully connected {MANY}", f"32C3-MP2-{MANY}N", f"FC / s1 8 × {MANY} 1 × 1 × 3", f"Conv-{MANY}",
    f"{MANY}×{MANY} max pool", f"3×3, 8, stride {MANY}", f"8@{MANY}x3", f"Conv 8, k={MANY}, s=1, p=1",
]  # fmt: skip


@pytest.mark.parametrize(
    "form", [form for form in FORMS if MANY in form], ids=lambda form: form[:12]
)
def test_numbers_of_thousands_of_digits_are_mistakes_as_others(form: str) -> None:
    with pytest.raises(netdsl.NetDSLError):
        netdsl.parse(f"Conv 8 {form} Foo", input=(3, 64, 64))


@pytest.mark.parametrize("form", ["fc-١٢", "١٢-d fc", "8C٣-10", "Conv-٣"])
def test_numbers_in_other_digits_are_no_numbers_of_forms(form: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"conv3-64 {form}", input=(3, 64, 64))
    forms = [found.message for found in caught.value.diagnostics if found.code == "E0121"]
    assert forms == ["`conv3-64` is written `Conv 64`"]


@example("conv3-64 &times; x = F.relu(x)")
@given(st.lists(st.sampled_from(FORMS), max_size=12).map(" ".join))
def test_forms_among_anything_are_told_once_and_in_order(text: str) -> None:
    try:
        netdsl.parse(text, input=(3, 64, 64))
    except netdsl.NetDSLError as error:
        spans = [found.span for found in error.diagnostics if found.code == "E0121"]
        ends = [(span.start, span.end) for span in spans if span]
        assert len(ends) == len(spans)
        assert all(a[1] <= b[0] for a, b in pairwise(ends))
        assert all(0 <= start < end <= len(text) for start, end in ends)
