"""Tree to graph: the header, then the layers, then what was never used."""

from __future__ import annotations

from dataclasses import dataclass, replace

from netdsl.errors import Diagnostic, NetDSLError, fail
from netdsl.ir import UNKNOWN, Graph, Settings
from netdsl.ir.limits import PARAMETERS, SIDE
from netdsl.lower.body import Lowering
from netdsl.lower.count import check_size
from netdsl.lower.header import Environment, Report, read_header
from netdsl.lower.mentions import layers_in, names_in, reachable
from netdsl.lower.override import Overrides
from netdsl.lower.use import Loader
from netdsl.lower.values import Value
from netdsl.syntax import tree


@dataclass(frozen=True, slots=True)
class Lowered:
    """A graph with the settings, parameters and expectations of its header, and all findings.

    `overridden` names what the caller said in place of the file, `scaled` what the scale sets.
    """

    graph: Graph
    settings: Settings
    names: dict[str, Value]
    scale: str
    overridden: frozenset[str]
    scaled: frozenset[str]
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

    file = _follow_classes(file, overrides)
    environment = read_header(file, overrides, loader, report)
    if not file.body:
        report(Diagnostic("E0120", "the text has no layers", file.span))
    graph = Graph()
    try:
        check_size(file, environment)
        graph = _graph(file, environment, report)
    except NetDSLError as error:
        for diagnostic in error.diagnostics:
            report(diagnostic)
    if not any(finding.severity == "error" for finding in findings.values()):
        _warn_of_unused_defaults(file, environment, overrides, report)
        _warn_of_unread_layers(graph, report)
    return _finish(graph, environment, overrides, _sorted(findings))


def _follow_classes(file: tree.File, overrides: Overrides) -> tree.File:
    """Let a last `FC 200` under `classes 200` mean the classes, where these are overridden."""
    declared = [e.value for e in file.header if isinstance(e, tree.Setting) and e.key == "classes"]
    if "classes" not in overrides.names or not declared or not file.body:
        return file
    *others, last = file.body
    core = last.core
    if (
        not isinstance(core, tree.Layer)
        or core.name != "FC"
        or core.arguments[:1] != tuple(declared[:1])
    ):
        return file
    follows = tree.Name("classes", core.arguments[0].span)
    core = replace(core, arguments=(follows, *core.arguments[1:]))
    return replace(file, body=(*others, replace(last, core=core)))


def _graph(file: tree.File, environment: Environment, report: Report) -> Graph:
    shape = environment.settings.input
    if shape is not None and max(shape) > SIDE:
        entries = [e for e in file.header if isinstance(e, tree.Setting) and e.key == "input"]
        span = entries[0].span if entries else None
        raise fail("E0403", f"an input of {shape} exceeds the limit of {SIDE:,} a side", span)
    lowering = Lowering(environment, report)
    graph = lowering.network(file, shape or UNKNOWN)
    _warn_of_unused(file, environment, report)
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


def _warn_of_unused(file: tree.File, environment: Environment, report: Report) -> None:
    words, called = reachable(file.body, environment.definitions)
    expected = {o.key for e in environment.expectations for o in e.options}
    for name, span in environment.parameters.items():
        if name not in environment.used | words | expected:
            report(Diagnostic("W0502", f"the parameter `{name}` is never used", span))
    for definition in environment.definitions.values():
        own = definition.span.source.name == file.span.source.name
        if definition.name not in called and own:
            message = f"the definition `{definition.name}` is never used"
            report(Diagnostic("W0502", message, definition.name_span))
        read = names_in(definition.body) | names_in(tuple(f.default for f in definition.formals))
        for formal in definition.formals:
            if own and formal.name not in read:
                message = f"the parameter `{formal.name}` of `{definition.name}` is never used"
                report(Diagnostic("W0502", message, formal.span))


def _warn_of_unused_defaults(
    file: tree.File, environment: Environment, overrides: Overrides, report: Report
) -> None:
    """Warn of options that no layer takes, of the header or from outside.

    Those of `Norm` reach norms that are not written; a layer that a count of 0 leaves out, another
    scale may put in.
    """
    defaults = environment.defaults
    _, called = reachable(file.body, environment.definitions)
    written = layers_in((file.body, *(environment.definitions[name] for name in called)))
    spans = {e.layer: e.layer_span for e in file.header if isinstance(e, tree.Default)}
    for layer, options in defaults.layers.items():
        for option in options if layer != "Norm" else ():
            name = f"{layer}.{option}"
            unread = layer in defaults.filled and name not in defaults.read
            if unread or layer not in written:
                why = f"every {layer} says its own" if unread else f"there is no {layer}"
                span = None if name in overrides.names else spans[layer]
                report(Diagnostic("W0502", f"the default `{name}` is never used: {why}", span))


def _warn_of_unread_layers(graph: Graph, report: Report) -> None:
    """Warn of layers that end nowhere: behind them, a branch starts from a label before them."""
    needed = {node.layer for node in graph.prune()} if len(graph) else set()
    dead = {node.layer: node.span for node in graph if node.layer not in needed}
    for span in dead.values():
        message = "nothing reads what this layer makes: it is left out"
        report(Diagnostic("W0507", message, span))


def _sorted(findings: dict[tuple[object, ...], Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(findings.values(), key=lambda d: d.span.start if d.span else -1))


def _finish(
    graph: Graph,
    environment: Environment,
    overrides: Overrides,
    diagnostics: tuple[Diagnostic, ...],
) -> Lowered:
    if any(diagnostic.severity == "error" for diagnostic in diagnostics):
        raise NetDSLError(*diagnostics)
    return Lowered(
        graph, environment.settings, dict(environment.names), environment.scale,
        frozenset(overrides.names), environment.scaled, tuple(environment.expectations),
        diagnostics,
    )  # fmt: skip
