"""Items to nodes: looks layers up, binds their arguments, unrolls repeats, expands blocks."""

from __future__ import annotations

from collections import Counter
from typing import Any

from netdsl.errors import Diagnostic, Label, NetDSLError, Span, fail
from netdsl.ir import (
    UNKNOWN,
    Builder,
    Entry,
    Graph,
    Leaf,
    Node,
    Outline,
    Repeat,
    Report,
    Section,
    Shape,
)
from netdsl.ir.limits import LAYERS
from netdsl.ir.settings import SLOPE
from netdsl.lower.bind import bind
from netdsl.lower.combine import Combiner
from netdsl.lower.count import call_text, formal_values, times
from netdsl.lower.environment import Environment
from netdsl.lower.frame import Frame
from netdsl.lower.names import COMBINATIONS, unknown_layer
from netdsl.lower.values import Scope, Unresolved
from netdsl.ops import CATALOGUE
from netdsl.ops.act import Act
from netdsl.ops.wiring import Input
from netdsl.syntax import tree


class Lowering:
    """Adds item after item to a graph; what is wrong is reported, and the rest is still read."""

    def __init__(self, environment: Environment, report: Report) -> None:
        self.environment = environment
        self.report = report
        norm_options = environment.defaults.layers.get("Norm", {})
        self.build = Builder(Graph(), environment.settings, self._report_here)
        self.build.norm_options = {k: v for k, v in norm_options.items() if k != "kind"}
        self.build.slope = environment.defaults.layers.get("Act", {}).get("slope", SLOPE)
        self.build.hidden_act = environment.defaults.layers.get("FC", {}).get("act")
        self.combiner = Combiner(self.build, environment, self.body)
        self.bound: dict[int, tuple[Any, str]] = {}
        self.built: set[int] = set()  # layers, by their `id`
        self.unrolled = 0  # layers and combinations, and repetitions that are empty

    def network(self, file: tree.File, shape: Shape) -> Graph:
        """Return the graph of the whole body."""
        self.build.layer = "input"
        x = self.build(Input(shape))
        frame = Frame("", Counter(), Scope(self.environment.names))
        y, outline = self.body(file.body, x, frame)
        self.build.graph.outline = outline
        self._warn_of_unread()
        return self.build.graph.end_at(y)

    def body(self, body: tree.Body, x: Node, frame: Frame) -> tuple[Node, Outline]:
        """Add all items after `x`; return the last node and what was written."""
        outline: list[Entry] = []
        for item in body:
            try:
                x, entries = self._item(item, x, frame)
                outline += entries
            except NetDSLError as error:
                if error.diagnostics[0].code == "E0402":
                    raise
                for diagnostic in error.diagnostics:
                    self._report_here(diagnostic)
                x = self._unknown(x, frame)
            except Unresolved:
                x = self._unknown(x, frame)
        return x, tuple(outline)

    def repeat(
        self, core: tree.Group | tree.Combine, x: Node, frame: Frame
    ) -> tuple[Node, Outline]:
        """Unroll a group or combination."""
        scope = frame.scope
        scope.cin = x.shape.channels
        count = times(core.repeat, scope, self.environment.depth)
        bodies: list[Outline] = []
        for i in range(count):
            index = scope.index if core.repeat is None else i
            inner = scope.at(index, x.shape.channels)
            before = self.unrolled
            x, outline = self._once(core, x, frame.inner(inner))
            if self.unrolled == before or isinstance(core, tree.Combine):
                self._count(core.span)
            bodies.append(outline)
            if core.repeat is None:
                scope.lists += inner.lists
            else:
                self._warn_of_long_lists(core.repeat, count, inner.lists)
        if core.repeat is None:
            return x, tuple(entry for outline in bodies for entry in outline)
        return x, (Repeat(tuple(bodies)),)

    def _count(self, span: Span) -> None:
        """Count what is unrolled: how often a repeat by `cin` runs is known here and not before."""
        self.unrolled += 1
        if self.unrolled > LAYERS:
            raise fail("E0402", f"what is repeated exceeds the limit of {LAYERS:,} layers", span)

    def _warn_of_long_lists(self, repeat: tree.Repeat, count: int, lists: list[tree.List]) -> None:
        """Warn of values that no repetition takes, where the count is written as a number.

        Behind `x n`, `[2, 1]` is 2 for the first and 1 for all others, which may be none.
        """
        if not isinstance(repeat.count, tree.Number) or self.environment.depth != 1:
            return
        for expr in lists:
            if len(expr.values) > count:
                message = f"the list has {len(expr.values)} values for {count} repetitions"
                self._report_here(Diagnostic("W0509", message, expr.span))

    def _once(self, core: tree.Group | tree.Combine, x: Node, frame: Frame) -> tuple[Node, Outline]:
        if isinstance(core, tree.Group):
            return self.body(core.body, x, frame)
        return self.combiner.combine(core, x, frame)

    def _item(self, item: tree.Item, x: Node, frame: Frame) -> tuple[Node, Outline]:
        core = item.core
        if isinstance(core, tree.Layer):
            frame.scope.cin = x.shape.channels
            y, outline = self._layer(core, x, frame, is_named=item.label is not None)
        else:
            y, outline = self.repeat(core, x, frame)
        if item.label is not None:
            self._label(item.label, y, frame)
        if item.shape is not None and y.shape != UNKNOWN and y.shape.dims != item.shape.values:
            message = f"the shape is {y.shape}, not {item.shape}"
            self._report_here(Diagnostic("E0303", message, item.shape.span))
        return y, outline

    def _layer(
        self, core: tree.Layer, x: Node, frame: Frame, *, is_named: bool
    ) -> tuple[Node, Outline]:
        self._count(core.span)
        self.built.add(id(core))
        if core.name in self.environment.definitions:
            return self._call(core, x, frame)
        if core.name not in CATALOGUE:
            known = (*CATALOGUE, *self.environment.definitions, *COMBINATIONS)
            raise unknown_layer(core.name, core.name_span, known)
        layer, text = self._bind(core, frame.scope, is_named=is_named)
        name = frame.name(core.name.lower())
        self.build.prefix, self.build.span = frame.prefix, core.span
        y = self.build.expand(layer, x, name)
        return y, (Leaf(frame.prefix + name, core.name, text),)

    def _bind(self, core: tree.Layer, scope: Scope, *, is_named: bool) -> tuple[Any, str]:
        """Bind the arguments, once for all repetitions where they are always the same.

        NOTE: `bound` is of one call of a definition. The next call has other values under the
        same names, and they may lie where those of a finished call lay: an `id` of them is no key.
        """
        key = id(core)
        if key not in self.bound:
            scope.dynamic = False
            cls, defaults = CATALOGUE[core.name], self.environment.defaults
            bound = bind(core, cls, scope, defaults, is_named=is_named)
            if scope.dynamic:
                return bound
            self.bound[key] = bound
        return self.bound[key]

    def _call(self, core: tree.Layer, x: Node, frame: Frame) -> tuple[Node, Outline]:
        """Expand the call of a `def` into a module of its own."""
        definition = self.environment.definitions[core.name]
        values, from_cin = formal_values(core, definition, frame.scope, self.environment.names)
        scope = Scope({**self.environment.names, **values}, from_cin=from_cin)
        path = frame.prefix + frame.name(core.name.lower())
        bound, calls = self.bound, self.build.calls
        self.bound, self.build.calls = {}, (core.span, *calls)
        y, outline = self.body(definition.body, x, Frame(f"{path}.", Counter(), scope))
        self.bound, self.build.calls = bound, calls
        return y, (Section(path, core.name, "def", (outline,), call_text(core, values), ("",)),)

    def _label(self, label: tree.Name, node: Node, frame: Frame) -> None:
        if label.text in frame.labels:
            first = frame.labels[label.text][1]
            message = f"the label `@{label.text}` is taken"
            raise fail("E0214", message, label.span, labels=[Label(first, "first here")])
        frame.labels[label.text] = node, label.span
        self.combiner.labels.setdefault(label.text, {})[label.span] = None

    def _warn_of_unread(self) -> None:
        for label, spans in self.combiner.labels.items():
            for span in spans if label not in self.combiner.read_labels else ():
                self.report(Diagnostic("W0503", f"the label `@{label}` is never read", span))

    def _unknown(self, x: Node, frame: Frame) -> Node:
        """Stand in for a layer that could not be understood."""
        name = f"{frame.prefix}{frame.name('unknown')}"
        return self.build.graph.add(Node(name, Act("none"), (x.name,), UNKNOWN, name))

    def _report_here(self, diagnostic: Diagnostic) -> None:
        """Report, with the calls of definitions that led here."""
        self.report(diagnostic.within(self.build.calls))
