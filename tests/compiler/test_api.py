"""The Python interface, as the README shows it."""

from pathlib import Path

import networkx as nx
import pytest
from torch import nn

import netdsl

TEXT = "shortcut project Conv 4 BB 8 s2 GAP FC 5"


@pytest.fixture
def net() -> netdsl.Network:
    return netdsl.parse(TEXT, input=(3, 9, 8))


def test_the_graph_is_a_digraph_with_all_that_is_known_of_a_node(net: netdsl.Network) -> None:
    graph = net.graph
    assert isinstance(graph, nx.DiGraph)
    assert nx.is_directed_acyclic_graph(graph)
    node = graph.nodes["bb1.shortcut"]
    assert (node["shape"], node["params"], node["macs"]) == ((8, 5, 4), 4 * 8, 4 * 8 * 5 * 4)
    assert (node["scope"], node["layer"], node["span"].text) == ("bb1", "bb1", "BB 8 s2")
    assert node["op"].stride == (2, 2)
    assert sum(params for _, params in graph.nodes.data("params")) == net.params
    assert sum(macs for _, macs in graph.nodes.data("macs")) == net.macs


def test_operands_keep_their_order_and_number() -> None:
    graph = netdsl.parse("Conv 3 Add( | | Conv 3 )", input=(3, 9, 8)).graph
    assert graph.edges["conv1_act", "add1.add"]["operands"] == (0, 1)
    assert graph.edges["add1.branch3.conv1_act", "add1.add"]["operands"] == (2,)


def test_a_network_says_what_it_is(net: netdsl.Network) -> None:
    assert (net.input_shape, net.output_shape, net.depth) == ((3, 9, 8), (5,), 4)
    assert net.plain().params == net.params - 4 * 8 - 2 * 8
    assert isinstance(net.module(seed=0), nn.Module)
    assert "class Net" in net.source()
    assert net.dot().startswith("digraph")
    assert net._repr_svg_().count("<svg") == 1
    assert str(net) == "shortcut project\n\nConv 4  BB 8 s=2  GAP  FC 5\n"
    assert net.warnings == ()


def test_load_takes_a_path_a_name_a_variant_and_parameters(tmp_path: Path) -> None:
    (tmp_path / "mine.arch").write_text(f"n = 2 {TEXT}".replace("Conv 4", "(Conv 4)x n"))
    assert netdsl.load(tmp_path / "mine.arch", n=3, input=(3, 9, 8)).depth == 6
    assert netdsl.load("net1").name == "Net 1"
    assert netdsl.load("resnet56").name == "ResNet-56"
    assert netdsl.load("resnet-cifar", n=9, plain=True).depth == 56
    assert netdsl.load("resnet18", input=(3, 64, 64), classes=200).output_shape == (200,)


def test_a_folder_does_not_hide_a_shipped_network_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net1").mkdir()
    monkeypatch.chdir(tmp_path)
    assert netdsl.load("net1").depth == 15
    (tmp_path / "mine").mkdir()
    with pytest.raises(netdsl.NetDSLError, match="no file and no shipped architecture `mine`"):
        netdsl.load("mine")


def test_every_finding_of_an_error_can_be_read() -> None:
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.parse("Cnov 3 Foo 4", input=(3, 9, 8))
    assert [d.code for d in error.value.diagnostics] == ["E0201", "E0201"]
    assert error.value.diagnostics[0].span.text == "Cnov"


def test_a_parameter_that_is_not_there_is_refused() -> None:
    with pytest.raises(netdsl.NetDSLError, match="has no parameter `m`"):
        netdsl.load("resnet-cifar", m=3)


def test_a_network_never_changes(net: netdsl.Network) -> None:
    with pytest.raises(AttributeError):
        net.settings = None  # type: ignore[misc]


def test_a_name_that_stands_for_a_scale_takes_no_other() -> None:
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.load("resnet50", scale="resnet18")
    assert str(error.value) == (
        "error[E0212]: `resnet50` is a scale itself, so `resnet18` cannot be chosen\n"
        "  = help: both are scales of `resnet`"
    )
    assert netdsl.load("resnet50", scale="resnet50").name == "ResNet-50"
