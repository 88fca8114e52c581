"""Graph to the table of layers: as a value, for rich and JSON, and as plain text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from textwrap import wrap
from typing import Literal

from netdsl.amounts import counted, sized
from netdsl.ir import Cost, Graph, Node, Shape
from netdsl.measure import Step, activation_memory, additions, depth, total, training_step
from netdsl.passes.drop_shortcuts import drop_shortcuts
from netdsl.rows import Group, Item, Row, rows, said
from netdsl.words import ShortcutKind, kinds_in_order, primitive, shortcuts

HEADER = ("layer", "output", "params", "MACs", "field", "shortcut")
NUMBERS = ("params", "MACs", "field")  # these columns are flush right
WIDTH = 100  # of the plain text, in characters


@dataclass(frozen=True, slots=True)
class Line:
    """A layer, the heading of the lines below it, or a node of a layer; `text` is indented.

    The cost of a heading includes that of the lines below it.
    """

    kind: Literal["layer", "heading", "node"]
    text: str
    shape: Shape
    cost: Cost
    field: str = ""
    shortcut: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """The text of every column of `HEADER`."""
        params, macs = (f"{n:,}" if n else "" for n in (self.cost.params, self.cost.macs))
        return self.text, str(self.shape), params, macs, self.field, self.shortcut


@dataclass(frozen=True, slots=True)
class Table:
    """The lines, and what holds for the whole network.

    `memory` is in bytes for one image; `shortcuts` counts them by kind, and `removed` is what the
    plain twin does not have; the `additions` of `Add` it keeps. `step` is a training step on
    average.
    """

    lines: tuple[Line, ...]
    input: Shape
    cost: Cost
    depth: int
    memory: int
    shortcuts: dict[str, int]
    removed: Cost
    additions: int
    step: Step

    @property
    def total(self) -> tuple[str, ...]:
        """The text of every column of the last line."""
        return "total", "", f"{self.cost.params:,}", f"{self.cost.macs:,}", "", ""

    @property
    def notes(self) -> tuple[str, ...]:
        """The sentences below the table."""
        return tuple(_notes(self))

    def __str__(self) -> str:
        """The table as plain text, at most `WIDTH` wide."""
        columns = [HEADER, *(line.cells for line in self.lines), self.total]
        if not self.shortcuts:
            columns = [line[:-1] for line in columns]
        head, *body, end = _aligned(columns)
        rule = "─" * max(map(len, (head, *body, end)))
        return "\n".join([head, rule, *body, rule, end, "", *self.notes])


def make_table(graph: Graph, *, expand: bool = False) -> Table:
    """Return the table; with `expand`, of every repetition and every node of each layer."""
    start = Line("layer", "Input", graph.input.shape, Cost())
    cost, plain = total(graph), total(drop_shortcuts(graph))
    return Table(
        (start, *_lines(graph, rows(graph, expand=expand), expand=expand)),
        graph.input.shape, cost, depth(graph), activation_memory(graph),
        dict(Counter(_name(kind) for kind in shortcuts(graph))),
        Cost(cost.params - plain.params, cost.macs - plain.macs),
        additions(graph), training_step(graph),
    )  # fmt: skip


def to_table(graph: Graph, *, expand: bool = False) -> str:
    """Return the table as plain text."""
    return str(make_table(graph, expand=expand))


def layers(graph: Graph) -> list[dict[str, object]]:
    """Return every written layer, unrolled: name, op, text, shape, params and macs.

    Behind the layers of a Res, Add, Cat or Mul stands what it computes itself, as a shortcut.
    """
    return [
        {"name": name, "op": code, "text": text, "shape": list(shape.dims),
         "params": cost.params, "macs": cost.macs}
        for name, code, text, shape, cost in _layers(graph, rows(graph, expand=True))
    ]  # fmt: skip


def _layers(graph: Graph, items: Sequence[Item]) -> Iterator[tuple[str, str, str, Shape, Cost]]:
    for item in items:
        if isinstance(item, Row):
            yield item.name, item.code, item.text, item.shape, item.cost
            continue
        for branch in item.branches:
            yield from _layers(graph, branch.items)
        if item.nodes:
            own = sum(map(graph.cost, item.nodes), Cost())
            yield item.name, item.code, item.text, item.shape, own


def _runs(series: Group) -> list[Row]:
    """Return the rows of a repeat of one layer."""
    return [item for branch in series.branches for item in branch.items if isinstance(item, Row)]


def _lines(graph: Graph, items: Sequence[Item], *, expand: bool) -> Iterator[Line]:
    for item in items:
        yield _line(item)
        if isinstance(item, Group) and item.kind != "series":
            yield from _inside(graph, item, expand=expand)
        if expand and (isinstance(item, Group) or len(item.nodes) > 1):
            yield from [_node(graph, node) for node in item.nodes]


def _line(item: Item) -> Line:
    runs = _runs(item) if isinstance(item, Group) and item.kind == "series" else [item]
    line = _layer(item, said(item), runs)
    return line if isinstance(item, Row) or item.kind == "series" else replace(line, kind="heading")


def _layer(item: Item, text: str, runs: Sequence[Item]) -> Line:
    kinds = [run.shortcut for run in runs if run.shortcut for _ in range(run.times)]
    field = "all" if item.field is None else sized(item.field)
    return Line("layer", text, item.shape, item.cost, field, kinds_in_order(kinds))


def _node(graph: Graph, node: Node) -> Line:
    text = f"  {node.name}: {primitive(graph, node)}"
    return Line("node", text, node.shape, graph.cost(node))


def _inside(graph: Graph, group: Group, *, expand: bool) -> Iterator[Line]:
    """The lines of every branch; where there are several, each begins with a bar."""
    bar = "| " if len(group.branches) > 1 else ""
    for branch in group.branches:
        start = f"  {bar}@{branch.label} " if branch.label else f"  {bar}"
        if not branch.items:
            word = "" if branch.label else "identity"
            yield Line("layer", start + word, graph[branch.source].shape, Cost())
        for i, line in enumerate(_lines(graph, branch.items, expand=expand)):
            lead = start if i == 0 else " " * (2 + len(bar))
            yield replace(line, text=lead + line.text)


def _notes(table: Table) -> Iterator[str]:
    cost, image = table.cost, f"one {table.input} image"
    yield f"depth {table.depth}, {cost.params:,} parameters"
    yield f"{cost.macs:,} MACs for {image} (1 MAC = 2 FLOPs)"
    yield f"{_bytes(table.memory)} of activations kept for the backward pass of {image} (fp32)"
    if table.shortcuts:
        count = counted(sum(table.shortcuts.values()), "shortcut")
        params, macs = (
            counted(table.removed.params, "parameter"),
            counted(table.removed.macs, "MAC"),
        )
        yield "shortcuts: " + ", ".join(f"{n} {name}" for name, n in table.shortcuts.items())
        left = counted(table.additions, "addition")
        stays = f"; {left} by `Add` stay{'s' * (table.additions == 1)}" * bool(table.additions)
        yield f"--plain removes {count} with {params} and {macs}{stays}"
    step = table.step
    if step.kept:
        macs = f"{step.expected_macs:,} MACs"
        yield f"stochastic depth: on average {step.kept} and {macs} in training"


def _name(kind: ShortcutKind) -> str:
    return f"projection ({kind.word})" if kind.form == "projection" else kind.word


def _bytes(count: int) -> str:
    if count < 10**3:
        return counted(count, "byte")
    units = (("kB", 10**3), ("MB", 10**6), ("GB", 10**9))
    unit, size = [one for one in units if count >= one[1]][-1]
    return f"{count / size:.2f} {unit}"


def _aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Pad every cell to its column: words flush left, numbers flush right, long words wrapped."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    room = WIDTH - sum(widths[1:5]) - 2 * (len(widths) - 1)
    words = sum(widths[5:])  # the shortcuts give way first, then the layers
    widths[0] = min(widths[0], room - min(words, 24))
    widths[5:] = [min(words, room - widths[0])] * len(widths[5:])
    return [line for cells in table for line in _wrapped(cells, widths)]


def _wrapped(cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """The lines of one line of the table: more than one where a cell has too little room."""
    parts = list(map(_parts, cells, widths))
    for line in zip_longest(*parts, fillvalue=""):
        yield "  ".join(map(_cell, line, widths, HEADER)).rstrip()


def _parts(text: str, width: int) -> list[str]:
    if len(text) <= width:
        return [text]
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    return wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)


def _cell(text: str, width: int, column: str) -> str:
    return text.rjust(width) if column in NUMBERS else text.ljust(width)
