"""States what a finished graph must look like; a failure is a bug of the compiler."""

from __future__ import annotations

from netdsl.ir import UNKNOWN, Graph
from netdsl.ops.act import HiddenAct
from netdsl.ops.wiring import Input, Shortcut


def verify(graph: Graph) -> Graph:
    """Return the graph as it is."""
    for node in graph:
        assert bool(node.inputs) != isinstance(node.op, Input), f"{node.name}: Input alone has none"
        assert not isinstance(node.op, Shortcut | HiddenAct), f"{node.name} was not settled"
        assert node.shape != UNKNOWN, f"{node.name} has no shape"
        assert node.op.infer(*graph.input_shapes(node)) == node.shape, f"{node.name}: stale shape"
    return graph
