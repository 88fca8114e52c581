"""A lowered file becomes a checked graph, or all that is wrong with it is told at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netdsl.collector import paused
from netdsl.errors import Diagnostic, NetDSLError, first_by_place
from netdsl.ir import Graph, Settings
from netdsl.lower import Loader, Lowered, Overrides, lower, read_header
from netdsl.measure import advise, check_expectations, count_scores, turned
from netdsl.passes import misfits, run
from netdsl.syntax import tree

_GIVE_INPUT = (
    "write `input 3x64x64` in the header, or give --input 3x64x64, in Python `input=(3, 64, 64)`"
)


def checked(lowered: Lowered) -> tuple[Graph, tuple[Diagnostic, ...]]:
    """Return the graph behind all passes and what is to be said of it that is no error.

    Raises `NetDSLError` with all that is wrong.
    """
    graph, told = _run(lowered)
    findings = first_by_place(told)
    if graph is None or any(finding.severity == "error" for finding in findings):
        raise NetDSLError(*findings)
    return graph, findings


def _run(lowered: Lowered) -> tuple[Graph | None, Iterable[Diagnostic]]:
    """Return the graph behind all passes, or none, and every finding, in any order."""
    if not lowered.is_sound:
        told = {(finding.code, finding.span) for finding in lowered.diagnostics}
        unfit = misfits(lowered.graph).values() if lowered.settings.residual else ()
        more = [finding for finding in unfit if (finding.code, finding.span) not in told]
        return None, (*lowered.diagnostics, *more, *_turned(lowered))
    if lowered.settings.input is None:
        unknown = Diagnostic("E0309", "the input is not known", help=_GIVE_INPUT)
        return None, (*lowered.diagnostics, unknown)
    try:
        graph = run(lowered.graph, lowered.settings)
    except NetDSLError as error:
        scores = count_scores(lowered.graph, lowered.settings)
        return None, (*lowered.diagnostics, *error.diagnostics, *scores, *_turned(lowered))
    return graph, (*lowered.diagnostics, *_judged(lowered, graph))


def _turned(lowered: Lowered) -> Iterator[Diagnostic]:
    """Yield what may be the cause of all else: an input of height x width x channels."""
    if lowered.settings.input is not None and len(lowered.graph):
        yield from turned(lowered.graph, lowered.spans)


def _judged(lowered: Lowered, graph: Graph) -> Iterator[Diagnostic]:
    yield from advise(graph, lowered.settings, lowered.spans, lowered.defaults)
    yield from check_expectations(lowered, graph)


@paused()
def check(file: tree.File, overrides: Overrides, loader: Loader) -> tuple[Diagnostic, ...]:
    """Return every finding; without an input, what can be said without shapes."""
    try:
        lowered = lower(file, overrides, loader)
        if lowered.settings.input is not None or not lowered.is_sound:
            return checked(lowered)[1]
    except NetDSLError as error:
        return error.diagnostics
    message = "no input is given, so shapes were not checked"
    unchecked = Diagnostic("N0506", message, file.span, help=_GIVE_INPUT)
    return (*first_by_place(lowered.diagnostics), unchecked)


def declared(file: tree.File, overrides: Overrides, loader: Loader) -> Settings:
    """Return the settings of a file as far as they can be read; errors are left to `checked`."""
    return read_header(file, overrides, loader, lambda diagnostic: None).settings
