"""Graph to rows: the network as it was written, repeats folded, with what each row costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from netdsl.ir import Cost, Entry, Family, Graph, Leaf, Node, Outline, Repeat, Section, Shape, Size
from netdsl.layer_text import Label, concise, label, merged, without_shortcut
from netdsl.measure import receptive_fields
from netdsl.ops import CATALOGUE
from netdsl.ops.blocks import WITH_SHORTCUT
from netdsl.ops.wiring import ShortcutAdd
from netdsl.words import ShortcutKind, shortcut_kind


@dataclass(frozen=True, slots=True)
class Row:
    """A written layer, or `times` equal ones one after the other.

    `text` has every argument resolved; `label` is what the layer is called, and `family` what that
    is. `source` is the node that the first one reads, `nodes` are those of the last one; `cost` is
    that of all, `field` what one position after them sees.
    """

    name: str
    code: str
    family: Family
    text: str
    label: Label
    times: int
    source: str
    nodes: tuple[Node, ...]
    cost: Cost
    field: Size | None
    shortcut: ShortcutKind | None

    @property
    def output(self) -> Node:
        return self.nodes[-1]

    @property
    def shape(self) -> Shape:
        return self.output.shape


@dataclass(frozen=True, slots=True)
class Branch:
    """The rows of one branch; `label` is what it starts from, or "" for what comes in."""

    items: tuple[Item, ...]
    source: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that were written as one thing, `times` one after the other.

    A "series" is a repeat of one layer, its runs of equal ones as rows; a "repeat" holds one of
    `times` equal repetitions; the others are sections, whose own `nodes` are what is beside their
    rows: a shortcut, an addition. `code` is what a section is called in the language, `text` what
    stands before its branches; `cost` and `field` are as in `Row`.
    """

    kind: Literal["series", "repeat", "def", "res", "join"]
    name: str
    code: str
    text: str
    times: int
    branches: tuple[Branch, ...]
    nodes: tuple[Node, ...]
    output: Node
    cost: Cost
    field: Size | None
    shortcut: ShortcutKind | None

    @property
    def source(self) -> str:
        return next((branch.source for branch in self.branches if not branch.label), "")

    @property
    def shape(self) -> Shape:
        return self.output.shape


Item = Row | Group


def rows(graph: Graph, *, expand: bool = False) -> tuple[Item, ...]:
    """Return what was written, top down; with `expand`, every repetition of it.

    What has no node has no row: `Norm` under `norm none`, the shortcut of a plain `Res`.
    """
    return _Reader(graph, expand=expand).items(graph.outline)


def spelling(graph: Graph) -> Callable[[Entry], str]:
    """Return what spells an entry of the outline: `(BB 16 s1)x3` with what it comes to, whole."""
    reader = _Reader(graph, expand=False)
    return lambda entry: " ".join(said(item, whole=True) for item in reader.items((entry,)))


def said(item: Item, *, whole: bool = False) -> str:
    """Return what a row or group is called: `(BB 32 s=[2,1])x3`, `Res act=relu(…)`.

    With `whole`, what it holds is written out; the call of a definition stays a call.
    """
    if isinstance(item, Row):
        return _repeated(item.label.said, item.label.times * item.times)
    if item.kind == "series":
        return _series([row for row in item.branches[0].items if isinstance(row, Row)])
    if item.kind == "def":
        return _repeated(item.text, item.times)
    if not whole:
        return f"{item.text}(…){f'x{item.times}' if item.times > 1 else ''}"
    inside = " | ".join(_branch_text(branch) for branch in item.branches)
    if item.kind == "repeat":
        return _repeated(inside, item.times)
    return _repeated(f"{item.text}( {inside} )", item.times)


def _branch_text(branch: Branch) -> str:
    words = [f"@{branch.label}"] if branch.label else []
    return " ".join(words + [said(item, whole=True) for item in branch.items])


def _series(runs: Sequence[Row]) -> str:
    """The rows of a repeat of one layer as one, if what they are called differs in values alone."""
    labels = [row.label for row in runs for _ in range(row.times)]
    differ = len({*labels}) > 1 and len({label.code for label in labels}) == 1
    if differ and (text := merged([label.text for label in labels])):
        return f"({concise(labels[0].code, text)})x{len(labels)}"
    found = [list(run) for _, run in groupby(runs, lambda row: row.label)]
    each = [replace(run[0], times=sum(row.times for row in run)) for run in found]
    return ", then ".join(map(said, each))


def _repeated(text: str, times: int) -> str:
    return f"({text})x{times}" if times > 1 else text


class _Reader:
    """Walks the outline, with the nodes of the graph at hand."""

    def __init__(self, graph: Graph, *, expand: bool) -> None:
        self.graph = graph
        self.expand = expand
        self.fields = receptive_fields(graph)
        self.nodes: dict[str, list[Node]] = {}
        for node in graph:
            self.nodes.setdefault(node.layer, []).append(node)

    def items(self, outline: Outline) -> tuple[Item, ...]:
        return tuple([item for entry in outline for item in self._entry(entry)])

    def _entry(self, entry: Entry) -> Iterator[Item]:
        if isinstance(entry, Section):
            yield from self._section(entry)
        elif isinstance(entry, Repeat):
            bodies = [body for body in map(self.items, entry.bodies) if body]
            yield from [item for body in bodies for item in body] if self.expand else _fold(bodies)
        elif entry.name in self.nodes:
            yield self._row(entry)

    def _row(self, leaf: Leaf) -> Row:
        nodes = tuple(self.nodes[leaf.name])
        (*_, end), source = nodes, nodes[0].inputs[0]
        shortcut = self._shortcut(nodes)
        text = _text(leaf, shortcut)
        called = label(leaf.code, text, nodes)
        return Row(
            leaf.name, leaf.code, CATALOGUE[called.code].family, text, called, 1, source, nodes,
            self._cost(nodes), self.fields[end.name], shortcut,
        )  # fmt: skip

    def _section(self, section: Section) -> tuple[Item, ...]:
        nodes = tuple(self.nodes.get(section.name, ()))
        bodies = [self.items(outline) for outline in section.branches]
        inside = tuple([item for body in bodies for item in body])
        if not nodes and (section.kind != "def" or not inside):
            return inside
        if section.kind == "res" and not any(isinstance(n.op, ShortcutAdd) for n in nodes):
            bodies = bodies[:1]
        starts = _starts(section, nodes)
        branches = tuple(
            Branch(body, body[0].source if body else start, label)
            for body, start, label in zip(bodies, starts, section.reads, strict=False)
        )
        end = nodes[-1] if nodes else inside[-1].output
        cost = sum((item.cost for item in inside), self._cost(nodes))
        shortcut = self._shortcut(nodes)
        group = Group(
            section.kind, section.name, section.code, _text(section, shortcut), 1, branches, nodes,
            end, cost, self.fields[end.name], shortcut,
        )  # fmt: skip
        return (group,)

    def _cost(self, nodes: tuple[Node, ...]) -> Cost:
        return sum((self.graph.cost(node) for node in nodes), Cost())

    def _shortcut(self, nodes: tuple[Node, ...]) -> ShortcutKind | None:
        adds = [node for node in nodes if isinstance(node.op, ShortcutAdd)]
        return shortcut_kind(self.graph, adds[0]) if adds else None


def _text(entry: Leaf | Section, shortcut: ShortcutKind | None) -> str:
    """The text of a layer; a shortcut that is not there has no options."""
    if shortcut or entry.code not in WITH_SHORTCUT:
        return entry.text
    return without_shortcut(entry.code, entry.text)


def _starts(section: Section, nodes: tuple[Node, ...]) -> tuple[str, ...]:
    """The node that each branch without layers of its own hands on."""
    ends = next((n.inputs for n in nodes if len(n.inputs) > 1), ())
    return ends if section.kind == "join" else ("", *ends[1:])


Body = tuple[Item, ...]


def _fold(bodies: list[Body]) -> Iterator[Item]:
    """The repetitions of one group: one layer as a series, else every run of equal ones as one."""
    runs = [list(run) for _, run in groupby(bodies, key=_looks)]
    singles = [body[0] for body in bodies if len(body) == 1]
    layers = [item for item in singles if isinstance(item, Row) and item.times == 1]
    if len(layers) == len(bodies) > 1 and len({layer.code for layer in layers}) == 1:
        yield _around("series", tuple([_times(run) for run in runs]), layers[0].source)
        return
    for run in runs:
        first, last = run[0], run[-1]
        if len(run) == 1:
            yield from last
        elif len(last) == 1 and last[0].times == 1 and not _is_series(last[0]):
            yield _times(run)
        else:
            frame = _around("repeat", last, first[0].source)
            yield replace(frame, times=len(run), cost=_multiple(frame.cost, len(run)))


def _around(kind: Literal["series", "repeat"], items: Body, source: str) -> Group:
    end = items[-1]
    cost = sum((item.cost for item in items), Cost())
    branches = (Branch(items, source),)
    return Group(kind, end.name, "", "", 1, branches, (), end.output, cost, end.field, None)


def _times(run: list[Body]) -> Item:
    """The last of some equal items in place of all of them."""
    (first,), (last,) = run[0], run[-1]
    cost = _multiple(last.cost, len(run))
    if isinstance(last, Row):
        return replace(last, times=len(run), cost=cost, source=first.source)
    branches = tuple([b if b.label else replace(b, source=first.source) for b in last.branches])
    return replace(last, times=len(run), cost=cost, branches=branches)


def _is_series(item: Item) -> bool:
    return isinstance(item, Group) and item.kind == "series"


def _looks(body: Body) -> list[object]:
    """What repetitions must have in common to be shown as one."""
    return [
        (item.text, item.times, item.shape, item.cost, item.shortcut, _inside(item))
        for item in body
    ]


def _inside(item: Item) -> list[object]:
    if isinstance(item, Row):
        return []
    return [item.kind, *[(branch.label, _looks(branch.items)) for branch in item.branches]]


def _multiple(cost: Cost, times: int) -> Cost:
    return Cost(cost.params * times, cost.macs * times)
