"""Lets activations overwrite their input where nobody else needs it, as hand-written code does."""

from __future__ import annotations

from dataclasses import replace

from netdsl.ir import Graph, Node
from netdsl.ops.act import IN_PLACE, Act, InPlaceAct
from netdsl.ops.conv import Convolution, TransposedConvolution
from netdsl.ops.dense import Linear
from netdsl.ops.norm import Normalization
from netdsl.ops.wiring import Add, StochasticDepth

# Their backward pass does not read their output.
OVERWRITABLE = (Convolution, TransposedConvolution, Linear, Normalization, Add)


def reuse_memory(graph: Graph) -> Graph:
    """Make an activation work in place where its input is read by it alone."""
    readers = graph.consumers()

    def change(node: Node, rebuilt: Graph) -> Node:
        if type(node.op) is not Act or node.op.kind not in IN_PLACE:
            return node
        (x,) = rebuilt.inputs(node)
        alone = len(readers.get(x.name, ())) == 1
        # NOTE: where stochastic depth drops the branch, a sum is the very input of the block.
        droppable = any(isinstance(operand.op, StochasticDepth) for operand in rebuilt.inputs(x))
        if alone and isinstance(x.op, OVERWRITABLE) and not droppable:
            return replace(node, op=InPlaceAct(node.op.kind))
        return node

    return graph.map(change)
