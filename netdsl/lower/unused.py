"""What a file says and nothing uses: parameters, definitions, defaults, layers."""

from __future__ import annotations

from collections.abc import Callable

from netdsl.errors import Diagnostic, Span
from netdsl.ir import Graph, Node, Op, Report, Settings
from netdsl.lower.environment import Environment
from netdsl.lower.mentions import layers_in, names_in, options_in, reachable
from netdsl.lower.names import reaches_others
from netdsl.lower.override import Overrides
from netdsl.ops import CATALOGUE, arguments, settings_of
from netdsl.ops.act import Activation
from netdsl.ops.blocks import PROJECTING, PROJECTION, WITH_SHORTCUT, Res
from netdsl.ops.dense import Linear, before_linear
from netdsl.ops.norm import Normalization
from netdsl.ops.wiring import Shortcut, ShortcutAdd, StochasticDepth
from netdsl.syntax import tree


def warn_of_unused_names(file: tree.File, environment: Environment, report: Report) -> None:
    """Warn of parameters, definitions and files that nothing in the file mentions."""
    words, called = reachable(file.body, environment.definitions)
    expected = {o.key for e in environment.expectations for o in e.options}
    for name, span in environment.parameters.items():
        if name not in environment.used | words | expected:
            report(Diagnostic("W0502", f"the parameter `{name}` is never used", span))
    for span, names in environment.uses.items():
        if names.isdisjoint(called):
            why = (
                f"none of {', '.join(sorted(names))} is called"
                if names
                else "the file has no `def`"
            )
            help = None if names else "its layers are left out: put them into a `def`"
            report(Diagnostic("W0502", f"this `use` is never used: {why}", span, help=help))
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


def layers_led_to(file: tree.File, environment: Environment) -> set[str]:
    """Return the names of all layers that the body leads to."""
    _, called = reachable(file.body, environment.definitions)
    return layers_in((file.body, *(environment.definitions[name] for name in called)))


def warn_of_unused_defaults(
    file: tree.File, written: set[str], environment: Environment, overrides: Overrides,
    report: Report,
) -> None:  # fmt: skip
    """Warn of options that no layer takes, of the header or from outside.

    Those that reach what other layers bring are told apart from it; a layer that a count of 0
    leaves out, another scale may put in: it is among the `written`.
    """
    defaults = environment.defaults
    spans = _places_of_defaults(file)
    for layer, options in defaults.layers.items():
        for option in (one for one in options if not reaches_others(layer, one)):
            name = f"{layer}.{option}"
            why_not = defaults.reads.defaults.get(name, f"every {layer} says its own")
            unread = layer in defaults.filled and why_not is not None
            if unread or layer not in written:
                why = why_not if unread else f"there is no {layer}"
                span = None if name in overrides.names else spans[layer]
                report(Diagnostic("W0502", f"the default `{name}` is never used: {why}", span))


def warn_of_defaults_that_reach_nothing(
    file: tree.File, graph: Graph, environment: Environment, overrides: Overrides, report: Report
) -> None:
    """Warn of defaults of `Norm` and `Act` that nothing in the network reads, as its file has it.

    Who sets another norm from outside, or by a scale, means the file for both.
    """
    spans = _places_of_defaults(file)
    for layer, (noun, setting, kind_of) in _BROUGHT.items():
        known = arguments(CATALOGUE[layer])
        kinds = {kind for node in graph if (kind := kind_of(node.op)) not in (None, "none")}
        for option in environment.defaults.layers.get(layer, {}):
            name, needs = f"{layer}.{option}", known[option].needs
            readers = needs[1] if needs else kinds
            is_meant = name in overrides.names or environment.defaults.settle(setting)
            reaches = option != "kind" and reaches_others(layer, option)
            if not reaches or kinds & set(readers) or not is_meant:
                continue
            why = (
                f"no {noun} is of kind {needs[1][0]}" if needs and kinds else f"there is no {noun}"
            )
            span = None if name in overrides.names else spans[layer]
            report(Diagnostic("W0502", f"the default `{name}` is never used: {why}", span))


def warn_of_hidden_activation(
    file: tree.File, graph: Graph, environment: Environment, overrides: Overrides, report: Report
) -> None:
    """Warn of a default activation of `FC` where no FC follows another."""
    dense = {node.name for node in graph if isinstance(node.op, Linear)}
    is_given = "act" in environment.defaults.layers.get("FC", {})
    if is_given and dense and dense.isdisjoint(before_linear(graph)):
        span = None if "FC.act" in overrides.names else _places_of_defaults(file)["FC"]
        message = "the default `FC.act` is never used: no FC follows another, and the last has none"
        report(Diagnostic("W0502", message, span))


def _places_of_defaults(file: tree.File) -> dict[str, Span]:
    return {e.layer: e.layer_span for e in file.header if isinstance(e, tree.Default)}


def _norm_of(op: Op) -> str | None:
    """Return the kind of the norm that an op is, or that a projection would have."""
    if isinstance(op, Shortcut):
        return op.norm if op.policy in PROJECTING else None
    return op.kind if isinstance(op, Normalization) else None


def _act_of(op: Op) -> str | None:
    return op.kind if isinstance(op, Activation) else None


# Layers whose defaults reach what other layers bring, and how to find that.
_BROUGHT: dict[str, tuple[str, str, Callable[[Op], str | None]]] = {
    "Norm": ("norm", "norm", _norm_of),
    "Act": ("activation", "act", _act_of),
}


def warn_of_unread_settings(
    file: tree.File, written: set[str], environment: Environment, report: Report
) -> None:
    """Warn of settings of the header that every layer says for itself, or that none has.

    A layer that a count of 0 leaves out, another scale may put in: it is among the `written`.
    """
    defaults = environment.defaults
    for entry in (e for e in file.header if isinstance(e, tree.Setting)):
        if entry.key not in ("norm", "act", "bias", "shortcut"):
            continue
        layers = {**CATALOGUE, "Res": Res}
        taking = {code for code, cls in layers.items() if entry.key in settings_of(cls)}
        left_out = written & taking - defaults.filled
        is_read = entry.key in defaults.reads.settings
        if not is_read and not left_out and defaults.settle(entry.key):
            why = (
                "each layer that has one says its own"
                if taking & defaults.filled
                else "no layer has one"
            )
            message = f"the setting `{entry.key}` is never used: {why}"
            report(Diagnostic("W0502", message, entry.key_span))


def warn_of_unread_shortcut_settings(
    file: tree.File, written: set[str], graph: Graph, environment: Environment,
    overrides: Overrides, report: Report,
) -> None:  # fmt: skip
    """Warn of settings of projections where no shortcut may be one, in a residual network.

    What the file sets is for all that its callers, scales and parameters choose.
    """
    settings, usual = environment.settings, Settings()
    policies = {node.op.policy for node in graph if isinstance(node.op, Shortcut)}
    left_out = not policies and written & {*WITH_SHORTCUT}
    if not settings.residual or left_out or policies & {*PROJECTING}:
        return
    why = "no shortcut is a projection" if policies else "there is no shortcut"
    help = "projections come with `shortcut project`" if policies == {settings.shortcut} else None
    spans = {e.key: e.key_span for e in file.header if isinstance(e, tree.Setting)}
    for key in (key for key, argument in arguments(Res).items() if argument.needs == PROJECTION):
        outside = key in overrides.names
        is_meant = outside or environment.defaults.settle("shortcut")
        if is_meant and getattr(settings, key) != getattr(usual, key):
            message = f"the setting `{key}` is never used: {why}"
            report(Diagnostic("W0502", message, None if outside else spans.get(key), help=help))


def warn_of_idle_drop_path(
    file: tree.File, graph: Graph, environment: Environment, report: Report
) -> None:
    """Warn of rates of stochastic depth on blocks that have no shortcut, wherever they stand."""
    if not environment.settings.residual or not environment.defaults.settle("shortcut"):
        return
    found: dict[Span | None, bool] = {}
    for node in graph:
        if isinstance(node.op, ShortcutAdd):
            found[node.span] = found.get(node.span, True) and _is_idle(graph, node)
    bodies = (file.body, *environment.definitions.values())
    for layer, span, option in options_in(bodies, "drop_path"):
        if found.get(span) and span.source.name == file.span.source.name:
            why = "`shortcut=identity` leaves it no shortcut"
            message = f"the option `drop_path` of this {layer} is never used: {why}"
            report(Diagnostic("W0502", message, option.span))


def _is_idle(graph: Graph, add: Node) -> bool:
    """Say whether a block has a rate of stochastic depth and no shortcut that would be left."""
    branch, shortcut = graph.inputs(add)
    is_absent = isinstance(shortcut.op, Shortcut) and shortcut.op.is_absent(
        graph[shortcut.inputs[0]].shape
    )
    return is_absent and isinstance(branch.op, StochasticDepth) and bool(branch.op.rate)


def warn_of_written(file: tree.File, environment: Environment, report: Report) -> None:
    """Warn of options and layers of the file that change nothing wherever they stand.

    So it does of what else was noticed while its layers were read.
    """
    for words, span, why in environment.defaults.reads.idle_options():
        if span.source.name == file.span.source.name:
            message = f"the option {words} is never used: {why}"
            report(Diagnostic("W0502", message, span))
    for diagnostic in environment.defaults.reads.noticed.values():
        if diagnostic.span and diagnostic.span.source.name == file.span.source.name:
            report(diagnostic)


def warn_of_unread_layers(graph: Graph, report: Report) -> None:
    """Warn of layers that end nowhere: behind them, a branch starts from a label before them."""
    needed = {node.layer for node in graph.prune()} if len(graph) else set()
    dead = {node.layer: node.span for node in graph if node.layer not in needed}
    for span in dead.values():
        message = "nothing reads what this layer makes: it is left out"
        report(Diagnostic("W0507", message, span))
