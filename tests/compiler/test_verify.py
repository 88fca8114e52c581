"""What must hold of a finished graph is asserted: each rule is broken once."""

from collections.abc import Callable
from dataclasses import replace

import pytest

import netdsl
from netdsl.ir import UNKNOWN, Graph, Node, Shape
from netdsl.ops.act import HiddenAct
from netdsl.passes.verify import verify

TEXT = "Conv 4 Conv 4 GAP FC 3"


def changed(name: str, change: Callable[[Node], Node]) -> Graph:
    graph = netdsl.parse(TEXT, input=(3, 8, 8)).checked
    found = Graph()
    for node in graph:
        found.add(change(node) if node.name == name else node)
    return found


def test_a_finished_graph_is_returned_as_it_is() -> None:
    graph = netdsl.parse(TEXT, input=(3, 8, 8)).checked
    assert verify(graph) is graph


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (lambda node: replace(node, inputs=()), "conv2: Input alone has none"),
        (lambda node: replace(node, op=HiddenAct("relu")), "conv2 was not settled"),
        (lambda node: replace(node, shape=UNKNOWN), "conv2 has no shape"),
        (lambda node: replace(node, shape=Shape(5, 8, 8)), "conv2: stale shape"),
    ],
)
def test_a_graph_that_is_not_finished_is_a_bug(change: Callable[[Node], Node], fact: str) -> None:
    with pytest.raises(AssertionError, match=fact):
        verify(changed("conv2", change))
