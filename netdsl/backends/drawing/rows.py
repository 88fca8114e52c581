"""Rows to a drawing: every written layer a box, every shortcut an arc around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from netdsl.amounts import sized
from netdsl.backends.drawing.figure import Box, Pen, Split, Value
from netdsl.backends.drawing.nodes import SIGNS, draw_nodes
from netdsl.ir import Cost, Graph, Node
from netdsl.ops import CATALOGUE
from netdsl.ops.act import Activation
from netdsl.ops.blocks import ResidualBlock
from netdsl.rows import Branch, Group, Item, Row, rows


def draw_rows(graph: Graph, *, expand: bool) -> Pen:
    """Return the drawing of a network; with `expand`, of its every node."""
    items = rows(graph, expand=expand)
    artist = _Artist(graph, items, expand=expand)
    source, end = graph.input, graph.output
    x = artist.pen.box(None, Box(source.name, "input", "Input"), source.shape)
    artist.places[source.name] = x.at
    y = artist.items(x, items)
    last = Box("output", "output", sized(end.shape.dims, "×"))
    artist.pen.box(replace(y, said=y.shape), last, end.shape)
    return artist.pen


class _Artist:
    """Draws items from top to bottom; `places` says which member a node's value leaves from."""

    def __init__(self, graph: Graph, items: Sequence[Item], *, expand: bool) -> None:
        self.graph = graph
        self.expand = expand
        self.pen = Pen()
        self.places: dict[str, str] = {}
        self.labelled = set(_labelled(items))

    def items(self, x: Value, items: Sequence[Item]) -> Value:
        for item in items:
            y = self._row(x, item) if isinstance(item, Row) else self._group(x, item)
            x = replace(y, shape=item.shape)
            end = item.output.name
            if end in self.labelled and end not in self.places:
                x = self.pen.joint(x, f"{end} read")
                self.places[end] = x.at
        return x

    def _row(self, x: Value, row: Row) -> Value:
        label = row.label
        if self.expand:
            values = {row.source: x}
            return draw_nodes(self.pen, self.graph, row.nodes, values, row.family, label)
        frames = row.times if _is_residual(row) else 1
        times, params = label.times * row.times // frames, row.cost.params // frames
        box = Box(row.name, row.family, label.said, times=times, params=params)
        with self.pen.frame("", frames):
            return self._around(x, row, lambda x: self.pen.box(x, box, row.shape))

    def _group(self, x: Value, group: Group) -> Value:
        if group.kind == "series":
            return self.items(x, tuple(_joined(group.branches[0])))
        with self.pen.frame(self._heading(group), group.times):
            if len(group.branches) > 1:
                return self._join(x, group)
            return self._around(x, group, lambda x: self.items(x, group.branches[0].items))

    def _heading(self, group: Group) -> str:
        """What a frame says: the name of a definition, the option of a `Res` that nothing draws.

        With every node drawn, its stochastic depth is one of them.
        """
        if group.kind == "def":
            return group.text
        option = re.search(r" drop_path=\S+", group.text) if group.kind == "res" else None
        return f"{group.code}{option[0]}" if option and not self.expand else ""

    def _around(self, x: Value, item: Item, inside: Callable[[Value], Value]) -> Value:
        """Draw what is inside, and the shortcut of the item around it."""
        fork = self.pen.joint(x, f"{item.name} in") if item.shortcut else x
        y = inside(fork)
        if self.expand and isinstance(item, Group):
            return self._own_nodes(fork, y, item) if item.nodes else y
        if item.shortcut is not None:
            y = self.pen.joint(y, f"{item.name} add", "+", silent=True, of_shortcut=True)
            kind, own = item.shortcut, item.nodes if isinstance(item, Group) else ()
            params = sum(self.graph.cost(node).params for node in own)
            self.pen.wire(replace(fork, form=kind.form, word=kind.word, params=params), y.at)
        return self._activation(y, item.nodes) if isinstance(item, Group) else y

    def _own_nodes(self, fork: Value, y: Value, group: Group) -> Value:
        """Draw the addition at the end of a `Res`, and the nodes of its shortcut."""
        end = group.branches[0].items[-1].output.name
        own = {node.name for node in group.nodes}
        outside = [name for node in group.nodes for name in node.inputs if name not in own]
        values = {name: y if name == end else fork for name in outside}
        return draw_nodes(self.pen, self.graph, group.nodes, values, "block")

    def _join(self, x: Value, group: Group) -> Value:
        """Draw branches side by side, from one point to one joint.

        The branch of a `Res` may end, and the `Res` behind its joint, with nodes of its own.
        """
        before, sum_or_product, behind = _around_the_joint(group.nodes)
        incoming = [branch for branch in group.branches if not branch.label]
        start = self.pen.joint(x, f"{group.name} in") if len(incoming) > 1 else x
        split = Split(anchored=sum(bool(branch.items) for branch in incoming) < 2)
        ends = [
            self._branch(start, branch, split, ending, written=_is_shortcut(group, branch))
            for branch, ending in _in_place(group.branches, before)
        ]
        self.pen.members.append(split)
        sign = SIGNS[type(sum_or_product.op)]
        first, *others = sorted(ends, key=lambda end: end.form != "spine")
        silent = first.shape == group.shape
        of_shortcut = group.shortcut is not None
        name = f"{group.name} join"
        joint = self.pen.joint(first, name, sign, silent=silent, of_shortcut=of_shortcut)
        for end in others:
            said = end.shape if end.shape == group.shape else end.said
            self.pen.wire(replace(end, said=said), joint.at)
        return self._own(joint, behind) if self.expand else self._activation(joint, behind)

    def _own(self, x: Value, nodes: Sequence[Node]) -> Value:
        """Draw nodes of a `Res` itself, which are shown where every node is."""
        if not self.expand or not nodes:
            return x
        return draw_nodes(self.pen, self.graph, nodes, {nodes[0].inputs[0]: x}, "block")

    def _activation(self, x: Value, nodes: Sequence[Node]) -> Value:
        """Draw the activation of a `Res`, which stands in none of its rows."""
        for node in nodes:
            if isinstance(node.op, Activation):
                x = self.pen.box(
                    x, Box(f"{node.name} box", "act", f"Act {node.op.kind}"), node.shape
                )
        return x

    def _branch(
        self, x: Value, branch: Branch, split: Split, ending: Sequence[Node], *, written: bool
    ) -> Value:
        x = replace(x, written=written)
        if branch.label and branch.source:
            made = self.graph[branch.source].shape
            label = f"@{branch.label}"
            x = Value(self.places[branch.source], made, made, "read", label, written=written)
        main = split.anchored and not split.branches
        if not branch.items:
            if main and not branch.label:
                split.branches.append([])
                return x
            if branch.label:
                return x
            return (
                replace(x, form="identity", word="identity")
                if written
                else replace(x, form="beside")
            )
        if main and branch.label:
            split.branches.append([])
        with self.pen.branch(split, main=main and not branch.label):
            return replace(self._own(self.items(x, branch.items), ending), written=written)


def _is_shortcut(group: Group, branch: Branch) -> bool:
    """Whether a branch is the shortcut of a `Res`, written out."""
    return group.kind == "res" and branch is group.branches[1]


def _around_the_joint(nodes: Sequence[Node]) -> tuple[Sequence[Node], Node, Sequence[Node]]:
    """Split the nodes of what joins branches: those before the joint, it, and those behind it."""
    at = next(i for i, node in enumerate(nodes) if type(node.op) in SIGNS)
    return nodes[:at], nodes[at], nodes[at + 1 :]


def _labelled(items: Sequence[Item]) -> Iterator[str]:
    """The nodes whose values are read again further down."""
    for item in items:
        for branch in item.branches if isinstance(item, Group) else ():
            if branch.label and branch.source:
                yield branch.source
            yield from _labelled(branch.items)


def _in_place(
    branches: Sequence[Branch], before: Sequence[Node]
) -> list[tuple[Branch, Sequence[Node]]]:
    """From left to right: what comes in and is changed, what comes in, what is read elsewhere.

    With each, the nodes that end it: those before the joint end the first that was written.
    """
    ends = [before, *((),) * (len(branches) - 1)]
    pairs = zip(branches, ends, strict=True)
    return sorted(pairs, key=lambda pair: (bool(pair[0].label), not pair[0].items))


def _joined(series: Branch) -> Iterator[Row]:
    """Draw layers without shortcuts as one where they look the same, whatever comes in."""
    layers = [item for item in series.items if isinstance(item, Row)]
    for _, alike in groupby(layers, key=lambda row: row if _is_residual(row) else row.shape):
        run = list(alike)
        cost = sum((row.cost for row in run), Cost())
        times = sum(row.times for row in run)
        yield replace(run[-1], source=run[0].source, cost=cost, times=times)


def _is_residual(row: Row) -> bool:
    return issubclass(CATALOGUE[row.code], ResidualBlock)
