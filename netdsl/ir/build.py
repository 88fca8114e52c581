"""Adds nodes to a graph: gives them names and shapes, and places on what does not fit."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from netdsl.errors import Diagnostic, Label, Misfit, Span
from netdsl.ir.graph import Graph, Node
from netdsl.ir.limits import SIDE
from netdsl.ir.op import Family, Op
from netdsl.ir.settings import SLOPE, ActKind, Settings
from netdsl.ir.shape import UNKNOWN, Shape

Report = Callable[[Diagnostic], None]


class Block(abc.ABC):
    """A written layer that stands for several nodes.

    A scoped block is a module of its own (`bb1.conv1`); one that is not puts its nodes side by side
    (`conv1`, `conv1_norm`, `conv1_act`).
    """

    __slots__ = ()

    family: ClassVar[Family] = "block"
    scoped: ClassVar[bool] = False

    @abc.abstractmethod
    def expand(self, build: Builder, x: Node) -> Node:
        """Add the nodes of the block after `x` and return the last."""


@dataclass
class Builder:
    """What a block's `expand` is given: `build(op, x, "conv1")` adds one node and returns it.

    `prefix` is the path of the module that is being filled, `layer` the written layer. A shape
    that does not fit is reported, not raised: the node gets the shape `UNKNOWN`, about which
    nothing more is said, so that one run finds all mistakes. `norm_options` are the defaults of
    every norm, `slope` is that of every leaky ReLU, `hidden_act` is the activation of fully
    connected layers that are not the last.
    """

    graph: Graph
    settings: Settings
    report: Report
    prefix: str = ""
    layer: str = ""
    separator: str = ""
    span: Span | None = None
    calls: tuple[Span, ...] = ()
    norm_options: dict[str, object] = field(default_factory=dict)
    slope: float = SLOPE
    hidden_act: ActKind | None = None
    units: int = 0
    rejected: set[tuple[str, str, Span | None]] = field(default_factory=set)

    def __call__(self, op: Op, *inputs: Node, name: str = "") -> Node:
        path = (
            f"{self.prefix}{self.layer}{self.separator}{name}"
            if name
            else f"{self.prefix}{self.layer}"
        )
        layer = f"{self.prefix}{self.layer}"
        names = tuple([x.name for x in inputs])
        shape = self._infer(op, inputs)
        return self.graph.add(Node(path, op, names, shape, layer, self.span, self.calls))

    def expand(self, layer: Op | Block, x: Node, name: str) -> Node:
        """Add a written layer under this name, which is new in the scope that is being filled."""
        self.layer = name
        if isinstance(layer, Op):
            return self(layer, x)
        self.separator = "." if layer.scoped else "_"
        return layer.expand(self, x)

    def reject(self, misfit: Misfit, inputs: tuple[Node, ...]) -> None:
        """Report that the layer being added does not fit, and which one made its input.

        Once: to find what made the input takes time, and a repeat may repeat the mistake.
        """
        mistake = (misfit.code, misfit.message, self.span)
        if mistake in self.rejected:
            return
        self.rejected.add(mistake)
        alone = [x for x in inputs if len(inputs) == 1 and x.shape != UNKNOWN]
        mark = "".join(f"input {x.shape}" for x in alone)
        labels = [_shrinking(self.graph, x, self.span) for x in alone]
        labels += [Label(x.span, str(x.shape)) for x in inputs if x.span and len(inputs) > 1]
        self.report(
            Diagnostic(
                misfit.code,
                misfit.message,
                self.span,
                tuple(filter(None, labels)),
                mark,
                misfit.help,
            )
        )

    def _infer(self, op: Op, inputs: tuple[Node, ...]) -> Shape:
        shapes = [x.shape for x in inputs]
        if UNKNOWN in shapes:
            return UNKNOWN
        try:
            return _within_limits(op.infer(*shapes))
        except Misfit as misfit:
            self.reject(misfit, inputs)
            return UNKNOWN


def _within_limits(shape: Shape) -> Shape:
    if max(shape.hw) > SIDE:
        raise Misfit("E0403", f"a map of {shape} exceeds the limit of {SIDE:,} a side")
    return shape


def _shrinking(graph: Graph, node: Node, span: Span | None) -> Label | None:
    """Find where the map last became smaller, going back from `node`."""
    while node.inputs:
        before = graph[node.inputs[0]]
        if before.shape.hw != node.shape.hw and node.span is not None and node.span != span:
            if not node.shape.is_map:
                return Label(node.span, "the map becomes a vector here")
            if not before.shape.is_map:
                return Label(node.span, "the vector becomes a map here")
            verb = "shrinks" if node.shape.hw < before.shape.hw else "grows"
            text = f"the map {verb} {_hw(before.shape)} -> {_hw(node.shape)} here"
            return Label(node.span, text)
        node = before
    return None


def _hw(shape: Shape) -> str:
    return f"{shape.height}x{shape.width}"
