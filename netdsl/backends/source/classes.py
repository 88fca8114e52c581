"""Kinds to classes: the text of each, from its name to the last line of its `forward`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from netdsl.backends.source.forward import forward, interval, is_loop, numbered
from netdsl.backends.source.kinds import JOINS, Kind, Kinds, Part, Run
from netdsl.backends.source.params import Signature, signatures
from netdsl.backends.source.text import Brackets, fold, remark
from netdsl.ir import Call, Entry, Graph, Leaf, Outline, Repeat
from netdsl.rows import spelling

INDENT = 8


@dataclass(frozen=True, slots=True)
class Classes:
    """All that the text of a class is made from."""

    kinds: Kinds
    names: Mapping[int, str]
    written: Mapping[str, str]
    signatures: Mapping[int, Signature]

    def text(
        self, kind: Kind, summary: str, end: Iterable[str] = (), start: Iterable[str] = ()
    ) -> list[str]:
        """Return the lines of a class; `end` ends its constructor, `start` begins its forward."""
        signature = self.signatures[kind.number]
        return [
            *fold(Brackets(f"class {self.names[kind.number]}(", ("nn.Module",), "):"), 0),
            f'    """{summary}"""',
            "",
            *_constructor(signature, [*self._children(kind, signature), *end]),
            *forward(kind, signature, start),
        ]

    def _children(self, kind: Kind, signature: Signature) -> Iterator[str]:
        if kind.drops:
            yield f"{' ' * INDENT}self.survives = True  # drawn by the network for every step"
        counts = dict.fromkeys(signature.last(run) for run in kind.first.runs)
        yield from (f"{' ' * INDENT}self.{n} = {n}" for n in counts if not n.isdecimal())
        for r, run in enumerate(kind.first.runs):
            texts = {self.written.get(_path(x.plan.path, x.runs[r].base)) for x in kind.instances}
            (text, *others) = texts
            if text and not others:
                yield from remark(text, INDENT)
            if is_loop(run, signature):
                yield from self._loop(run, signature)
            else:
                yield from self._written_out(run, signature)

    def _loop(self, run: Run, signature: Signature) -> Iterator[str]:
        yield f"{' ' * INDENT}for i in {interval(run, signature.last(run))}:"
        for part in run.layers[0]:
            call = self._call(part, signature.arguments(part.name))
            if call is not None:
                yield from fold(
                    Brackets("self.add_module(", (numbered(part, run), call)), INDENT + 4
                )

    def _written_out(self, run: Run, signature: Signature) -> Iterator[str]:
        for layer in run.layers:
            for first, part in zip(run.layers[0], layer, strict=True):
                call = self._call(first, signature.arguments(first.name))
                if call is not None:
                    before = f"self.{part.name} = {call.before}"
                    yield from fold(Brackets(before, call.items), INDENT)

    def _call(self, part: Part, arguments: tuple[str, ...]) -> Brackets | None:
        """The call that makes a child; a join has no state and is written in `forward`."""
        if not isinstance(part.child, Call):
            kind, _ = self.kinds.of[part.child.path]
            return Brackets(f"{self.names[kind.number]}(", arguments)
        if part.child.target in JOINS:
            return None
        return Brackets(f"{part.child.target}(", arguments)


def classes(kinds: Kinds, names: Mapping[int, str], graph: Graph) -> Classes:
    """Return what prints the classes of a network."""
    written = dict(_written(graph.outline, spelling(graph)))
    return Classes(kinds, names, written, signatures(kinds))


def _constructor(signature: Signature, body: list[str]) -> list[str]:
    """The constructor with the line behind it; none where it would make nothing."""
    given = tuple([x.declaration for x in signature.parameters])
    head = fold(Brackets("def __init__(", ("self", *given), ") -> None:"), 4)
    return [*head, f"{' ' * INDENT}super().__init__()", *body, ""] if body else []


def _written(outline: Outline, spell: Callable[[Entry], str]) -> Iterator[tuple[str, str]]:
    """What is called by one name though it is repeated, by the path of the first layer in it."""
    for entry in outline:
        if isinstance(entry, Repeat):
            yield from (pair for body in entry.bodies for pair in _written(body, spell))
            first = _first(entry)
            if first and len(entry.bodies) > 1:
                yield first, spell(entry)
        elif not isinstance(entry, Leaf):
            yield from (pair for branch in entry.branches for pair in _written(branch, spell))


def _first(repeat: Repeat) -> str:
    """The path of the first layer inside, "" for none."""
    entry = next(iter(next(iter(repeat.bodies), ())), None)
    while isinstance(entry, Repeat):
        entry = next(iter(next(iter(entry.bodies), ())), None)
    return entry.name if entry else ""


def _path(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name
