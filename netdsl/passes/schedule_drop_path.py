"""Stochastic depth: how likely each residual block survives, by its place in the network."""

from __future__ import annotations

from dataclasses import replace

from netdsl.ir import Graph, Node
from netdsl.ops.wiring import StochasticDepth


def schedule_drop_path(graph: Graph, rate: float) -> Graph:
    """Set p_l = 1 - l/L * rate on block l = 1 ... L (Huang et al. 2016, linear decay).

    A block with a rate of its own keeps it; one that always survives loses the node.
    """
    units = [node.name for node in graph if isinstance(node.op, StochasticDepth)]
    if not units:
        return graph
    places = {name: place for place, name in enumerate(units, 1)}

    def change(node: Node, rebuilt: Graph) -> Node:
        if not isinstance(node.op, StochasticDepth):
            return node
        dropped = places[node.name] / len(units) * rate if node.op.rate is None else node.op.rate
        if dropped == 0:
            return rebuilt[node.inputs[0]]
        return replace(node, op=replace(node.op, survival=1 - dropped))

    return graph.map(change)
