"""The graph: immutable nodes in topological order, and the networkx view of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from netdsl.errors import Span
from netdsl.ir.op import Cost, Op
from netdsl.ir.outline import Entry
from netdsl.ir.shape import Shape

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True)
class Node:
    """One value in the network: an op applied to earlier nodes, in this order.

    `name` is the dotted path of its module; `layer` names the written layer that it belongs to,
    `span` is where that stands, and `calls` are those of the definitions that it stands in, the
    innermost first.
    """

    name: str
    op: Op
    inputs: tuple[str, ...]
    shape: Shape
    layer: str
    span: Span | None = field(default=None, compare=False)
    calls: tuple[Span, ...] = field(default=(), compare=False)

    @property
    def scope(self) -> str:
        """The path of the module that holds it; empty for the network itself."""
        return self.name.rpartition(".")[0]


class Graph:
    """Nodes in topological order, and the outline: how they were written.

    A pass never edits a graph: it makes a new one with `map`.
    """

    def __init__(self, outline: tuple[Entry, ...] = ()) -> None:
        self.outline = outline
        self._nodes: dict[str, Node] = {}
        self._output = ""

    def add(self, node: Node) -> Node:
        """Append `node`; its inputs must be there already."""
        nodes = self._nodes
        assert node.name not in nodes, node.name
        for name in node.inputs:
            assert name in nodes, node
        nodes[node.name] = node
        return node

    def __getitem__(self, name: str) -> Node:
        return self._nodes[name]

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def __len__(self) -> int:
        return len(self._nodes)

    def inputs(self, node: Node) -> tuple[Node, ...]:
        return tuple([self._nodes[name] for name in node.inputs])

    def input_shapes(self, node: Node) -> tuple[Shape, ...]:
        return tuple([self._nodes[name].shape for name in node.inputs])

    def cost(self, node: Node) -> Cost:
        return node.op.cost(*self.input_shapes(node))

    @property
    def input(self) -> Node:
        return next(iter(self))

    @property
    def output(self) -> Node:
        """What comes out: the last node, until `end_at` says which."""
        return self._nodes[self._output] if self._output else next(reversed(self._nodes.values()))

    def end_at(self, node: Node) -> Graph:
        """Have `node` come out, also where others that nobody reads stand behind it."""
        self._output = node.name
        return self

    def consumers(self) -> dict[str, tuple[str, ...]]:
        """Return, for every node, the nodes that read it."""
        readers: dict[str, list[str]] = {name: [] for name in self._nodes}
        for node in self:
            for name in node.inputs:
                readers[name].append(node.name)
        return {name: tuple(names) for name, names in readers.items()}

    def map(self, change: Callable[[Node, Graph], Node]) -> Graph:
        """Rebuild the graph node by node.

        `change` gets each node with its inputs already replaced, and the new graph as it stands; it
        returns the node that takes the old one's place: itself, another, or an earlier one.
        """
        graph = Graph(self.outline)
        stand_in: dict[str, str] = {}
        for old in self:
            inputs = tuple([stand_in[name] for name in old.inputs])
            new = change(old if inputs == old.inputs else replace(old, inputs=inputs), graph)
            if new.name not in graph:
                graph.add(new)
            stand_in[old.name] = new.name
        return graph.end_at(graph[stand_in[self.output.name]])

    def prune(self) -> Graph:
        """Return the graph without the nodes that the output does not need."""
        needed = {self.output.name, self.input.name}
        for node in reversed(self._nodes.values()):
            if node.name in needed:
                needed.update(node.inputs)
        graph = Graph(self.outline)
        for node in self:
            if node.name in needed:
                graph.add(node)
        return graph.end_at(self.output)

    def to_networkx(self) -> nx.DiGraph[str]:
        """Return a networkx digraph; its nodes have op, shape, params, macs, span, scope, layer.

        The edges carry `operands`: the positions at which the source is read, in order, so that
        `x + x` and the order of operands are not lost. Files hold text and numbers alone:

        >>> import networkx as nx
        >>> from netdsl import parse
        >>> graph = parse("input 1x8x8  Conv 4  GAP  FC 10").graph
        >>> for known in [*graph.nodes.values(), *graph.edges.values()]:
        ...     known.update({key: str(known[key]) for key in known})
        >>> "".join(nx.generate_graphml(graph))[:8]
        '<graphml'
        """
        import networkx as nx

        digraph: nx.DiGraph[str] = nx.DiGraph()
        for node in self:
            cost = self.cost(node)
            digraph.add_node(
                node.name,
                op=node.op,
                shape=node.shape,
                params=cost.params,
                macs=cost.macs,
                span=node.span,
                scope=node.scope,
                layer=node.layer,
            )
            for name in dict.fromkeys(node.inputs):
                operands = tuple(i for i, other in enumerate(node.inputs) if other == name)
                digraph.add_edge(name, node.name, operands=operands)
        return digraph
