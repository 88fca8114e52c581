"""The pipelines: which passes make a network, and which its plain twin."""

from __future__ import annotations

from collections.abc import Callable

from netdsl.ir import Graph, Settings
from netdsl.passes.drop_shortcuts import drop_shortcuts
from netdsl.passes.fit_shortcuts import fit_shortcuts
from netdsl.passes.reuse_memory import reuse_memory
from netdsl.passes.schedule_drop_path import schedule_drop_path
from netdsl.passes.settle_activations import settle_activations
from netdsl.passes.verify import verify

Pass = Callable[[Graph], Graph]

RESIDUAL: tuple[Pass, ...] = (settle_activations, fit_shortcuts, reuse_memory, verify)
PLAIN: tuple[Pass, ...] = (settle_activations, drop_shortcuts, reuse_memory, verify)


def run(graph: Graph, settings: Settings) -> Graph:
    """Apply the pipeline that the settings ask for."""
    graph = schedule_drop_path(graph, settings.drop_path)
    for apply in RESIDUAL if settings.residual else PLAIN:
        graph = apply(graph)
    return graph
