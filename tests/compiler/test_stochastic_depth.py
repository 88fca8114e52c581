"""What stochastic depth leaves of a training step, against counting every step that can be drawn."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from itertools import product
from math import prod
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from torch import nn
from torch.export import export
from torch.fx import symbolic_trace
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.feature_extraction import create_feature_extractor

import netdsl
from netdsl.backends.pytorch import StochasticScope
from netdsl.cli.build import command

TEXTS = (
    "drop_path 0.5 Conv 4 BB 4 BB 6 s2 BB 6 FC 3",
    "drop_path 0.3 shortcut project Conv 4 BB 6 s2 pre BB 6 pre BB 7 pre Norm Act FC 3",
    "drop_path 0.4 shortcut always BB 4 order=relu_pre BB 4 order=bn_after_add Bott 8 s2 GAP FC 3",
    "drop_path 0.6 Res( Cat( Conv 2 | Conv 3 1x1 Conv 2 ) ) BB 4 drop_path=0.1 Res( BB 4 (Conv 4)x2 )",
    "BB 4 drop_path=0.7 BB 4 Res drop_path=0 ( Conv 4 ) Add( Conv 4 | BB 4 drop_path=0.2 )",
    "def Stage(c, n) { (BB c shortcut=project s=[2,1])x n } drop_path 0.5 Stage 4 2 Res( Stage 6 2 )",
)


@pytest.mark.parametrize("text", TEXTS)
def test_expected_macs_are_the_mean_over_every_step(text: str) -> None:
    net = netdsl.parse(text, input=(3, 12, 10))
    model = net.module().to("meta").train()
    blocks = [block for block in model.modules() if isinstance(block, StochasticScope)]
    model.draw = lambda: None
    mean = 0.0
    for survivors in product((False, True), repeat=len(blocks)):
        for block, survives in zip(blocks, survivors, strict=True):
            block.survives = survives
        chance = prod(b.survival if b.survives else 1 - b.survival for b in blocks)
        mean += chance * macs(model, net.input_shape)
    assert net.expected_macs == round(mean)
    assert net.expected_macs < net.macs


def macs(model: torch.nn.Module, shape: tuple[int, ...]) -> int:
    with FlopCounterMode(display=False) as counter:
        model(torch.empty(2, *shape, device="meta"))
    return counter.get_total_flops() // 4  # two images, and two FLOPs a MAC


def test_resnet34_computes_11_75_of_16_blocks() -> None:
    net = netdsl.load("tiny_resnet34_sd")
    assert (net.blocks, net.expected_blocks) == (16, 11.75)
    numbered_from_0 = sum(1 - place / 16 * 0.5 for place in range(16))
    assert numbered_from_0 == 12.25  # the 12.3 of report 003


def test_a_shortcut_around_blocks_is_no_block() -> None:
    net = netdsl.parse("drop_path 0.5 Res( BB 4 Res( Conv 4 ) ) BB 4", input=(3, 8, 8))
    assert (net.blocks, net.expected_blocks) == (3, 1 - 0.5 / 3 + 1 - 1 / 3 + 0.5)


def test_a_shortcut_around_a_shortcut_is_no_block() -> None:
    net = netdsl.parse("drop_path 0.5 Res( Res( Conv 3 ) Conv 3 )", input=(3, 8, 8))
    assert (net.blocks, net.expected_blocks) == (1, 0.5)


def test_blocks_that_always_survive_count_whole() -> None:
    net = netdsl.parse("BB 4 BB 4 drop_path=0.25 BB 4", input=(3, 8, 8))
    assert (net.blocks, net.expected_blocks) == (3, 2.75)


def test_what_is_said_outside_goes_before_a_scale() -> None:
    net = netdsl.parse("scale s(drop_path=0.5) BB 3", input=(3, 8, 8), scale="s", drop_path=0.25)
    assert net.expected_blocks == 0.75


def test_a_block_that_always_survives_draws_nothing() -> None:
    model = netdsl.parse("drop_path 0.5 BB 4 drop_path=0 BB 4", input=(3, 8, 8)).module()
    blocks = [name for name, block in model.named_modules() if isinstance(block, StochasticScope)]
    assert blocks == ["bb2"]


def test_without_stochastic_depth_a_step_computes_the_whole_network() -> None:
    net = netdsl.load("tiny_resnet34")
    assert (net.expected_blocks, net.expected_macs) == (16, net.macs)
    assert "stochastic depth" not in net.table()


def test_a_plain_network_has_no_residual_blocks() -> None:
    twin = netdsl.load("tiny_resnet34_sd", plain=True)
    assert (twin.blocks, twin.expected_blocks, twin.expected_macs) == (0, 0, twin.macs)


def test_the_table_says_what_training_computes() -> None:
    *_, note = netdsl.load("tiny_resnet34_sd").table().splitlines()
    assert note == (
        "stochastic depth: on average 11.75 of 16 blocks and 222,760,960 MACs in training"
    )


def test_build_prints_it_as_text_and_as_json() -> None:
    done = CliRunner().invoke(command, ["tiny_resnet34_sd"])
    assert "on average 11.75 of 16 blocks and 222,760,960 MACs in training" in done.stdout
    record = json.loads(CliRunner().invoke(command, ["tiny_resnet34_sd", "--json"]).stdout)
    assert record["blocks"] == 16
    assert record["expected_blocks"] == 11.75
    assert record["expected_macs"] == 222_760_960


# python/cpython#125608: torch 2.11 does not see there that an attribute has changed.
blind = pytest.mark.skipif(
    sys.version_info[:3] == (3, 13, 0) and torch.__version__ < "2.14",
    reason="Python 3.13.0 keeps changes from this torch.compile",
)


@blind
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")  # torch's own
def test_a_compiled_network_draws_for_every_step() -> None:
    net = netdsl.parse("drop_path 0.5 Conv 8 (BB 8)x3 GAP FC 3", input=(3, 8, 8))
    model, eager = net.module(), net.module()
    compiled, x = torch.compile(model, backend="eager"), torch.randn(2, 3, 8, 8)
    outputs = set()
    for _ in range(20):
        model.random.setstate(eager.random.getstate())
        y = compiled(x)
        assert torch.equal(y, eager(x))
        outputs.add(tuple(y.flatten().tolist()))
    assert len(outputs) > 3


TRACERS: dict[str, Callable[[nn.Module, torch.Tensor], object]] = {
    "trace": torch.jit.trace,
    "export": lambda model, x: export(model, (x,)),
    "symbolic trace": lambda model, x: symbolic_trace(model),
    "make_fx": lambda model, x: make_fx(model)(x),
}


@pytest.mark.parametrize("tracer", TRACERS)
@pytest.mark.parametrize("kind", ["compiled", "printed"])
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")  # torch's own
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_one_graph_of_a_network_that_draws_its_blocks_is_refused(kind: str, tracer: str) -> None:
    net = netdsl.parse("drop_path 0.5 Conv 8 (BB 8)x3 GAP FC 3", input=(3, 8, 8))
    names: dict[str, Any] = {}
    exec(net.source(), names)
    model, x = net.module() if kind == "compiled" else names["Network"](), torch.randn(2, 3, 8, 8)
    with pytest.raises(RuntimeError, match="stochastic depth draws anew"):
        TRACERS[tracer](model.train(), x)
    TRACERS[tracer](model.eval(), x)


@pytest.mark.parametrize("kind", ["compiled", "printed"])
def test_who_is_refused_one_graph_is_told_what_to_do(kind: str) -> None:
    net = netdsl.parse("drop_path 0.5 Conv 8 (BB 8)x3 GAP FC 3", input=(3, 8, 8))
    names: dict[str, Any] = {}
    exec(net.source(), names)
    model = net.module() if kind == "compiled" else names["Network"]()
    with pytest.raises(RuntimeError) as caught:
        symbolic_trace(model)
    assert str(caught.value) == (
        "stochastic depth draws anew for every training step: call eval() for one graph"
    )


def test_features_are_extracted_of_what_was_traced_in_evaluation_mode() -> None:
    net = netdsl.parse("drop_path 0.5 Conv 8 (BB 8)x3 GAP FC 3", input=(3, 8, 8))
    model, x = net.module(), torch.randn(2, 3, 8, 8)
    with pytest.raises(RuntimeError, match="stochastic depth draws anew"):
        create_feature_extractor(model, ["fc1"])  # which traces in both modes
    extractor = create_feature_extractor(symbolic_trace(model.eval()), ["fc1"])
    assert torch.equal(extractor.train()(x)["fc1"], model(x))


@blind
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")  # torch's own
def test_printed_source_draws_for_every_step_when_it_is_compiled() -> None:
    net = netdsl.parse("drop_path 0.5 Conv 8 (BB 8)x3 GAP FC 3", input=(3, 8, 8))
    names: dict[str, Any] = {}
    exec(net.source(), names)
    compiled, x = torch.compile(names["Network"](), backend="eager"), torch.randn(2, 3, 8, 8)
    assert len({tuple(compiled(x).flatten().tolist()) for _ in range(20)}) > 3


def test_the_plain_twin_has_no_factor_that_lets_nothing_through() -> None:
    net = netdsl.load("convnext_tiny", input=(3, 64, 64), classes=5).plain()
    assert not any("scale" in type(m).__name__.lower() for m in net.module().modules())
    scores = net.module().eval()(torch.randn(4, 3, 64, 64))
    assert scores.std(0).max() > 1e-3
