"""Totals of costs and additions, depth, receptive field, activation memory: sums and formulas."""

from __future__ import annotations

from fractions import Fraction

from netdsl.ir import Cost, Graph, Node, Op, Size
from netdsl.ops.act import Activation, InPlaceAct
from netdsl.ops.channels import ChannelPart
from netdsl.ops.dense import Flatten
from netdsl.ops.regularise import Dropout
from netdsl.ops.torch_layer import TorchLayer
from netdsl.ops.wiring import Add

BYTES = 4  # of a number in fp32

# What one position of a node sees along one axis: how many input positions, and how far apart the
# windows of two neighbours are. None is the whole map.
Field = tuple[int, Fraction] | None


def total(graph: Graph) -> Cost:
    """Return parameters and multiply-adds of the whole network, for one example."""
    return sum((graph.cost(node) for node in graph), Cost())


def additions(graph: Graph) -> int:
    """How many sums `Add` makes, which a plain network keeps; those of shortcuts do not count."""
    return sum(isinstance(node.op, Add) for node in graph)


def depth(graph: Graph) -> int:
    """Return the number of convolutions and fully connected layers on the longest path."""
    return depths(graph)[graph.output.name]


def depths(graph: Graph) -> dict[str, int]:
    """Return how many of them there are on the longest path up to each node."""
    longest: dict[str, int] = {}
    for node in graph:
        longest[node.name] = node.op.depth + max((longest[x] for x in node.inputs), default=0)
    return longest


def receptive_fields(graph: Graph) -> dict[str, Size | None]:
    """Return how many input positions each node sees, height and width; None for the whole map.

    The maximum over branches; padding counts, so that a field may exceed the input. Behind layers
    that enlarge a map, whose positions see unlike windows, those count as evenly spaced.
    """
    found: dict[str, tuple[Field, Field]] = {}
    for node in graph:
        found[node.name] = (_field(graph, node, found, 0), _field(graph, node, found, 1))
    return {
        name: None if h is None or w is None else (h[0], w[0]) for name, (h, w) in found.items()
    }


def activation_memory(graph: Graph) -> int:
    """Return the bytes of the outputs that training keeps for the backward pass, one image, fp32.

    The input image, parameters, the small statistics of norms, and the indices of max pooling (8
    bytes an output) are not counted. What stands before the first learned layer is, as if the image
    had a gradient too.
    """
    buffers = _buffers(graph)
    kept: set[str] = set()
    inside = 0
    for node in graph:
        inside += node.op.keeps_inside(*graph.input_shapes(node))
        if node.op.keeps in ("input", "both"):
            kept.update(buffers[name] for name in node.inputs)
        if node.op.keeps in ("output", "both"):
            kept.add(buffers[node.name])
        elif node.op.keeps == "mask":
            inside += node.shape.size
    kept.discard(graph.input.name)
    return BYTES * (inside + sum(graph[name].shape.size for name in kept))


def _field(graph: Graph, node: Node, found: dict[str, tuple[Field, Field]], axis: int) -> Field:
    if not node.inputs:
        return 1, Fraction(1)
    window = node.op.window(*graph.input_shapes(node))
    fields = [found[name][axis] for name in node.inputs]
    if window is None or any(field is None for field in fields):
        return None
    sees, step = max(field for field in fields if field is not None)
    reach = Fraction(window.dilation[axis] * (window.kernel[axis] - 1)) * step
    return -(-(sees + reach) // 1), step * window.stride[axis] / window.up[axis]


def _buffers(graph: Graph) -> dict[str, str]:
    """Which node's memory every node's output lies in: views and in-place ops share theirs."""
    buffers: dict[str, str] = {}
    for node in graph:
        buffers[node.name] = buffers[node.inputs[0]] if _shares(node.op) else node.name
    return buffers


def _shares(op: Op) -> bool:
    if isinstance(op, Dropout):
        return not op.p  # torch returns what it was given
    if isinstance(op, TorchLayer):
        return op.shares
    if isinstance(op, Activation) and op.kind == "none":
        return True
    return isinstance(op, InPlaceAct | Flatten | ChannelPart)
