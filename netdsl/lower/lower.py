"""Tree to graph: the header, then the layers, then what was never used."""

from __future__ import annotations

from dataclasses import dataclass

from netdsl.errors import Diagnostic, NetDSLError, fail
from netdsl.ir import UNKNOWN, Graph, Settings
from netdsl.lower.body import Lowering
from netdsl.lower.count import check_size
from netdsl.lower.header import Environment, Overrides, Report, read_header
from netdsl.lower.limits import PARAMETERS, SIDE
from netdsl.lower.use import Loader
from netdsl.lower.values import Value
from netdsl.syntax import tree


@dataclass(frozen=True, slots=True)
class Lowered:
    """A graph with the settings, parameters and expectations of its header, and all findings."""

    graph: Graph
    settings: Settings
    names: dict[str, Value]
    scale: str
    expectations: tuple[tree.Expect, ...]
    diagnostics: tuple[Diagnostic, ...]


def lower(file: tree.File, overrides: Overrides, loader: Loader) -> Lowered:
    """Return the graph of a file; raise with every finding if one of them is an error.

    Where the input is not known, shapes are `UNKNOWN` and only the rest is checked.
    """
    findings: dict[tuple[object, ...], Diagnostic] = {}

    def report(diagnostic: Diagnostic) -> None:
        span = diagnostic.span
        place = (span.source.name, span.start) if span else ()
        findings.setdefault((diagnostic.code, diagnostic.message, *place), diagnostic)

    environment = read_header(file, overrides, loader, report)
    if not file.body:
        report(Diagnostic("E0110", "there are no layers in this file", file.span))
    graph = Graph()
    try:
        check_size(file, environment)
        graph = _graph(file, environment, report)
    except NetDSLError as error:
        for diagnostic in error.diagnostics:
            report(diagnostic)
    return _finish(graph, environment, _sorted(findings))


def _graph(file: tree.File, environment: Environment, report: Report) -> Graph:
    shape = environment.settings.input
    if shape is not None and max(shape) > SIDE:
        raise fail("E0403", f"an input of {shape} exceeds the limit of {SIDE:,} a side")
    lowering = Lowering(environment, report)
    graph = lowering.network(file, shape or UNKNOWN)
    _warn_of_unused(environment, lowering, report)
    params = 0
    for node in graph:
        if node.shape == UNKNOWN or UNKNOWN in graph.input_shapes(node) or not node.inputs:
            continue
        params += graph.cost(node).params
        if params > PARAMETERS:
            message = f"{params:,} parameters exceed the limit of {PARAMETERS:,}"
            report(Diagnostic("E0403", message, node.span))
            break
    return graph


def _warn_of_unused(environment: Environment, lowering: Lowering, report: Report) -> None:
    expected = {o.key for e in environment.expectations for o in e.options}
    for name, span in environment.parameters.items():
        if name not in environment.used and name not in expected:
            report(Diagnostic("W0502", f"the parameter `{name}` is never used", span))
    for definition in environment.definitions.values():
        own = definition.span.source.name == (lowering.source or definition.span.source.name)
        if definition.name not in lowering.called and own:
            message = f"the definition `{definition.name}` is never used"
            report(Diagnostic("W0502", message, definition.name_span))


def _sorted(findings: dict[tuple[object, ...], Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(findings.values(), key=lambda d: d.span.start if d.span else -1))


def _finish(
    graph: Graph, environment: Environment, diagnostics: tuple[Diagnostic, ...]
) -> Lowered:
    if any(diagnostic.severity == "error" for diagnostic in diagnostics):
        raise NetDSLError(*diagnostics)
    return Lowered(
        graph, environment.settings, dict(environment.names), environment.scale,
        tuple(environment.expectations), diagnostics,
    )  # fmt: skip
