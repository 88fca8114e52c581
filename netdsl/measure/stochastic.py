"""Stochastic depth in numbers: which blocks a training step computes on average, at what cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from netdsl.amounts import counted
from netdsl.ir import Graph, Node
from netdsl.measure.totals import total
from netdsl.ops.wiring import ShortcutAdd, StochasticDepth


@dataclass(frozen=True, slots=True)
class Step:
    """A training step on average: its residual blocks, of how many, and its MACs for one image."""

    expected_blocks: float
    blocks: int
    expected_macs: int

    @property
    def kept(self) -> str:
        """Of how many blocks how many are computed; empty where none is ever left out.

        >>> Step(4.9857, 7, 1000).kept, Step(7.0, 7, 1000).kept
        ('4.99 of 7 blocks', '')
        """
        if self.expected_blocks == self.blocks:
            return ""
        return f"{self.expected_blocks:.2f} of {counted(self.blocks, 'block')}"


def training_step(graph: Graph) -> Step:
    """Return what a training step computes: a block that does not survive is its shortcut.

    Block l survives with p_l (Huang et al. 2016), so of L blocks the sum of p_l is computed, and
    (1 - p_l) of the branch of every block is saved.
    """
    adds = innermost_blocks(graph)
    survivals = [_survival(graph, add) for add in adds]
    macs = Fraction(total(graph).macs)
    for add, survival in zip(adds, survivals, strict=True):
        if survival < 1:
            macs -= (1 - survival) * sum(graph.cost(node).macs for node in _branch(graph, add))
    return Step(float(sum(survivals)), len(adds), round(macs))


def innermost_blocks(graph: Graph) -> tuple[Node, ...]:
    """Return the additions at the end of the residual blocks, of nested ones the innermost."""
    adds = [node for node in graph if isinstance(node.op, ShortcutAdd)]
    around = {scope for add in adds for scope in _outer(add.scope)}
    return tuple(add for add in adds if add.scope not in around)


def _outer(scope: str) -> Iterator[str]:
    while scope := scope.rpartition(".")[0]:
        yield scope


def _survival(graph: Graph, add: Node) -> Fraction:
    branch, _ = graph.inputs(add)
    return Fraction(branch.op.survival) if isinstance(branch.op, StochasticDepth) else Fraction(1)


def _branch(graph: Graph, add: Node) -> Iterator[Node]:
    """The nodes of a block that its branch needs and its shortcut does not."""
    branch, shortcut = graph.inputs(add)
    kept = _needed(graph, shortcut, add.scope)
    return (graph[name] for name in _needed(graph, branch, add.scope) - kept)


def _needed(graph: Graph, end: Node, scope: str) -> set[str]:
    """The names of the nodes of a scope that lead to `end`, with it."""
    found: set[str] = set()
    ahead = [end]
    while ahead:
        node = ahead.pop()
        if node.name.startswith(f"{scope}.") and node.name not in found:
            found.add(node.name)
            ahead += graph.inputs(node)
    return found
