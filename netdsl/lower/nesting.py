"""Refuses definitions that call themselves and what is nested too deep, before a value is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from netdsl.errors import Span, fail
from netdsl.ir.limits import DEFINITIONS, NESTING
from netdsl.syntax import tree


def check_nesting(body: tree.Body, definitions: Mapping[str, tree.Definition]) -> None:
    """Raise where a definition calls itself, or where calls and brackets are nested too deep.

    Both count together: what reads a network goes a step deeper for each.
    """
    _Walk(definitions).body(body, 0)


@dataclass(slots=True)
class _Walk:
    """`trail` holds the definitions that are being walked, `walked` how deep each one has been."""

    definitions: Mapping[str, tree.Definition]
    trail: list[str] = field(default_factory=list)
    walked: dict[str, int] = field(default_factory=dict)

    def body(self, body: tree.Body, level: int) -> None:
        for item in body:
            core = item.core
            if isinstance(core, tree.Layer):
                if core.name in self.definitions:
                    self._call(core, level + 1)
                continue
            self._refuse_deep(level + 1, core.span)
            for inner in _bodies(core):
                self.body(inner, level + 1)

    def _call(self, call: tree.Layer, level: int) -> None:
        if call.name in self.trail:
            cycle = " -> ".join([*self.trail[self.trail.index(call.name) :], call.name])
            raise fail("E0212", f"the definition calls itself: {cycle}", call.name_span)
        if len(self.trail) == DEFINITIONS:
            message = f"definitions call each other more than {DEFINITIONS} deep"
            raise fail("E0107", message, call.name_span)
        self._refuse_deep(level, call.name_span)
        if level <= self.walked.get(call.name, 0):
            return
        self.walked[call.name] = level
        self.trail.append(call.name)
        self.body(self.definitions[call.name].body, level)
        self.trail.pop()

    def _refuse_deep(self, level: int, span: Span) -> None:
        if level > NESTING:
            message = f"brackets and calls of definitions are nested more than {NESTING} deep"
            raise fail("E0107", message, span)


def _bodies(core: tree.Group | tree.Combine) -> Iterator[tree.Body]:
    if isinstance(core, tree.Group):
        yield core.body
    else:
        yield from (branch.body for branch in core.branches)
