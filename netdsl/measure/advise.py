"""Warnings about networks that are legal and probably not meant."""

from __future__ import annotations

from collections.abc import Iterator

from netdsl.errors import Diagnostic
from netdsl.ir import Graph, Settings
from netdsl.measure.totals import total
from netdsl.ops.dense import Flatten, Linear
from netdsl.ops.pool import AvgPoolTo

LARGE = 10**6


def advise(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Yield what a careful colleague would point out."""
    yield from _large(graph)
    yield from count_scores(graph, settings)
    if not settings.residual and settings.drop_path:
        yield Diagnostic("N0504", "a plain network has no stochastic depth: drop_path is ignored")


def count_scores(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Yield an error where a network that ends in a vector has not one score a class."""
    output = graph.output
    if settings.classes not in (None, output.shape.channels) and not output.shape.is_map:
        message = f"the network gives {output.shape.channels} scores for {settings.classes} classes"
        yield Diagnostic("E0310", message, output.span, help="write `FC classes`")


def _large(graph: Graph) -> Iterator[Diagnostic]:
    params = total(graph).params
    for node in graph:
        if not isinstance(node.op, Linear):
            continue
        (x,) = graph.inputs(node)
        own = graph.cost(node).params
        if isinstance(x.op, Flatten) and own > LARGE and 2 * own > params:
            (image,) = graph.inputs(x)
            # Whoever writes `AvgTo 7` in front means the flattened map to have that size (VGG).
            chosen = isinstance(image.op, AvgPoolTo)
            if image.shape.is_map and image.shape.hw != (1, 1) and not chosen:
                left = params - own + (image.shape.channels + node.op.bias) * node.op.features
                message = (
                    f"FC {node.op.features} flattens {image.shape}: {own:,} of {params:,} "
                    f"parameters; `GAP` before it leaves {left:,}"
                )
                yield Diagnostic("W0501", message, node.span)
