"""Graph to what it computes in evaluation, to be compared with another."""

from __future__ import annotations

from dataclasses import astuple

from netdsl.ir import Graph, Op
from netdsl.ops.act import Activation
from netdsl.ops.regularise import Dropout

Step = tuple[str, Op | tuple[object, ...], tuple[str, ...]]


def computed(graph: Graph) -> list[Step]:
    """Return all that a network computes in evaluation, whatever the size of its images.

    What evaluation passes on as it is, as dropout does, and whether an activation overwrites its
    input, is no part of that; the factor of stochastic depth is (Huang et al. 2016).
    """
    source: dict[str, str] = {}  # of what is passed on
    steps: list[Step] = []
    for node in graph:
        inputs = tuple(source.get(name, name) for name in node.inputs)
        if isinstance(node.op, Dropout):
            source[node.name] = inputs[0]
        elif node is not graph.input:
            op = astuple(node.op) if isinstance(node.op, Activation) else node.op
            steps.append((node.name, op, inputs))
    return steps
