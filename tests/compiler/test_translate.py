"""Texts of papers, LaTeX, Keras and torch to networks of the language, whole and at once."""

from __future__ import annotations

import re

import pytest
import torch
import torchvision

import netdsl
from netdsl.errors import Source
from netdsl.shelf import shipped
from netdsl.syntax import parse
from netdsl.translation import translate
from tests.compiler.test_paper_forms import KERAS, MOBILENET, SQUEEZENET, TORCH_SUMMARY

# He et al. 2015, table 1, in LaTeX, with sizes that say where the maps are halved.
RESNET18 = r"""shortcut project input 3x224x224
conv1 & 112$\times$112 & \multicolumn{5}{c}{7$\times$7, 64, stride 2}\\
conv2_x & 56$\times$56 & 3$\times$3 max pool, stride 2 \\
& & $\left[\begin{array}{c}\text{3$\times$3, 64}\\[-.1em] \text{3$\times$3, 64} \end{array}\right]$$\times$2 \\
conv3_x & 28$\times$28 & $\left[\begin{array}{c}\text{3$\times$3, 128}\\\text{3$\times$3, 128}\end{array}\right]$$\times$2 \\
& 1$\times$1 & average pool, 1000-d fc, softmax
"""
# The LeNet of d2l.ai, section 7.6.
LENET = """nn.Sequential(
    nn.LazyConv2d(6, kernel_size=5, padding=2), nn.Sigmoid(),
    nn.AvgPool2d(kernel_size=2, stride=2),
    nn.LazyConv2d(16, kernel_size=5), nn.Sigmoid(),
    nn.AvgPool2d(kernel_size=2, stride=2),
    nn.Flatten(),
    nn.LazyLinear(120), nn.Sigmoid(),
    nn.LazyLinear(84), nn.Sigmoid(),
    nn.LazyLinear(10))
"""


CLASS = """import torch.nn as nn
from torch import Tensor
input 3x9x9
class Net(nn.Module):
    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10)
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)

        return torch.flatten(F.relu(y), 1)
"""


@pytest.mark.parametrize(
    ("text", "shape", "params"),
    [
        ("\n".join(MOBILENET), (3, 224, 224), 4_231_976),
        (SQUEEZENET, None, 1_248_424),
        (KERAS, None, 2_442),
        (LENET, (1, 28, 28), 61_706),
        ("64C3-MP2-64C3-10N", (1, 8, 8), (576 + 128) + (36_864 + 128) + 10_250),
    ],
    ids=["mobilenet", "squeezenet", "keras", "lenet", "chain"],
)
def test_a_text_of_others_becomes_its_network(
    text: str, shape: tuple[int, ...] | None, params: int
) -> None:
    done = translate(text)
    assert done.error is None
    assert netdsl.parse(done.text, input=shape).params == params
    for change in done.changes:
        assert change.code == "E0121"
        assert change.span is not None


def test_latex_of_a_paper_becomes_its_layers() -> None:
    done = translate(RESNET18)
    assert done.error is None
    assert " ".join(done.text.split()) == (
        "shortcut project input 3x224x224 Conv 64 7x7 s2 Max 3 s2 (BB 64)x2 (BB 128 s=[2, 1])x2 "
        "GAP, FC 1000"
    )


def test_a_class_of_torch_becomes_its_layers_without_what_its_forward_does() -> None:
    done = translate(CLASS)
    assert " ".join(done.text.split()) == "input 3x9x9 Conv 8 p0 norm=none, GAP, Flatten :8, FC 10"
    assert done.error is None
    helps = [change.help or "" for change in done.changes]
    assert helps[:5] == ["only the layers of a class are read: paste those alone"] * 5
    assert "its `forward` is not read" in helps[-1]


def test_what_is_run_around_a_class_is_left_away() -> None:
    before = """PATH = './net.pth'
device = torch.device("cuda")
transform = transforms.Compose(
    [transforms.ToTensor()]
)
"""
    behind = """
net = Net().to(device)
model, loss = Net(classes=10), nn.CrossEntropyLoss()
for epoch in range(2):

    for images, labels in loader:
        optimizer.zero_grad()
print(net)
model_name = 'net'
if __name__ == "__main__":
    main()
"""
    done, alone = translate(f"{before}{CLASS}{behind}"), translate(CLASS)
    assert (done.text.split(), done.error) == (alone.text.split(), None)
    told = {change.span.text.split("\n")[0]: change for change in done.changes if change.span}
    for line in ("net = Net().to(device)", "for epoch in range(2):", "print(net)"):
        assert told[line].message.endswith(" is left away here")
        assert told[line].help == "only the layers of a class are read: paste those alone"


@pytest.mark.parametrize(
    "line",
    [
        "model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())",  # has layers of its own
        "y = Net(8)(x)",  # a block in a network
    ],
)
def test_layers_around_a_class_are_not_taken_for_its_script(line: str) -> None:
    changes = translate(f"{CLASS}\n{line}").changes
    assert line not in [change.span.text for change in changes if change.span]


def test_a_line_like_a_script_stays_without_a_class() -> None:
    assert "net = Net()" in translate("nn.Conv2d(3, 8, 3)\nnet = Net()").text


def test_a_line_like_a_script_names_its_parameter_without_a_class() -> None:
    text = "pool = [(3+1)/2] Conv 8 3x3 max pool GAP"
    assert translate(text).text == text


def test_several_classes_are_told_to_be_pasted_one_at_a_time() -> None:
    heads = ("class Block(nn.Module):", "class Net(nn.Module):")
    done = translate(f"{heads[0]}\n    def __init__(self):\n{CLASS}")
    assert done.error is not None
    for head in heads:
        assert head in done.text
        assert f"`{head}` is written by itself" in [one.message for one in done.error.diagnostics]


@pytest.mark.parametrize("name", ["alexnet", "vgg11", "vgg16_bn"])
def test_what_torch_prints_of_a_network_becomes_it(name: str) -> None:
    with torch.device("meta"):
        printed = str(getattr(torchvision.models, name)())
    done = translate(printed)
    assert done.error is None
    ours, theirs = netdsl.parse(done.text, input=(3, 224, 224)), netdsl.load(name)
    assert (ours.params, ours.macs, ours.depth) == (theirs.params, theirs.macs, theirs.depth)


def test_lines_of_which_nothing_is_left_go() -> None:
    text = "self.body = nn.Sequential(\n    nn.Conv2d(1, 8, 3),\n    nn.ReLU(),\n)\n\nGAP  FC 3\n"
    assert translate(text).text == "    Conv 8 p0 norm=none,\n\nGAP  FC 3\n"


@pytest.mark.parametrize("name", sorted(shipped()))
def test_what_is_no_mistake_stays_as_it_is(name: str) -> None:
    text = shipped()[name].read_text("utf-8")
    done = translate(text)
    assert (done.text, done.changes, done.error) == (text, (), None)


def test_what_a_form_does_not_say_is_not_made_up() -> None:
    done = translate(TORCH_SUMMARY, "net.txt")
    assert " ".join(done.text.split()) == (
        "Conv 64 … Conv 32 … norm=none act=none Max … :32x6x6 FC 10"
    )
    assert done.error is not None
    for one in done.error.diagnostics:
        assert (one.code, one.help) == ("E0101", "write out what is left away")
        assert one.span is not None
        assert one.span.source == Source("net.txt, translated", done.text)


def test_what_a_forward_decides_is_left_open() -> None:
    done = translate("self.conv = nn.Conv2d(1, 8, 3)\nself.fc = nn.Linear(8, 10)")
    assert done.text == "Conv 8 p0 bias norm=… act=…\nFlatten :8  FC 10 act=…"
    assert done.error is not None
    bare = translate("nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Linear(8, 10))")
    assert (" ".join(bare.text.split()), bare.error) == (
        "Conv 8 p0 norm=none, Flatten :8 FC 10", None
    )  # fmt: skip


def test_more_forms_than_errors_are_told_are_written_at_once() -> None:
    text = "\n".join(f"3x3 conv, {width}" for width in range(10, 90))
    done = translate(text)
    assert done.error is None
    assert [str(item.core.arguments[0]) for item in parse(done.text).body] == [
        str(width) for width in range(10, 90)
    ]
    assert len(done.changes) == 80


def test_other_mistakes_are_left_as_they_are() -> None:
    for text in ("Conv 64 Avg", "Conv 64 {", "transition", "norm = 3", "Conv 8 \0"):
        done = translate(text)
        assert (done.text, done.changes) == (text, ())
        assert done.error is not None


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(netdsl.NetDSLError, match="a network is a text, not bytes"):
        netdsl.translate(b"Conv 8")  # type: ignore[arg-type]
    assert netdsl.translate("conv3-8").text == "Conv 8"
    unread = netdsl.translate("conv3-8 \0")
    assert (unread.text, unread.changes) == ("conv3-8 \0", ())
    assert [one.code for one in unread.error.diagnostics] == ["E0104"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8, 1e-3), nn.LeakyReLU(0.2), nn.Conv2d(8, 8, 1), "
            "nn.BatchNorm2d(8, eps=0.001), nn.ReLU()",
            "default Norm(eps=0.001) default Act(slope=0.2) Conv 8 p0 bias act=leaky_relu, "
            "Conv 8 1x1 bias",
        ),
        (
            "nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.LeakyReLU(0.1), nn.Conv2d(8, 8, 1), "
            "nn.GroupNorm(4, 8), nn.LeakyReLU(0.2)",
            "Conv 8 p0 norm=none act=none, Norm group groups=2, Act leaky_relu slope=0.1, "
            "Conv 8 1x1 norm=none act=none, Norm group groups=4, Act leaky_relu slope=0.2",
        ),
        (
            "nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8, eps=0.001), nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8)",
            "Conv 8 1x1 norm=none act=none, Norm eps=0.001, Conv 8 1x1 bias act=none",
        ),
        (
            "default Act(slope=0.3) nn.Conv2d(3, 8, 1), nn.LeakyReLU(0.2)",
            "default Act(slope=0.3) Conv 8 1x1 norm=none act=none, Act leaky_relu slope=0.2",
        ),
        (
            "nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8, affine=False), nn.ReLU()",
            "default Norm(affine=off) Conv 8 1x1 bias",
        ),
        (
            "nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8, affine=False), nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8)",
            "Conv 8 1x1 norm=none act=none, Norm affine=off, Conv 8 1x1 bias act=none",
        ),
    ],
    ids=["alike", "unlike", "usual beside", "own default", "not affine", "affine beside"],
)
def test_numbers_of_norms_and_activations_are_kept(text: str, expected: str) -> None:
    done = translate(text)
    assert (" ".join(done.text.split()), done.error) == (expected, None)


def test_numbers_that_stand_behind_their_layer_need_no_default() -> None:
    done = translate("nn.MaxPool2d(2), nn.LeakyReLU(0.1), nn.BatchNorm2d(8, eps=0.001)")
    assert done.text == "Max 2, Act leaky_relu slope=0.1, Norm eps=0.001"


@pytest.mark.parametrize(
    "call",
    [
        "nn.ConvTranspose2d(8, 8, 3, dilation=2)",
        "layers.Conv2DTranspose(8, 5, strides=2, padding='same', output_padding=0)",
        "layers.Conv2DTranspose(8, 2, strides=3)",
        "layers.SeparableConv2D(8, 3, dilation_rate=2)",
        "nn.AdaptiveMaxPool2d(output_size=(2, 3))",
        "layers.ReLU(6.0)",
        "layers.ReLU(negative_slope=0.1)",
        "layers.PReLU()",
        "nn.BatchNorm2d(8, bias=False)",
    ],
)
def test_what_a_call_says_beyond_its_layer_is_left_open(call: str) -> None:
    assert "…" in translate(f"nn.Conv2d(8, 8, 1), {call}").text


def test_a_pool_of_torch_keeps_its_size() -> None:
    text = "Sequential(\n  (0): AdaptiveMaxPool2d(output_size=1)\n)"
    assert translate(text).text.strip() == 'Torch "nn.AdaptiveMaxPool2d" 1'
    calls = "nn.Conv2d(3, 8, 3, 1, 1, 1, 1, False), nn.ReLU(True), nn.Linear(8, 4, False)"
    assert translate(calls).text == "Conv 8 bias=off norm=none, Flatten :8  FC 4 bias=off"


def test_padding_of_torch_is_not_held_against_keras() -> None:
    for text in (
        "nn.Conv2d(3, 8, 5, padding='same', dilation=2), nn.ReLU()",
        "layers.Conv2D(8, 5, padding='same', dilation_rate=2, activation='relu')",
    ):
        assert not any("Keras" in (change.help or "") for change in translate(text).changes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nn.Linear(3, 8), nn.Softmax(dim=1), nn.Linear(8, 4)", 'Torch "nn.Softmax" 1'),
        ("layers.Dense(64, activation='softmax'), layers.Dense(10)", "…"),
        ("layers.Conv2D(8, 1), layers.Activation('softmax'), layers.Conv2D(8, 1)", "…"),
    ],
)
def test_a_softmax_in_the_midst_of_a_network_is_not_left_to_the_loss(
    text: str, expected: str
) -> None:
    assert expected in translate(text).text
    assert translate("nn.Linear(3, 8), nn.Softmax(dim=1)").text == "Flatten :3  FC 8, "


def test_equal_modules_that_torch_prints_once_are_told_to_be_a_repeat() -> None:
    convs = [torch.nn.Conv2d(8, 8, 3, padding=1) for _ in range(3)]
    done = translate(str(torch.nn.ModuleList([*convs, torch.nn.ReLU()])))
    assert done.error is not None
    assert [one.message for one in done.error.diagnostics] == [
        "`(0-2): 3 x` is written as a repeat of what follows, `( … )x3`"
    ]
    assert "(0-2): 3 x Conv 8 norm=none act=none\n  Act relu\n" in done.text


def test_what_torch_does_not_print_is_told() -> None:
    layers = torch.nn.Sequential(
        torch.nn.AvgPool2d(2, ceil_mode=True),
        torch.nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
    )
    done = translate(f"Net(\n  (features): {layers}\n)")
    assert " ".join(done.text.split()) == "Avg 2 Up 2 bilinear"
    helps = " ".join(change.help or "" for change in done.changes)
    for one in ("`forward` is not read", "`ceil_mode`", "`count_include_pad`", "`align_corners`"):
        assert one in helps


def test_a_summary_leaves_open_what_it_does_not_say() -> None:
    rows = (
        ("Conv2d-1", "[-1, 64, 32, 32]", "1,792"),
        ("LeakyReLU-2", "[-1, 64, 32, 32]", "0"),
        ("Dropout2d-3", "[-1, 64, 32, 32]", "0"),
        ("AdaptiveMaxPool2d-4", "[-1, 64, 4, 4]", "0"),
        ("Linear-5", "[-1, 10]", "10,250"),
        ("Softmax-6", "[-1, 10]", "0"),
    )
    text = "".join(f"{layer:>20} {shape:>20} {params:>10}\n" for layer, shape, params in rows)
    assert " ".join(translate(text).text.split()) == (
        "default Act(slope=…) Conv 64 … norm=none act=leaky_relu "
        'Torch "nn.Dropout2d" … Torch "nn.AdaptiveMaxPool2d" … FC 10'
    )


def test_a_summary_of_torchinfo_is_read_as_that_of_torchsummary() -> None:
    rows = (
        ("Net", "[1, 10]", "--"),
        ("├─Sequential: 1-1", "[1, 6, 14, 14]", "--"),
        ("│    └─Conv2d: 2-1", "[1, 6, 28, 28]", "(456)"),
        ("│    └─BatchNorm2d: 2-2", "[1, 6, 28, 28]", "12"),
        ("│    └─ReLU: 2-3", "[1, 6, 28, 28]", "--"),
        ("│    └─MaxPool2d: 2-4", "[1, 6, 14, 14]", "--"),
        ("├─Conv2d (conv2): 1-2", "[1, 16, 14, 14]", "1,456"),
        ("├─Sequential: 1-3", "[1, 16, 14, 14]", "--"),
        ("│    └─ReLU: 2-5", "[1, 16, 14, 14]", "--"),
        ("├─AdaptiveAvgPool2d: 1-4", "[1, 16, 1, 1]", "--"),
        ("├─Linear: 1-5", "[1, 10]", "170"),
    )
    text = "=" * 50 + "\nLayer (type:depth-idx)  Output Shape  Param #\n" + "=" * 50 + "\n"
    text += "".join(f"{layer:<30} {shape:<25} {params}\n" for layer, shape, params in rows)
    text += "=" * 50 + "\nTotal params: 61,706\nTotal mult-adds (Units.MEGABYTES): 0.42\n"
    assert translate(text).text == "Conv 6 …\nMax … :6x14x14\nConv 16 … norm=none\nGAP\nFC 10\n"


def test_a_module_in_a_summary_of_torchinfo_stays() -> None:
    row = "├─BasicBlock: 1-1     [1, 6, 28, 28]     --\n"
    done = translate(f"{row}│    └─Conv2d: 2-1     [1, 6, 28, 28]     456\n")
    assert done.text.startswith(row)
    assert done.error is not None
    assert "as a block of your own" in done.error.diagnostics[0].message


def test_a_summary_of_keras_3_is_read_to_its_end() -> None:
    text = (
        "dense (Dense)              (None, 64)        6,464\n"
        "activation (Activation)    (None, 64)            0\n"
        "dense_1 (Dense)            (None, 10)          650\n"
        " Total params: 7,114 (27.79 KB)\n Optimizer params: 2 (8.00 B)\n"
    )
    assert translate(text).text == "FC 64\nAct …\nFC 10\n"


def test_the_input_of_keras_needs_no_comma() -> None:
    done = translate("keras.Sequential([layers.Input(shape=(28, 28, 1)), layers.Dense(10)])")
    assert (done.text, done.error) == ("input 1x28x28 FC 10", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "model.add(Conv2D(8, 3, activation='relu', input_shape=(28, 20, 3)))\nmodel.add(GlobalAveragePooling2D())",
            "input 3x28x20 Conv 8 p0 act=relu norm=none GAP",
        ),
        (
            "layers.Conv2D(8, 1, data_format='channels_first', input_shape=(3, 28, 20)), layers.ReLU()",
            "input 3x28x20 Conv 8 1x1 norm=none",
        ),
        (
            "layers.Flatten(input_shape=(28, 20)), layers.Dense(10)",
            "input 1x28x20 Flatten, FC 10",
        ),
        ("model.add(Dense(10, input_shape=(784,)))", "input 784 FC 10"),
        ("input 1x9x9 model.add(Dense(10, input_shape=(9, 9, 1)))", "input 1x9x9 FC 10"),
        (
            "keras.Sequential([layers.Input((9, 9, 1)), layers.Dense(10, input_shape=(9, 9, 1))])",
            "input 1x9x9 FC 10",
        ),
    ],
)  # fmt: skip
def test_the_input_that_the_first_layer_of_keras_says_stands_in_front(
    text: str, expected: str
) -> None:
    done = translate(text)
    assert (" ".join(done.text.split()), done.error) == (expected, None)


def test_an_input_of_keras_that_is_not_known_is_told_to_be_left_away() -> None:
    for text in (
        "model.add(Dense(10, input_shape=shape))",
        "Max 2 model.add(Dense(10, input_shape=(9, 9, 1)))",
    ):
        done = translate(text)
        assert done.text.endswith("FC 10")
        assert done.changes[0].help == (
            "its `input_shape` is left away: the header says it, as in `input 3x224x224`"
        )


@pytest.mark.parametrize(
    ("text", "layer", "told"),
    [
        ("x = F.dropout(x, 0.3)", "Dropout 0.3", True),
        ("x = F.dropout(x, p=0.3, training=True)", "Dropout 0.3", True),
        ("x = F.dropout(x, 0.3, training=self.training)", "Dropout 0.3", False),
        ("x = torch.flatten(x)", "Flatten", True),
        ("x = torch.flatten(x, end_dim=-1)", "Flatten", True),
        ("x = torch.flatten(x, 1)", "Flatten", False),
        ("x = torch.flatten(x, start_dim=1)", "Flatten", False),
        ("x = F.relu(x)", "Act relu", False),
    ],
)
def test_what_a_function_of_torch_does_and_its_layer_does_not_is_told(
    text: str, layer: str, told: bool
) -> None:
    done = translate(text)
    assert (done.text, done.error) == (layer, None)
    (change,) = done.changes
    assert ("too, unless" in (change.help or "")) == told


def test_a_layer_norm_of_torch_is_told_to_be_over_the_width() -> None:
    done = translate("nn.Conv2d(3, 8, 3), nn.LayerNorm(30), nn.ReLU()")
    assert done.text == "Conv 8 p0 bias norm=layer"
    assert [change.help for change in done.changes[1:2]] == [
        "as an option of the `Conv` before it; here it is over the channels of a map; "
        "torch has it over the last dimension, the width"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Input(32x32x3) -> Conv(64, 3x3) -> BN -> ReLU -> MaxPool(2) -> Flatten -> Dense(10)",
            "input 3x32x32 Conv 64 3x3 Max 2 Flatten FC 10",
        ),
        ("Input(3, 32, 32), Conv(64) x2, Concat( Conv 8 | Conv(8, 1x1) ), GAP(), FC(10)",
         "input 3x32x32 (Conv 64)x2, Cat( Conv 8 | Conv 8 1x1 ), GAP, FC 10"),
        ("Conv(64, k=3, s=2)×2 Res( Conv(64) Conv(64) ) Dropout(0.5) Output(10)",
         "(Conv 64 k=3 s=2)x2 Res(Conv 64 Conv 64) Dropout 0.5 FC 10"),
        ("Conv(64, (3, 5), strides=2) SE(16) Act(relu) FC(64, 10)",
         "Conv 64 3x5 s=2 SE r=16 Act relu FC 10"),
        ("PWConv 64 Dense 10", "Conv 64 1x1 FC 10"),
        ("BasicBlock(64) Bottleneck 64 MaxPool 3x3 s2 AveragePooling 2", "BB 64 Bott 256 Max 3x3 s2 Avg 2"),
        ("default Conv(act=none) Conv(64, 3, 1) Linear 10", "default Conv(act=none) Conv 64 k=3 s=1 FC 10"),
        ("Max 2 Norm(kind=group) Act(gelu)", "Max 2 Norm group Act gelu"),
        ("Conv64-BN-ReLU-(Conv64)x2-MaxPool-FC10", "Conv64 (Conv64)x2 Max 2 FC 10"),
        ("Conv 64 3x3 – BN – ReLU – MaxPool2 – FC 10", "Conv 64 3x3 Max 2 FC 10"),
        ("input 3x32x32 act relu (conv 64)x2, avg2, bb128, fc(10)",
         "input 3x32x32 act relu (Conv 64)x2, Avg 2, BB 128, FC 10"),
        ("conv64-bn-relu-maxpool2-concat( conv 8 | conv 8 1x1 )-fc10",
         "Conv 64 Max 2 Cat( Conv 8 | Conv 8 1x1 ) FC 10"),
        ("conv 64 bn relu maxpool 2 fc 10", "Conv 64 Max 2 FC 10"),
        ("shortcut pad head flatten norm layer conv 64 fc 10",
         "shortcut pad head flatten norm layer Conv 64 FC 10"),
    ],
)  # fmt: skip
def test_layers_in_other_letters_signs_and_names_are_written_plainly(
    text: str, expected: str
) -> None:
    done = translate(text)
    assert (parse(done.text), done.error) == (parse(expected), None)


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("def Dense(c) { Conv c } Dense 12 Conv(64)", "Dense 12"),  # a block of its own
        ('use "blocks.arch" Dense 12 Conv(64)', "Conv(64)"),  # which may define one
        ("BasicBlock(64, 128) Conv(64)", "BasicBlock(64, 128)"),  # of torch: what comes in, and out
        ("Conv(3x3) FC(10)", "Conv(3x3)"),  # without channels
        ("Conv(16, 8, 3) FC(10)", "Conv(16, 8, 3)"),  # channels and kernel, or kernel and stride
        ("Foo(2) FC(10)", "Foo(2)"),
        ("input 32x32x3 Conv(8) FC(10)", "input 32x32x3"),  # no fault: 32 channels of 32x3
        ("Conv [c-4] FC(10)", "[c-4]"),
        ("Net-A FC(10)", "Net-A"),
        ("Conv 64 bn FC(10)", "Conv 64 bn"),  # a word of a text that has capitals
        ("# Conv(8)\nFC(10)", "# Conv(8)"),
        ('Torch "my.Dense" 3 FC(10)', 'Torch "my.Dense" 3'),
    ],
)
def test_what_brackets_signs_or_a_name_may_mean_otherwise_stays(text: str, stays: str) -> None:
    assert stays in translate(text).text


def test_a_text_of_brackets_says_the_layers_that_stand_in_it() -> None:
    layers = ["Conv 64 k=5 s=2 p=1 bias=on", "DWConv k=5 m=2", "Max 3 s=2 p=1", "BB 64 s=2",
              "Bott 64 e=2 g=2", "Up 2 mode=bilinear", "Deconv 8 k=4 s=2", "SE r=8",
              "Avg 2", "GAP", "Dropout 0.25", "FC 10 act=none"]  # fmt: skip
    in_brackets = [re.sub(r"^(\w+)\s?(.*)", r"\1(\2)", one).replace(" ", ", ") for one in layers]
    done = translate("\n".join(in_brackets))
    assert done.error is None
    assert parse(done.text).body == parse("\n".join(layers)).body
    assert len(done.changes) == len(layers)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nn.LazyLinear(8), nn.ELU()", "FC 8 act=elu"),
        ("norm group Conv 64, BN, ReLU", "norm group Conv 64 norm=batch"),
        ("norm group Conv 64s2, BN, ReLU", "norm group Conv 64s2 norm=batch"),
    ],
)
def test_an_option_behind_a_number_has_a_blank_before_it(text: str, expected: str) -> None:
    assert translate(text).text == expected
