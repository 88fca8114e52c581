"""Res, Add, Cat and Mul: a shortcut around a group, and branches that are joined."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from netdsl.errors import Diagnostic, Label, Misfit, Span, fail
from netdsl.ir import UNKNOWN, Builder, Graph, Node, Outline, Section, Size
from netdsl.lower.bind import bind_options, made
from netdsl.lower.environment import Environment
from netdsl.lower.frame import Frame
from netdsl.lower.values import Scope
from netdsl.ops.act import activate
from netdsl.ops.blocks import OF_THE_SHORTCUT, Res, add_shortcut, add_written
from netdsl.ops.wiring import JOINS
from netdsl.suggest import closest
from netdsl.syntax import tree

LowerBody = Callable[[tree.Body, Node, Frame], tuple[Node, Outline]]


class Combiner:
    """Adds one combination at a time; `body` adds the items of a branch."""

    def __init__(self, build: Builder, environment: Environment, body: LowerBody) -> None:
        self.build = build
        self.environment = environment
        self.body = body
        self.read_labels: set[str] = set()
        self.labels: dict[str, dict[Span, None]] = {}  # where they stand, in every body

    def combine(self, core: tree.Combine, x: Node, frame: Frame) -> tuple[Node, Outline]:
        """Add `Res(…)`, or what joins branches such as `Cat(…|…)`, after `x`."""
        name = frame.name(core.name.lower())
        if core.name == "Res":
            return self._res(core, x, frame, name)
        if core.options:
            span = core.options[0].span.to(core.options[-1].span)
            raise fail("E0203", f"{core.name} has no options", span)
        if len(core.branches) < 2:
            message = f"{core.name} needs two branches or more, with `|` between them"
            self.build.report(Diagnostic("E0204", message, core.name_span))
        return self._join(core, x, frame, name)

    def _res(self, core: tree.Combine, x: Node, frame: Frame, name: str) -> tuple[Node, Outline]:
        bound = bind_options(core.options, Res, "Res", frame.scope, Res.flags)
        body, *written_out = core.branches
        if len(written_out) > 1:
            message = "Res has a body and a shortcut, and this is a third branch"
            raise fail("E0205", message, written_out[1].span)
        if not body.body and body.reads is None:
            message, help = "the brackets of Res hold no layer", None
            if written_out:
                message = "the first branch of Res is its body, and holds no layer"
                help = "the shortcut stands behind it: `Res( … | )`"
            raise fail("E0117", message, core.span, help=help)
        units = self.build.units
        start, y, outline = self._branch(body, x, frame, name)
        if y is start is not x:
            message = "a Res that reads a label needs a layer to lead its shortcut around"
            raise fail("E0204", message, core.name_span)
        own = [self._branch(branch, x, frame, f"{name}.shortcut") for branch in written_out]
        if y is start:
            if own and own[0][1] is not x:
                message = "the body of Res comes to no layer, and its shortcut leads around nothing"
                raise fail("E0117", message, core.span)
            return y, ()
        unit = self.build.units == units
        idle = {} if unit else {"drop_path": "each block inside a Res has its own"}
        if own:
            idle |= dict.fromkeys(OF_THE_SHORTCUT, "the shortcut is written out")
        res = made(Res, "Res", bound, self.environment.defaults, idle)
        section = Section(
            frame.prefix + name, "Res", "res", (outline, *(branch[2] for branch in own)),
            " ".join(["Res", *bound.words]), _reads(core),
        )  # fmt: skip
        self._enter(frame, name, core)
        for option in core.options:
            if isinstance(option, tree.Option) and option.key == "drop_path" and not unit:
                message = "drop_path has no effect on a Res around blocks: each of them has its own"
                raise fail("E0203", message, option.span)
        self.build.units += unit
        if own:
            y = add_written(self.build, y, own[0][1], res, unit=unit)
        else:
            needed = res.shortcut != "identity" and self.environment.settings.residual
            stride = self._stride(start, y, needed=needed)
            y = add_shortcut(self.build, start, start, y, res, stride, unit=unit)
        return activate(self.build, y, res.act, "act"), (section,)

    def _join(self, core: tree.Combine, x: Node, frame: Frame, name: str) -> tuple[Node, Outline]:
        branches = [
            self._branch(branch, x, frame, f"{name}.branch{i}")
            for i, branch in enumerate(core.branches, 1)
        ]
        self._enter(frame, name, core)
        ends = [end for _, end, _ in branches]
        y = self.build(JOINS[core.name](), *ends, name=core.name.lower())
        section = Section(
            frame.prefix + name, core.name, "join", tuple([outline for *_, outline in branches]),
            core.name, _reads(core),
        )  # fmt: skip
        return y, (section,)

    def _branch(
        self, branch: tree.Branch, x: Node, frame: Frame, path: str
    ) -> tuple[Node, Node, Outline]:
        """Add the items of a branch under this path; return its start, its end and its outline."""
        inner = frame.inner(_moved(frame.scope), f"{frame.prefix}{path}.")
        start = self._start(branch, x, inner)
        end, outline = self.body(branch.body, start, inner)
        frame.scope.lists += inner.scope.lists
        return start, end, outline

    def _start(self, branch: tree.Branch, x: Node, frame: Frame) -> Node:
        if branch.reads is None:
            return x
        node = frame.find(branch.reads.text)
        self.read_labels.add(branch.reads.text)
        if node is None:
            if there := self.labels.get(branch.reads.text):
                message = f"`@{branch.reads.text}` is seen only in the body where it stands"
                labels = [Label(next(iter(there)), "in a body of its own")]
                raise fail("E0214", message, branch.reads.span, labels=labels)
            near = closest(branch.reads.text, _visible(frame))
            meant = f"; did you mean `@{near}`?" if near else ""
            raise fail("E0214", f"no label `@{branch.reads.text}` before this{meant}",
                       branch.reads.span)  # fmt: skip
        return node

    def _enter(self, frame: Frame, name: str, core: tree.Combine) -> None:
        """Let the builder add the nodes of the combination itself."""
        self.build.prefix, self.build.layer, self.build.separator = frame.prefix, name, "."
        self.build.span = core.name_span

    def _stride(self, x: Node, y: Node, *, needed: bool) -> Size:
        """The product of the strides on the way from `x` to `y`; 1 between maps of one size.

        Where a shortcut is `needed` and no whole stride leads there, that is reported.
        """
        if UNKNOWN not in (x.shape, y.shape) and x.shape.hw == y.shape.hw:
            return 1, 1
        h = w = Fraction(1)
        graph = self.build.graph
        for node in _way(graph, x, y):
            window = (
                None
                if UNKNOWN in (node.shape, *graph.input_shapes(node))
                else (node.op.window(*graph.input_shapes(node)))
            )
            if window is not None:
                h *= Fraction(window.stride[0], window.up[0])
                w *= Fraction(window.stride[1], window.up[1])
        part = next((stride for stride in (h, w) if stride.denominator != 1), None)
        if needed and part is not None:
            verb = "enlarge a map" if part < 1 else f"subsample by {part}"
            self.build.reject(Misfit("E0304", f"a shortcut cannot {verb}"), (x,))
        return max(1, int(h)), max(1, int(w))


def _way(graph: Graph, x: Node, y: Node) -> list[Node]:
    """Return the nodes behind `x` on a way to `y`, along first operands where these lead to it."""
    way, seen = [(y, iter(y.inputs))], {y.name}
    while way:
        node, operands = way[-1]
        if node.name == x.name:
            return [one for one, _ in way[:-1]]
        following = next((name for name in operands if name not in seen), None)
        if following is None:
            way.pop()
        else:
            seen.add(following)
            way.append((graph[following], iter(graph[following].inputs)))
    return []


def _reads(core: tree.Combine) -> tuple[str, ...]:
    """The label that each branch starts from, or "" for what comes in."""
    return tuple([branch.reads.text if branch.reads else "" for branch in core.branches])


def _moved(scope: Scope) -> Scope:
    return scope.at(scope.index, scope.cin)


def _visible(frame: Frame | None) -> list[str]:
    found: list[str] = []
    while frame is not None:
        found += frame.labels
        frame = frame.outer
    return found
