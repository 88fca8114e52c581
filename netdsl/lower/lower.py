"""Tree to graph: the header, then the layers, then what was never used."""

from __future__ import annotations

from dataclasses import dataclass

from netdsl.errors import Diagnostic, NetDSLError, Span, by_place, fail, first_by_place
from netdsl.ir import UNKNOWN, Graph, Report, Settings
from netdsl.ir.limits import PARAMETERS, SIDE
from netdsl.lower.body import Lowering
from netdsl.lower.classes import follow_classes
from netdsl.lower.count import check_size
from netdsl.lower.environment import Environment
from netdsl.lower.header import read_header
from netdsl.lower.left_out import refuse_left_out
from netdsl.lower.misread import (
    warn_of_layers_in_comments,
    warn_of_numbered_layers,
    with_input,
)
from netdsl.lower.nesting import check_nesting
from netdsl.lower.override import Overrides
from netdsl.lower.unused import (
    layers_led_to,
    warn_of_defaults_that_reach_nothing,
    warn_of_hidden_activation,
    warn_of_idle_drop_path,
    warn_of_unread_layers,
    warn_of_unread_settings,
    warn_of_unread_shortcut_settings,
    warn_of_unused_defaults,
    warn_of_unused_names,
    warn_of_written,
)
from netdsl.lower.use import Loader
from netdsl.lower.values import Value
from netdsl.syntax import tree


@dataclass(frozen=True, slots=True)
class Lowered:
    """A graph with the settings, parameters and expectations of its header, and all findings.

    Where one of the findings is an error, the graph holds what could be understood. `overridden`
    names what the caller said in place of the file, `scaled` what the scale sets, `settings_read`
    which settings stood in for what a layer did not say, `defaults` which options have a default,
    as `Conv.p`, `spans` where the file has its settings.
    """

    graph: Graph
    settings: Settings
    names: dict[str, Value]
    scale: str
    overridden: frozenset[str]
    scaled: frozenset[str]
    settings_read: frozenset[str]
    defaults: frozenset[str]
    spans: dict[str, Span]
    expectations: tuple[tree.Expect, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_sound(self) -> bool:
        """Whether none of the findings is an error."""
        return all(finding.severity != "error" for finding in self.diagnostics)


def lower(file: tree.File, overrides: Overrides, loader: Loader) -> Lowered:
    """Return the graph of a file with every finding; raise where not even the header can be read.

    Where the input is not known, shapes are `UNKNOWN` and only the rest is checked.
    """
    findings: dict[tuple[object, ...], Diagnostic] = {}

    def report(diagnostic: Diagnostic) -> None:
        if _is_of_file(diagnostic.span, file):
            diagnostic = overrides.marked(diagnostic)
        span = diagnostic.span
        place = (span.source.name, span.start) if span else ()
        findings.setdefault((diagnostic.code, diagnostic.message, *place), diagnostic)

    file = follow_classes(with_input(file, report), overrides)
    try:
        environment = read_header(file, overrides, loader, report)
    except NetDSLError as error:
        raise NetDSLError(*first_by_place((*findings.values(), *error.diagnostics))) from None
    if not file.body and not findings:
        report(Diagnostic("E0120", "the text has no layers", file.span))
    graph = Graph()
    try:
        check_nesting(file.body, environment.definitions)
        check_size(file, environment)
        graph = _graph(file, environment, report)
    except NetDSLError as error:
        for diagnostic in error.diagnostics:
            report(diagnostic)
    if not any(finding.severity == "error" for finding in findings.values()):
        written = layers_led_to(file, environment)
        warn_of_unused_defaults(file, written, environment, overrides, report)
        warn_of_defaults_that_reach_nothing(file, graph, environment, overrides, report)
        warn_of_hidden_activation(file, graph, environment, overrides, report)
        warn_of_unread_settings(file, written, environment, report)
        warn_of_unread_shortcut_settings(file, written, graph, environment, overrides, report)
        warn_of_idle_drop_path(file, graph, environment, report)
        warn_of_written(file, environment, report)
        warn_of_unread_layers(graph, report)
        warn_of_numbered_layers(file, report)
        warn_of_layers_in_comments(file, environment, report)
    told = list(findings.values())
    if any(finding.severity == "error" for finding in told):
        from netdsl.syntax.paper_forms import forms_of_papers  # which no other text has a use for

        told = forms_of_papers(file.span.source, file.comments, told)
    return Lowered(
        graph, environment.settings, dict(environment.names), environment.scale,
        frozenset(overrides.names), environment.scaled,
        frozenset(environment.defaults.reads.settings), _defaults(environment),
        _spans(file, environment, overrides), tuple(environment.expectations), by_place(told),
    )  # fmt: skip


def _is_of_file(span: Span | None, file: tree.File) -> bool:
    """Say whether a name at a place is one of the file, and of no definition in it."""
    definitions = [entry.span for entry in file.header if isinstance(entry, tree.Definition)]
    return (
        span is not None
        and span.source == file.span.source
        and not any(one.start <= span.start < one.end for one in definitions)
    )


def _defaults(environment: Environment) -> frozenset[str]:
    layers = environment.defaults.layers
    return frozenset(f"{code}.{option}" for code, said in layers.items() for option in said)


def _spans(file: tree.File, environment: Environment, overrides: Overrides) -> dict[str, Span]:
    """Return where settings stand in the file, but for those that others say in its place."""
    others = {*overrides.names, *environment.scaled}
    settings = [entry for entry in file.header if isinstance(entry, tree.Setting)]
    return {entry.key: entry.span for entry in settings if entry.key not in others}


def _graph(file: tree.File, environment: Environment, report: Report) -> Graph:
    shape = environment.settings.input
    if shape is not None and max(shape) > SIDE:
        entries = [e for e in file.header if isinstance(e, tree.Setting) and e.key == "input"]
        span = entries[0].span if entries else None
        raise fail(
            "E0403", f"an input of {shape} exceeds the limit of {SIDE:,} in one number", span
        )
    lowering = Lowering(environment, report)
    graph = lowering.network(file, shape or UNKNOWN)
    own = [entry for entry in file.header if isinstance(entry, tree.Definition)]
    refuse_left_out((file.body, *own), lowering.built, environment, report)
    warn_of_unused_names(file, environment, report)
    if len(graph) == 1 and file.body:  # the input alone
        message = "no layer is left: all that is written is repeated 0 times, or does nothing"
        report(Diagnostic("E0120", message, file.body[0].span.to(file.body[-1].span)))
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
