"""Takes the activation off the last fully connected layers: those give the scores."""

from __future__ import annotations

from dataclasses import replace

from netdsl.ir import Graph, Node
from netdsl.ops.act import Act, HiddenAct
from netdsl.ops.dense import before_linear


def settle_activations(graph: Graph) -> Graph:
    """Keep the activation of a fully connected layer only where another one can be reached."""
    if not any(isinstance(node.op, HiddenAct) for node in graph):
        return graph
    hidden = before_linear(graph)

    def change(node: Node, rebuilt: Graph) -> Node:
        if not isinstance(node.op, HiddenAct):
            return node
        if node.name not in hidden:
            return rebuilt[node.inputs[0]]
        return replace(node, op=Act(node.op.kind, node.op.slope))

    return graph.map(change)
