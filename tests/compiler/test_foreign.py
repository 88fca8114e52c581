"""The names of torch, Keras and papers, against torch and against the language itself."""

from __future__ import annotations

from dataclasses import fields

import pytest
from torch import nn

import netdsl
from netdsl.ir import Settings
from netdsl.lower.convert import SWITCH
from netdsl.lower.names import WORDS
from netdsl.ops import CATALOGUE, arguments
from netdsl.shelf import find
from netdsl.syntax import foreign
from netdsl.syntax.torch_arguments import TAKES
from netdsl.train.settings import Settings as Training


@pytest.mark.parametrize("name", foreign._OF_TORCH)
def test_what_is_called_a_class_of_torch_is_one(name: str) -> None:
    assert issubclass(getattr(nn, name), nn.Module)


def test_what_is_meant_is_in_the_language() -> None:
    layers = {ours.split()[0] for ours in foreign._LAYERS}
    assert layers <= {*CATALOGUE, "Res", "Add", "Cat", "Mul"}
    assert foreign._VALUES.keys() <= WORDS
    for key, values in foreign._CHOICES.items():
        known = arguments(Settings)[key]
        assert {*values} <= {
            *known.choices,
            *known.words,
            *(SWITCH if known.kind == "bool" else ()),
        }
    assert {*foreign.SETTINGS_HERE.values()} <= arguments(Settings).keys()


def test_what_is_said_to_be_of_training_is_no_setting_of_a_network() -> None:
    known = {field.name for field in fields(Training)}
    assert {*foreign.OF_TRAINING} <= known - arguments(Settings).keys()


def test_no_name_of_the_language_is_told_to_be_another() -> None:
    known = {name.lower() for name in CATALOGUE}
    assert known.isdisjoint({*foreign._MEANT, *foreign._HELPED})
    for word in WORDS:
        assert foreign.value_here(word.upper(), WORDS) == word


def test_arguments_in_brackets_are_checked_against_those_of_the_layers() -> None:
    assert TAKES.keys() == CATALOGUE.keys() - {"Torch"}
    for code, (count, options) in TAKES.items():
        cls = CATALOGUE[code]
        assert count == len(cls.positional), code
        assert {*options.split()} == arguments(cls).keys() - {*cls.positional}, code


@pytest.mark.parametrize(
    ("written", "here"),
    [
        ("Conv(64, 3, bias=False)", "Conv 64 k3 bias=false"),
        ("Max(3, stride=2, ceil_mode=True)", "Max 3 s=2 ceil=true"),
        ("Conv(64, 3, activation='relu')", "Conv 64 k3 act=relu"),
        ("Conv(64, 5, activation=LeakyReLU)", "Conv 64 k5 act=leaky_relu"),
        ("Conv(64, kernel_size=(3, 3))", "Conv 64 k=3x3"),
        ("Conv(64, (3,5))", "Conv 64 3x5"),
        ("Conv(64, 3, padding=same)", "Conv 64 k3"),
        ("Conv(64, 3, padding='valid')", "Conv 64 k3 p0"),
        ("Conv(3, 64, 3)", "Conv 64 k3"),
        ("Conv(3, 64, kernel_size=3, stride=2, padding=1)", "Conv 64 k=3 s=2 p=1"),
        ("Conv(64, 4, 2, 1)", "Conv 64 k4 s2 p1"),
        ("Conv(3, 8, 3)", None),
        ("Up(scale_factor=2)", "Up 2"),
        ("Up(2, mode='bilinear')", "Up 2 mode=bilinear"),
        ("FC(in_features=512, out_features=10)", "FC 10"),
        ("FC(512, 10)", "FC 10"),
        ("Part(1, 2)", "Part 1 2"),
        ("SE(16)", "SE r16"),
        ("SE(reduction=16)", "SE r=16"),
        ("Conv3x3(64)", "Conv 64 3x3"),
        ("Conv3x3(3, 64)", "Conv 64 3x3"),
        ("Conv3x3(64, 128)", "Conv 128 3x3"),
        ("Conv1x1(64, stride=2)", "Conv 64 1x1 s=2"),
        ("Conv64(3x3)", "Conv 64 3x3"),
        ("Conv64(kernel_size=3)", "Conv 64 k=3"),
        *((one, None) for one in ("Conv3x3(64, 2)", "Max2(2)", "BB64(2)")),
        *((one, None) for one in ("Norm(8)", "GAP(1)")),
        *((one, None) for one in ("DWConv(3)", "DWConv(8, 3)", "DWConv(8, 3, 1, 1)")),
    ],
)
def test_arguments_in_brackets_are_told_as_they_can_be_written(
    written: str, here: str | None
) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(written, input=(64, 12, 8))
    (found,) = caught.value.diagnostics
    assert (found.code, found.help) == ("E0117", here and f"write `{here}`")
    if here:
        assert netdsl.parse(here, input=(64, 12, 8)).warnings == ()


@pytest.mark.parametrize(
    ("written", "here"),
    [
        ("Conv3x3(stride=2)", "Conv 64 3x3 s=2"),
        ("Conv(3x3, stride=2)", "Conv 64 3x3 s=2"),
        ("Conv(stride=2)", "Conv 64 s=2"),
    ],
)
def test_channels_that_brackets_do_not_hold_are_told(written: str, here: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(written, input=(64, 12, 8))
    (found,) = caught.value.diagnostics
    assert found.help == f"with the channels, as in `{here}`"
    assert netdsl.parse(here, input=(64, 12, 8)).warnings == ()


def test_numbers_in_brackets_are_read_alike_in_a_text_or_not_at_all() -> None:
    # Dong et al. 2014: kernel, filters, channels
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse("Conv(9,64,1)\nConv(1,32,64)\nConv(5,1,32)", input=(1, 33, 33))
    assert [found.help for found in caught.value.diagnostics] == [
        "with the channels and the kernel, as in `Conv 64 9x9`"
    ] * 3
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse("Conv(3, 8, 3)\nConv(8, 64, 5)", input=(3, 33, 33))
    assert [found.help for found in caught.value.diagnostics] == [None, "write `Conv 64 k5`"]


@pytest.mark.parametrize(
    ("written", "here", "help"),
    [
        (
            "Bottleneck 64",
            "Bott 256",
            "the number is what comes out, four times the one of torch",
        ),
        ("PWConv 128", "Conv 128 1x1", None),
        ("DilatedConv 32", "Conv 32 d2", None),
        ("SepConv 16", "DWConv bias=off norm=none act=none  Conv 16 1x1", None),
        ("DepthwiseSeparableConv 16", "DWConv Conv 16 1x1", None),
        ("UpConv 32", "Deconv 32 s2", None),
        ("Output 10", "FC 10", None),
    ],
)
def test_a_name_before_a_number_is_told_with_the_number(
    written: str, here: str, help: str | None
) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"Conv 8 {written}", input=(3, 12, 8))
    (found,) = caught.value.diagnostics
    name = written.partition(" ")[0]
    assert (found.message, found.help) == (f"unknown layer `{name}`; did you mean `{here}`?", help)
    assert found.span is not None
    assert found.span.text == written
    assert netdsl.parse(f"Conv 8 {here}", input=(3, 12, 8)).warnings == ()


@pytest.mark.parametrize("behind", ["2x2", "+ 2", "/ 2", "!", "0000000000", "\n3"])
def test_what_is_no_number_behind_a_name_is_left_to_stand(behind: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"PWConv 8{behind}", input=(3, 12, 8))
    said = [found.message for found in caught.value.diagnostics]
    here = "Conv 8 1x1" if behind == "\n3" else "Conv 64 1x1"
    assert not said[0].startswith("unknown") or f"did you mean `{here}`?" in said[0]


@pytest.mark.parametrize("name", ["SoftMax", "SOFTMAX", "LogSoftmax"])
def test_a_softmax_is_left_to_the_loss_however_it_is_spelt(name: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"FC 10 {name}", input=(3, 12, 8))
    (found,) = caught.value.diagnostics
    assert (found.message, found.help) == (
        f"unknown layer `{name}`",
        "leave it away: the scores of the last FC are what the loss takes",
    )


@pytest.mark.parametrize("name", ["Pool", "Pooling", "GlobalPool"])
def test_a_pool_that_says_not_which_is_told_the_kinds(name: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"Conv 8 {name} FC 10", input=(3, 12, 8))
    (found,) = caught.value.diagnostics
    assert (found.message, found.help) == (
        f"unknown layer `{name}`",
        "write `Max 2` or `Avg 2`, and over the whole map `GAP`",
    )


@pytest.mark.parametrize("name", foreign.SHOWN_BY)
def test_a_network_that_shows_a_block_comes_along_and_defines_one(name: str) -> None:
    path, _ = find(name)
    assert "\ndef " in path.read_text("utf-8")


@pytest.mark.parametrize("ours", [ours for ours in foreign._LAYERS if ours[-1].isdigit()])
def test_what_is_meant_with_its_numbers_can_be_written(ours: str) -> None:
    assert netdsl.parse(ours, input=(64, 12, 8)).warnings == ()


@pytest.mark.parametrize("between", ["\n", " "])
def test_a_group_behind_the_name_of_a_layer_is_not_in_its_brackets(between: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"Conv 64, BN, ReLU{between}(Conv 64)x2", input=(3, 12, 8))
    said = [found.message for found in caught.value.diagnostics]
    assert said == ["`, BN` is left away here", "`, ReLU` is left away here"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("conv 64 Max 2", ["`conv`; layers start with a capital: `Conv`"]),
        ("conv2d 64 Max 2", ["`conv2d`; layers start with a capital: `Conv`"]),
        ("conv64 relu avg2 fc200",
         ["`conv64`; layers start with a capital: `Conv64`",
          "`avg2`; layers start with a capital: `Avg2`"]),
        ("dense 10", ["`dense`; layers start with a capital: `Dense`"]),
        ("conv 64 relu bn", ["`conv`; layers start with a capital: `Conv`",
                             "`relu`; layers start with a capital: `ReLU`"]),
        ("lr 3", ["`lr`"]),
        ("depth 3", ["`depth`"]),
        ("activation relu Conv 64", ["`activation`; did you mean `act`?"]),
        ("normalization batch Conv 64", ["`normalization`; did you mean `norm`?"]),
        ("padding same Conv 64", ["`padding`"]),
    ],
)  # fmt: skip
def test_a_column_in_lower_case_is_told_its_layers_and_a_setting_is_none(
    text: str, said: list[str]
) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(64, 12, 8))
    told = [found.message.removeprefix("unknown setting ") for found in caught.value.diagnostics]
    assert told == said


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("Res(drop_path=0.1)(Conv 64)",
         "options stand before the brackets: `Res drop_path=0.1 ( … )`"),
        ("Conv 64 Res( act=relu | Conv 64 )",
         "options stand before the brackets: `Res act=relu ( … )`"),
        ("Cat(norm=none Conv 64 | Conv 64)", "header entries stand before the first layer"),
    ],
)  # fmt: skip
def test_options_within_the_brackets_of_a_res_are_told_where_they_stand(
    text: str, help: str
) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(64, 12, 8))
    found = caught.value.diagnostics[0]
    assert (found.code, found.help) == ("E0110", help)
