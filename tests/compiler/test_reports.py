"""The networks of the four reports: what they print, and numbers that were computed elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import netdsl
from netdsl.cli.build import command
from netdsl.ops.act import Act, Activation, InPlaceAct
from netdsl.ops.norm import Normalization
from netdsl.ops.regularise import Dropout
from netdsl.shelf import find, shipped
from netdsl.syntax import parse, to_text

PAGE = (Path(__file__).parents[2] / "docs" / "reports.md").read_text("utf-8")
ROWS = [line for line in PAGE.splitlines() if "netdsl build" in line]
COMMANDS = list(dict.fromkeys(re.findall(r"`netdsl build ([^`]*)`", PAGE)))
FILES = (
    "blocks-after-add", "resnet-by-parts", "resnet-cifar", "resnet-tiny", "resnet18-cifar100",
    "resresnet", "wrn",
)  # fmt: skip


@pytest.mark.parametrize("arguments", COMMANDS)
def test_every_command_of_the_page_runs_and_gives_what_stands_beside_it(arguments: str) -> None:
    done = CliRunner().invoke(command, [*arguments.split(), "--json"])
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    numbers = f" | {record['params']:,} | {record['macs']:,} | {record['depth']} |"
    rows = [row for row in ROWS if f"| `netdsl build {arguments}` |" in row]
    assert rows == [row for row in rows if numbers in row] != []


def test_every_table_of_the_reports_stands_on_the_page() -> None:
    assert re.findall(r"^##+ (Reports? 00\d|Tables? [1I2](?:, the pair)?)", PAGE, re.M) == [
        "Reports 000", "Table 1", "Table 1, the pair", "Report 002", "Table I",
        "Report 003", "Table 1", "Table 2", "Report 004", "Table 1",
    ]  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files_have_the_canonical_layout(name: str) -> None:
    text = shipped()[name].read_text("utf-8")
    assert to_text(parse(text)) == text


@pytest.mark.parametrize("name", FILES)
def test_every_scale_is_found_by_its_name_alone(name: str) -> None:
    path = shipped()[name]
    scales = re.findall(r"^scale (\w+)\(", path.read_text("utf-8"), re.M)
    assert [find(scale) for scale in scales] == [(path, scale) for scale in scales]


class TestReport000:
    """What stands after the addition, on the row of Net 1."""

    def test_with_relu_it_is_net_1(self) -> None:
        ours, net1 = netdsl.load("net1_after_relu"), netdsl.load("net1")
        # What ends a block may overwrite its input there, and not where it stands outside of it.
        layers = [
            [
                (Act(n.op.kind) if isinstance(n.op, Activation) else n.op, n.shape)
                for n in net.checked
            ]
            for net in (ours, net1)
        ]
        assert layers[0] == layers[1]

    @pytest.mark.parametrize(
        ("name", "kinds"),
        [
            ("net1_after_relu", [Act]),
            ("net1_after_nothing", []),
            ("net1_after_dropout", [Dropout]),
            ("net1_after_norm", [Normalization, InPlaceAct]),
        ],
    )
    def test_a_block_ends_with_what_the_name_says(self, name: str, kinds: list[type]) -> None:
        nodes = [node for node in netdsl.load(name).checked if node.scope == "block1"]
        assert [type(node.op) for node in nodes] == kinds

    def test_norms_and_convolutions_bring_their_own_parameters(self) -> None:
        channels = (64, 128, 128, 256, 256, 512)
        norm, conv = netdsl.load("net1_after_norm"), netdsl.load("net1_after_conv")
        assert norm.params == 6_647_176 + sum(2 * c for c in channels)
        assert conv.params == 6_647_176 + sum(9 * c * c + 2 * c for c in channels)


class TestReport002:
    def test_resresnet_has_three_shortcuts_more_than_resnet(self) -> None:
        ours, theirs = netdsl.load("resresnet56"), netdsl.load("resnet56")
        assert (ours.params, ours.macs, ours.depth) == (theirs.params, theirs.macs, theirs.depth)
        adds = [[n for n in net.checked if n.name.endswith("add")] for net in (ours, theirs)]
        assert [len(nodes) for nodes in adds] == [27 + 3, 27]

    @pytest.mark.parametrize("stage", ["resnet32_top_down3", "resnet32_bottom_up3"])
    def test_all_parts_are_resnet_32(self, stage: str) -> None:
        ours, theirs = netdsl.load(stage), netdsl.load("resnet32")
        assert [(n.op, n.shape) for n in ours.checked] == [(n.op, n.shape) for n in theirs.checked]

    @pytest.mark.parametrize("way", ["top_down", "bottom_up"])
    def test_the_weights_of_a_group_fit_wherever_others_join(self, way: str) -> None:
        parts = [netdsl.load(f"resnet32_{way}{stage}").module() for stage in (1, 2, 3)]
        first, second, whole = [
            {k: v.shape for k, v in part.state_dict().items() if "bb" in k} for part in parts
        ]
        assert first.items() < second.items() < whole.items()

    def test_the_third_group_alone_reads_what_it_reads_in_the_whole_network(self) -> None:
        alone, whole = netdsl.load("resnet32_bottom_up1"), netdsl.load("resnet32")
        assert alone.checked["avg1"].shape == (32, 16, 16)
        assert whole.checked["bb10.act"].shape == (32, 16, 16)


class TestReport003:
    def test_structures_are_those_of_imagenet_with_200_classes(self) -> None:
        for n, params in {18: 11_689_512, 34: 21_797_672}.items():
            assert netdsl.load(f"tiny_resnet{n}").params == params - 800 * (512 + 1)
        for n, params in {50: 25_557_032, 101: 44_549_160, 152: 60_192_808}.items():
            assert netdsl.load(f"tiny_resnet{n}").params == params - 800 * (2048 + 1)

    def test_the_stem_for_cifar_gives_the_independent_numbers(self) -> None:
        net = netdsl.load("tiny_resnet18", kernel=3, stride=1, pool=0)
        assert (net.params, net.macs) == (11_271_432, 2_221_772_800)

    def test_full_pre_activation_begins_bare_and_ends_with_norm_and_relu(self) -> None:
        names = [node.name for node in netdsl.load("tiny_resnet34_e").checked]
        assert names[:5] == ["input", "conv1", "max1", "bb1.conv1_norm", "bb1.conv1_act"]
        assert names[-6:] == ["bb16.add", "norm1", "act1", "gap1", "fc1_flatten", "fc1"]

    def test_relu_only_pre_activation_ends_with_relu(self) -> None:
        names = [node.name for node in netdsl.load("tiny_resnet34_d").checked]
        assert names[:5] == ["input", "conv1", "conv1_norm", "conv1_act", "max1"]
        assert names[-5:] == ["bb16.add", "act1", "gap1", "fc1_flatten", "fc1"]


REPORT_004 = {
    "": 11_227_812,
    "_wide": 44_695_716,
    "_3x3": 12_604_068,
    "_pre": 11_226_020,
    "_no_norm": 11_218_212,
    "_dropout": 11_227_812,
    "_new_wide": 50_266_276,
}


class TestReport004:
    @pytest.mark.parametrize("change", REPORT_004)
    def test_parameters_are_those_of_table_1(self, change: str) -> None:
        net = netdsl.load(f"cifar100_resnet18{change}")
        assert (net.params, net.depth) == (REPORT_004[change], 18)

    def test_no_convolution_has_a_bias_and_fc_has_one(self) -> None:
        keys = [*netdsl.load("cifar100_resnet18_no_norm").module().state_dict()]
        assert [key for key in keys if key.endswith("bias")] == ["fc1.bias"]

    def test_dropout_stands_in_every_block_and_before_fc(self) -> None:
        graph = netdsl.load("cifar100_resnet18_dropout").checked
        dropouts = [node for node in graph if isinstance(node.op, Dropout)]
        assert [node.op.p for node in dropouts] == [0.2] * 8 + [0.5]
        assert dropouts[-1].inputs == ("gap1",)

    def test_pre_activation_has_a_norm_before_each_projection_and_none_at_the_end(self) -> None:
        graph = netdsl.load("cifar100_resnet18_pre").checked
        assert graph["bb3.shortcut"].inputs == ("bb3.shortcut_norm",)
        assert graph["gap1"].inputs == ("bb8.add",)

    def test_wide_residual_networks_have_their_known_numbers(self) -> None:
        net = netdsl.load("wrn16_8")
        assert (net.params, net.macs) == (11_007_540, 1_548_191_744)
        assert netdsl.load("wrn28_10").params == 36_536_884

    def test_resnet_110_for_100_classes(self) -> None:
        assert netdsl.load("resnet110", classes=100).params == 1_727_962 + 90 * 65
