"""Kinds to `forward` methods: the steps of a module as statements that a person would write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from netdsl.backends.source.kinds import JOINS, Kind, Part, Run, layer_of
from netdsl.backends.source.params import Signature
from netdsl.backends.source.text import Brackets, comment, fits, fold, fold_terms
from netdsl.ir import Call
from netdsl.plan import Program

LETTERS = "xyzuvw"
# A run of fewer layers is written out.
LOOP = 3

# Parts of one layer, and the run where they stand for all of its layers: a loop.
_Layer = tuple[Run | None, tuple[Part, ...]]


@dataclass(frozen=True, slots=True)
class Statement:
    """One or more parts, each taking the result of the one before: `act(norm(conv(x)))`."""

    parts: tuple[Part, ...]
    note: str = ""

    @property
    def result(self) -> int:
        return self.parts[-1].step.result

    def lines(self, before: str, indent: int) -> list[str]:
        """Return its text behind `before`: `x = ` or `return `."""
        first, *others = self.parts
        target, names = _target(first), [variable(slot) for slot in first.step.operands]
        if others:
            folded = [f"{' ' * indent}{before}{self}"]
        elif target in ("Add", "Multiply"):
            folded = fold_terms(before, names, "+" if target == "Add" else "*", indent)
        elif target == "Cat":
            folded = fold(Brackets(f"{before}torch.cat(", (_tuple(names), "1")), indent)
        else:
            folded = fold(Brackets(f"{before}self.{first.name}(", tuple(names)), indent)
        return [*folded[:-1], comment(folded[-1], self.note)]

    def __str__(self) -> str:
        first, *others = self.parts
        names = [variable(slot) for slot in first.step.operands]
        text = {
            "Add": " + ".join(names),
            "Multiply": " * ".join(names),
            "Cat": f"torch.cat({_tuple(names)}, 1)",
        }.get(_target(first), f"self.{first.name}({', '.join(names)})")
        for part in others:
            text = f"self.{part.name}({text})"
        return text


@dataclass(frozen=True, slots=True)
class Loop:
    """The layers of a run, one after the other."""

    run: Run
    last: str
    note: str = ""

    def lines(self, indent: int) -> list[str]:
        """Return the loop."""
        head = f"{' ' * indent}for i in {interval(self.run, self.last)}:"
        lines = [comment(head, self.note)]
        for part in self.run.layers[0]:
            names = ", ".join(variable(slot) for slot in part.step.operands)
            call = f"getattr(self, {numbered(part, self.run)})({names})"
            lines.append(f"{' ' * (indent + 4)}{variable(part.step.result)} = {call}")
        return lines


def forward(kind: Kind, signature: Signature, start: Iterable[str] = ()) -> list[str]:
    """Return the method `forward` of a class; `start` is what it does first."""
    plan = kind.first.plan
    inputs = tuple([f"{variable(i)}: Tensor" for i in range(plan.inputs)])
    lines = fold(Brackets("def forward(", ("self", *inputs), ") -> Tensor:"), 4)
    lines += start
    if kind.drops and plan.dropped is not None:
        lines.append(f"{' ' * 8}if self.training and not self.survives:")
        lines += _returned(list(_shorter(kind, plan.dropped)), plan.dropped.output, 12)
    return lines + _returned(list(_body(kind, signature)), plan.program.output, 8)


def variable(slot: int) -> str:
    """Return the variable that holds the values of a slot.

    >>> [variable(slot) for slot in (0, 1, 5, 6)]
    ['x', 'y', 'w', 'x6']
    """
    return LETTERS[slot] if slot < len(LETTERS) else f"x{slot}"


def is_loop(run: Run, signature: Signature) -> bool:
    """Whether a run becomes a loop: where it is long, or as long as a parameter says."""
    return len(run.layers) >= LOOP or not signature.last(run).isdecimal()


def interval(run: Run, last: str) -> str:
    """Return the `range` of the numbers of a run."""
    stop = str(int(last) + 1) if last.isdecimal() else f"{last} + 1"
    return f"range({run.start}, {stop})"


def numbered(part: Part, run: Run) -> str:
    """Return the name of a part as a function of the number `i` of its layer."""
    return f'f"{run.stem}{{i}}{part.name[len(run.base) :]}"'


def _body(kind: Kind, signature: Signature) -> Iterator[Statement | Loop]:
    layers: list[_Layer] = []
    for run in kind.first.runs:
        if is_loop(run, signature):
            layers.append((run, run.layers[-1]))
        else:
            layers += [(None, layer) for layer in run.layers]
    shapes = dict(enumerate(kind.first.inputs))
    agreed = _agreed(kind)
    for looped, parts in _statements(layers):
        (before, *_), after = parts[0].step.operands, parts[-1].step.shape
        changes = shapes[before] != after and parts[-1].name in agreed
        for part in parts:
            shapes[part.step.result] = part.step.shape
        if looped:
            note = f"ends with {after}" if changes else ""
            last = signature.last(looped)
            yield Loop(looped, last if last.isdecimal() else f"self.{last}", note)
        else:
            yield Statement(parts, str(after) if changes else "")


def _shorter(kind: Kind, dropped: Program) -> Iterator[Statement | Loop]:
    """What a training step runs that leaves the branch out."""
    children = dict(kind.first.plan.children)
    parts = [Part(step.child, children[step.child], step) for step in dropped.steps]
    layers = [(None, tuple(group)) for _, group in groupby(parts, lambda x: layer_of(x.name))]
    return (Statement(parts) for _, parts in _statements(layers))


def _returned(body: list[Statement | Loop], output: int, indent: int) -> list[str]:
    """The statements as text; the last one returns its value."""
    lines: list[str] = []
    for statement in body[:-1]:
        lines += _assigned(statement, indent)
    last = body[-1] if body else None
    if isinstance(last, Statement) and last.result == output:
        return lines + last.lines("return ", indent)
    lines += _assigned(last, indent) if last else []
    return [*lines, f"{' ' * indent}return {variable(output)}"]


def _assigned(statement: Statement | Loop, indent: int) -> list[str]:
    if isinstance(statement, Loop):
        return statement.lines(indent)
    return statement.lines(f"{variable(statement.result)} = ", indent)


def _statements(layers: Iterable[_Layer]) -> Iterator[_Layer]:
    """Nest the parts of one layer, and what takes a sum right away, into one statement."""
    chain: tuple[Part, ...] = ()
    for looped, layer in layers:
        if looped and chain:
            yield None, chain
            chain = ()
        if looped:
            yield looped, layer
            continue
        for part in layer:
            if chain and not _goes_on(chain, part, same_layer=part is not layer[0]):
                yield None, chain
                chain = ()
            chain = (*chain, part)
    if chain:
        yield None, chain


def _goes_on(chain: tuple[Part, ...], part: Part, *, same_layer: bool) -> bool:
    """Whether a part can take the result of the ones before without a variable in between."""
    value = chain[-1].step.result
    alone = part.step.operands == (value,) and part.step.result == value
    joined = len(chain) == 1 and _target(chain[0]) in JOINS
    nested = alone and (same_layer or joined) and _target(part) not in JOINS
    return nested and fits(f"{' ' * 12}return {Statement((*chain, part))}")


def _target(part: Part) -> str:
    return part.child.target if isinstance(part.child, Call) else ""


def _tuple(names: list[str]) -> Brackets:
    return Brackets("(", tuple(names) if len(names) > 1 else (f"{names[0]},",))


def _agreed(kind: Kind) -> set[str]:
    """The parts whose shape is the same in all modules of the kind."""
    agreed: set[str] = set()
    for r in range(len(kind.first.runs)):
        # From the last layer back: where counts differ, the loop shows its end.
        layers = [reversed(instance.runs[r].layers) for instance in kind.instances]
        for same in zip(*layers, strict=False):
            for parts in zip(*same, strict=True):
                if len({part.step.shape for part in parts}) == 1:
                    agreed.add(parts[0].name)
    return agreed
