"""A network to the places where it is probed: its residual blocks, and its layers outside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from netdsl.ir import Graph, Leaf, Node, Outline, Repeat, Section
from netdsl.measure import depths, innermost_blocks
from netdsl.network import Network


@dataclass(frozen=True, slots=True)
class Spot:
    """A residual block or a layer with weights.

    `output` is the module whose output is that of the spot, `modules` are those that hold its
    weights. `depth` is how many convolutions and fully connected layers there are on the longest
    path up to its output.
    """

    name: str
    kind: Literal["block", "layer"]
    depth: int
    output: str
    modules: tuple[str, ...]


def find_spots(network: Network) -> tuple[Spot, ...]:
    """Return the spots of a network in the order in which they run; those of its twin are alike.

    Where residual blocks are nested, the innermost count. In the plain twin the same places are
    blocks, though nothing in it says so.
    """
    residual = network if network.settings.residual else network.override(residual=True)
    blocks = {add.layer for add in innermost_blocks(residual.checked)}
    return tuple(_spots(network.checked, blocks))


def _around(name: str) -> Iterator[str]:
    """Yield the names of all that a node or a block lies in, from the outside."""
    parts = name.split(".")
    yield from (".".join(parts[:n]) for n in range(1, len(parts)))


def _spots(graph: Graph, blocks: set[str]) -> list[Spot]:
    members: dict[str, list[Node]] = {}
    inner: dict[str, list[Node]] = {}
    for node in graph:
        members.setdefault(node.layer, []).append(node)
        for outer in _around(node.name):
            inner.setdefault(outer, []).append(node)
    reached = depths(graph)
    found = []
    for name, is_block in _written(graph.outline, blocks):
        inside = inner.get(name, [])
        nodes = inside or members.get(name, [])
        if not any(node.op.depth for node in nodes):
            continue
        output = name if inside else nodes[-1].name
        modules = (name,) if inside else tuple(node.name for node in nodes)
        depth = max(reached[node.name] for node in nodes)
        found.append(Spot(name, "block" if is_block else "layer", depth, output, modules))
    return found


def _written(outline: Outline, blocks: set[str]) -> list[tuple[str, bool]]:
    """Return blocks and layers outside of them, and which is which."""
    found: list[tuple[str, bool]] = []
    for entry in outline:
        if isinstance(entry, Repeat):
            found += [spot for body in entry.bodies for spot in _written(body, blocks)]
        elif isinstance(entry, Leaf) or entry.name in blocks:
            found.append((entry.name, entry.name in blocks))
        else:
            assert isinstance(entry, Section)
            found += [spot for branch in entry.branches for spot in _written(branch, blocks)]
    return found
