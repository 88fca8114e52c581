"""Lets activations overwrite their input where nobody else needs it, as hand-written code does."""

from __future__ import annotations

from dataclasses import replace

from netdsl.ir import Graph, Node
from netdsl.ops.act import IN_PLACE, Act, InPlaceAct
from netdsl.ops.convolution import Convolution, TransposedConvolution
from netdsl.ops.dense import Linear
from netdsl.ops.norm import Normalization
from netdsl.ops.torch_layer import TorchLayer
from netdsl.ops.wiring import StochasticDepth, Sum

# Their backward pass does not read their output.
OVERWRITABLE = (Convolution, TransposedConvolution, Linear, Normalization, Sum)


def reuse_memory(graph: Graph) -> Graph:
    """Make an activation work in place where its input is read by it alone, in one scope.

    What enters a module or comes out of it stays as it is: hooks and checkpoints keep it.
    `Torch "nn.Hardswish" inplace=true` works on a copy where it is not.
    """
    readers = graph.consumers()

    def change(node: Node, rebuilt: Graph) -> Node:
        wants = isinstance(node.op, TorchLayer) and ("inplace", True) in node.op.options
        fits = isinstance(node.op, Act) and node.op.kind in IN_PLACE
        if not wants and not fits:
            return node
        (x,) = rebuilt.inputs(node)
        alone = len(readers.get(x.name, ())) == 1 and node.scope == x.scope
        # NOTE: where stochastic depth drops the branch, a sum is the very input of the block.
        droppable = any(isinstance(operand.op, StochasticDepth) for operand in rebuilt.inputs(x))
        if alone and isinstance(x.op, OVERWRITABLE) and not droppable:
            if isinstance(node.op, Act):
                return replace(node, op=InPlaceAct(node.op.kind, node.op.slope))
            return node
        return replace(node, op=node.op.kept()) if isinstance(node.op, TorchLayer) else node

    return graph.map(change)
