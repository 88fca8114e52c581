"""The plain twin: the same network with every shortcut taken out."""

from __future__ import annotations

from collections.abc import Iterator

from netdsl.ir import Graph, Node
from netdsl.ops.channels import LayerScale
from netdsl.ops.wiring import Shortcut, ShortcutAdd, StochasticDepth
from netdsl.passes.fit_shortcuts import absent_shortcuts


def drop_shortcuts(graph: Graph) -> Graph:
    """Remove every shortcut, its addition, its stochastic depth and the `LayerScale` before them.

    That factor starts so small that without the addition nothing would come through. `Add`,
    `Cat` and `Mul` stay.
    """
    scales = set(_scales(graph))

    def change(node: Node, rebuilt: Graph) -> Node:
        if isinstance(node.op, Shortcut | ShortcutAdd | StochasticDepth) or node.name in scales:
            return rebuilt[node.inputs[0]]
        return node

    return graph.map(change).prune()


def _scales(graph: Graph) -> Iterator[str]:
    """Yield every `LayerScale` that ends a residual branch, unless `identity` leaves it alone."""
    absent = absent_shortcuts(graph)
    for node in graph:
        if isinstance(node.op, ShortcutAdd) and node.name not in absent:
            end = graph[node.inputs[0]]
            if isinstance(end.op, StochasticDepth):
                end = graph[end.inputs[0]]
            if isinstance(end.op, LayerScale):
                yield end.name
