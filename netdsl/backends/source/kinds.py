"""Module tree to kinds: which modules of a network are of one class, and which layers repeat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from netdsl.ir import Call, Shape
from netdsl.ops.convolution import CONV_DEFAULTS
from netdsl.plan import ModulePlan, Program, Step

# What a constructor takes where an argument is not given: calls that differ by such an argument
# alone are of one kind.
DEFAULTS: dict[str, dict[str, object]] = {
    "nn.Conv2d": CONV_DEFAULTS,
    "nn.ConvTranspose2d": CONV_DEFAULTS,
    "nn.Linear": {"bias": True},
}
OTHER_DEFAULTS: dict[str, object] = {"inplace": False}

# What has no state is written as an expression.
JOINS = ("Add", "Multiply", "Cat")

_NUMBERED = re.compile(r"(\w*?[A-Za-z_])([1-9][0-9]*)(?:_\w+)?")
_SUFFIX = re.compile(r"_(?:norm|act)$")


@dataclass(frozen=True, slots=True)
class Part:
    """One child of a module, with the step that runs it."""

    name: str
    child: Call | ModulePlan
    step: Step


@dataclass(frozen=True, slots=True)
class Run:
    """Layers in a row that differ by their number alone: `bb2` to `bb9`; mostly a single one.

    A layer may be several parts (`conv3`, `conv3_norm`). `start` is 0 where it has no number. The
    count is `free` where modules of one class may differ by it.
    """

    stem: str
    start: int
    layers: tuple[tuple[Part, ...], ...]
    free: bool = False

    @property
    def last(self) -> int:
        return self.start + len(self.layers) - 1

    @property
    def base(self) -> str:
        """The name of the first layer."""
        return f"{self.stem}{self.start or ''}"


@dataclass(frozen=True, slots=True)
class Instance:
    """One module of a kind, and the shapes that come into it."""

    plan: ModulePlan
    runs: tuple[Run, ...]
    inputs: tuple[Shape, ...]


@dataclass(slots=True)
class Kind:
    """The modules of one class: the same children, wired alike; their arguments may differ."""

    number: int
    code: str
    instances: list[Instance] = field(default_factory=list)

    @property
    def first(self) -> Instance:
        return self.instances[0]

    @property
    def drops(self) -> bool:
        """Whether stochastic depth may leave out the branch of such a module."""
        return self.first.plan.dropped is not None and self.first.plan.path != ""

    def parts(self) -> Iterator[Part]:
        """Return the children, those of repeated layers once."""
        return (part for run in self.first.runs for part in run.layers[0])


class Kinds:
    """All kinds of a network, those of inner modules first; `of` finds a module by its path."""

    def __init__(self, root: ModulePlan, shape: Shape) -> None:
        self.all: list[Kind] = []
        self.of: dict[str, tuple[Kind, int]] = {}
        self._by_structure: dict[object, Kind] = {}
        self._twins: dict[object, int] = {}
        self._twin: dict[str, int] = {}
        self._visit(root, (shape,))

    def _visit(self, plan: ModulePlan, inputs: tuple[Shape, ...]) -> None:
        shapes = dict(enumerate(inputs))
        parts: list[Part] = []
        for (name, child), step in zip(plan.children, plan.program.steps, strict=True):
            assert name == step.child, plan.path
            if isinstance(child, ModulePlan):
                self._visit(child, tuple([shapes[i] for i in step.operands]))
            shapes[step.result] = step.shape
            parts.append(Part(name, child, step))
        self._twin[plan.path] = self._twins.setdefault(self._content(plan, parts), len(self._twins))
        runs = _with_free_counts(self._runs(parts), plan)
        kind = self._kind(plan, runs)
        self.of[plan.path] = kind, len(kind.instances)
        kind.instances.append(Instance(plan, runs, inputs))

    def _kind(self, plan: ModulePlan, runs: tuple[Run, ...]) -> Kind:
        structure = (plan.code, *_frame(plan), tuple([self._structure(run) for run in runs]))
        if structure not in self._by_structure:
            kind = Kind(len(self.all), plan.code)
            self._by_structure[structure] = kind
            self.all.append(kind)
        return self._by_structure[structure]

    def _structure(self, run: Run) -> object:
        """What a run must share with that of another module, for the two to be of one kind."""
        count = 0 if run.free else len(run.layers)
        return run.stem, run.start, count, tuple([self._wired(part) for part in run.layers[0]])

    def _wired(self, part: Part) -> object:
        return part.name, self._signature(part.child), part.step.operands, part.step.result

    def _signature(self, child: Call | ModulePlan) -> object:
        if isinstance(child, ModulePlan):
            return self.of[child.path][0].number
        optional = DEFAULTS.get(child.target, OTHER_DEFAULTS)
        given = tuple([key for key in child.arguments if key not in optional])
        return child.target, child.positional, given

    def _content(self, plan: ModulePlan, parts: list[Part]) -> object:
        """What two modules share if they are made by the same call."""
        return plan.code, *_frame(plan), tuple([(x.name, self._same(x)) for x in parts])

    def _same(self, part: Part) -> object:
        """What two children share if one line of a loop makes and runs both."""
        child = part.child
        made = self._twin[child.path] if isinstance(child, ModulePlan) else str(child)
        return made, part.step.operands, part.step.result

    def _runs(self, parts: list[Part]) -> list[Run]:
        found: list[tuple[str, int, list[tuple[Part, ...]]]] = []
        before: object = None
        for (stem, number), group in groupby(parts, lambda part: layer_of(part.name)):
            layer = tuple(group)
            skip = len(f"{stem}{number or ''}")
            content = stem, tuple([(x.name[skip:], self._same(x)) for x in layer])
            joins = any(isinstance(x.child, Call) and x.child.target in JOINS for x in layer)
            next_number = found[-1][1] + len(found[-1][2]) if found else 0
            if content == before and number == next_number and number and not joins:
                found[-1][2].append(layer)
            else:
                found.append((stem, number, [layer]))
            before = content
        return [Run(stem, start, tuple(layers)) for stem, start, layers in found]


def layer_of(name: str) -> tuple[str, int]:
    """Split the name of a child into that of its layer and its number.

    >>> layer_of("conv12_norm"), layer_of("shortcut_norm"), layer_of("drop_path")
    (('conv', 12), ('shortcut', 0), ('drop_path', 0))
    """
    match = _NUMBERED.fullmatch(name)
    return (match[1], int(match[2])) if match else (_SUFFIX.sub("", name), 0)


def _with_free_counts(runs: list[Run], plan: ModulePlan) -> tuple[Run, ...]:
    """Free the count of every run of blocks after which its numbers do not go on."""
    free: list[Run] = []
    later: set[str] = set()
    for run in reversed(runs):
        (first, *others) = run.layers[0]
        block = isinstance(first.child, ModulePlan) and not others and run.start > 0
        count = block and run.stem not in later and plan.dropped is None
        free.append(Run(run.stem, run.start, run.layers, count))
        later.add(run.stem)
    return tuple(reversed(free))


def _frame(plan: ModulePlan) -> tuple[object, ...]:
    dropped = plan.dropped and _wiring(plan.dropped)
    return plan.inputs, plan.program.output, dropped


def _wiring(program: Program) -> object:
    return program.output, tuple([(s.child, s.operands, s.result) for s in program.steps])
