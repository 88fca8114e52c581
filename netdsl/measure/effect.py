"""Graph to whether a setting of the header has made anything in it what it is."""

from __future__ import annotations

from collections.abc import Collection

from netdsl.ir import Graph, Node, Op, Settings
from netdsl.measure.totals import total
from netdsl.ops.act import Activation
from netdsl.ops.dense import Flatten, Linear
from netdsl.ops.pool import GlobalAvgPool
from netdsl.ops.wiring import ShortcutAdd


def has_effect(setting: str, graph: Graph, settings: Settings, read: Collection[str]) -> bool:
    """Say whether something in a network is as it is because of a setting.

    `read` are those that stood in for what a layer did not say; passes may have taken away again
    what was made by them.
    """
    if setting == "init":
        return total(graph).params > 0
    if setting == "act" and any(_is_hidden(node, graph, settings) for node in graph):
        return True
    if setting == "shortcut" and not any(_is_fitted(node.op) for node in graph):
        return False
    if setting == "head" and not _has_head(graph):
        return False
    return setting in read


def _is_hidden(node: Node, graph: Graph, settings: Settings) -> bool:
    """Say whether a node is the activation of a fully connected layer, by the settings."""
    is_own = isinstance(node.op, Activation) and node.op.kind == settings.act
    return is_own and isinstance(graph.inputs(node)[0].op, Linear)


def _is_fitted(op: Op) -> bool:
    return isinstance(op, ShortcutAdd) and not op.written


def _has_head(graph: Graph) -> bool:
    """Say whether a fully connected layer makes a vector of many positions by itself."""
    dense = {node.layer for node in graph if isinstance(node.op, Linear)}
    vectors = (n for n in graph if n.layer in dense and isinstance(n.op, Flatten | GlobalAvgPool))
    return any(graph.inputs(node)[0].shape.hw != (1, 1) for node in vectors)
