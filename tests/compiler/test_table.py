"""The table as text: what each line says, and what stands below."""

from __future__ import annotations

import subprocess
import sys

import pytest

from netdsl.api import parse
from netdsl.backends.table import layers, make_table, to_table

INPUT = (3, 16, 18)


def table(text: str, *, plain: bool = False, expand: bool = False) -> list[str]:
    graph = parse(text, input=INPUT, plain=plain).checked
    return to_table(graph, expand=expand).splitlines()


def body(text: str, *, expand: bool = False) -> list[str]:
    """The lines between head and total, without that of the input."""
    _, _, _, *lines = table(text, expand=expand)
    return lines[: next(i for i, line in enumerate(lines) if line.startswith("─"))]


def test_a_network_is_shown_as_it_was_written() -> None:
    assert table("(Conv 8)x2 Max2 (BB16 s=[2,1] shortcut=project)x3 FC5") == [
        "layer                               output   params     MACs  field  shortcut",
        "─" * 90,
        "Input                               3x16x18",
        "(Conv 8)x2                          8x16x18     824  228,096    5x5",
        "Max 2                               8x8x9                       6x6",
        "(BB 16 s=[2,1] shortcut=project)x3  16x4x5   13,024  256,000  50x50  "
        "1×1, then identity ×2",
        "FC 5                                5         1,605    1,600    all",
        "─" * 90,
        "total                                        15,453  485,696",
        "",
        "depth 9, 15,453 parameters",
        "485,696 MACs for one 3x16x18 image (1 MAC = 2 FLOPs)",
        "55.81 kB of activations kept for the backward pass of one 3x16x18 image (fp32)",
        "shortcuts: 1 projection (1×1), 2 identity",
        "--plain removes 3 shortcuts with 160 parameters and 2,560 MACs",
    ]


def test_a_network_without_shortcuts_has_no_column_for_them() -> None:
    assert table("Conv 4 BB 6 s2 shortcut=project", plain=True) == [
        "layer         output   params    MACs  field",
        "─" * 44,
        "Input         3x16x18",
        "Conv 4        4x16x18     116  31,104    3x3",
        "Conv 6 s2, 6  6x8x9       564  38,880    9x9",
        "─" * 44,
        "total                     680  69,984",
        "",
        "depth 3, 680 parameters",
        "69,984 MACs for one 3x16x18 image (1 MAC = 2 FLOPs)",
        "16.13 kB of activations kept for the backward pass of one 3x16x18 image (fp32)",
    ]


def test_an_option_of_torch_that_is_a_text_stands_in_quotes() -> None:
    (line, *_) = body('Torch "nn.Upsample" scale_factor=2 mode="bilinear"')
    assert line.startswith('Torch "nn.Upsample" scale_factor=2 mode="bilinear"  3x')


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Conv 8 (BB 8)x3 BB 8", ["(Conv 8)x6", "(Conv 8)x2"]),
        ("Conv 8 (BB 16 s=[2,1])x3", ["(Conv 16 s=[2,1], 16)x3"]),
        ("Conv 8 (BB 16 s=[2,1] pre shortcut=project)x3", ["(BB 16 s=[2,1] pre)x3"]),
        ("Conv 8 (Bott 16 s=[2,1])x3", ["(Conv 4 1x1, 4 3x3 s=[2,1], 16 1x1)x3"]),
        ("Conv 8 BB 8 dropout=0.1 drop_path=0.2", ["BB 8 dropout=0.1"]),
        ("default BB(dropout=0.1) Conv 8 BB 8", ["(Conv 8)x2"]),
        (
            "Conv 8 Res shortcut=project norm=none act=relu ( Conv 9 )",
            ["Res act=relu(…)", "  Conv 9"],
        ),
    ],
)
def test_a_plain_block_is_called_what_is_left_of_it(text: str, lines: list[str]) -> None:
    net = parse(text, input=INPUT, plain=True)
    shown = [line.text for line in make_table(net.checked).lines]
    assert shown == ["Input", "Conv 8", *lines]


def test_a_block_that_has_no_shortcut_is_called_so_among_others() -> None:
    assert body("Conv 8 (BB 16 s=[2,1] shortcut=identity)x3")[1].startswith(
        "Conv 16 s2, 16, then (BB 16 shortcut=identity)x2  16x8x9 "
    )


def test_sections_and_frames_are_headings_of_the_lines_below_them() -> None:
    text = "def Stage(c, n) { (BB c)x n } Conv 6 (Stage 6 2)x2 Res(Res(Conv 6)) (Conv 6 Act)x2"
    assert body(text) == [
        "Conv 6         6x16x18     174     46,656    3x3",
        "(Stage 6 2)x2  6x16x18   2,688    746,496  19x19",
        "  (BB 6)x2     6x16x18   1,344    373,248  19x19  identity ×2",
        "Res(…)         6x16x18     336     93,312  21x21  identity",
        "  Res(…)       6x16x18     336     93,312  21x21  identity",
        "    Conv 6     6x16x18     336     93,312  21x21",
        "(…)x2          6x16x18     672    186,624  25x25",
        "  Conv 6       6x16x18     336     93,312  25x25",
        "  Act          6x16x18                     25x25",
    ]


def test_every_branch_begins_with_a_bar() -> None:
    assert body("Conv 4 @a Cat( | @a | Conv 5 1x1 Conv 7 | @a Max 3 s1 )") == [
        "Conv 4           4x16x18      116   31,104    3x3",
        "Cat(…)           19x16x18     359   96,480    5x5",
        "  | identity     4x16x18",
        "  | @a           4x16x18",
        "  | Conv 5 1x1   5x16x18       30    5,760    3x3",
        "    Conv 7       7x16x18      329   90,720    5x5",
        "  | @a Max 3 s1  4x16x18                      5x5",
    ]


def test_expanding_lists_the_nodes_of_every_layer() -> None:
    assert body("(Conv 4 act=none)x2 Max 2 BB 4 drop_path=0.2", expand=True) == [
        "Conv 4 act=none                                 4x16x18     116  31,104    3x3",
        "  conv1: Conv2d 3×3, 4                          4x16x18     108  31,104",
        "  conv1_norm: BatchNorm2d                       4x16x18       8",
        "Conv 4 act=none                                 4x16x18     152  41,472    5x5",
        "  conv2: Conv2d 3×3, 4                          4x16x18     144  41,472",
        "  conv2_norm: BatchNorm2d                       4x16x18       8",
        "Max 2                                           4x8x9                      6x6",
        "BB 4 drop_path=0.2                              4x8x9       304  20,736  14x14  identity",
        "  bb1.conv1: Conv2d 3×3, 4                      4x8x9       144  10,368",
        "  bb1.conv1_norm: BatchNorm2d                   4x8x9         8",
        "  bb1.conv1_act: ReLU                           4x8x9",
        "  bb1.conv2: Conv2d 3×3, 4                      4x8x9       144  10,368",
        "  bb1.conv2_norm: BatchNorm2d                   4x8x9         8",
        "  bb1.drop_path: StochasticDepth, survival 0.8  4x8x9",
        "  bb1.add: Add                                  4x8x9",
        "  bb1.act: ReLU                                 4x8x9",
    ]


def test_what_is_too_long_is_wrapped_so_that_the_table_stays_100_wide() -> None:
    text = "(BB 64 order=relu_before_add dropout=[0.1,0.2] s=[1,2,1] shortcut_kernel=3)x8"
    assert body(text) == [
        "(BB 64 order=relu_before_add           64x8x9   556,736  48,273,408  59x59  "
        "zero-pad, then avg-pool,",
        f"{'  dropout=[0.1,0.2] s=[1,2,1]':78}then identity ×6",
        "  shortcut_kernel=3)x8",
    ]
    assert max(map(len, table(text))) == 100


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("(Conv [4,6,8])x4", "(Conv [4,6,8])x4"),
        ("Res shortcut=project act=relu ( Conv 4 s2 )", "Res shortcut=project act=relu(…)"),
        ("Res drop_path=[(1+0)//2] ( Conv 3 )", "Res drop_path=0(…)"),
        ("def S(a, b=1) { Conv a*b } S [(3+1)*2]", "S 8"),
        ("Conv64k7s2", "Conv 64 k7 s2"),
        ("Max 3 s1", "Max 3 s1"),
        ("BB 4 s1", "BB 4"),
    ],
)
def test_the_text_of_a_layer(text: str, first: str) -> None:
    assert body(text)[0].startswith(f"{first}  ")


def test_shortcuts_are_counted_by_kind() -> None:
    text = "shortcut pad Conv 4 BB 4 BB 8 s2 (BB 8)x2 BB 9 shortcut=project"
    made = make_table(parse(text, input=INPUT).checked)
    assert made.shortcuts == {"identity": 3, "zero-pad": 1, "projection (1×1)": 1}
    assert (made.removed.params, made.removed.macs) == (8 * 9 + 2 * 9, 8 * 9 * 8 * 9)


def test_json_has_every_layer_unrolled() -> None:
    graph = parse("(Conv 5)x2 Cat( Res(Conv 5) | Max 3 s1 ) FC 2", input=INPUT).checked
    assert [
        (line["name"], line["op"], line["shape"], line["params"]) for line in layers(graph)
    ] == [
        ("conv1", "Conv", [5, 16, 18], 145),
        ("conv2", "Conv", [5, 16, 18], 235),
        ("cat1.branch1.res1.conv1", "Conv", [5, 16, 18], 235),
        ("cat1.branch1.res1", "Res", [5, 16, 18], 0),
        ("cat1.branch2.max1", "Max", [5, 16, 18], 0),
        ("cat1", "Cat", [10, 16, 18], 0),
        ("fc1", "FC", [2], 5762),
    ]


def test_layers_in_json_add_up_to_the_whole() -> None:
    net = parse("Res shortcut=project (Conv 8 s2) BB 9 shortcut=project FC 10", input=INPUT)
    lines = layers(net.checked)
    assert sum(int(str(line["params"])) for line in lines) == net.params
    assert sum(int(str(line["macs"])) for line in lines) == net.macs


def test_tables_and_drawings_need_no_torch() -> None:
    code = (
        "import sys; from netdsl.api import parse; n = parse('Conv 4 BB 4', input=(3, 5, 7));"
        "n.table(); n._repr_svg_(); sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Conv 4 BB 4 FC 5", "--plain removes 1 shortcut with 0 parameters and 0 MACs"),
        (
            "Conv 4 BB 4 Add( Conv 4 | ) FC 5",
            "--plain removes 1 shortcut with 0 parameters and 0 MACs; 1 addition by `Add` stays",
        ),
        (
            "Conv 4 BB 4 (Add( Conv 4 | ))x2 FC 5",
            "--plain removes 1 shortcut with 0 parameters and 0 MACs; 2 additions by `Add` stay",
        ),
    ],
)
def test_the_sums_that_a_plain_twin_keeps_are_counted(text: str, line: str) -> None:
    assert line in parse(text, input=(3, 8, 8)).table().splitlines()


def test_one_layer_and_a_few_bytes_are_counted_as_such() -> None:
    network = parse("GAP FC 2", input=(1, 1, 1), name="N")
    assert repr(network) == "<Network 'N': 1 layer, 4 parameters>"
    assert ">1 layer · 4 parameters · 2 MACs<" in network.dot()
    assert "\n4 bytes of activations kept for the backward pass of one 1x1" in network.table()
