"""Where items are added: the module that is being filled, and the labels that can be seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from netdsl.errors import Span
from netdsl.ir import Node
from netdsl.lower.values import Scope


@dataclass(slots=True)
class Frame:
    """Where items are added: the module that is being filled, and the labels that can be seen.

    `labels` is fresh in every body; `outer` leads to those around it, up to the call of a `def`.
    """

    prefix: str
    counts: Counter[str]
    scope: Scope
    labels: dict[str, tuple[Node, Span]] = field(default_factory=dict)
    outer: Frame | None = None

    def inner(self, scope: Scope | None = None, prefix: str | None = None) -> Frame:
        """A body inside this one, in a module of its own if it has a prefix."""
        if prefix is None:
            return Frame(self.prefix, self.counts, scope or self.scope, outer=self)
        return Frame(prefix, Counter(), scope or self.scope, outer=self)

    def find(self, label: str) -> Node | None:
        """Return what a label names, here or around."""
        frame: Frame | None = self
        while frame is not None:
            if label in frame.labels:
                return frame.labels[label][0]
            frame = frame.outer
        return None

    def name(self, kind: str) -> str:
        """Return the next free name of a kind in this module: `conv3`."""
        self.counts[kind] += 1
        return f"{kind}{self.counts[kind]}"
