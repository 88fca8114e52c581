"""What the parts of the language mean: numbers and references from outside, never from the code."""

import re
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn

import netdsl
from netdsl.measure import activation_memory, receptive_fields


def parse(text: str, shape: tuple[int, int, int] = (3, 9, 8), **options: object) -> netdsl.Network:
    return netdsl.parse(text, input=shape, **options)


def shapes(text: str, **options: object) -> list[str]:
    """The output shapes of the written layers."""
    net = parse(text, **options)
    last = {node.layer: str(node.shape) for node in net.checked if node.inputs}
    return list(last.values())


def quoted(layer: str) -> str:
    """`nn.PReLU 3` as it stands in a file."""
    name, *arguments = layer.split(maxsplit=1)
    return " ".join([f'Torch "{name}"', *arguments])


def torch_field(layer: str, before: str = "input 3x32x32") -> tuple[int, int] | None:
    """The receptive field behind a layer of torch.nn."""
    graph = netdsl.parse(f"{before} {quoted(layer)}").checked
    return receptive_fields(graph)[graph.output.name]


def convolutions(net: netdsl.Network) -> list[int]:
    return [m.out_channels for m in net.module().modules() if isinstance(m, nn.Conv2d)]


class TestScale:
    """`width` and `depth` as MobileNet and EfficientNet scale."""

    def test_width_rounds_channels_as_mobilenet_does(self) -> None:
        # torchvision.models.mobilenet_v2(width_mult=1.4): 32, 16, 24, 32, 64, 96, 160, 320, 1280
        text = (
            "scale l(width=1.4) Conv 32 Conv 16 Conv 24 Conv 32 Conv 64 Conv 96 Conv 160 Conv 320"
        )
        assert convolutions(parse(text, scale="l")) == [48, 24, 32, 48, 88, 136, 224, 448]

    def test_width_never_goes_below_nine_tenths(self) -> None:
        text = "scale s(width=0.35) Conv 32 Conv 16 Conv 24 Conv 96 Conv 160"
        assert convolutions(parse(text, scale="s")) == [16, 8, 8, 32, 56]

    def test_depth_rounds_repeats_up_as_efficientnet_b4_does(self) -> None:
        # B4 stretches 1, 2, 2, 3, 3, 4, 1 by 1.8
        groups = " ".join(f"(Conv 8)x{n}" for n in (1, 2, 2, 3, 3, 4, 1))
        net = parse(f"scale b4(depth=1.8) {groups}", scale="b4")
        assert net.depth == sum((2, 4, 4, 6, 6, 8, 2))

    def test_pinned_channels_counts_and_fc_stay(self) -> None:
        net = parse("scale l(width=2 depth=2) Conv 16! (Conv 8)x2! FC 10", scale="l")
        assert (net.depth, convolutions(net), net.output_shape) == (4, [16, 16, 16], (10,))

    def test_a_scale_sets_parameters_and_settings(self) -> None:
        text = "n = 1 act relu scale deep(n=3 act=gelu) (Conv 8)x n"
        kinds = Counter(type(m) for m in parse(text, scale="deep").module().modules())
        assert (kinds[nn.Conv2d], kinds[nn.GELU], kinds[nn.ReLU]) == (3, 3, 0)


class TestUse:
    """Definitions of another file, with the parameters that they read."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "lib").mkdir()
        (tmp_path / "lib" / "blocks.arch").write_text(
            'use "more.arch" w = 4 unread = 7 def Twice(c) { (Conv c*w)x2 Tail }'
        )
        (tmp_path / "lib" / "more.arch").write_text("def Tail() { Conv 5 }")
        return tmp_path

    def test_definitions_and_their_parameters_come_along(self, folder: Path) -> None:
        (folder / "net.arch").write_text('use "lib/blocks.arch" input 3x9x8 Twice 2')
        net = netdsl.load(folder / "net.arch")
        assert convolutions(net) == [8, 8, 5]
        assert net.warnings == ()
        assert convolutions(netdsl.load(folder / "net.arch", w=3)) == [6, 6, 5]

    @pytest.mark.parametrize("formals", ["c=w", "w=w", "c=w, w=3", "w=w, c=w"])
    def test_a_default_reads_the_parameter_of_its_own_file(
        self, folder: Path, formals: str
    ) -> None:
        first = formals[0]
        (folder / "lib" / "own.arch").write_text(f"w = 4 def A({formals}) {{ Conv {first} }}")
        (folder / "net.arch").write_text('use "lib/own.arch" input 3x9x8 A')
        assert convolutions(netdsl.load(folder / "net.arch")) == [4]
        (folder / "net.arch").write_text('w = 64 use "lib/own.arch" input 3x9x8 A Conv w')
        with pytest.raises(netdsl.NetDSLError, match="`w` is set twice"):
            netdsl.load(folder / "net.arch")

    def test_a_name_that_is_taken_names_both_places(self, folder: Path) -> None:
        (folder / "net.arch").write_text('use "lib/blocks.arch" def Tail() { Conv 1 } Twice 2')
        with pytest.raises(netdsl.NetDSLError) as error:
            netdsl.load(folder / "net.arch", input=(3, 9, 8))
        assert "`Tail` is set twice" in str(error.value)
        assert "more.arch:1:5" in str(error.value)

    def test_errors_name_a_file_from_where_the_person_stands(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (folder / "lib" / "more.arch").write_text("def Tail() { Conv foo }")
        (folder / "net.arch").write_text('use "lib/blocks.arch" input 3x9x8 Twice 2')
        monkeypatch.chdir(folder)
        with pytest.raises(netdsl.NetDSLError) as error:
            netdsl.load("net.arch")
        assert "--> lib/more.arch:1:19" in str(error.value)
        assert "::: lib/blocks.arch:1:" in str(error.value)

    @pytest.mark.parametrize("path", ["../secret.arch", "/etc/passwd", "lib/../../secret.arch"])
    def test_paths_outside_the_folder_are_refused(self, folder: Path, path: str) -> None:
        (folder / "net.arch").write_text(f'use "{path}" Conv 1')
        with pytest.raises(netdsl.NetDSLError, match="only files below the folder"):
            netdsl.load(folder / "net.arch")

    def test_links_out_of_the_folder_are_refused(self, folder: Path) -> None:
        (folder.parent / "outside.arch").write_text("def A() { Conv 1 }")
        (folder / "link.arch").symlink_to(folder.parent / "outside.arch")
        (folder / "net.arch").write_text('use "link.arch" A')
        with pytest.raises(netdsl.NetDSLError, match="only files below the folder"):
            netdsl.load(folder / "net.arch")

    def test_a_path_from_the_root_is_refused_even_into_the_folder(self, folder: Path) -> None:
        (folder / "net.arch").write_text(f'use "{folder / "lib" / "blocks.arch"}" Twice 2')
        with pytest.raises(netdsl.NetDSLError, match="only files below the folder"):
            netdsl.load(folder / "net.arch", input=(3, 9, 8))

    def test_parameters_that_a_parameter_reads_come_along(self, folder: Path) -> None:
        (folder / "lib" / "own.arch").write_text("v = 2 w = v+2 def A() { Conv w }")
        (folder / "net.arch").write_text('use "lib/own.arch" input 3x9x8 A')
        assert convolutions(netdsl.load(folder / "net.arch")) == [4]
        assert convolutions(netdsl.load(folder / "net.arch", v=3)) == [5]

    def test_what_is_left_unused_of_another_file_is_no_mistake(self, folder: Path) -> None:
        (folder / "lib" / "own.arch").write_text(
            "w = 4 def A(c, idle=1) { Conv c } def B() { Conv w }"
        )
        (folder / "net.arch").write_text('use "lib/own.arch" input 3x9x8 A 2')
        assert netdsl.load(folder / "net.arch").warnings == ()

    @pytest.mark.parametrize(
        ("text", "why", "help"),
        [
            ("w = 4 def A() { Conv w } def B() { A }", "none of A, B is called", None),
            (
                "input 3x8x8 Conv 8",
                "the file has no `def`",
                "its layers are left out: put them into a `def`",
            ),
        ],
    )
    def test_a_file_of_which_nothing_is_used_is_told(
        self, folder: Path, text: str, why: str, help: str | None
    ) -> None:
        (folder / "lib" / "own.arch").write_text(text)
        (folder / "net.arch").write_text('use "lib/own.arch" input 3x9x8 Conv 2')
        (finding,) = netdsl.load(folder / "net.arch").warnings
        assert finding.code == "W0502"
        assert (finding.message, finding.help) == (f"this `use` is never used: {why}", help)
        assert finding.span is not None
        assert finding.span.text == 'use "lib/own.arch"'

    def test_a_path_without_quotes_is_all_that_is_said(self, folder: Path) -> None:
        (folder / "net.arch").write_text("use blocks input 3x9x8 Twice 2")
        with pytest.raises(netdsl.NetDSLError) as error:
            netdsl.load(folder / "net.arch")
        assert [one.code for one in error.value.diagnostics] == ["E0213"]

    def test_cycles_are_refused(self, folder: Path) -> None:
        (folder / "a.arch").write_text('use "b.arch" Conv 1')
        (folder / "b.arch").write_text('use "c.arch" def B() { Conv 1 }')
        (folder / "c.arch").write_text('use "b.arch" def C() { Conv 1 }')
        with pytest.raises(netdsl.NetDSLError, match=r"use each other: b.arch -> c.arch -> b.arch"):
            netdsl.load(folder / "a.arch")


class TestStochasticDepth:
    """Report 003: p_l = 1 - l/L (1 - p_L), a dropped block is not computed."""

    RESNET34 = "drop_path 0.5 shortcut pad Conv 4 (BB 4)x3 (BB 6 s=[2,1])x4 (BB 8 s=[2,1])x6 (BB 9 s=[2,1])x3"

    def test_resnet34_keeps_11_75_of_16_blocks(self) -> None:
        model = parse(self.RESNET34).module()
        survival = [m.survival for m in model.modules() if hasattr(m, "survives")]
        assert len(survival) == 16
        assert sum(survival) == 11.75
        assert survival[0] == 1 - 0.5 / 16
        assert survival[-1] == 0.5

    def test_a_dropped_block_runs_no_convolution_and_is_the_shortcut(self) -> None:
        model = parse("drop_path 0.5 BB 3 BB 3").module().train()
        ran: list[str] = []
        for name, module in model.named_modules():
            module.register_forward_hook(lambda *_, name=name: ran.append(name))
        model.bb2.survives = False
        x = torch.randn(2, 3, 9, 8)
        before = x.clone()
        assert torch.equal(model.bb2(x), x.relu())
        assert torch.equal(x, before)
        assert ran == ["bb2.act", "bb2"]

    def test_the_mean_number_of_convolutions_is_that_of_the_formula(self) -> None:
        model = parse(self.RESNET34, (3, 8, 8)).module().train()
        ran = 0

        def count(*_: object) -> None:
            nonlocal ran
            ran += 1

        for name, module in model.named_modules():
            if name.endswith(".conv1"):
                module.register_forward_hook(count)
        with torch.no_grad():
            for _ in range(200):
                model(torch.zeros(2, 3, 8, 8))
        assert ran / 200 == pytest.approx(11.75, abs=0.4)

    def test_evaluation_scales_the_branch_by_its_survival(self) -> None:
        model = parse("drop_path 0.4 Res( Conv 3 act=none bias=on norm=none )").module().eval()
        x = torch.randn(2, 3, 9, 8)
        expected = x + 0.6 * nn.functional.conv2d(
            x, model.res1.conv1.weight, model.res1.conv1.bias, padding=1
        )
        torch.testing.assert_close(model(x), expected)

    def test_a_rate_of_its_own_is_fixed_and_a_res_of_blocks_is_no_unit(self) -> None:
        model = parse("drop_path 0.4 Res( BB 3 ) BB 3 drop_path=0.1 Res( Conv 3 )").module()
        units = {n: m.survival for n, m in model.named_modules() if hasattr(m, "survives")}
        assert units == {"res1.bb1": 1 - 0.4 / 3, "bb1": 0.9, "res2": 0.6}

    def test_two_networks_of_one_seed_draw_alike(self) -> None:
        net = parse(self.RESNET34, (3, 8, 8))
        one, other = net.module(seed=3).train(), net.module(seed=3).train()
        x = torch.randn(2, 3, 8, 8)
        assert [torch.equal(one(x), other(x)) for _ in range(5)] == [True] * 5

    def test_the_plain_twin_has_none_and_says_so(self) -> None:
        twin = parse(self.RESNET34, plain=True)
        assert not any(hasattr(m, "survives") for m in twin.module().modules())
        assert "drop_path is ignored" in str(twin.warnings[0].message)


class TestSqueezeExcitation:
    def test_equals_torchvisions(self) -> None:
        torch.manual_seed(0)
        theirs = torchvision.ops.SqueezeExcitation(12, 3)
        ours = parse("SE r4", (12, 9, 8)).module()
        ours.load_state_dict(
            {f"se1.{key}": value for key, value in theirs.state_dict().items()}
        )  # fmt: skip
        x = torch.randn(2, 12, 9, 8)
        assert torch.equal(ours(x), theirs(x))

    def test_squeezes_to_a_multiple_where_asked(self) -> None:
        # MobileNet v3: _make_divisible(72 // 4, 8) = 24, _make_divisible(16 // 4, 8) = 8
        for channels, squeezed in ((72, 24), (16, 8), (576, 144), (240, 64)):
            model = parse("SE r4 to=8", (channels, 3, 2)).module()
            assert model.se1.fc1.out_channels == squeezed


class TestProducts:
    def test_a_gate_of_an_attention_unet_is_what_torch_makes_of_its_parts(self) -> None:
        text = "Conv 4 @skip Max 2 Conv 6 Up 2 Conv 4 Mul( @skip | Add( Conv 4 1x1 | @skip ) Act Conv 1 1x1 norm=none act=sigmoid )"
        model = parse(text, (3, 8, 12)).module().eval()
        for tensor in model.state_dict().values():
            tensor.copy_(torch.rand(tensor.shape)) if tensor.is_floating_point() else None
        x = torch.randn(2, 3, 8, 12)

        def conv(name: str, x: Tensor) -> Tensor:
            return model.get_submodule(f"{name}_norm")(model.get_submodule(name)(x)).relu()

        skip = conv("conv1", x)
        low = conv("conv2", nn.functional.max_pool2d(skip, 2))
        up = conv("conv3", low.repeat_interleave(2, 2).repeat_interleave(2, 3))
        inside = "mul1.branch2"
        both = (conv(f"{inside}.add1.branch1.conv1", up) + skip).relu()
        gate = model.get_submodule(f"{inside}.conv1")(both).sigmoid()
        assert gate.shape == (2, 1, 8, 12)
        assert torch.equal(model(x), torch.mul(skip, gate))

    def test_squeeze_and_excitation_can_be_written_out(self) -> None:
        gate = "GAP Conv 2 1x1 norm=none Conv 8 1x1 norm=none act=sigmoid"
        short, long = parse("Conv 8 SE r4"), parse(f"Conv 8 Mul( | {gate} )")
        assert [short.params, short.checked.output.shape] == [
            long.params,
            long.checked.output.shape,
        ]
        one, other = short.module().eval(), long.module().eval()
        theirs = dict(zip(other.state_dict(), one.state_dict().values(), strict=True))
        other.load_state_dict(theirs)
        x = torch.randn(2, 3, 8, 8)
        assert torch.equal(one(x), other(x))

    def test_the_positions_of_cbam_are_gated(self) -> None:
        net = parse(
            "Conv 4 Mul( | Cat( Across max | Across mean ) Conv 1 7x7 norm=none act=sigmoid )"
        )
        model = net.module().eval()
        x = torch.randn(2, 3, 9, 8)
        y = model.conv1_act(model.conv1_norm(model.conv1(x)))
        both = torch.cat([y.amax(1, keepdim=True), y.mean(1, keepdim=True)], 1)
        gate = model.mul1.branch2.conv1(both).sigmoid()
        assert torch.equal(model(x), y * gate)

    def test_vectors_are_multiplied_and_any_number_of_branches(self) -> None:
        model = parse("GAP Mul( FC 5 | FC 5 act=sigmoid | FC 5 act=tanh ) FC 2").module().eval()
        x = torch.randn(2, 3, 8, 8)
        flat = x.mean((2, 3))
        parts = [getattr(model.mul1, f"branch{i}").fc1(flat) for i in (1, 2, 3)]
        expected = parts[0].relu() * parts[1].sigmoid() * parts[2].tanh()
        torch.testing.assert_close(model(x), model.fc1(expected))

    def test_both_operands_are_kept_for_the_backward_pass(self) -> None:
        one, product = (
            activation_memory(parse(f"norm none act none Conv 4 {text}").checked)
            for text in ("Conv 4", "Mul( Conv 4 | Conv 4 )")
        )
        assert (one, product) == (4 * 9 * 8 * 4, 3 * 4 * 9 * 8 * 4)


class TestShortcutsThatAreWrittenOut:
    """`Res( body | shortcut )`, of which the plain twin has the body alone."""

    text = "Conv 4 Res act=relu ( Conv 6 s2 Conv 6 act=none | Avg 2 Conv 6 1x1 act=none ) FC 2"

    def test_it_is_what_torch_makes_of_its_parts(self) -> None:
        model = parse(self.text, (3, 8, 10)).module().eval()
        for tensor in model.state_dict().values():
            tensor.copy_(torch.rand(tensor.shape)) if tensor.is_floating_point() else None
        res, x = model.res1, torch.randn(2, 3, 8, 10)
        y = x = model.conv1_act(model.conv1_norm(model.conv1(x)))
        y = res.conv2_norm(res.conv2(res.conv1_norm(res.conv1(y)).relu()))
        shortcut = res.shortcut.conv1_norm(res.shortcut.conv1(nn.functional.avg_pool2d(x, 2)))
        torch.testing.assert_close(res(x), (y + shortcut).relu())

    def test_with_a_pool_and_a_projection_it_is_the_policy_avgproject(self) -> None:
        block = "Res act=relu {} ( Conv 6 s2 Conv 6 act=none {} )"
        short = parse("Conv 4 " + block.format("shortcut=avgproject", ""), (3, 8, 10))
        long = parse("Conv 4 " + block.format("", "| Avg 2 Conv 6 1x1 act=none"), (3, 8, 10))
        assert (short.params, short.macs, short.depth) == (long.params, long.macs, long.depth)
        one, other = short.module().eval(), long.module().eval()
        other.load_state_dict(dict(zip(other.state_dict(), one.state_dict().values(), strict=True)))
        x = torch.randn(2, 3, 8, 10)
        assert torch.equal(one(x), other(x))

    def test_the_plain_twin_has_its_body_alone_and_begins_like_it(self) -> None:
        net = parse(self.text, (3, 8, 10))
        body = parse("Conv 4 Conv 6 s2 Conv 6 FC 2", (3, 8, 10))
        twin = net.plain()
        assert (twin.params, twin.macs) == (body.params, body.macs)
        assert net.params - twin.params == 4 * 6 + 2 * 6
        mine, theirs = net.module(seed=3).state_dict(), twin.module(seed=3).state_dict()
        assert theirs.keys() == {key for key in mine if ".shortcut." not in key}
        assert all(torch.equal(theirs[key], mine[key]) for key in theirs)
        assert "shortcuts: 1 written out" in net.table()
        assert "--plain removes 1 shortcut with 36 parameters and 480 MACs" in net.table()

    @pytest.mark.parametrize(
        "own", ["Conv 8 1x1", "Conv 8 Conv 8 1x1 act=none", "Conv 6 @a Conv 8"]
    )
    def test_the_twin_ends_as_the_body_does_where_nothing_follows(self, own: str) -> None:
        net, body = (
            parse(f"Res( Conv 4 Conv 8 | {own} )", (3, 9, 8)),
            parse("Conv 4 Conv 8", (3, 9, 8)),
        )
        twin = net.plain()
        assert twin.params == body.params
        assert not any("shortcut" in name for name in twin.module().state_dict())
        one, other = twin.module().eval(), body.module().eval()
        other.load_state_dict(dict(zip(other.state_dict(), one.state_dict().values(), strict=True)))
        x = torch.randn(2, 3, 9, 8)
        assert torch.equal(one(x), other(x))

    def test_an_empty_one_is_the_identity_and_a_label_leads_further_back(self) -> None:
        written, fitted = (parse(f"Conv 4 Res( Conv 4 {own} ) GAP") for own in ("|", ""))
        x = torch.randn(2, 3, 9, 8)
        assert torch.equal(written.module().eval()(x), fitted.module().eval()(x))
        far = parse("Conv 4 @a Max 2 Conv 6 Up 2 Res( AvgTo 9x8 Conv 4 | @a ) GAP")
        model = far.module().eval()
        first = model.conv1_act(model.conv1_norm(model.conv1(x)))
        up = model.up1(model.conv2_act(model.conv2_norm(model.conv2(model.max1(first)))))
        body = model.res1.conv1_norm(model.res1.conv1(model.res1.avgto1(up))).relu()
        torch.testing.assert_close(model(x), (body + first).mean((2, 3), keepdim=True))
        assert "res1.conv1.weight" in far.plain().module().state_dict()

    def test_a_step_that_leaves_the_branch_out_is_its_shortcut(self) -> None:
        net = parse("Conv 4 Res drop_path=0.9 ( Conv 6 | Conv 6 1x1 act=none ) GAP")
        model = net.module()
        block = model.res1
        block.survives = False
        x = torch.randn(4, 4, 9, 8)
        shortcut = block.shortcut
        torch.testing.assert_close(block(x), shortcut.conv1_norm(shortcut.conv1(x)))
        assert net.table().count("on average 0.10 of 1 block") == 1

    def test_no_policy_is_over_it(self) -> None:
        net = parse(self.text, (3, 8, 10))
        assert not [word for word in net.assumed if word.startswith("shortcut")]
        options = "shortcut=project shortcut_kernel=3 shortcut_norm=none norm=none bias=on"
        told = parse(f"Conv 4 Res {options} ( Conv 4 | ) FC 2").warnings
        why = "of this Res is never used: the shortcut is written out"
        assert [w.message for w in told] == [
            f"the option `{option.partition('=')[0]}` {why}" for option in options.split()
        ]

    def test_branches_begin_at_zero_where_the_network_says_so_and_shortcuts_never(self) -> None:
        model = parse(f"init zero_last {self.text}", (3, 8, 10)).module()
        assert not model.res1.conv2_norm.weight.any()
        assert model.res1.shortcut.conv1_norm.weight.all()


class TestPadding:
    def test_a_stride_beyond_an_even_kernel_needs_no_padding(self) -> None:
        net = parse("Conv 4 k2 s4")
        assert (net.output_shape, net.module().conv1.padding) == ((4, 2, 2), (0, 0))

    @pytest.mark.parametrize(
        ("text", "size", "padding"),
        [("k4 s2 d2", (8, 8), 3), ("k4 s2 d3", (8, 8), 4), ("k2 d2", (16, 16), 1),
         ("k2 s2 d4", (8, 8), 2)],
    )  # fmt: skip
    def test_an_even_kernel_is_as_wide_as_its_dilation_makes_it(
        self, text: str, size: tuple[int, int], padding: int
    ) -> None:
        net = parse(f"Conv 4 {text}", (3, 16, 16))
        assert net.module()(torch.zeros(2, 3, 16, 16)).shape[2:] == size
        assert net.module().conv1.padding == (padding, padding)

    def test_a_window_that_would_start_behind_the_map_is_left_out(self) -> None:
        net = parse("Max 2 s3 ceil")
        assert net.output_shape == net.module()(torch.zeros(1, 3, 9, 8)).shape[1:] == (3, 3, 3)


class TestDeconv:
    def test_doubles_the_map_whatever_the_kernel(self) -> None:
        assert shapes("Deconv 4 s2 Deconv 5 k4 s2 Deconv 6 k3 s2") == [
            "4x18x16",
            "5x36x32",
            "6x72x64",
        ]

    def test_is_torchs_transposed_convolution(self) -> None:
        model = parse("Deconv 4 k3 s2 norm=none act=none").module()
        x = torch.randn(2, 3, 9, 8)
        deconv = model.deconv1
        expected = nn.functional.conv_transpose2d(
            x, deconv.weight, deconv.bias, stride=2, padding=1, output_padding=1
        )
        assert torch.equal(model(x), expected)

    @pytest.mark.parametrize(
        ("k", "s", "p"), [(4, 1, 0), (3, 2, 1), ((3, 4), (2, 1), (0, 2)), (1, 3, 0)]
    )
    def test_a_padding_is_torchs(self, k: Any, s: Any, p: Any) -> None:
        k_, s_, p_ = ("x".join(map(str, n)) if isinstance(n, tuple) else n for n in (k, s, p))
        net = parse(f"Deconv 4 k={k_} s={s_} p={p_} norm=none act=none")
        theirs, ours = nn.ConvTranspose2d(3, 4, k, s, p), net.module()
        theirs.load_state_dict(ours.deconv1.state_dict())
        x = torch.randn(2, 3, 9, 8)
        assert torch.equal(ours(x), theirs(x))
        assert net.output_shape == ours(x).shape[1:]

    def test_the_first_layers_of_dcgan(self) -> None:
        net = parse("Deconv 512 4x4 p0 Deconv 256 4x4 s2 Deconv 3 4x4 s2 act=tanh", (100, 1, 1))
        assert net.output_shape == (3, 16, 16)


class TestLabels:
    UNET = "Conv 4 @enc Max 2 Conv 8 @mid Max 2 Conv 8 Up 2 Cat(|@mid) Conv 8 Up 2 Cat( | @enc Conv 2 )"

    def test_a_unet_stacks_what_its_labels_name(self) -> None:
        model = parse(self.UNET, (3, 8, 12)).module().eval()
        x = torch.randn(2, 3, 8, 12)

        def conv(name: str, x: Tensor) -> Tensor:
            for suffix in ("", "_norm", "_act"):
                x = model.get_submodule(name + suffix)(x)
            return x

        pool = nn.functional.max_pool2d
        enc = conv("conv1", x)
        mid = conv("conv2", pool(enc, 2))
        low = conv("conv3", pool(mid, 2))
        up = conv("conv4", torch.cat([low.repeat_interleave(2, 2).repeat_interleave(2, 3), mid], 1))
        up = up.repeat_interleave(2, 2).repeat_interleave(2, 3)
        expected = torch.cat([up, conv("cat2.branch2.conv1", enc)], 1)
        assert torch.equal(model(x), expected)

    def test_labels_are_fresh_in_every_repetition(self) -> None:
        net = parse("(Conv 3 @a Conv 3 Add(|@a))x2")
        inputs = {node.name: node.inputs for node in net.checked}
        assert inputs["add1.add"] == ("conv2_act", "conv1_act")
        assert inputs["add2.add"] == ("conv4_act", "conv3_act")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("Conv 3 Cat(|@enc)", "no label `@enc` before this"),
            ("Conv 3 @ench Cat(|@enc)", "no label `@enc` before this; did you mean `@ench`?"),
            ("Conv 3 @a Conv 3 @a Cat(|@a)", "the label `@a` is taken"),
            ("(Conv 3 @a)x2 Cat(|@a)", "`@a` is seen only in the body where it stands"),
            ("def B() { Conv 3 @a } B Cat(|@a)", "`@a` is seen only in the body where it stands"),
        ],
    )
    def test_labels_are_seen_by_later_and_inner_items_alone(self, text: str, message: str) -> None:
        with pytest.raises(netdsl.NetDSLError) as error:
            parse(text)
        assert message in str(error.value)


class TestLists:
    def test_a_list_gives_one_value_a_repetition_and_the_last_stays(self) -> None:
        assert convolutions(parse("(Conv [2,4,6])x4")) == [2, 4, 6, 6]
        assert convolutions(parse("(Conv [2,4,6])x2")) == [2, 4]

    def test_a_list_binds_to_the_innermost_repeat_around_it(self) -> None:
        text = "((Conv 4 s=[2,1])x2 Conv [5,6])x2"
        assert shapes(text, shape=(3, 16, 16)) == [
            "4x8x8", "4x8x8", "5x8x8", "4x4x4", "4x4x4", "6x4x4"
        ]  # fmt: skip

    def test_a_count_may_be_a_list(self) -> None:
        assert len(convolutions(parse("((Conv 4)x[1,3] Max 2)x2", (3, 16, 16)))) == 4

    def test_a_definition_binds_lists_where_they_are_written(self) -> None:
        text = "def S(c, n, s=2) { (Conv c s=[s,1])x n } (S [4,8] 2 s=[1,2])x2"
        assert shapes(text, shape=(3, 16, 16)) == ["4x16x16", "4x16x16", "8x8x8", "8x8x8"]

    def test_every_call_of_a_definition_has_its_own_arguments(self) -> None:
        widths = list(range(1, 40))
        text = "def A(c) { Conv c } " + " ".join(f"A {c}" for c in widths)
        assert convolutions(parse(text)) == widths


class TestWords:
    """Words of options and settings as values of parameters."""

    def activations(self, text: str, **options: object) -> list[str]:
        modules = parse(text, **options).module().modules()
        return [type(m).__name__ for m in modules if type(m).__module__.endswith("activation")]

    def test_a_parameter_may_be_a_word_that_an_option_takes(self) -> None:
        text = "a = gelu scale s(a=silu) Conv 4 act=a"
        assert self.activations(text) == ["GELU"]
        assert self.activations(text, scale="s") == ["SiLU"]
        assert self.activations(text, a="tanh") == ["Tanh"]

    def test_a_parameter_goes_before_a_word_of_its_name(self) -> None:
        assert convolutions(parse("pad = 5 c = pad Conv c")) == [5]

    def test_a_default_may_read_it(self) -> None:
        text = "o = pre default BB(order=o) BB 4"
        assert list(parse(text).checked)[1].name == "bb1.conv1_norm"
        assert list(parse(text, o="original").checked)[1].name == "bb1.conv1"

    def test_lists_in_the_call_of_a_definition_may_hold_words(self) -> None:
        text = "def B(c, a) { Conv c act=a } (B 4 a=[relu,hardswish])x3"
        assert self.activations(text) == ["ReLU", "Hardswish", "Hardswish"]


class TestOutsideOptions:
    """`-D BB.dropout=0`: what every BB of the file has unless it says otherwise, set from outside."""

    def rates(self, text: str, **options: object) -> list[float]:
        modules = parse(text, **options).module().modules()
        return [m.p for m in modules if isinstance(m, nn.Dropout)]

    def test_they_go_before_the_default_of_the_file(self) -> None:
        text = "default BB(dropout=0.5 order=pre) BB 4 BB 4 dropout=0.3"
        assert self.rates(text) == [0.5, 0.3]
        assert self.rates(text, **{"BB.dropout": 0.2}) == [0.2, 0.3]
        assert self.rates(text, **{"BB.dropout": "0"}) == [0.3]
        names = list(parse(text, **{"BB.dropout": 0}).checked)
        assert names[1].name == "bb1.conv1_norm"

    def test_an_expectation_is_checked_under_those_that_change_no_number(self) -> None:
        text = "input 3x9x8 expect(params=116) default Conv(bias=off) Conv 4 Dropout 0.3"
        assert netdsl.parse(text, **{"Dropout.p": 0.1, "Norm.eps": 0.1}).warnings != ()
        assert netdsl.parse(text, **{"Norm.eps": 0.1}).warnings == ()

    def test_they_reach_norms_and_combinations_too(self) -> None:
        modules = parse("Conv 4", **{"Norm.eps": 0.001}).module().modules()
        assert [m.eps for m in modules if isinstance(m, nn.BatchNorm2d)] == [0.001]
        assert "GELU" in str(parse("Res(Conv 3)", **{"Res.act": "gelu"}).module())

    @pytest.mark.parametrize(
        ("key", "value", "message"),
        [
            ("Bott.dropout", 0, "error[E0208]: the network has no layer `Bott` to set dropout of"),
            ("bb.dropout", 0, "error[E0208]: the network has no layer `bb` to set dropout of; "
             "did you mean `BB.dropout`?"),
            ("BB.dropuot", 0, "error[E0203]: BB has no option `dropuot`; did you mean `BB.dropout`?"),
            ("BB.dropout", 2, "error[E0206]: dropout of BB must be below 1, not 2"),
            ("BB.order", "pree", "error[E0206]: order of BB takes original, bn_after_add, "
             "relu_before_add, relu_pre or pre, not `pree`; did you mean `pre`?"),
        ],
    )  # fmt: skip
    def test_what_has_no_effect_is_refused(self, key: str, value: object, message: str) -> None:
        with pytest.raises(netdsl.NetDSLError) as error:
            parse("BB 4", **{key: value})
        assert str(error.value) == message


class TestExpect:
    def test_none_is_the_name_of_no_scale(self) -> None:
        text = (
            "input 3x9x8 w = 4 scale s(w=5) expect(scale=none params=116) "
            "expect(scale=s params=145) Conv w"
        )
        assert netdsl.parse(text).warnings == ()
        assert netdsl.parse(text, scale="s").warnings == ()
        with pytest.raises(netdsl.NetDSLError, match="expected params = 117, the network has 116"):
            netdsl.parse(text.replace("116", "117"))

    @pytest.mark.parametrize(
        "said",
        [
            {"name": "another"}, {"init": "xavier"}, {"drop_path": 0.5}, {"BB.dropout": 0.1},
            {"BB.drop_path": 0.2}, {"Norm.eps": 0.01}, {"Norm.momentum": 0.2},
        ],
    )  # fmt: skip
    def test_it_is_checked_where_only_what_changes_no_number_is_overridden(
        self, said: dict[str, object]
    ) -> None:
        with pytest.raises(netdsl.NetDSLError, match="expected depth = 9, the network has 3"):
            netdsl.parse("input 3x8x8 expect(depth=9) BB 4 GAP FC 3", **said)

    def test_all_that_is_overridden_is_named_where_it_is_not_checked(self) -> None:
        text = "input 3x8x8 w = 4 v = 2 expect(depth=9) Conv w Conv v"
        (one,) = netdsl.parse(text, w=3).warnings
        (both,) = netdsl.parse(text, w=3, v=3).warnings
        assert one.message == "`expect` is not checked, because `w` is overridden"
        assert both.message == "`expect` is not checked, because `v`, `w` are overridden"


class TestArithmetic:
    @pytest.mark.parametrize(
        ("expression", "value"),
        [
            ("16*2", 32), ("[(24+8)/2]", 16), ("2*3+1", 7), ("1+2*3", 7), ("7//2", 3), ("7%4", 3),
            ("[-3+5]", 2), ("2*cin", 6), ("[1/1.5*6]", 4), ("[8*(1-0.5)]", 4), ("9-4-2", 3), ("[2*-(1-4)]", 6),
        ],
    )  # fmt: skip
    def test_expressions(self, expression: str, value: int) -> None:
        assert convolutions(parse(f"Conv {expression}")) == [value]

    @pytest.mark.parametrize(
        ("override", "fact"),
        [
            ({"drop_path": 5}, "`drop_path` must be at most 1, not 5"),
            ({"classes": 0}, "`classes` must be at least 1, not 0"),
            ({"shortcut_kernel": 0}, "`shortcut_kernel` must be at least 1, not 0"),
            ({"shortcut_kernel": 101}, "`shortcut_kernel` must be at most 99, not 101"),
            ({"shortcut_kernel": 4}, "`shortcut_kernel` must be odd, not 4"),
        ],
    )
    def test_settings_have_their_limits_inside_and_outside(
        self, override: dict[str, int], fact: str
    ) -> None:
        ((key, value),) = override.items()
        for build in (
            lambda: netdsl.load("net1", **override),
            lambda: parse(f"{key} {value} Conv 3"),
            lambda: parse(f"scale a({key}={value}) Conv 3", scale="a"),
        ):
            with pytest.raises(netdsl.NetDSLError, match=re.escape(fact)):
                build()

    def test_parameters_are_overridden_and_used_in_order(self) -> None:
        text = "c = 4 d = c*2 Conv d"
        assert convolutions(parse(text)) == [8]
        assert convolutions(parse(text, c=5)) == [10]
        assert convolutions(parse(text, c="6")) == [12]


class TestTheNumberOfARepetition:
    """`rep`, 1 in the first repetition of the innermost repeat that is written around it."""

    @pytest.mark.parametrize(
        ("text", "channels"),
        [
            ("(Conv 8*rep)x3", [8, 16, 24]),
            ("n = 4 (Conv [16 + 48*rep//n])x n", [28, 40, 52, 64]),
            ("(Conv [17 - rep])x2", [16, 15]),
            ("(Conv rep)x2 Max 2 (Conv rep)x2", [1, 2, 1, 2]),
            ("((Conv 8*rep)x2)x2", [8, 16, 8, 16]),
            ("((Conv rep)x rep Conv 8*rep)x3", [1, 8, 1, 2, 16, 1, 2, 3, 24]),
            ("(Conv [4*rep,5,6+rep])x3", [4, 5, 9]),
            ("(Add( Conv 2*rep | Conv 2*rep ))x2", [2, 2, 4, 4]),
            ("def B(c) { (Conv c*rep)x2 } (B 8*rep)x2", [8, 16, 16, 32]),
            ("def B(c, d=2*c) { Conv d } (B 8*rep)x2", [16, 32]),
            ("(Conv 64 g=rep)x2", [64, 64]),
        ],
    )
    def test_it_begins_at_one(self, text: str, channels: list[int]) -> None:
        assert convolutions(parse(text)) == channels

    def test_it_is_an_option_like_any_other_number(self) -> None:
        net = parse("Conv 8 (DWConv k=2*rep+1)x3")
        kernels = [m.kernel_size for m in net.module().modules() if isinstance(m, nn.Conv2d)]
        assert kernels == [(3, 3), (3, 3), (5, 5), (7, 7)]

    def test_a_scale_is_over_it_as_over_written_numbers(self) -> None:
        text = "scale wide(width=2) scale deep(depth=2) (Conv 8*rep)x2"
        assert convolutions(parse(text, scale="wide")) == [16, 32]
        assert convolutions(parse(text, scale="deep")) == [8, 16, 24, 32]

    def test_the_canonical_text_and_the_table_of_it(self) -> None:
        net = parse("(Conv 8*rep)x3")
        assert "(Conv 8*rep)x3" in str(net)
        assert "(Conv [8,16,24])x3" in net.table()

    def test_layers_that_it_makes_are_counted_before_they_are_unrolled(self) -> None:
        with pytest.raises(netdsl.NetDSLError, match="layers exceed the limit of 100,000"):
            parse("((Conv 8)x rep)x1000")

    @pytest.mark.parametrize(
        "text",
        [
            "Conv rep", "n = rep Conv n", "scale a(n=rep) n = 3 Conv n",
            "def B(c) { Conv c*rep } (B 8)x3", "def B(c=rep) { Conv c } (B)x3", "(Conv 8)x rep",
        ],
    )  # fmt: skip
    def test_it_needs_a_repeat_around_it(self, text: str) -> None:
        scale = "a" if "scale" in text else None
        with pytest.raises(netdsl.NetDSLError) as caught:
            parse(text, scale=scale)
        said = "`rep` is the number of a repetition, and no repeat is written around it"
        assert said in [d.message for d in caught.value.diagnostics]

    @pytest.mark.parametrize("text", ["rep = 3 Conv 4", "def B(rep) { Conv rep } B 3"])
    def test_it_is_no_name_of_a_parameter(self, text: str) -> None:
        with pytest.raises(netdsl.NetDSLError, match="`rep` has a meaning of its own"):
            parse(text)


class TestPrecedence:
    """A layer's own option, then `default`, then the setting, then built-in."""

    def test_a_default_slope_reaches_every_leaky_relu(self) -> None:
        text = "act leaky_relu default Act(slope=0.2) Conv 4 BB 4 Conv 4 act=gelu Act leaky_relu slope=0.3 FC 8 FC 4"
        net = parse(text)
        slopes = [m.negative_slope for m in net.module().modules() if isinstance(m, nn.LeakyReLU)]
        assert slopes == [0.2, 0.2, 0.2, 0.3, 0.2]
        outside = parse("act leaky_relu Conv 4 FC 4", **{"Act.slope": 0.2})
        assert outside.module().conv1_act.negative_slope == 0.2
        x = torch.randn(2, 3, 9, 8)
        model = parse("norm none act leaky_relu default Act(slope=0.2) Conv 4").module()
        torch.testing.assert_close(model(x), nn.functional.leaky_relu(model.conv1(x), 0.2))

    def test_a_default_momentum_is_for_norms_that_have_one(self) -> None:
        text = "default Norm(momentum=0.01) Conv 4 Conv 4 norm=layer"
        norms = parse(text).module().eval()
        assert norms.conv1_norm.momentum == 0.01
        assert norms(torch.zeros(1, *parse(text).input_shape)).shape[1] == 4

    def test_options_beat_defaults_beat_settings(self) -> None:
        text = "act gelu default Conv(act=silu) Conv 4 act=tanh Conv 4 Deconv 4"
        acts = [type(m).__name__ for n, m in parse(text).module().named_modules() if "_act" in n]
        assert acts == ["Tanh", "SiLU", "GELU"]

    def test_defaults_of_conv_do_not_reach_into_blocks(self) -> None:
        model = parse("default Conv(act=silu) BB 3 Conv 3").module()
        assert isinstance(model.bb1.conv1_act, nn.ReLU)
        assert isinstance(model.conv1_act, nn.SiLU)

    def test_defaults_of_norm_reach_every_norm(self) -> None:
        text = "default Norm(eps=1e-3 momentum=0.01) shortcut project Conv 4 BB 8 s2 Norm"
        norms = [m for m in parse(text).module().modules() if isinstance(m, nn.BatchNorm2d)]
        assert [(m.eps, m.momentum) for m in norms] == [(1e-3, 0.01)] * 5

    def test_bias_follows_the_norm(self) -> None:
        model = parse("Conv 3 Conv 3 norm=none BB 3 norm=none SE FC 3").module()
        biases = [n for n, _ in model.named_parameters() if "norm" not in n and n.endswith("bias")]
        assert biases == ["conv2.bias", "bb1.conv1.bias", "bb1.conv2.bias", "se1.fc1.bias",
                          "se1.fc2.bias", "fc1.bias"]  # fmt: skip

    def test_bias_off_takes_every_bias(self) -> None:
        model = parse("norm none bias off Conv 3 BB 3 SE FC 3").module()
        assert [n for n, _ in model.named_parameters() if n.endswith("bias")] == []


class TestHeads:
    def test_every_fc_but_the_last_has_the_activation(self) -> None:
        model = parse("FC 8 Dropout FC 6 FC 5").module()
        assert [n for n, _ in model.named_children() if n.endswith("_act")] == [
            "fc1_act",
            "fc2_act",
        ]

    def test_head_gap_averages_first(self) -> None:
        assert parse("head gap Conv 4 FC 5").params == parse("Conv 4 GAP FC 5").params
        assert parse("Conv 4 FC 5").params == parse("Conv 4 Flatten FC 5").params

    def test_what_is_one_position_already_is_not_averaged(self) -> None:
        layers = dict(parse("head gap GAP FC 5").module().named_children())
        assert [*layers] == ["gap1", "fc1_flatten", "fc1"]


class TestBlockOrders:
    """He et al. 2016, figure 4."""

    @pytest.mark.parametrize(
        ("order", "names"),
        [
            ("original", "conv1 conv1_norm conv1_act conv2 conv2_norm add act"),
            ("bn_after_add", "conv1 conv1_norm conv1_act conv2 add conv2_norm act"),
            ("relu_before_add", "conv1 conv1_norm conv1_act conv2 conv2_norm act add"),
            ("relu_pre", "conv1_act conv1 conv1_norm act conv2 conv2_norm add"),
            ("pre", "conv1_norm conv1_act conv1 conv2_norm act conv2 add"),
        ],
    )
    def test_the_five_orders(self, order: str, names: str) -> None:
        nodes = [n.name for n in parse(f"BB 3 order={order}").checked if n.inputs]
        assert nodes == [f"bb1.{name}" for name in names.split()]

    def test_dropout_stands_directly_before_the_last_convolution(self) -> None:
        for order in ("original", "bn_after_add", "relu_before_add", "relu_pre", "pre"):
            nodes = [n.name for n in parse(f"BB 3 order={order} dropout=0.5").checked]
            assert nodes.index("bb1.dropout") + 1 == nodes.index("bb1.conv2")

    def test_names_do_not_depend_on_the_order(self) -> None:
        keys = {
            frozenset(parse(f"BB 3 order={order}").module().state_dict())
            for order in ("original", "bn_after_add", "relu_before_add", "relu_pre", "pre")
        }
        assert len(keys) == 1


class TestShortcuts:
    def test_policies(self) -> None:
        kinds = {}
        for policy in ("pad", "avgpad", "project", "avgproject", "always", "identity"):
            model = parse(f"shortcut {policy} BB 3 BB 4 s2").module()
            kinds[policy] = [
                type(getattr(block, "shortcut", None)).__name__ for block in (model.bb1, model.bb2)
            ]
        assert kinds == {
            "pad": ["NoneType", "ZeroPad"],
            "avgpad": ["NoneType", "AveragePad"],
            "project": ["NoneType", "Conv2d"],
            "avgproject": ["NoneType", "Conv2d"],
            "always": ["Conv2d", "Conv2d"],
            "identity": ["NoneType", "NoneType"],
        }

    def test_identity_policy_leaves_no_sum_where_shapes_differ(self) -> None:
        model = parse("shortcut identity BB 3 BB 4 s2").module()
        assert hasattr(model.bb1, "add")
        assert not hasattr(model.bb2, "add")

    def test_option_a_subsamples_and_stacks_zeros(self) -> None:
        model = parse("shortcut pad BB 5 s2").module().eval()
        x = torch.randn(2, 3, 9, 8)
        y = model.bb1.shortcut(x)
        assert torch.equal(y[:, :3], x[:, :, ::2, ::2])
        assert torch.equal(y[:, 3:], torch.zeros(2, 2, 5, 4))

    def test_avgpad_averages_what_there_is_at_the_border(self) -> None:
        model = parse("shortcut avgpad BB 3 s2").module().eval()
        x = torch.randn(2, 3, 9, 8)
        y = model.bb1.shortcut(x)
        torch.testing.assert_close(y[:, :, 1, 1], x[:, :, 2:4, 2:4].mean((2, 3)))
        torch.testing.assert_close(y[:, :, 4, 1], x[:, :, 8, 2:4].mean(2))

    @pytest.mark.parametrize("shape", [(3, 8, 8), (3, 9, 6), (3, 1, 7), (3, 1, 1)])
    @pytest.mark.parametrize("order", ["original", "relu_pre"])
    def test_avgproject_is_the_shortcut_of_resnet_d(
        self, shape: tuple[int, int, int], order: str
    ) -> None:
        """He et al. 2019, figure 2 (c): average pooling, then a 1x1 convolution of stride 1."""
        net = netdsl.parse(f"shortcut avgproject BB 5 s2 order={order}", input=shape)
        block = net.module(seed=3).eval().bb1
        reference = nn.Sequential(
            nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False),
            nn.Conv2d(3, 5, 1, bias=False),
            nn.BatchNorm2d(5),
        ).eval()
        reference[1].load_state_dict(block.shortcut.state_dict())
        x = torch.randn(2, *shape)
        y = block.shortcut_norm(block.shortcut(block.shortcut_pool(x)))
        torch.testing.assert_close(y, reference(x))
        assert net.params - net.plain().params == 3 * 5 + 2 * 5
        assert net.macs - net.plain().macs == 3 * 5 * y[0, 0].numel()

    def test_avgproject_pools_where_there_is_a_stride_alone_and_norms_behind_the_pool(self) -> None:
        names = [n.name for n in parse("shortcut avgproject BB 4").checked]
        assert [name for name in names if "shortcut" in name] == [
            "bb1.shortcut",
            "bb1.shortcut_norm",
        ]
        text = "shortcut avgproject shortcut_norm before BB 4 s=3 pre"
        nodes = {n.name: n.inputs for n in parse(text).checked if "shortcut" in n.name}
        assert nodes == {
            "bb1.shortcut_pool": ("input",),
            "bb1.shortcut_norm": ("bb1.shortcut_pool",),
            "bb1.shortcut": ("bb1.shortcut_norm",),
        }
        shared = {n.name: n.inputs for n in parse("shortcut avgproject BB 4 s2 pre").checked}
        assert shared["bb1.shortcut_pool"] == shared["bb1.conv1"] == ("bb1.conv1_act",)

    def test_avgproject_needs_a_map(self) -> None:
        with pytest.raises(netdsl.NetDSLError, match="a projection needs a feature map, and 12 is"):
            parse("shortcut avgproject Flatten FC 12 Res( FC 9 )")

    def test_a_shared_projection_reads_what_the_first_convolution_reads(self) -> None:
        nodes = {n.name: n.inputs for n in parse("shortcut project BB 4 pre").checked}
        assert nodes["bb1.shortcut"] == nodes["bb1.conv1"] == ("bb1.conv1_act",)
        nodes = {n.name: n.inputs for n in parse("shortcut pad BB 4 pre").checked}
        assert nodes["bb1.shortcut"] == ("input",)

    def test_only_full_pre_activation_shares_its_norm_unasked(self) -> None:
        nodes = {n.name: n.inputs for n in parse("shortcut project BB 4 order=relu_pre").checked}
        assert nodes["bb1.shortcut"] == ("input",)
        assert nodes["bb1.shortcut_norm"] == ("bb1.shortcut",)

    def test_norm_before_the_projection_has_no_activation(self) -> None:
        text = "shortcut project shortcut_norm before shortcut_kernel 3 BB 4 pre"
        net = parse(text)
        nodes = {n.name: n.inputs for n in net.checked}
        assert nodes["bb1.shortcut_norm"] == ("input",)
        assert nodes["bb1.shortcut"] == ("bb1.shortcut_norm",)
        assert net.module().bb1.shortcut.kernel_size == (3, 3)

    def test_res_takes_the_stride_of_its_body(self) -> None:
        assert (
            shapes("shortcut pad Res( Conv 4 s2 Max 2 Conv 5 )", shape=(3, 16, 16))[-1] == "5x4x4"
        )

    @pytest.mark.parametrize("text", ["shortcut_kernel 2 BB 8", "BB 8 s2 shortcut_kernel=4"])
    def test_even_kernels_of_shortcuts_are_refused(self, text: str) -> None:
        with pytest.raises(
            netdsl.NetDSLError, match=r"shortcut_kernel(`| of BB) must be odd, not [24]"
        ):
            parse(f"shortcut project {text}")

    def test_identity_leaves_the_scale_of_a_branch_without_a_sum(self) -> None:
        body = "Res shortcut=identity ( Conv 5 LayerScale )"
        net = parse(f"Conv 4 {body} Res( Conv 5 act=none LayerScale ) GAP FC 3")
        assert "--plain removes 1 shortcut with 5 parameters" in str(net.table())
        assert net.plain().params == net.params - 5
        alone = parse(f"Conv 4 {body} GAP FC 3")
        assert alone.plain().params == alone.params

    @pytest.mark.parametrize(
        "branch", ["GAP Conv 4 1x1 Up 8", "GAP Deconv 4 s8", "AvgTo 1 Deconv 4 s8"]
    )
    def test_a_branch_through_one_number_a_channel_comes_back_to_the_map(self, branch: str) -> None:
        net = parse(f"Conv 4 Res( {branch} )", shape=(3, 8, 8))
        assert "identity" in str(net.table())
        assert net.output_shape == (4, 8, 8)

    @pytest.mark.parametrize(
        "text", ["Res( Max 2 UpTo 7 Conv 8 act=none )", "Res( AvgTo 3 UpTo 7 BB 8 )"]
    )
    def test_strides_that_come_to_the_same_map_leave_an_identity(self, text: str) -> None:
        assert "identity" in parse(text, shape=(8, 7, 7)).table()

    def test_a_pool_to_half_the_size_is_a_stride(self) -> None:
        assert "1 avg-pool" in parse("Res( AvgTo 8 Conv 8 )", shape=(8, 16, 16)).table()

    @pytest.mark.parametrize(
        "text", ["Res shortcut=identity ( Deconv 8 s2 )", "residual off Res( Up 2 )"]
    )
    def test_where_there_is_no_shortcut_the_map_may_grow(self, text: str) -> None:
        assert parse(text, shape=(8, 7, 7)).output_shape == (8, 14, 14)

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("Res( Up 2 )", "enlarge a map"),
            ("Res( AvgTo 5 )", "subsample by 16/5"),
            ("Res( Max 3 s4 Up 3 )", "subsample by 4/3"),
        ],
    )
    def test_a_stride_that_no_shortcut_has_is_refused(self, text: str, fault: str) -> None:
        with pytest.raises(netdsl.NetDSLError) as error:
            parse(text, shape=(8, 16, 16))
        assert error.value.diagnostics[0].message == f"a shortcut cannot {fault}"

    def test_an_empty_res_vanishes(self) -> None:
        assert len(parse("se = 0 Conv 3 Res( (Conv 3)x se )").checked) == 4


class TestClasses:
    def test_a_last_fc_of_the_files_classes_follows_the_override(self) -> None:
        assert netdsl.load("net1", classes=20).output_shape == (20,)

    def test_a_shape_that_says_the_classes_follows_too(self) -> None:
        assert parse("classes 200 GAP FC 200 :200", classes=10).output_shape == (10,)
        with pytest.raises(netdsl.NetDSLError, match="the shape is 10, not 100"):
            parse("classes 200 GAP FC 200 :100", classes=10)

    @pytest.mark.parametrize("end", ["FC bias=off 200", "FC bias 200", "FC 200 act=none"])
    def test_options_may_stand_before_or_behind_them(self, end: str) -> None:
        assert parse(f"classes 200 GAP {end}", classes=10).output_shape == (10,)

    def test_scores_for_another_number_of_classes_are_refused(self) -> None:
        with pytest.raises(netdsl.NetDSLError, match="200 scores for 10 classes"):
            parse("classes 10 Conv 3 FC 200")


class TestReceptiveField:
    def test_of_networks_whose_field_is_published(self) -> None:
        # Araujo et al. 2019, "Computing Receptive Fields of Convolutional Neural Networks"
        vgg = "(Conv 64)x2 Max 2 (Conv 128)x2 Max 2 (Conv 256)x3 Max 2 (Conv 512)x3 Max 2 (Conv 512)x3 Max 2"
        alexnet = "Conv 64 11x11 s4 p2 Max 3 s2 p0 Conv 192 5x5 Max 3 s2 p0 Conv 384 (Conv 256)x2 Max 3 s2 p0"
        for text, expected in ((vgg, 212), (alexnet, 195)):
            net = parse(text, (3, 224, 224))
            assert receptive_fields(net.checked)[net.checked.output.name] == (expected, expected)
        assert receptive_fields(netdsl.load("resnet18").checked)["gap1"] is None
        one = parse("Conv 4 Avg 2 AvgTo 1 FC 5", (3, 8, 8))
        assert receptive_fields(one.checked)["avgto1"] is None

    @pytest.mark.parametrize(
        "text",
        ["Conv 2 5x3 Conv 2 d2 Avg 3 s2", "BB 2 s2 BB 2", "Conv 2 s2 Cat(Conv 2 | Conv 2 7x7)",
         "Bott 4 s2 Avg 2 Up 2", "Avg 2 Deconv 2 k4 s2 Conv 2", "Res( Conv 2 1x1 s2 ) Conv 2",
         "AvgTo 13", "Conv 2 AvgTo 13x7", "Conv 2 AvgTo 24x16 Conv 2",
         "Conv 2 Deconv 2 k3 s2 Conv 2", "Avg 2 Up 2 bilinear Conv 2",
         "Avg 2 Up 2x1 bilinear Conv 2", "Conv 2 s=1x2 UpTo 48 bilinear Conv 2",
         'Torch "nn.Conv2d" 1 2 3 padding=1 Torch "nn.Conv2d" 2 2 5 padding=4 dilation=2 Conv 2',
         'Torch "nn.AvgPool2d" 3 stride=2 padding=1 Torch "nn.AvgPool2d" 2 Conv 2',
         'Torch "nn.ConvTranspose2d" 1 2 3 padding=1',
         'Conv 2 Torch "nn.ConvTranspose2d" 2 2 5x4 stride=3x2 Conv 2',
         'Avg 2 Torch "nn.ConvTranspose2d" 1 2 3 stride=1x2 dilation=2x3',
         'Torch "nn.AvgPool3d" 1x2x2 stride=1x2x4', 'Torch "nn.AvgPool3d" 1x3x2 stride=1 Conv 2'],
    )  # fmt: skip
    def test_is_what_a_gradient_reaches(self, text: str) -> None:
        net = parse(f"norm none act none shortcut always {text}", (1, 48, 48))
        model = net.module()
        for parameter in model.parameters():
            nn.init.constant_(parameter, 0.1)
        x = torch.zeros(1, 1, 48, 48, requires_grad=True)
        y = model(x)
        reached = [0, 0]
        for row in range(4):  # positions differ by where they fall into a stride
            at = y[0, :, y.shape[2] // 2 + row, y.shape[3] // 2 + row].sum()
            (grad,) = torch.autograd.grad(at, x, retain_graph=True)
            for axis in (0, 1):
                rows = grad[0, 0].abs().sum(1 - axis).nonzero()
                reached[axis] = max(reached[axis], int(rows.max() - rows.min()) + 1)
        assert receptive_fields(net.checked)[net.checked.output.name] == tuple(reached)

    @pytest.mark.parametrize(
        "layer",
        ["nn.Identity", "nn.Hardswish", "nn.PReLU", "nn.PReLU 3", "nn.BatchNorm2d 3",
         "nn.InstanceNorm2d 3", "nn.GroupNorm 3 3", "nn.LayerNorm 32", "nn.RMSNorm 32",
         "nn.LocalResponseNorm 2", "nn.Dropout2d 0.5", "nn.ChannelShuffle 3", "nn.Softmax2d",
         "nn.Softmax dim=1", "nn.LogSoftmax dim=1", "nn.Softmin dim=[-3]"],
    )  # fmt: skip
    def test_of_torch_layers_that_leave_positions_apart_is_one(self, layer: str) -> None:
        assert torch_field(layer) == (1, 1)

    def test_of_a_torch_layer_without_a_stride_is_its_kernel(self) -> None:
        assert torch_field("nn.LPPool2d 2 3") == (3, 3)

    @pytest.mark.parametrize(
        "layer",
        ["nn.Linear 32 32", "nn.Linear 32 8", "nn.Softmax dim=2", "nn.LogSoftmax dim=[-1]",
         "nn.AdaptiveMaxPool2d 3", "nn.FractionalMaxPool2d 2 output_size=4"],
    )  # fmt: skip
    def test_of_torch_layers_whose_window_is_not_known_is_the_whole_map(self, layer: str) -> None:
        assert torch_field(layer) is None

    def test_of_a_transposed_convolution_with_dilation_is_of_the_numbers_that_meet(self) -> None:
        # An output position sees every other number of the kernel, or no input at all.
        assert torch_field("nn.ConvTranspose2d 3 3 5 stride=4 dilation=6") == (7, 7)

    @pytest.mark.parametrize(
        "layer",
        ["nn.AvgPool1d 2", "nn.MaxPool1d 3 stride=1 padding=1", "nn.LPPool1d 2 2",
         "nn.Linear 64 64", "nn.GRUCell 64 64", "nn.Softmax dim=1"],
    )  # fmt: skip
    def test_of_torch_layers_that_mix_a_vector_is_all_of_it(self, layer: str) -> None:
        assert torch_field(layer, "input 1x8x8 Flatten") is None

    def test_of_torch_layers_that_leave_the_numbers_of_a_vector_apart_is_one(self) -> None:
        for layer in ("nn.ReLU", "nn.BatchNorm1d 64", "nn.Dropout", "nn.PReLU 64"):
            assert torch_field(layer, "input 1x8x8 Flatten") == (1, 1)


class TestTorchLayers:
    def test_their_convolutions_count_towards_the_depth(self) -> None:
        net = parse(
            'Torch "nn.Conv2d" 3 8 3 Torch "nn.Hardswish" GAP Flatten Torch "nn.Linear" 8 3'
        )
        assert net.depth == 2


class TestScaleWidth:
    @pytest.mark.parametrize(
        "body",
        [
            "def B(c) { Conv c } Conv 64 B 2*cin",
            "def B(c) { (Conv c)x2 } Conv 64 B 2*cin",
            "def B(c) { Res ( Conv c Conv c ) } Conv 64 B c=2*cin",
            "def B(c, d=c) { Conv d } Conv 64 B 2*cin",
            "def B(c) { Conv 8 Conv c } def C(d) { B d } Conv 64 C 2*cin",
            "def B(c) { Conv 2*c } Conv 64 B cin",
        ],
    )
    def test_what_a_definition_is_given_from_cin_is_scaled_once(self, body: str) -> None:
        header = "input 3x8x8 scale half(width=0.5) "
        net = netdsl.parse(header + body, scale="half")
        assert net.output_shape == (64, 8, 8)  # twice the 32 that arrive

    def test_what_a_definition_is_given_as_a_number_is_scaled(self) -> None:
        header = "input 3x8x8 scale half(width=0.5) def B(c, d=c) { Conv c Conv d } "
        net = netdsl.parse(header + "Conv 64 B 128", scale="half")
        assert net.output_shape == (64, 8, 8)

    @pytest.mark.parametrize("channels", [64, 20])
    def test_a_default_from_outside_is_scaled_as_one_of_the_file(self, channels: int) -> None:
        text = "scale half(width=0.5) Conv k1 Conv 32"
        inside = parse(f"default Conv(channels={channels}) {text}", scale="half")
        outside = parse(text, scale="half", **{"Conv.channels": channels})
        assert convolutions(outside) == convolutions(inside)
        assert convolutions(parse(text, **{"Conv.channels": channels})) == [channels, 32]

    def test_what_is_reckoned_from_cin_is_scaled_once(self) -> None:
        header = "scale half(width=0.5)"
        net = parse(
            f"{header} Conv 64 (Conv cin)x2 Conv 2*cin 1x1 Conv [cin//4] Conv cin!", scale="half"
        )
        channels = [m.out_channels for m in net.module().modules() if isinstance(m, nn.Conv2d)]
        assert channels == [32, 32, 32, 64, 16, 16]


class TestHiddenActivations:
    def test_a_default_activation_stays_off_the_scores(self) -> None:
        net = parse("default FC(act=gelu) Conv 8 GAP FC 20 FC 10")
        assert [type(m) for m in net.module().children()][-3:] == [nn.Linear, nn.GELU, nn.Linear]
        net = parse("Conv 8 GAP FC 20 FC 10 act=gelu")
        assert isinstance([*net.module().children()][-1], nn.GELU)

    @pytest.mark.parametrize("act", ["gelu", "relu"])
    def test_what_a_layer_says_itself_reaches_the_scores(self, act: str) -> None:
        net = parse(f"default FC(act=gelu) GAP FC 20 FC 10 act={act}")
        names = [name for name, _ in net.module().named_children()]
        assert names[-4:] == ["fc1", "fc1_act", "fc2", "fc2_act"]


class TestSeeds:
    @pytest.mark.parametrize("seed", [np.int64(1), torch.tensor(1)])
    def test_whole_numbers_of_other_libraries_are_seeds(self, seed: Any) -> None:
        net = parse("drop_path 0.5 Conv 8 BB 8 GAP FC 3")
        ours, theirs = net.module(1), net.module(seed)
        assert ours.random.getstate() == theirs.random.getstate()
        for name, weight in ours.state_dict().items():
            assert torch.equal(weight, theirs.state_dict()[name])

    @pytest.mark.parametrize("seed", [1.0, True, "1", None, -1])
    def test_others_are_refused(self, seed: Any) -> None:
        with pytest.raises(netdsl.NetDSLError, match="a seed is a whole number of 0 or more, not"):
            parse("Conv 8").module(seed)


class TestOverrides:
    def test_what_is_given_twice_is_refused(self) -> None:
        with pytest.raises(netdsl.NetDSLError, match="`residual` is given twice from outside"):
            parse("BB 3", plain=False, residual=False)
        with pytest.raises(netdsl.NetDSLError, match="plain must be True or False, not 'no'"):
            parse("BB 3", plain="no")

    @pytest.mark.parametrize(
        ("text", "plain"), [("03", "3"), ("-00.5", "-0.5"), ("3x08x8", "3x8x8")]
    )
    def test_a_number_in_text_begins_with_no_0_as_in_a_network(self, text: str, plain: str) -> None:
        said = f"`{text}` from outside: a number begins with no `0`: write `{plain}`"
        with pytest.raises(netdsl.NetDSLError, match=said):
            parse("n = 1 Conv n", n=text)

    @pytest.mark.parametrize("n", [2, 2.0, "2.0", Fraction(2)])
    def test_a_whole_number_is_one_however_it_is_given(self, n: Any) -> None:
        assert convolutions(parse("n = 1 (Conv 4)x n", n=n)) == [4, 4]

    def test_numbers_and_sizes_are_read_from_their_text(self) -> None:
        assert convolutions(parse("n = 1 Conv 8+n", n="-3")) == [5]
        net = parse("Conv 4", **{"Conv.k": "3x5"})
        assert net.module().conv1.kernel_size == (3, 5)

    def test_an_option_of_a_layer_that_has_none_is_refused(self) -> None:
        with pytest.raises(netdsl.NetDSLError, match=r"GAP has no option `x`$"):
            parse("Conv 4 GAP FC 3", **{"GAP.x": 7})

    def test_what_is_no_text_is_refused(self) -> None:
        with pytest.raises(netdsl.NetDSLError, match="a network is a text, not PosixPath; `load`"):
            netdsl.parse(Path("net.arch"))  # type: ignore[arg-type]

    def test_networks_can_be_told_apart_by_identity(self) -> None:
        net = parse("Conv 8")
        assert {net: 1}[net] == 1


class TestInitialisation:
    def test_zero_last_leaves_norms_alone_that_learn_nothing(self) -> None:
        model = parse("init zero_last default Norm(affine=off) BB 3").module()
        assert model.bb1.conv2_norm.weight is None
        assert model.bb1.conv2.weight.any()

    def test_zero_last_reaches_every_norm_that_a_branch_ends_in(self) -> None:
        net = parse("init zero_last Res( Cat( Conv 1 act=none | Conv 2 act=none ) )")
        assert net.warnings == ()
        x = torch.randn(2, 3, 8, 8)
        assert torch.equal(net.module()(x), x)

    def test_zero_last_reaches_all_that_an_add_joins(self) -> None:
        net = parse("init zero_last Res( Add( Conv 3 act=none | Conv 3 1x1 act=none ) )")
        x = torch.randn(2, 3, 8, 8)
        assert torch.equal(net.module()(x), x)

    @pytest.mark.parametrize(
        "branches",
        ["Conv 3 act=none | Conv 3 act=sigmoid", "Conv 3 act=sigmoid | Conv 3 act=tanh",
         "GAP Conv 3 1x1 act=sigmoid | Conv 3 act=none",
         'GAP Conv 3 1x1 norm=none act=none Torch "nn.Hardsigmoid" | Conv 3 act=none'],
    )  # fmt: skip
    def test_zero_last_reaches_the_map_that_a_product_scales(self, branches: str) -> None:
        net = parse(f"init zero_last Res( Mul( {branches} ) )")
        x = torch.randn(2, 3, 8, 8)
        assert torch.equal(net.module()(x), x)

    @pytest.mark.parametrize(
        "branch", ["Deconv 3 3x3 norm=none act=none", "Conv 8 Max 2 Deconv 3 s2 norm=none act=none"]
    )
    def test_zero_last_reaches_a_transposed_convolution(self, branch: str) -> None:
        net = parse(f"init zero_last Res( {branch} )", (3, 8, 8))
        assert net.warnings == ()
        model, x = net.module(), torch.randn(2, 3, 8, 8)
        assert torch.equal(model(x), x)
        assert not model.res1.deconv1.weight.any()

    def test_twins_begin_alike(self) -> None:
        net = parse("shortcut project Conv 4 BB 4 BB 8 s2 FC 5")
        residual, plain = net.module(seed=5).state_dict(), net.plain().module(seed=5).state_dict()
        assert set(plain) < set(residual)
        assert all(torch.equal(plain[key], residual[key]) for key in plain)

    def test_kaiming_has_the_variance_of_he(self) -> None:
        weight = parse("Conv 64 Conv 128").module().conv2.weight
        assert weight.std().item() == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.02)

    def test_seeds_differ_and_repeat(self) -> None:
        net = parse("Conv 4")
        one, two, again = (net.module(seed=s).conv1.weight for s in (1, 2, 1))
        assert torch.equal(one, again)
        assert not torch.equal(one, two)

    def test_zero_last_starts_every_block_as_its_shortcut(self) -> None:
        model = parse("init zero_last Conv 4 BB 4 pre BB 4").module().eval()
        x = torch.randn(2, 4, 9, 8)
        assert torch.equal(model.bb1(x), x)
        assert torch.equal(model.bb2(x), x.relu())

    def test_torch_starts_as_torchs_constructors_do(self) -> None:
        model = parse("init torch Conv 64 Conv 128 norm=none FC 10").module()
        bound = (1 / (64 * 9)) ** 0.5  # kaiming_uniform_(a=5**0.5), and as much for the bias
        for value in (model.conv2.weight, model.conv2.bias):
            assert bound * 0.9 < value.abs().max().item() <= bound
        printed: dict[str, object] = {"__name__": "printed"}
        text = parse("init torch Conv 64 FC 10").source()
        exec(text, printed)
        assert "initialise" not in text

    def test_xavier(self) -> None:
        weight = parse("init xavier Conv 64 Conv 64").module().conv2.weight
        assert weight.abs().max().item() == pytest.approx((6 / (2 * 64 * 9)) ** 0.5, rel=0.01)

    def test_zero_last_stays_inside_its_branch(self) -> None:
        model = parse("init zero_last Conv 6 act=none Res( Max 3 s1 )").module()
        assert model.conv1_norm.weight.min() == 1


class TestInPlace:
    def test_a_torch_layer_spares_what_others_read(self) -> None:
        text = 'Conv 4 @a Torch "nn.Hardswish" inplace=true Conv 4 act=none Torch "nn.ReLU" inplace=true Cat( | @a )'
        model = parse(text).module()
        assert (model.torch1.inplace, model.torch2.inplace) == (False, True)
        model = parse('Torch "nn.Hardswish" inplace=true').module()
        x = torch.randn(2, 3, 9, 8)
        before = x.clone()
        model(x)
        assert torch.equal(x, before)

    def test_an_activation_works_in_place_behind_a_layer_that_forgets_its_output(self) -> None:
        assert parse("Deconv 4 s2 norm=none").module().deconv1_act.inplace

    def test_what_comes_out_of_a_module_is_left_as_it_is(self) -> None:
        model = parse("def S(c) { Conv c act=none } S 4 Act Conv 3").module()
        assert (model.act1.inplace, model.conv1_act.inplace) == (False, True)


class TestTorchTools:
    """A compiled network works with what torch offers for modules."""

    TEXT = "shortcut pad Conv 4 @a BB 6 s2 dropout=0.1 Up 2 AvgTo 9x8 Cat(|@a) Res(SE r2) GAP FC 5"

    def test_symbolic_tracing_and_export(self) -> None:
        for text in (self.TEXT, self.TEXT.replace("shortcut pad", "shortcut avgpad drop_path 0.3")):
            model = parse(text).module().eval()
            x = torch.randn(2, 3, 9, 8)
            with torch.no_grad():
                assert torch.equal(torch.fx.symbolic_trace(model)(x), model(x))
                exported = torch.export.export(model, (x,)).module()
                torch.testing.assert_close(exported(x), model(x))

    @pytest.mark.filterwarnings("ignore:Guards may run slower")  # on Python 3.13.0
    def test_compilation_as_one_graph(self) -> None:
        model = parse(self.TEXT).module().eval()
        x = torch.randn(2, 3, 9, 8)
        compiled = torch.compile(model, fullgraph=True, backend="eager")
        with torch.no_grad():
            assert torch.equal(compiled(x), model(x))

    def test_blocks_can_be_called_hooked_frozen_and_printed(self) -> None:
        model = parse("def Stage(c) { (BB c)x2 } Stage 3").module()
        x = torch.randn(2, 3, 9, 8)
        seen: list[Tensor] = []
        model.stage1.bb1.register_forward_hook(lambda *a: seen.append(a[2]))
        assert torch.equal(model.stage1.bb2(model.stage1.bb1(x)), model.stage1(x))
        assert len(seen) == 2
        model.stage1.bb1.requires_grad_(False)
        assert sum(p.requires_grad for p in model.parameters()) == 6
        assert "(stage1): Stage(" in repr(model)
        assert "(bb1): BB(" in repr(model)
