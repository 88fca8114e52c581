"""What is in a drawing: boxes, lines, words and numbers, as DOT text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from netdsl.api import parse
from netdsl.backends.drawing.dot import draw, to_dot, to_svg
from netdsl.backends.drawing.labels import COLOURS
from netdsl.errors import NetDSLError
from netdsl.ops import CATALOGUE

INPUT = (3, 16, 18)


def dot(text: str, *, twin: bool = False, expand: bool = False) -> str:
    return parse(text, input=INPUT).dot(twin=twin, expand=expand)


def boxes(text: str, *, twin: bool = False, expand: bool = False) -> list[str]:
    """What is written in the boxes and joints below the title, a string for each."""
    lines = dot(text, twin=twin, expand=expand).splitlines()
    nodes = [line for line in lines if " pos=" in line and " -> " not in line]
    found = [" ".join(re.findall(r">([^<>]+)</", node)) for node in nodes if " title" not in node]
    return [words for words in found if words]


def wire(source: str, word: str) -> str:
    """The wire on which this is written."""
    (line,) = [line for line in source.splitlines() if " -> " in line and f">{word}<" in line]
    return line


def on_wires(text: str, *, expand: bool = False) -> list[str]:
    lines = [line for line in dot(text, expand=expand).splitlines() if " -> " in line]
    return [" ".join(re.findall(r">([^<>]+)</", line)) for line in lines if "label=" in line]


def test_every_layer_is_a_box_with_its_parameters() -> None:
    assert boxes("(Conv 5)x2 Avg 2 BB 5 FC 4") == [
        "Input", "Conv 5 ×2 380", "Avg 2", "BB 5 470", "+", "FC 4 1.4 k", "4",
    ]  # fmt: skip


def test_the_title_stands_over_the_numbers() -> None:
    source = dot('name "Net 7" (Conv 64)x2 FC 1000')
    assert re.findall(r">([^<>]+)</", source)[:2] == [
        "Net 7", "3 layers · 18.47 M parameters · 29.55 M MACs",
    ]  # fmt: skip


def test_what_stochastic_depth_leaves_stands_under_the_numbers() -> None:
    kept = "stochastic depth: on average 1.50 of 2 blocks in training"
    text = "drop_path 0.6 Conv 5 BB 5 Res drop_path=0.2 ( Conv 5 act=none ) GAP FC 4"
    assert f">{kept}<" in dot(text)
    assert "stochastic depth" not in dot(text.replace("0.6", "0").replace("0.2", "0"))
    assert "stochastic depth" not in parse(text, input=INPUT, plain=True).dot()


@pytest.mark.parametrize("expand", [False, True])
def test_a_res_says_its_own_stochastic_depth_once(expand: bool) -> None:
    source = dot("Conv 5 (Res drop_path=0.2 act=relu ( Conv 5 ))x2 GAP FC 4", expand=expand)
    assert (">Res drop_path=0.2  ×2<" in source) is not expand
    assert source.count("StochasticDepth, survival 0.8") == 2 * expand


def test_titles_of_twins_are_flush() -> None:
    source = dot("drop_path 0.5 Conv 5 BB 5 GAP FC 4", twin=True)
    titles = [line for line in source.splitlines() if " title" in line]
    tops = [float(re.search(r"height=([\d.]+)", line)[1]) for line in titles]  # type: ignore[index]
    assert len(tops) == 2
    assert tops[0] == tops[1]
    assert ['HEIGHT="18"' in line for line in titles] == [False, True]


def test_the_shape_is_written_only_where_it_changes() -> None:
    found = on_wires("Conv 5 Conv 5 Max 3 s1 Max 2 BB 5 BB 6 GAP FC 5")
    assert [words for words in found if "×" in words] == [
        "3×16×18", "5×16×18", "5×8×9", "6×8×9", "6×1×1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "word", "look"),
    [
        ("BB 4", "identity", None),
        ("BB 6 shortcut=pad", "zero-pad", "dashed"),
        ("BB 6 s2", "avg-pool +", "dashed"),
        ("BB 6 s2 shortcut=project", "1×1", "dotted"),
        ("BB 6 s2 shortcut=avgproject", "avg-pool +", "dotted"),
        ("Res shortcut=project shortcut_kernel=3 ( Conv 6 )", "3×3", "dotted"),
    ],
)
def test_each_kind_of_shortcut_has_its_line_and_its_word(
    layer: str, word: str, look: str | None
) -> None:
    line = wire(dot(f"Conv 4 {layer}"), word)
    assert 'color="#c0322b"' in line
    assert (re.findall(r"style=(\w+)", line) or [None]) == [look]


def test_a_projection_around_a_group_has_its_parameters_beside_its_word() -> None:
    found = on_wires(
        "Conv 4 (Res shortcut=avgproject ( Conv 6 s2 BB 6 ))x2 BB 8 s2 shortcut=project"
    )
    assert [words for words in found if "1×1" in words] == [
        "avg-pool + 1×1 36",
        "avg-pool + 1×1 48",
        "1×1",
    ]


def joints(source: str) -> list[tuple[str, str]]:
    """The signs in the joints, and their colours."""
    return re.findall(r'label=<<FONT POINT-SIZE="[\d.]+" COLOR="(#\w+)">(\+|×|Cat)<', source)


def test_only_what_belongs_to_shortcuts_is_red() -> None:
    text = "Conv 4 Add( Conv 4 | ) Add( Conv 4 | Conv 4 ) Cat( | Conv 4 )"
    for expand in (False, True):
        source = dot(text, expand=expand)
        assert [sign for _, sign in joints(source)] == ["+", "+", "Cat"]
        assert "#c0322b" not in source
    assert joints(dot("Conv 4 BB 4 Add( | Conv 4 )")) == [("#c0322b", "+"), ("#404040", "+")]


@pytest.mark.parametrize("expand", [False, True])
def test_a_shortcut_that_is_written_out_begins_and_ends_with_a_red_line(expand: bool) -> None:
    text = "Conv 4 Res( Conv 4 Conv 4 | Max 3 s1 Avg 3 s1 Conv 4 1x1 act=none )"
    lines = [line for line in dot(text, expand=expand).splitlines() if " -> " in line]
    red = [re.findall(r'"0 ([^"]*)"', line)[:2] for line in lines if "#c0322b" in line]
    assert len(red) == 2
    assert (red[0][0], red[1][1]) == ("res1 in", "res1 join")
    assert red[0][1].startswith("res1.shortcut.max1")
    assert red[1][0].startswith("res1.shortcut.conv1")
    assert "#c0322b" in wire(dot("Conv 4 @a Res( Conv 4 | @a )", expand=expand), "@a")


@pytest.mark.parametrize("expand", [False, True])
def test_an_empty_shortcut_is_called_what_it_is(expand: bool) -> None:
    assert 'color="#c0322b"' in wire(dot("Conv 4 Res( Conv 4 | )", expand=expand), "identity")
    assert ">identity<" not in dot("Conv 4 Add( Conv 4 | )", expand=expand)


def test_every_family_of_the_catalogue_has_colours() -> None:
    assert {cls.family for cls in CATALOGUE.values()} <= set(COLOURS)


def test_boxes_have_the_colours_of_their_family() -> None:
    source = dot("Conv 4 Max 2 BB 4 FC 3")
    fills = re.findall(r'fillcolor="(#\w+)"', source)
    assert fills == [COLOURS[f][0] for f in ("input", "conv", "pool", "block", "dense")]


def test_equal_residual_layers_are_drawn_once_in_a_frame_that_counts_them() -> None:
    text = "Conv 4 (BB 8 s=[2,1])x9"
    assert boxes(text)[2:] == ["BB 8 s2 896", "+", "BB 8 1.2 k", "+", "8×8×9"]
    assert ">×8<" in dot(text)


def test_layers_without_shortcuts_are_counted_in_their_box() -> None:
    assert boxes("(Conv 4)x7")[1] == "Conv 4 ×7 1.0 k"
    assert "cluster" not in dot("(Conv 4)x7")


def test_a_long_text_goes_over_several_lines() -> None:
    text = (
        "Conv 64 7x7 norm=none act=none bias=on BB 64 s2 order=relu_before_add shortcut=avgproject"
    )
    assert boxes(f"{text} Conv 5")[1:3] == [
        "Conv 64 7x7 norm=none act=none bias=on 9.5 k",
        "BB 64 s2 order=relu_before_add 78.2 k shortcut=avgproject",
    ]
    long = "size=5 alpha=0.0001 beta=0.75"
    assert boxes(f'Torch "nn.LocalResponseNorm" {long}')[1] == (
        "Torch &quot;nn.LocalResponseNorm&quot; size=5 alpha=0.0001 beta=0.75"
    )
    parts = " ".join(boxes("Deconv 4 k3 s=1x2 g1 Conv 4000 k=11x13 s=2x1 g4", expand=True))
    assert "Conv2d 11×13, 4000, stride 2×1, groups 4" in parts


def test_strides_and_groups_are_written_where_they_are() -> None:
    plain = boxes("residual off Conv 8 Bott 16 s2 g2")
    assert plain[2].startswith("Conv 4 1x1, 4 3x3 s2 g2, 16 1x1")
    assert boxes("residual off BB 8 s=2x1")[1].startswith("Conv 8 s=2x1, 8")
    assert "Conv2d 3×3, 4, stride 2×1" in boxes("Conv 4 s=2x1", expand=True)[1]


def test_a_plain_residual_block_is_drawn_as_its_convolutions() -> None:
    text = "Conv 8 BB 8 BB 16 s2 Bott 16 BB 16 pre"
    plain = parse(text, input=INPUT).plain()
    found = re.findall(r"<B>([^<]*)</B></FONT>(?: <[^>]*>(×\d+))?", plain.dot())[2:]
    assert found == [
        ("Conv 8", ""), ("Conv 8", "×2"), ("Conv 16 s2, 16", ""),
        ("Conv 4 1x1, 4 3x3, 16 1x1", ""), ("BB 16 pre", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("expand", [False, True])
def test_what_a_plain_block_has_beside_convolutions_is_in_its_name(expand: bool) -> None:
    text = (
        "Conv 8 BB 8 dropout=0.5 BB 8 order=relu_pre shortcut=always BB 8 act=gelu drop_path=0.2 "
        "BB 8 order=bn_after_add BB 8 order=relu_before_add"
    )
    plain = parse(text, input=INPUT).plain().dot(expand=expand)
    assert re.findall(r"<B>([^<]*)</B>", plain)[3:] == [
        "BB 8 dropout=0.5", "BB 8 order=relu_pre", "BB 8 act=gelu", "Conv 8", "Conv 8",
    ]  # fmt: skip


def test_boxes_of_a_plain_network_have_the_colours_of_what_they_are_called() -> None:
    plain = parse("Conv 8 BB 8 BB 8 pre", input=INPUT).plain()
    for expand in (False, True):
        fills = re.findall(r'fillcolor="(#\w+)"', plain.dot(expand=expand))
        assert fills == [COLOURS[f][0] for f in ("input", "conv", "conv", "block")]


def test_an_activation_behind_a_sum_is_drawn() -> None:
    text = "Conv 4 Res act=relu ( Conv 4 act=none ) Res act=gelu ( Conv 4 | Conv 4 1x1 ) FC 2"
    assert [word for word in boxes(text) if word[:3] in ("Act", "+")] == [
        "+", "Act relu", "+", "Act gelu",
    ]  # fmt: skip
    plain = parse(text, input=INPUT).plain().dot()
    assert re.findall(r">(Act \w+)<", plain) == ["Act relu", "Act gelu"]


def test_a_definition_is_a_frame_with_its_call_and_its_number() -> None:
    text = "def Pair(c) { Conv c Conv c 1x1 } Conv 6 (Pair 6)x3 Pair 6"
    assert re.findall(r">(Pair[^<]*)<", dot(text)) == ["Pair 6  ×3", "Pair 6"]


def test_values_that_are_read_again_come_from_where_they_are_made() -> None:
    line = wire(dot("Conv 4 @enc Max 2 Up 2 Cat( | @enc )"), "@enc")
    assert line.split(" [")[0].strip() == '"0 conv1_act read" -> "0 cat1 join"'


@pytest.mark.parametrize(("code", "sign"), [("Add", "+"), ("Mul", "×"), ("Cat", "Cat")])
def test_a_joint_shows_how_its_branches_are_joined(code: str, sign: str) -> None:
    assert boxes(f"Conv 4 {code}( | Conv 4 act=sigmoid ) FC 2").count(sign) == 1


def test_a_factor_has_its_shape_and_the_map_that_it_scales_has_it_once() -> None:
    text = "Conv 4 Mul( Conv 4 | Conv {} act=sigmoid ) Conv 4"
    gated, product = dot(text.format(1)), dot(text.format(4))
    assert (gated.count(">1×16×18<"), product.count(">1×16×18<")) == (1, 0)
    assert gated.count(">4×16×18<") == product.count(">4×16×18<") == 2
    assert dot("Conv 4 Mul( Conv 1 act=sigmoid | )").count(">1×16×18<") == 1


def test_expanded_layers_show_their_nodes() -> None:
    assert boxes("Conv 4 BB 6 s2 shortcut=project dropout=0.5 order=bn_after_add", expand=True) == [
        "Input",
        "Conv 4 Conv2d 3×3, 4 108 BatchNorm2d 8 ReLU",
        "Conv2d 3×3, 6, stride 2 216 BatchNorm2d 12 ReLU Dropout 0.5 Conv2d 3×3, 6 324",
        "+",
        "BatchNorm2d 12 ReLU",
        "6×8×9",
        "Conv2d 1×1, 6, stride 2 24 BatchNorm2d 12",
    ]


def test_expanded_shortcuts_are_called_what_they_do() -> None:
    text = "Conv 4 BB 6 BB 6 s2 BB 8 s2 BB 9 shortcut=pad BB 9 s2 shortcut=avgproject"
    found = boxes(text, expand=True)
    assert [words for words in found if "pad" in words or "avg" in words.lower()] == [
        "zero-pad to 6", "avg-pool, stride 2", "avg-pool + zero-pad to 8, stride 2", "zero-pad to 9",
        "AvgPool2d 2×2 Conv2d 1×1, 9 81 BatchNorm2d 18",
    ]  # fmt: skip


def test_expanded_layers_show_their_numbers() -> None:
    text = "drop_path 0.4 Conv 4 (BB 4)x2 Dropout 0.3 Max 3 s2 Avg 2x3 Dropout"
    shown = " ".join(boxes(text, expand=True))
    for words in (
        "StochasticDepth, survival 0.8", "StochasticDepth, survival 0.6", "Dropout 0.3",
        "MaxPool2d 3×3, stride 2", "AvgPool2d 2×3", "Dropout 0.5",
    ):  # fmt: skip
        assert words in shown


def test_frames_of_expanded_blocks_are_called_as_boxes_are() -> None:
    assert ">BB 4<" in dot("Conv 4 (BB 4 s=[1,2])x2", expand=True)
    assert "s1" not in dot("Conv 4 (BB 4 s=[1,2])x2", expand=True)


def test_expanding_writes_every_repetition_out() -> None:
    assert [words.split()[0] for words in boxes("(Max 3 s1)x3", expand=True)[1:-1]] == ["Max"] * 3


def test_a_scaled_map_is_drawn_with_its_factor() -> None:
    found = boxes("SE r3", expand=True)
    assert found[1:3] == ["AdaptiveAvgPool2d Conv2d 1×1, 1 4 ReLU Conv2d 1×1, 3 6 Sigmoid", "×"]


def test_a_twin_has_the_same_boxes_in_the_same_rows() -> None:
    found = re.findall(
        r'^\s*"(\d) (\w+)" \[label.* pos="[^,]*,(.*?)"', dot("BB 4 BB 8 GAP", twin=True), re.M
    )
    left, right = ({name: y for i, name, y in found if i == number} for number in "01")
    assert {**left, "title": None} == {**right, "title": None}
    assert {"input", "bb1", "bb2", "gap1", "output"} <= set(left)


def test_a_plain_network_is_drawn_as_what_it_is() -> None:
    network = parse("Conv 4 BB 4 GAP", input=INPUT, name="N")
    plain = network.plain()
    assert ">N, plain<" in plain.dot()
    assert ">N, plain<" not in network.dot()
    assert plain.dot(twin=True) == network.dot(twin=True)


@pytest.mark.parametrize(
    "title",
    ["a<b&\"c'", "<B>x</B> &amp; &#65;", r"\N \\ \n", "-->", "]]>", "日本 🙂", "a\tb\x07c", " "],
)
def test_any_title_is_drawn_as_it_is(title: str) -> None:
    graph = parse("Conv 4", input=INPUT).checked
    assert "<svg" in to_svg([(title, graph)])  # raises where a text is missing


def test_a_notebook_shows_the_drawing() -> None:
    assert parse("Conv 4", input=INPUT)._repr_svg_().startswith("<?xml")


def test_one_network_is_one_text() -> None:
    code = (
        "from netdsl.api import parse; print(parse('Conv 4 Cat( BB 4 | (Conv 4)x3 @a | Conv 5 ) FC 9',"
        "input=(3, 9, 8)).dot(twin=True, expand=True))"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=env)
        for env in ({**os.environ, "PYTHONHASHSEED": seed} for seed in ("1", "2"))
    ]
    assert runs[0].stdout == runs[1].stdout


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.svg", b"<?xml"), ("a.PNG", b"\x89PNG"), ("a.pdf", b"%PDF"), ("a.dot", b"digraph")],
)
def test_the_suffix_says_the_format(name: str, start: bytes, tmp_path: Path) -> None:
    graph = parse("Conv 4", input=INPUT).checked
    path = draw([("", graph)], tmp_path / name)
    assert (path, path.read_bytes()[: len(start)]) == (tmp_path / name, start)


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    graph = parse("Conv 4", input=INPUT).checked
    with pytest.raises(NetDSLError) as caught:
        draw([("", graph)], tmp_path / "net.jpg")
    assert str(caught.value) == (
        "error[E0604]: cannot draw `net.jpg`: a drawing ends in .svg, .png, .pdf or .dot"
    )


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    graph = parse("Conv 4", input=INPUT).checked
    path = tmp_path / "none" / "net.svg"
    with pytest.raises(NetDSLError) as caught:
        draw([("", graph)], path)
    assert str(caught.value) == f"error[E0606]: cannot write {path}: No such file or directory"


def test_more_boxes_than_the_limit_are_refused() -> None:
    graph = parse("(Max 3 s1)x20000", input=INPUT).checked
    with pytest.raises(NetDSLError) as caught:
        to_dot([("", graph)], expand=True)
    assert str(caught.value) == (
        "error[E0605]: 20,002 boxes and joints exceed the limit of 20,000 for a drawing\n"
        "  = help: draw it folded"
    )
