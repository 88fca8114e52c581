"""Where residual branches end: what `init zero_last` sets to zero, and whether it can learn."""

from __future__ import annotations

from collections.abc import Iterator

from netdsl.ir import Graph, Node, Op
from netdsl.ops.act import Activation
from netdsl.ops.channels import LayerScale
from netdsl.ops.convolution import Convolution, TransposedConvolution
from netdsl.ops.norm import Normalization
from netdsl.ops.torch_layer import TorchLayer
from netdsl.ops.wiring import Add, Cat, Multiply, ShortcutAdd

_STUCK = ("relu", "relu6", "nn.ReLU", "nn.ReLU6")  # at zero their gradient is zero too
_ENDS = Normalization | Convolution | TransposedConvolution


def branch_ends(graph: Graph) -> Iterator[str]:
    """Yield the last norm of every residual branch, or its last convolution: `init zero_last`.

    A branch without either, or whose last norm learns nothing, has none; one that ends in a `Cat`
    or an `Add` has those of all that it joins, one that ends in a `Mul` those of its first branch
    that is no gate.
    """
    for end, _ in _ends(graph):
        yield end.name


def stuck_branches(graph: Graph) -> Iterator[tuple[Node, Op]]:
    """Yield what ends residual branches and, once it is zero, never learns.

    With each comes what lets no gradient through behind it: a ReLU, or a factor of zero. One that
    is read on several ways learns by those that have no such thing.
    """
    ends = tuple(_ends(graph))
    learning = {end.name for end, stop in ends if stop is None}
    for end, stop in ends:
        if stop is not None and end.name not in learning:
            yield end, stop


def _ends(graph: Graph) -> Iterator[tuple[Node, Op | None]]:
    for node in graph:
        if isinstance(node.op, ShortcutAdd):
            yield from _behind(graph, graph[node.inputs[0]], f"{node.scope}.", None)


def _behind(
    graph: Graph, end: Node, inside: str, stop: Op | None
) -> Iterator[tuple[Node, Op | None]]:
    """Go back from the end of a branch, as far as it is inside of its module."""
    while end.name.startswith(inside) and not isinstance(end.op, _ENDS):
        stop = end.op if _is_stop(end.op) else stop
        if isinstance(end.op, Cat | Add):
            for name in dict.fromkeys(end.inputs):
                yield from _behind(graph, graph[name], inside, stop)
            return
        end = _scaled(graph, end) if isinstance(end.op, Multiply) else graph[end.inputs[0]]
    if end.name.startswith(inside) and graph.cost(end).params:
        yield end, stop


def _is_stop(op: Op) -> bool:
    """Say whether an op lets no gradient back to what is zero before it."""
    if isinstance(op, TorchLayer):
        return op.target in _STUCK
    is_relu = isinstance(op, Activation) and op.kind in _STUCK
    return is_relu or (isinstance(op, LayerScale) and op.v == 0)


def _scaled(graph: Graph, product: Node) -> Node:
    """Return the first operand of a product that is no gate: at zero it makes the product so."""
    operands = graph.inputs(product)
    return next((x for x in operands if not _is_gate(x.op)), operands[0])


def _is_gate(op: Op) -> bool:
    """Say whether an op gives a half at zero, between 0 and 1."""
    if isinstance(op, TorchLayer):
        return op.target in ("nn.Sigmoid", "nn.Hardsigmoid")
    return isinstance(op, Activation) and op.kind == "sigmoid"
