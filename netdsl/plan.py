"""Graph to module tree: what every submodule holds, and in which order its forward runs it.

The PyTorch back end builds the tree and the Python back end prints it, so that names, structure and
order are the same in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from netdsl.ir import Call, Graph, Leaf, Node, Outline, Repeat, Shape
from netdsl.ops.wiring import ShortcutAdd, StochasticDepth


@dataclass(frozen=True, slots=True)
class Step:
    """`values[result] = child(*values[operands])`, and the shape that comes out."""

    child: str
    operands: tuple[int, ...]
    result: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class Program:
    """The steps of a forward; the values live in numbered slots, the inputs in the first ones."""

    steps: tuple[Step, ...]
    slots: int
    output: int


@dataclass(frozen=True, slots=True)
class ModulePlan:
    """One module that holds others: its children by name, and the program of its forward.

    `code` is what it is in the language (`BB`, `Stage`, `Branch`), empty for the network itself.
    `dropped` is the program of a training step in which stochastic depth leaves the branch out.
    """

    path: str
    code: str
    inputs: int
    children: tuple[tuple[str, Call | ModulePlan], ...]
    program: Program
    dropped: Program | None = None
    survival: float = 1.0


@dataclass(frozen=True, slots=True)
class _Line:
    """A step before its values have slots: they still have the names of their nodes."""

    child: str
    operands: tuple[str, ...]
    result: str
    shape: Shape


def plan(graph: Graph) -> ModulePlan:
    """Return the tree of modules of a finished graph."""
    codes = dict(_codes(graph.outline))
    nodes = [node for node in graph if node.inputs]
    return _module(graph, "", nodes, codes, [graph.input.name], graph.output.name)


def _codes(outline: Outline) -> Iterator[tuple[str, str]]:
    for entry in outline:
        if isinstance(entry, Leaf):
            yield entry.name, entry.code
        elif isinstance(entry, Repeat):
            for body in entry.bodies:
                yield from _codes(body)
        else:
            yield entry.name, entry.code
            for branch in entry.branches:
                yield from _codes(branch)


def _module(
    graph: Graph,
    path: str,
    nodes: list[Node],
    codes: dict[str, str],
    inputs: list[str],
    output: str,
) -> ModulePlan:
    """Plan the module that holds these nodes."""
    children: list[tuple[str, Call | ModulePlan]] = []
    lines: list[_Line] = []
    members = _members(path, nodes)
    readers = _readers(nodes, output)
    for name, inside in members.items():
        full = f"{path}.{name}" if path else name
        if inside[0].name == full:
            (node,) = inside
            call = node.op.call(*graph.input_shapes(node))
            assert call is not None, node
            children.append((name, call))
            lines.append(_Line(name, node.inputs, node.name, node.shape))
        else:
            given, end = _border(inside, readers)
            children.append((name, _module(graph, full, inside, codes, given, end)))
            lines.append(_Line(name, tuple(given), end, graph[end].shape))
    program = _allocate(lines, inputs, output)
    dropped, survival = _without_branch(nodes, path, lines, inputs, output)
    return ModulePlan(
        path, codes.get(path, "Branch" if path else ""), len(inputs), tuple(children), program,
        dropped, survival,
    )  # fmt: skip


def _members(path: str, nodes: list[Node]) -> dict[str, list[Node]]:
    """The nodes by the child of this module that they are, or are in."""
    skip = len(path) + 1 if path else 0
    members: dict[str, list[Node]] = {}
    for node in nodes:
        members.setdefault(node.name[skip:].partition(".")[0], []).append(node)
    return members


def _readers(nodes: list[Node], output: str) -> dict[str, list[str]]:
    """Which node is read by which, among the nodes of one module and its output."""
    readers = {output: [""]}
    for node in nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node.name)
    return readers


def _border(inside: list[Node], readers: dict[str, list[str]]) -> tuple[list[str], str]:
    """What a module reads from outside, in order, and its one node that is read from outside."""
    own = {node.name for node in inside}
    given = dict.fromkeys(x for node in inside for x in node.inputs if x not in own)
    ends = [node.name for node in inside if any(r not in own for r in readers.get(node.name, ()))]
    (end,) = ends
    return list(given), end


def _without_branch(
    nodes: list[Node], path: str, lines: list[_Line], inputs: list[str], output: str
) -> tuple[Program | None, float]:
    """The program in which the residual branch is left out, if stochastic depth may drop it."""
    drops = [n for n in nodes if n.scope == path and isinstance(n.op, StochasticDepth)]
    if not drops:
        return None, 1.0
    (drop,) = drops
    assert isinstance(drop.op, StochasticDepth), drop
    (add,) = [n for n in nodes if isinstance(n.op, ShortcutAdd) and n.inputs[0] == drop.name]
    renamed = {add.name: add.inputs[1]}
    shorter = [
        _Line(x.child, tuple(renamed.get(v, v) for v in x.operands), x.result, x.shape)
        for x in lines
        if x.result != add.name
    ]
    output = renamed.get(output, output)
    return _allocate(_needed(shorter, output), inputs, output), drop.op.survival


def _needed(lines: list[_Line], output: str) -> list[_Line]:
    wanted = {output}
    kept: list[_Line] = []
    for line in reversed(lines):
        if line.result in wanted:
            kept.append(line)
            wanted.update(line.operands)
    return kept[::-1]


def _allocate(lines: list[_Line], inputs: Iterable[str], output: str) -> Program:
    """Give every value a slot; one that is not read any more makes room for the next."""
    slot = {name: i for i, name in enumerate(inputs)}
    last = {name: i for i, line in enumerate(lines) for name in line.operands}
    last[output] = len(lines)
    count = len(slot)
    free: list[int] = []
    steps: list[Step] = []
    for i, line in enumerate(lines):
        operands = tuple(slot[name] for name in line.operands)
        done = dict.fromkeys(slot[n] for n in line.operands if last[n] == i)
        free = [*done, *free]
        if not free:
            free, count = [count], count + 1
        slot[line.result] = free.pop(0)
        steps.append(Step(line.child, operands, slot[line.result], line.shape))
    return Program(tuple(steps), count, slot[output])
