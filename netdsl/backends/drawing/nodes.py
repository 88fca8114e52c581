"""The nodes of one layer to a drawing: straight runs of them as boxes, joints where values meet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from netdsl.backends.drawing.figure import Box, Pen, Value
from netdsl.ir import Family, Graph, Node
from netdsl.layer_text import Label
from netdsl.ops.wiring import Add, Cat, Multiply, ShortcutAdd
from netdsl.words import ShortcutKind, primitive, shortcut_kind

SIGNS: dict[type, str] = {ShortcutAdd: "+", Add: "+", Multiply: "×", Cat: "Cat"}


def draw_nodes(
    pen: Pen, graph: Graph, nodes: Sequence[Node], values: dict[str, Value], family: Family,
    label: Label | None = None,
) -> Value:  # fmt: skip
    """Draw nodes behind the `values` that they read, and return what leaves the last of them."""
    text, times = (label.said, label.times) if label else ("", 1)
    runs = _runs(nodes)
    reads = Counter(name for run in runs for name in run[0].inputs)
    kinds = {n.inputs[1]: shortcut_kind(graph, n) for n in nodes if isinstance(n.op, ShortcutAdd)}
    with pen.frame(text if len(runs) > 1 else ""):
        for name in [name for name in values if reads[name] > 1]:
            values[name] = pen.joint(values[name], f"{nodes[0].layer} in")
        for run in runs:
            operands = [values[name] for name in run[0].inputs]
            box = _box(graph, run, family, text if len(runs) == 1 else "", times)
            end = run[-1]
            if len(operands) > 1:
                y = _join(pen, end, operands, kinds)
            elif end.name in kinds:
                y = _on_the_way(operands[0], box, kinds[end.name])
            else:
                y = pen.box(operands[0], box, end.shape)
            values[end.name] = pen.joint(y, f"{end.name} out") if reads[end.name] > 1 else y
    return values[nodes[-1].name]


def _runs(nodes: Sequence[Node]) -> list[list[Node]]:
    """Cut the nodes where a value has several readers or a node several operands."""
    readers = Counter(name for node in nodes for name in node.inputs)
    ends: dict[str, list[Node]] = {}
    runs: list[list[Node]] = []
    for node in nodes:
        run = ends.get(node.inputs[0])
        if run is None or len(node.inputs) > 1 or readers[node.inputs[0]] > 1:
            run = []
            runs.append(run)
        run.append(node)
        if len(node.inputs) == 1:
            ends[node.name] = run
    return runs


def _box(graph: Graph, run: Sequence[Node], family: Family, text: str, times: int) -> Box:
    parts = tuple((primitive(graph, node), graph.cost(node).params) for node in run)
    if len(run) == 1 and parts[0][0] == text:
        return Box(f"{run[-1].name} box", family, text, params=parts[0][1])
    return Box(f"{run[-1].name} box", family, text, times=times if text else 1, parts=parts)


def _on_the_way(x: Value, box: Box, kind: ShortcutKind) -> Value:
    """Put a box on the shortcut that is drawn when the addition is."""
    return replace(x, form=kind.form, box=replace(box, main=False))


def _join(
    pen: Pen, node: Node, operands: Sequence[Value], kinds: Mapping[str, ShortcutKind]
) -> Value:
    """Add a joint; the main path is the first operand, where a map is scaled its factor."""
    main = 1 if isinstance(node.op, Multiply) else 0
    sign = SIGNS.get(type(node.op), type(node.op).__name__)
    of_shortcut = isinstance(node.op, ShortcutAdd)
    name = f"{node.name} joint"
    y = pen.joint(operands[main], name, sign, silent=True, of_shortcut=of_shortcut)
    for name, x in zip(node.inputs, operands, strict=True):
        if name != node.inputs[main] and x.box:
            pen.wire(x, y.at)
        elif name != node.inputs[main]:
            kind = kinds.get(name)
            form = kind.form if kind else "beside"
            pen.wire(replace(x, form=form, word=kind.word if kind else ""), y.at)
    return y
