"""Weights of other networks: what is paired, what is refused, what is written."""

import json
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import prune
from torch.optim.swa_utils import AveragedModel
from torchvision import models

import netdsl
from netdsl.cli import main
from netdsl.transfer import executed, is_here, open_source, read_state, transfer, zoos
from netdsl.transfer.verify import randomise
from tests.compiler.test_properties import networks
from tests.printed import scramble

INPUT = (3, 33, 35)


class Block(nn.Module):
    """A residual block that projects before its branch; projection and first layer look alike."""

    def __init__(self, c: int, out: int, projection: str) -> None:
        super().__init__()
        self.projection = projection
        setattr(self, projection, nn.Conv2d(c, out, 1))
        self.a = nn.Conv2d(c, out, 1)
        self.b = nn.Conv2d(out, out, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        projected = getattr(self, self.projection)(x)
        return torch.relu(projected + self.b(torch.relu(self.a(x))))


def original(*, classes: int = 5, seed: int = 0, projection: str = "proj") -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        Block(3, 8, projection), Block(8, 8, projection), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, classes),
    )  # fmt: skip


class Mute(nn.Sequential):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise ValueError


class Telling(nn.Sequential):
    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:  # type: ignore[override]
        return {"logits": super().forward(x)}


class Doubling(nn.Sequential):
    """Gives twice as many numbers as its last layer."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).repeat(1, 2)


def ours(text: str = "", *, act: str = "relu") -> netdsl.Network:
    return netdsl.parse(
        text
        or f"norm none act {act} shortcut always (Res act={act} (Conv 8 1x1 Conv 8 act=none))x2 "
        "GAP Conv 6 1x1 FC 5",
        input=INPUT,
    )


def logits(model: nn.Module) -> torch.Tensor:
    torch.manual_seed(1)
    with torch.no_grad():
        return model.eval()(torch.randn(2, *INPUT))


class Numbered(nn.Module):
    """Twelve numbered layers and a last one, under names that no network has here."""

    def __init__(self, norm: str) -> None:
        super().__init__()
        after = nn.BatchNorm2d if norm == "batch" else nn.Identity
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(8 if i else 3, 8, 3, padding=1), after(8)) for i in range(12)
        )
        self.fc = nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = torch.relu(block(x))
        return self.fc(x.mean((2, 3)))  # type: ignore[no-any-return]


def numbered(norm: str) -> nn.Module:
    torch.manual_seed(0)
    return Numbered(norm)


def narrow(depth: int, first: nn.Module) -> nn.Module:
    """Layers of one channel, which mostly let nothing through."""
    acts = [first, *(nn.ReLU() for _ in range(depth - 1))]
    layers = [
        layer for i, act in enumerate(acts)
        for layer in (nn.Conv2d(1 if i else 3, 1, 3, padding=1), act)
    ]  # fmt: skip
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 4))


def shut(first: nn.Module) -> nn.Module:
    """Layers of which one lets nothing through, whatever its numbers."""
    return nn.Sequential(
        nn.Conv2d(3, 5, 3, padding=1), first, nn.Threshold(1000000, 0), nn.Conv2d(5, 6, 1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4),
    )  # fmt: skip


SHUT = (
    'norm none Conv 5 Torch "nn.Threshold" 1000000 0 Conv 6 1x1 GAP FC 4'  # the same, with a ReLU
)


class Squeezed(nn.Module):
    """A convolution whose channels are gated, by way of a single one."""

    def __init__(self, act: nn.Module) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(3, 1, 1), act, nn.Conv2d(1, 3, 1), nn.Sigmoid()
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.conv(x)
        return y * self.gate(y)


def counted(norm: str) -> netdsl.Network:
    """The same network as `numbered` gives."""
    return netdsl.parse(f"norm {norm} (Conv 8 bias=on)x12 GAP FC 10", input=INPUT)


def refused(network: netdsl.Network, source: Any, **options: bool) -> str:
    with pytest.raises(netdsl.NetDSLError) as error:
        network.transfer(source, **options)
    return str(error.value)


class TestPairs:
    def test_projections_meet_projections_whatever_runs_first(self) -> None:
        found = ours().transfer(original())
        assert [(p.ours.name, p.theirs.name) for p in found.pairs] == [
            ("res1.conv1", "0.a"), ("res1.conv2", "0.b"), ("res1.shortcut", "0.proj"),
            ("res2.conv1", "1.a"), ("res2.conv2", "1.b"), ("res2.shortcut", "1.proj"),
            ("conv1", "4"), ("fc1", "6"),
        ]  # fmt: skip
        assert (found.matched, found.difference) == ("role", pytest.approx(0, abs=1e-6))

    @pytest.mark.parametrize("name", ["downsample", "skip", "convShortcut", "conv_shortcut"])
    def test_projections_of_others_are_known_by_their_names(self, name: str) -> None:
        source = original(projection=name)
        found = ours().transfer(source)
        assert found.matched == "role"
        torch.testing.assert_close(logits(found.module), logits(source))

    def test_the_network_then_gives_the_logits_of_the_source(self) -> None:
        source = original()
        torch.testing.assert_close(logits(ours().transfer(source).module), logits(source))

    def test_the_account_shows_names_and_no_numbers(self) -> None:
        net = netdsl.parse("norm none FC 4", input=(2,))
        assert repr(net.transfer(nn.Sequential(nn.Linear(2, 4)))) == (
            "Transfer(pairs=(Pair(ours=Weighted(name='fc1'), theirs=Weighted(name='0')),), "
            "matched='role', difference=0.0, initialised=(), unused=(), uncompared='', "
            "sorted_names=False)"
        )

    def test_the_source_is_left_as_it_was(self) -> None:
        source = original().train()
        before = {name: value.clone() for name, value in source.state_dict().items()}
        ours().transfer(source)
        assert source.training
        assert all(torch.equal(v, source.state_dict()[k]) for k, v in before.items())

    def test_layers_without_roles_are_paired_by_order_if_the_logits_agree(self) -> None:
        text = "norm none (Add( Conv 8 1x1 | Conv 8 1x1 Conv 8 act=none ) Act)x2 GAP FC 6 FC 5"
        source = original()
        same = netdsl.parse(
            text.replace("Add( Conv 8 1x1 |", "Add( Conv 8 1x1 act=none |"), input=INPUT
        )
        found = same.transfer(source)
        assert found.matched == "order"
        torch.testing.assert_close(logits(found.module), logits(source))

    def test_order_alone_is_not_trusted_where_nothing_can_be_compared(self) -> None:
        other = "norm none act tanh (Add( Conv 8 1x1 act=none | Conv 8 1x1 Conv 8 act=none ) Act)x2"
        net = netdsl.parse(f"{other} GAP FC 7 FC 5", input=INPUT)
        message = refused(net, original(), partial=True)
        assert message.startswith("error[E0701]: "), message

    def test_a_layer_scale_is_paired_where_its_block_ends(self) -> None:
        source = models.convnext.CNBlock(6, 1.0, 0.0)
        net = netdsl.parse(
            "norm layer bias on default Norm(eps=1e-6) Add( | DWConv 7x7 act=none Conv 24 1x1 norm=none "
            "act=gelu Conv 6 1x1 norm=none act=none LayerScale )",
            input=(6, 9, 8),
        )
        found = net.transfer(source)
        names = [(p.ours.name.split(".")[-1], p.theirs.name) for p in found.pairs]
        assert names[-1] == ("layerscale1", "")
        assert found.difference is not None
        assert found.difference <= 1e-5

    def test_all_that_has_numbers_is_seen_in_the_order_in_which_it_runs(self) -> None:
        model = original()
        model.add_module("never", nn.Identity())
        assert [layer.name for layer in executed(model, torch.randn(1, *INPUT))] == [
            "0.proj", "0.a", "0.b", "1.proj", "1.a", "1.b", "4", "6",
        ]  # fmt: skip


class TestOtherHead:
    def test_the_last_layer_stays_as_initialised_and_the_features_are_compared(self) -> None:
        found = ours().transfer(original(classes=7))
        assert (found.initialised, found.unused) == (("fc1",), ("6",))
        assert found.compared == "features before the last layer"
        assert found.difference == pytest.approx(0, abs=1e-6)
        fresh = ours().module().state_dict()
        assert torch.equal(found.module.state_dict()["fc1.weight"], fresh["fc1.weight"])

    def test_a_wrong_network_is_refused_by_its_features_too(self) -> None:
        assert "error[E0702]" in refused(ours(act="silu"), original(classes=7))

    def test_loading_warns_of_what_is_left(self) -> None:
        with pytest.warns(UserWarning, match="left as initialised: fc1"):
            ours().load_weights(original(classes=7))

    def test_loading_warns_of_what_is_not_used(self) -> None:
        deep, small = (netdsl.parse(f"(BB 8)x{n} GAP FC 5", input=INPUT) for n in (3, 2))
        left = "bb3.conv1, bb3.conv1_norm, bb3.conv2, bb3.conv2_norm"
        with pytest.warns(UserWarning, match=f"^not used of the source: {left}$"):
            small.load_weights(deep.module().state_dict())

    def test_a_state_dict_may_lie_in_another(self) -> None:
        net = netdsl.parse("Conv 8 GAP FC 5", input=INPUT)
        state = net.module(1).state_dict()
        found = net.load_weights({"state_dict": state, "epoch": 3}).state_dict()  # type: ignore[dict-item]
        assert all(torch.equal(value, found[name]) for name, value in state.items())

    def test_of_weights_in_what_is_not_known_the_key_is_told(self) -> None:
        state = {"epoch": 3, "net": ours().module().state_dict(), "optimizer": {"state": {}}}
        assert refused(ours(), state) == (
            "error[E0703]: the source holds more than weights by name\n"
            "  = help: `net` in it holds weights by name: give that alone"
        )

    @pytest.mark.parametrize(
        ("source", "fact"),
        [(None, "holds no weights"), ({}, "holds no weights"), ({"a": 1}, "holds more than weights by name")],
    )  # fmt: skip
    def test_what_is_no_weights_is_refused(self, source: Any, fact: str) -> None:
        assert refused(ours(), source) == f"error[E0703]: the source {fact}"

    def test_other_layers_may_differ_if_one_says_so(self) -> None:
        stem = ours(
            "norm none shortcut always Res act=relu (Conv 8 3x3 Conv 8 act=none) "
            "Res act=relu (Conv 8 1x1 Conv 8 act=none) GAP FC 6 FC 5"
        )
        assert refused(stem, original()) == (
            "error[E0701]: `res1.conv1` has weight 8x3x3x3, bias 8, and `0.a` of the "
            "source has weight 8x3x1x1, bias 8\n"
            "  = help: the last layer alone may differ; `netdsl transfer --partial`, in Python "
            "`partial=True`, leaves what does not fit as it is initialised"
        )
        found = stem.transfer(original(), partial=True)
        assert (found.initialised, found.unused, found.difference) == (
            ("res1.conv1",),
            ("0.a",),
            None,
        )
        assert found.caution == (
            "not compared: layers before the last one differ; "
            "the pairs rest on order and role alone"
        )
        assert torch.equal(found.module.state_dict()["fc2.bias"], original().state_dict()["6.bias"])


class TestRefused:
    def test_layers_that_are_missing(self) -> None:
        assert refused(ours("norm none (Conv 8 1x1)x3 GAP FC 5"), original()) == (
            "error[E0701]: the networks part at branch layer 5 of 4 and 6: no layer here, "
            "`4` (weight 6x8, bias 6) there"
        )

    @pytest.mark.parametrize(
        "source",
        [original(), original().state_dict(), nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())],
        ids=["a module", "weights", "a module without weights"],
    )
    def test_a_network_without_weights(self, source: Any) -> None:
        assert refused(ours("AvgTo 5x1 Flatten"), source) == (
            "error[E0701]: the network has no weights, so nothing can be moved into it"
        )

    def test_layers_of_another_kind(self) -> None:
        assert refused(ours("norm batch Conv 8 1x1 GAP FC 5"), original()) == (
            "error[E0701]: the networks part at branch layer 2 of 3 and 6: `conv1_norm` (weight 8, "
            "bias 8, running_mean 8, running_var 8) here, `0.b` (weight 8x8x3x3, bias 8) there"
        )

    def test_networks_with_the_same_layers_that_compute_something_else(self) -> None:
        text = refused(ours(act="leaky_relu"), original())
        assert text.startswith("error[E0702]: with equal weights the networks differ by ")
        assert text.endswith("more than 1e-05\n  = help: weights do not show strides, padding, "
                             "groups, activations, eps, pooling")  # fmt: skip

    @pytest.mark.parametrize(
        ("act", "source", "code"),
        [
            ("silu", original(), "E0702"),
            ("relu", Doubling(*original()), "E0702"),
            ("relu", Telling(*original()), "E0701"),
            ("relu", Mute(*original()), "E0701"),
            ("relu", nn.Sequential(nn.Conv2d(3, 4, 1)), "E0701"),
            ("relu", {"0.weight": torch.zeros(3)}, "E0701"),
        ],
        ids=["other numbers", "twice as many", "a dict", "no forward", "other layers", "weights"],
    )
    def test_the_network_is_left_as_it_was(self, act: str, source: Any, code: str) -> None:
        module = ours(act=act).module().train()
        module.get_submodule("res2").eval()  # as somebody may who trains a part
        numbers = {name: value.clone() for name, value in module.state_dict().items()}
        modes = [part.training for part in module.modules()]
        with pytest.raises(netdsl.NetDSLError, match=code):
            transfer(module, INPUT, source)
        assert all(torch.equal(value, numbers[name]) for name, value in module.state_dict().items())
        assert [part.training for part in module.modules()] == modes

    def test_so_it_is_where_it_does_not_take_the_image(self) -> None:
        module = ours().module().train()
        with pytest.raises(RuntimeError, match="channels"):
            transfer(module, (5, 33, 35), original())
        assert all(part.training for part in module.modules())

    def test_modes_are_kept_by_a_transfer_too(self) -> None:
        module = ours().module().train()
        module.get_submodule("res2").eval()
        modes = [part.training for part in module.modules()]
        assert transfer(module, INPUT, original()).difference is not None
        assert [part.training for part in module.modules()] == modes

    def test_a_source_that_does_not_take_the_image(self) -> None:
        source = nn.Sequential(nn.Flatten(), nn.Linear(7, 5))
        assert refused(ours(), source).startswith(
            "error[E0701]: the source does not take a 3x33x35 image: "
        )

    @pytest.mark.filterwarnings("ignore:.torch.jit")
    def test_a_module_of_torchscript_is_refused_and_its_weights_are_not(self) -> None:
        source = torch.jit.trace(ours().module(1).eval(), torch.zeros(1, *INPUT))  # type: ignore[no-untyped-call]
        assert refused(ours(), source) == (
            "error[E0701]: the source is a module of TorchScript, in which layers cannot be watched\n"
            "  = help: give its weights, `source.state_dict()`"
        )
        assert ours().transfer(source.state_dict()).matched == "name"

    def test_sources_that_cannot_be_compared(self) -> None:
        layers = tuple(original())
        assert refused(ours(), Mute(*layers)) == (
            "error[E0701]: the source does not take a 3x33x35 image: ValueError"
        )
        assert refused(ours(), Telling(*layers)) == (
            "error[E0701]: the source gives a dict, and a tensor of logits is needed\n"
            "  = help: wrap it in a module whose forward returns the logits"
        )

    def test_sources_that_come_to_other_numbers(self) -> None:
        net = netdsl.parse("norm none Conv 8 1x1 GAP Conv 5 1x1 act=none", input=INPUT)
        source = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), nn.Conv2d(8, 5, 1))
        assert refused(net, source) == (
            "error[E0702]: the network comes to 5x1x1 numbers an image, and the source to 5x33x35"
        )


class TestDefaults:
    """Of torch: its type of numbers and its device are those of the process."""

    NET = "Conv 4 BB 8 s2 GAP FC 3"

    @pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
    def test_networks_of_another_type_are_compared(self, dtype: torch.dtype) -> None:
        net = netdsl.parse(self.NET, input=(1, 8, 8))
        single = net.module(3)
        torch.set_default_dtype(dtype)
        try:
            own, done = net.module(3), [net.transfer(source) for source in (single, net.module(3))]
        finally:
            torch.set_default_dtype(torch.float32)
        for found in done:
            assert found.difference == 0
            assert {weight.dtype for weight in found.module.parameters()} == {dtype}
        moved = done[1].module.state_dict()
        assert all(torch.equal(moved[name], tensor) for name, tensor in own.state_dict().items())

    def test_every_tensor_stays_of_its_own_type(self) -> None:
        net = netdsl.parse(self.NET, input=(1, 8, 8))
        module, source = net.module(3).half(), net.module(4)
        module.get_submodule("conv1_norm").float()
        module.get_submodule("fc1").double()
        before = {name: tensor.dtype for name, tensor in module.state_dict().items()}
        assert len(set(before.values())) == 4
        found = transfer(module, (1, 8, 8), source)
        after = {name: tensor.dtype for name, tensor in found.module.state_dict().items()}
        assert (after, found.difference) == (before, pytest.approx(0, abs=1e-6))

    def test_they_are_compared_on_the_cpu(self) -> None:
        net = netdsl.parse(self.NET, input=(1, 8, 8))
        source = net.module(3)
        with torch.device("meta"):
            found = net.transfer(source)
        assert found.difference == 0

    def test_a_source_without_numbers_is_refused(self) -> None:
        net = netdsl.parse(self.NET, input=(1, 8, 8))
        empty = net.module().to("meta")
        for source in (empty, empty.state_dict()):
            assert refused(net, source) == (
                "error[E0703]: `conv1.weight` of the source has no numbers: "
                "its device is torch's `meta`"
            )

    def test_sparse_numbers_are_refused(self) -> None:
        net = netdsl.parse(self.NET, input=(1, 8, 8))
        state = net.module(3).state_dict()
        state["conv1.weight"] = state["conv1.weight"].to_sparse()
        assert refused(net, state) == (
            "error[E0703]: `conv1.weight` of the source is sparse\n"
            "  = help: `tensor.to_dense()` makes it one that can be moved"
        )

    @pytest.mark.parametrize("kind", [torch.int8, torch.complex64])
    @pytest.mark.parametrize("prefix", ["", "its."])
    def test_numbers_of_another_kind_are_refused(self, kind: torch.dtype, prefix: str) -> None:
        net = netdsl.parse(self.NET, input=(1, 8, 8))
        state = {f"{prefix}{name}": tensor for name, tensor in net.module(3).state_dict().items()}
        name = f"{prefix}conv1.weight"
        state[name] = state[name].to(kind)
        assert refused(net, state) == (
            f"error[E0703]: `{name}` of the source is of {kind}, which is no floating point\n"
            "  = help: quantised weights stand for others: give these, with their scale"
        )

    @pytest.mark.parametrize("is_module", [True, False])
    def test_weights_of_a_training_that_diverged_are_refused(self, *, is_module: bool) -> None:
        net = netdsl.parse(self.NET, input=(1, 8, 8))
        source = net.module(3)
        source.get_parameter("conv1.weight").detach()[0, 0, 1, 2] = torch.nan
        assert refused(net, source if is_module else source.state_dict()) == (
            "error[E0703]: `conv1.weight` of the source holds NaN\n"
            "  = help: a training that diverged leaves such weights: take those of a step before"
        )


class TestRandomNumbers:
    """Those of the comparison: every one has to matter, in deep networks too."""

    @pytest.mark.parametrize("name", ["resnet152", "densenet121", "vgg11", "convnext_tiny"])
    def test_no_layer_drowns_the_others(self, name: str) -> None:
        model = models.get_model(name).eval()
        x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
        _, is_telling = randomise(model, x)
        assert is_telling
        with torch.no_grad():
            deviation = float(model(x).std())
        assert 0.3 < deviation < 3

    def test_a_change_of_any_one_tensor_is_seen(self) -> None:
        model = original().eval()
        x = torch.randn(2, *INPUT)
        randomise(model, x)
        with torch.no_grad():
            y = model(x)
            for name, tensor in model.named_parameters():
                kept = tensor.clone()
                tensor.copy_(tensor.flatten().roll(1).reshape(tensor.shape))
                assert float((model(x) - y).abs().max()) > 1e-3 * float(y.abs().max()), name
                tensor.copy_(kept)

    def test_networks_that_tell_no_image_apart_are_not_said_to_be_equal(self) -> None:
        found = netdsl.parse(SHUT, input=(3, 8, 8)).transfer(shut(nn.GELU()))
        assert found.difference is None
        assert found.caution == (
            "not compared: random numbers do not get through the network; "
            "the pairs rest on order and role alone"
        )

    def test_names_that_mislead_are_told_where_nothing_can_be_compared(self) -> None:
        source = nn.Sequential(OrderedDict(skip=shut(nn.ReLU())))
        assert refused(netdsl.parse(SHUT, input=(3, 8, 8)), source) == (
            "error[E0701]: `skip.0` of the source is on a shortcut by its name, and `conv1` on a "
            "branch; all layers fit by their order alone, but random numbers do not get through "
            "the network, so nothing was compared\n"
            "  = help: give the layers of the source names that say their role"
        )

    @pytest.mark.parametrize("act", [nn.ReLU(), nn.GELU()])
    def test_a_squeeze_to_one_channel_lets_random_numbers_through(self, act: nn.Module) -> None:
        """Of what is below zero as often as above it, behind a convolution without activation."""
        blocks = [Squeezed(nn.ReLU() if i else act) for i in range(8)]
        source = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 4))
        text = "norm none (Conv 3 act=none Mul( | GAP Conv 1 1x1 Conv 3 1x1 act=sigmoid ))x8"
        net = netdsl.parse(f"{text} GAP FC 4", input=(3, 8, 8))
        if isinstance(act, nn.ReLU):
            assert net.transfer(source).difference == pytest.approx(0, abs=1e-6)
        else:
            assert "E0702" in refused(net, source)

    def test_numbers_are_drawn_again_until_images_are_told_apart(self) -> None:
        x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
        model = narrow(40, nn.ReLU()).eval()
        _, is_telling = randomise(model, x)
        one, other = model(x).detach()
        assert is_telling
        assert float((one - other).abs().max()) > 1e-2
        assert "E0702" in refused(
            netdsl.parse("norm none (Conv 1)x40 GAP FC 4", input=(3, 8, 8)), narrow(40, nn.GELU())
        )


class TestFiles:
    def test_own_weights_are_paired_by_name(self, tmp_path: Path) -> None:
        done = ours().transfer(original())
        save_file(done.module.state_dict(), tmp_path / "w.safetensors")
        again = ours().load_weights(tmp_path / "w.safetensors", seed=5)
        assert torch.equal(logits(again), logits(done.module))

    def test_what_a_smaller_network_lacks_stays_as_initialised(self, tmp_path: Path) -> None:
        small = netdsl.parse("(BB 8)x2 GAP FC 5", input=INPUT).module(1)
        save_file(small.state_dict(), tmp_path / "w.safetensors")
        found = netdsl.parse("(BB 8)x3 GAP FC 5", input=INPUT).transfer(
            read_state(tmp_path / "w.safetensors")
        )
        assert (found.matched, found.unused) == ("name", ())
        assert {name.split(".")[0] for name in found.initialised} == {"bb3"}

    def test_the_last_layer_that_a_file_names_is_not_the_last_of_the_network(self) -> None:
        net = netdsl.parse("norm none bias off Conv 4 Conv 6 GAP FC 5", input=INPUT)
        state = {"conv1.weight": torch.ones(4, 3, 3, 3), "conv2.weight": torch.ones(5, 4, 3, 3)}
        assert refused(net, state) == (
            "error[E0701]: `conv2` has weight 6x4x3x3, and `conv2` of the source has weight "
            "5x4x3x3\n"
            "  = help: the last layer alone may differ; `netdsl transfer --partial`, in Python "
            "`partial=True`, leaves what does not fit as it is initialised"
        )
        found = net.transfer(state, partial=True)
        assert found.initialised == ("conv2", "fc1")

    @pytest.mark.parametrize("key", [None, "state_dict", "model"])
    def test_the_state_of_another_module_is_paired_by_order_and_role(
        self, tmp_path: Path, key: str | None
    ) -> None:
        source = original()
        state = {f"module.{name}": value for name, value in source.state_dict().items()}
        torch.save({key: state, "epoch": 3} if key else state, tmp_path / "w.pth")
        found = ours().transfer(read_state(tmp_path / "w.pth"))
        assert (found.matched, found.difference) == ("role", None)
        torch.testing.assert_close(logits(found.module), logits(source))

    @pytest.mark.parametrize("norm", ["none", "batch"])
    @pytest.mark.parametrize("suffix", ["safetensors", "pth"])
    def test_more_than_ten_layers_are_paired_as_they_were_built(
        self, tmp_path: Path, norm: str, suffix: str
    ) -> None:
        source, path = scramble(numbered(norm)), tmp_path / f"w.{suffix}"
        if suffix == "pth":
            torch.save(source.state_dict(), path)
        else:
            save_file(source.state_dict(), path)
        found = counted(norm).transfer(read_state(path))
        torch.testing.assert_close(logits(found.module), logits(source))
        rests_on = "order and role alone" if suffix == "pth" else "the order of names"
        reason = "the source is weights alone, which cannot be run"
        assert found.caution.startswith(f"not compared: {reason}; the pairs rest on {rests_on}")

    def test_nothing_is_to_be_told_of_pairs_that_were_compared_or_have_one_name(self) -> None:
        done = ours().transfer(original())
        again = ours().transfer(done.module.state_dict())
        assert (done.caution, again.caution) == ("", "")

    def test_layers_that_names_put_out_of_order_are_refused_with_the_way_out(
        self, tmp_path: Path
    ) -> None:
        source = nn.Sequential()
        source.add_module("z", nn.Conv2d(3, 6, 1))
        source.add_module("norm", nn.BatchNorm2d(6))
        state, net = source.state_dict(), netdsl.parse("bias on Conv 6 1x1 act=none", input=INPUT)
        assert net.transfer(state).caution.endswith("order and role alone")
        save_file(state, tmp_path / "w.safetensors")
        assert refused(net, read_state(tmp_path / "w.safetensors")).endswith(
            "  = help: the source has its layers sorted by name; a file of `torch.save` has them "
            "as they were built"
        )

    @pytest.mark.parametrize(
        "name", ["resnet18", "vgg11_bn", "mobilenet_v3_small", "regnet_y_400mf"]
    )
    def test_sorted_layers_of_torchvision_are_put_as_they_were_built(
        self, tmp_path: Path, name: str
    ) -> None:
        torch.manual_seed(0)
        source = scramble(models.get_model(name, num_classes=7))
        save_file(source.state_dict(), tmp_path / "w.safetensors")
        found = netdsl.load(name, classes=7).transfer(read_state(tmp_path / "w.safetensors"))
        assert (found.matched, found.sorted_names, found.initialised) == ("role", False, ())
        assert found.caution.endswith("the pairs rest on order and role alone")
        x = torch.rand(2, 3, 224, 224)
        with torch.no_grad():
            torch.testing.assert_close(found.module.eval()(x), source.eval()(x))

    def test_sorted_layers_of_torchvision_may_end_in_several(self, tmp_path: Path) -> None:
        source = models.resnet18()
        source.fc = nn.Sequential(nn.Dropout(), nn.Linear(512, 3))  # type: ignore[assignment]
        save_file(source.state_dict(), tmp_path / "w.safetensors")
        state = read_state(tmp_path / "w.safetensors")
        found = netdsl.load("resnet18", classes=3).transfer(state)
        assert (found.pairs[-1].theirs.name, found.initialised, found.unused) == ("fc.1", (), ())

    def test_sorted_layers_of_torchvision_are_refused_where_the_networks_part(
        self, tmp_path: Path
    ) -> None:
        save_file(models.resnet18().state_dict(), tmp_path / "w.safetensors")
        told = refused(netdsl.load("resnet34"), read_state(tmp_path / "w.safetensors"))
        assert told.startswith("error[E0701]: the networks part at branch layer 36 of 67 and 35: ")
        assert "sorted by name" not in told

    def test_weights_of_a_network_of_torchvision_may_tell_other_classes(
        self, tmp_path: Path
    ) -> None:
        torch.manual_seed(0)
        source = scramble(models.resnet18(num_classes=3))
        save_file(source.state_dict(), tmp_path / "w.safetensors")
        opened = open_source("torchvision:resnet18", str(tmp_path / "w.safetensors"))
        found = netdsl.load("resnet18", classes=3).transfer(opened)
        assert (found.compared, found.initialised) == ("logits", ())
        x = torch.rand(2, 3, 64, 64)
        with torch.no_grad():
            torch.testing.assert_close(found.module.eval()(x), source.eval()(x))

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("w.safetensors", b"12345678 no", "w.safetensors is not a file of weights"),
            ("w.pth", b"no", "w.pth is not a file of weights"),
            ("w.pth", b"", "w.pth is not a file of weights"),
            ("w.pth", b"PK\x03\x04 half a zip", "w.pth is not a file of weights"),
            ("w.pth", b"hello" * 9, "w.pth is not a file of weights, or is damaged"),
            ("w.pth", b"a", "w.pth is not a file of weights, or is damaged"),
            ("w.pth", b"J1", "w.pth is not a file of weights, or is damaged"),
            ("w.pth", None, "No such file or directory"),
        ],
    )
    def test_other_files_are_refused(
        self, tmp_path: Path, name: str, content: bytes | None, message: str
    ) -> None:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(netdsl.NetDSLError, match="E0703") as error:
            read_state(tmp_path / name)
        assert message in str(error.value)

    def test_a_network_of_a_library_and_what_is_no_file_are_told_apart(self) -> None:
        net = netdsl.load("squeezenet1_1")
        for name, message in (
            ("squeezenet1_1", "error[E0703]: there is no file squeezenet1_1\n"
             "  = help: a network of torchvision is written `torchvision:squeezenet1_1`"),
            ("nosuch", "error[E0703]: there is no file nosuch"),
            ("torchvision:squezenet1_1",
             "error[E0703]: torchvision has no network `squezenet1_1`\n"
             "  = help: did you mean `torchvision:squeezenet1_1`?"),
        ):  # fmt: skip
            with pytest.raises(netdsl.NetDSLError) as caught:
                net.load_weights(name)
            assert str(caught.value) == message

    def test_of_a_run_in_place_of_its_weights_these_are_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        net, run = ours(), Path("run")
        run.mkdir()
        for files in ("", "\n  = help: files of weights in it: run/best.safetensors"):
            with pytest.raises(netdsl.NetDSLError) as caught:
                net.load_weights(run)
            message = f"error[E0703]: run is a folder, and no file of weights{files}"
            assert str(caught.value) == message
            save_file(net.module().state_dict(), run / "best.safetensors")

    @pytest.mark.parametrize(
        ("state", "fact"),
        [
            ({}, "lacks weight and 1 more"),
            ({"weight": torch.zeros(2, 2)}, "lacks bias"),
            (nn.Linear(2, 2).state_dict() | {"a": torch.zeros(1)}, "has a, unknown here"),
        ],
    )
    def test_weights_of_another_network_of_a_library_are_refused(
        self, state: dict[str, torch.Tensor], fact: str
    ) -> None:
        with pytest.raises(netdsl.NetDSLError) as error:
            zoos.load(nn.Linear(2, 2), state, "w.pth")
        assert str(error.value) == f"error[E0703]: w.pth {fact}"

    def test_a_pickle_that_runs_code_is_refused(self, tmp_path: Path) -> None:
        torch.save(original(), tmp_path / "w.pth")
        with pytest.raises(netdsl.NetDSLError) as error:
            read_state(tmp_path / "w.pth")
        assert str(error.value).endswith(
            "w.pth is not a file of weights: it holds something else than tensors by name\n"
            "  = help: store `model.state_dict()` in place of the model: to read it runs no code"
        )


def compiled(model: nn.Module) -> nn.Module:
    return torch.compile(model, backend="eager")  # type: ignore[return-value]


@pytest.mark.parametrize(
    "wrap",
    [compiled, nn.DataParallel, AveragedModel, lambda model: AveragedModel(compiled(model))],
    ids=["compiled", "parallel", "averaged", "averaged-compiled"],
)
class TestWrapped:
    def test_a_network_is_taken_out_of_what_wraps_it(
        self, wrap: Callable[[nn.Module], nn.Module]
    ) -> None:
        found = ours().transfer(wrap(ours().module(1)))
        assert all(pair.ours.name == pair.theirs.name for pair in found.pairs)
        assert (found.initialised, found.unused, found.difference) == ((), (), 0.0)

    def test_a_file_of_it_has_the_names_of_the_network(
        self, wrap: Callable[[nn.Module], nn.Module], tmp_path: Path
    ) -> None:
        source = ours().module(1)
        save_file(wrap(source).state_dict(), tmp_path / "w.safetensors")
        found = ours().transfer(read_state(tmp_path / "w.safetensors"))
        assert (found.matched, found.initialised, found.unused) == ("name", (), ())
        assert torch.equal(logits(found.module), logits(source))


class TestCommand:
    """`netdsl transfer`, with a cache of downloads that the test fills."""

    ARCH = ("squeezenet1_1", "--input", "3x64x64", "--classes", "1000")

    @pytest.fixture
    def cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The file of pre-trained weights, as a download would have left it."""
        url = models.SqueezeNet1_1_Weights.DEFAULT.url
        path = tmp_path / "hub" / "checkpoints" / url.rpartition("/")[2]
        path.parent.mkdir(parents=True)
        torch.manual_seed(4)
        torch.save(models.squeezenet1_1().state_dict(), path)
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        return path

    def run(self, *arguments: str) -> int:
        with pytest.raises(SystemExit) as exit:
            main(["transfer", *arguments])
        return int(exit.value.code or 0)

    def test_pretrained_weights_are_verified_and_written(
        self, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "w.safetensors"
        assert self.run(*self.ARCH, "--from", "torchvision:squeezenet1_1", "-o", str(out)) == 0
        text = capsys.readouterr().out
        assert text.splitlines()[2].split() == [
            "conv1",
            "features.0",
            "weight",
            "64x3x3x3,",
            "bias",
            "64",
        ]
        assert text.endswith(
            "26 of 26 layers with 1,235,496 parameters from torchvision:squeezenet1_1, paired by "
            "order and role\n"
            "compared with random numbers: logits equal bit for bit\n"
            f"written to {out}\n"
        )
        theirs = models.squeezenet1_1()
        theirs.load_state_dict(torch.load(cache, weights_only=True))
        mine = netdsl.load("squeezenet1_1").load_weights(out)
        x = torch.randn(2, 3, 64, 64)
        with torch.no_grad():
            assert torch.equal(mine.eval()(x), theirs.eval()(x))

    def test_the_order_of_names_is_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        layers = {"a.2": (4, 3), "a.10": (5, 4), "b": (2, 5)}
        weights = {f"{name}.weight": torch.ones(*shape, 1, 1) for name, shape in layers.items()}
        save_file(weights, tmp_path / "w.safetensors")
        (tmp_path / "n.arch").write_text(
            "input 3x9x8 norm none bias off Conv 4 1x1 Conv 5 1x1 GAP FC 2"
        )
        arguments = (str(tmp_path / "n.arch"), "--from", str(tmp_path / "w.safetensors"))
        out = ("-o", str(tmp_path / "out.safetensors"))
        assert self.run(*arguments, *out) == 0
        assert (
            "\nnot compared: the source is weights alone, which cannot be run; the pairs rest on the "
            "order of names, by which the source has its layers sorted\n"
        ) in capsys.readouterr().out
        assert self.run(*arguments, "--json", "-o", str(tmp_path / "again.safetensors")) == 0
        record = json.loads(capsys.readouterr().out)
        assert (record["matched"], record["sorted_names"]) == ("role", True)

    def test_why_nothing_was_compared_is_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "n.arch"
        path.write_text("input 3x9x8 Conv 4 GAP FC 2")
        save_file(netdsl.load(path).module(1).state_dict(), tmp_path / "w.safetensors")
        assert self.run(str(path), "--from", str(tmp_path / "w.safetensors")) == 0
        assert (
            "paired by name\nnot compared: the source is weights alone, which cannot be run\n"
        ) in capsys.readouterr().out
        assert self.run(str(path), "--from", str(tmp_path / "w.safetensors"), "--json") == 0
        record = json.loads(capsys.readouterr().out)
        assert (record["compared"], record["difference"]) == (None, None)
        assert record["uncompared"] == "the source is weights alone, which cannot be run"
        source = ("--from", "torchvision:squeezenet1_1", "--weights", "none")
        assert self.run(*self.ARCH, "-D", "c=32", *source, "--partial") == 0
        assert "\nnot compared: layers before the last one differ; " in capsys.readouterr().out

    def test_fine_tuning_begins_with_another_last_layer(
        self, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "w.SAFETENSORS"
        arguments = ("squeezenet1_1", "--input", "3x64x64", "--classes", "20", "--json")
        file = ("--from", "torchvision:squeezenet1_1", "--weights", str(cache), "-o", str(out))
        assert self.run(*arguments, *file) == 0
        record = json.loads(capsys.readouterr().out)
        assert record["initialised"] == ["conv2"]
        assert record["unused"] == ["classifier.1"]
        assert record["compared"] == "features before the last layer"
        assert (record["difference"], record["uncompared"]) == (0.0, None)
        assert read_state(out)["conv2.bias"].shape == (20,)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--from", "torchvision:squeezenet1_0", "--weights", "none"), "error[E0701]: "),
            (("--from", "torchvision:squezenet1_1"),
             "error[E0703]: torchvision has no network `squezenet1_1`\n"
             "  = help: did you mean `torchvision:squeezenet1_1`?"),
            (("--from", "squeezenet1_1"),
             "error[E0703]: there is no file squeezenet1_1\n"
             "  = help: a network of torchvision is written `torchvision:squeezenet1_1`"),
            (("--from", "nothing.pth"), "error[E0703]: cannot read nothing.pth: No such file"),
            (("--from", "nothing.pth", "--weights", "none"),
             "error[E0703]: weights are for a network of torchvision or timm, and nothing.pth is a file"),
            (("--from", "torchvision:squeezenet1_1", "--weights", "gone.pth"),
             "error[E0703]: cannot read gone.pth"),
            (("--from", "torchvision:squeezenet1_1", "-o", "w.pth"),
             "`w.pth` must end in .safetensors"),
        ],
    )  # fmt: skip
    def test_mistakes_are_told_and_nothing_is_written(
        self, arguments: tuple[str, ...], message: str, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        monkeypatch.chdir(tmp_path)
        rest = () if "-o" in arguments else ("-o", "w.safetensors")
        assert self.run(*self.ARCH, *arguments, *rest) == 2
        assert message in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []

    @pytest.fixture
    def timm(self, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
        """A library that answers as timm does: its SqueezeNet is that of torchvision."""
        homes = {
            "squeeze": SimpleNamespace(hf_hub_id="timm/squeeze.a1", url=None),
            "squeeze.a1": SimpleNamespace(hf_hub_id="timm/squeeze.a1", url=None),
            "old": SimpleNamespace(hf_hub_id=None, url="https://a.example/old-1a2b.pth"),
            "bare": SimpleNamespace(hf_hub_id=None, url=""),
        }

        def create(name: str, *, pretrained: bool = False) -> nn.Module:
            if pretrained and name == "squeeze":
                raise ConnectionError("no route to the hub")
            return models.squeezenet1_1()

        fake = SimpleNamespace(
            create_model=create, list_models=lambda: ["squeeze", "old", "bare"],
            list_pretrained=lambda: ["squeeze.a1"], get_pretrained_cfg=homes.get,
        )  # fmt: skip
        monkeypatch.setitem(sys.modules, "timm", fake)
        return fake

    @pytest.mark.parametrize("source", ["timm:squeeze.a1", "timm:old"])
    def test_a_network_of_timm_is_a_source(
        self, source: str, timm: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "w.safetensors"
        assert self.run(*self.ARCH, "--from", source, "-o", str(out)) == 0
        assert "logits equal bit for bit" in capsys.readouterr().out
        assert self.run(*self.ARCH, "--from", "timm:squeeze", "--weights", "none") == 0

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("timm:squeze", "timm has no network `squeze`\n  = help: did you mean `timm:squeeze`?\n"),
            ("timm:squeeze.b2", "timm has no network `squeeze.b2`\n"
             "  = help: did you mean `timm:squeeze.a1`?\n"),
            ("timm:squeeze", "cannot download the weights of squeeze: no route to the hub\n"
             "  = help: bring model.safetensors of huggingface.co/timm/squeeze.a1 another way and "
             "give `netdsl transfer` its path with --weights\n"),
            ("timm:bare", "timm has no pre-trained weights of bare\n"
             "  = help: give `netdsl transfer` a file of them with --weights\n"),
            ("keras:squeeze", "there is no file keras:squeeze\n"
             "  = help: `torchvision:NAME`, `timm:NAME` and files of weights can be read\n"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_had_of_timm_is_told(
        self, source: str, message: str, timm: SimpleNamespace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.run(*self.ARCH, "--from", source) == 2
        assert capsys.readouterr().err.endswith(f"error[E0703]: {message}")

    def test_a_timm_that_lacks_something_is_no_missing_timm(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "timm.py").write_text("import huggingface_hubb")
        monkeypatch.delitem(sys.modules, "timm", raising=False)
        monkeypatch.syspath_prepend(tmp_path)
        assert self.run(*self.ARCH, "--from", "timm:squeeze") == 2
        error = capsys.readouterr().err
        assert error.endswith("timm cannot be imported: No module named 'huggingface_hubb'\n")

    def test_timm_is_asked_for_where_it_is_missing(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setitem(sys.modules, "timm", None)
        assert self.run(*self.ARCH, "--from", "timm:squeeze") == 2
        error = capsys.readouterr().err
        assert error.endswith("error[E0703]: timm is not installed\n  = help: pip install timm\n")

    def test_weights_of_timm_are_here_once_they_were_downloaded(
        self, timm: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        kept: dict[tuple[str, str], str] = {}
        hub = SimpleNamespace(try_to_load_from_cache=lambda *asked: kept.get(asked))
        monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
        assert not is_here("timm:squeeze")
        assert not is_here("timm:old")
        with pytest.raises(netdsl.NetDSLError, match="timm has no pre-trained weights of bare"):
            is_here("timm:bare")
        kept["timm/squeeze.a1", "pytorch_model.bin"] = "there"
        (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
        (tmp_path / "hub" / "checkpoints" / "old-1a2b.pth").touch()
        assert is_here("timm:squeeze")
        assert is_here("timm:old")

    def test_no_network_is_one_clear_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
        assert self.run(*self.ARCH, "--from", "torchvision:squeezenet1_1") == 2
        error = capsys.readouterr().err
        assert "cannot download the weights of squeezenet1_1" in error
        url = models.SqueezeNet1_1_Weights.DEFAULT.url
        help = f"  = help: bring {url} another way into {tmp_path}/hub/checkpoints"
        assert error.endswith(f"{help}\n")


@settings(max_examples=40)
@given(networks)
def test_weights_of_a_random_network_arrive_in_its_like(text: str) -> None:
    net = netdsl.parse(text, input=(3, 11, 10))
    source = scramble(net.module()).eval()
    found = net.transfer(source, seed=5)
    x = torch.randn(2, 3, 11, 10)
    with torch.no_grad():
        assert torch.equal(found.module.eval()(x), source(x))
    assume(found.uncompared != "random numbers do not get through the network")  # a few, narrow
    assert found.difference == 0


class SecondIsBatch(nn.Sequential):
    """A network whose layers have the batch as their second dimension."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        linear, *rest = self
        y = linear(x.flatten(1).unsqueeze(0))[0]
        for layer in rest:
            y = layer(y)
        return y


class OneByOne(nn.Sequential):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        forward = super().forward
        return torch.cat([forward(image[None]) for image in x])


@pytest.mark.parametrize(
    ("text", "shape", "source"),
    [
        ("norm none FC 6 FC 4", (3, 5, 5), SecondIsBatch(nn.Linear(75, 6), nn.ReLU(), nn.Linear(6, 4))),
        (
            "norm none Conv 6 1x1 GAP FC 4", (3, 9, 9),
            OneByOne(nn.Conv2d(3, 6, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)),
        ),
        (
            "norm none act sigmoid Conv 4 7x7 Conv 4 GAP FC 4", (3, 512, 512),
            nn.Sequential(
                nn.Conv2d(3, 4, 7, padding=3), nn.Sigmoid(), nn.Conv2d(4, 4, 3, padding=1), nn.Sigmoid(),
                nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 4),
            ),
        ),
    ],
)  # fmt: skip
def test_networks_of_any_layout_are_compared(text: str, shape: Any, source: nn.Module) -> None:
    assert netdsl.parse(text, input=shape).transfer(source).difference == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("error", [KeyError("a"), AssertionError(), IndexError()])
def test_a_source_that_fails_in_any_way_is_refused(error: Exception) -> None:
    class Failing(nn.Sequential):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise error

    assert "error[E0701]: the source does not take" in refused(ours(), Failing(nn.Linear(2, 2)))


def test_a_source_that_cannot_be_copied_is_refused() -> None:
    source = original()
    prune.l1_unstructured(source[4], "weight", 0.5)
    message = refused(ours(), source)
    assert message.startswith(
        "error[E0701]: the source cannot be copied, and a copy is what is run:"
    )
    assert message.endswith(
        "\n  = help: pruned weights can be copied behind `torch.nn.utils.prune.remove`"
    )
