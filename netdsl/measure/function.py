"""Graph to what it computes in evaluation, to be compared with another."""

from __future__ import annotations

from dataclasses import astuple, replace

from netdsl.ir import Graph, Op
from netdsl.ops.act import Activation
from netdsl.ops.channels import LayerScale
from netdsl.ops.norm import Normalization
from netdsl.ops.pool import Pool
from netdsl.ops.regularise import Dropout
from netdsl.ops.torch_layer import TorchLayer

Step = tuple[str, object, tuple[str, ...]]


def computed(graph: Graph) -> list[Step]:
    """Return all that a network computes in evaluation, whatever the size of its images.

    What evaluation passes on as it is, as dropout does, and whether an activation overwrites its
    input, is no part of that; the factor of stochastic depth is (Huang et al. 2016).
    """
    source: dict[str, str] = {}  # of what is passed on
    steps: list[Step] = []
    for node in graph:
        inputs = tuple(source.get(name, name) for name in node.inputs)
        if _is_passed_on(node.op):
            source[node.name] = inputs[0]
        elif node is not graph.input:
            steps.append((node.name, _evaluated(node.op), inputs))
    return steps


def _is_passed_on(op: Op) -> bool:
    return isinstance(op, Dropout) or (isinstance(op, TorchLayer) and op.is_dropout)


def _evaluated(op: Op) -> object:
    """Return what of an op evaluation depends on, beside the numbers that it has learnt.

    Training alone reads the momentum of a norm, and at what a factor begins.
    """
    if isinstance(op, Activation):
        return astuple(op)
    if isinstance(op, Normalization):
        return replace(op, momentum=0.1, groups=op.groups if op.kind == "group" else 1)
    if isinstance(op, LayerScale):
        return LayerScale
    if isinstance(op, Pool):
        return replace(op, s=op.stride, p=op.padding)
    if isinstance(op, TorchLayer):
        return replace(op, options=tuple(one for one in op.options if one[0] != "inplace"))
    return op
