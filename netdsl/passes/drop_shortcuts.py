"""The plain twin: the same network with every shortcut taken out."""

from __future__ import annotations

from netdsl.ir import Graph, Node
from netdsl.ops.wiring import Shortcut, ShortcutAdd, StochasticDepth


def drop_shortcuts(graph: Graph) -> Graph:
    """Remove every shortcut, its addition and its stochastic depth; `Add` and `Cat` stay."""

    def change(node: Node, rebuilt: Graph) -> Node:
        if isinstance(node.op, Shortcut | ShortcutAdd | StochasticDepth):
            return rebuilt[node.inputs[0]]
        return node

    return graph.map(change).prune()
