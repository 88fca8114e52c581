"""What the header says, resolved: what the body is lowered in."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from netdsl.errors import Span
from netdsl.ir import Settings
from netdsl.lower.defaults import Defaults
from netdsl.lower.values import Value
from netdsl.syntax import tree


@dataclass(slots=True)
class Environment:
    """What the header says, resolved.

    `poisoned` are the parameters whose values are wrong: each was told once. `uses` holds the names
    of the definitions that each `use` brings, by where it stands.
    """

    defaults: Defaults
    names: dict[str, Value]
    used: set[str]
    definitions: dict[str, tree.Definition]
    expectations: list[tree.Expect]
    parameters: dict[str, Span]
    depth: Fraction = Fraction(1)
    scale: str = ""
    scaled: frozenset[str] = frozenset()
    poisoned: set[str] = field(default_factory=set)
    uses: dict[Span, set[str]] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return self.defaults.settings
