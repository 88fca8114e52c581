"""The syntax tree: one class a grammar rule, in the order of the grammar.

Trees compare by what was written, not by where: spans and comments take no part in equality. `str`
of an argument is its canonical text; whole files are printed by `netdsl.syntax.printer`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from netdsl.errors import Span
from netdsl.syntax.values import NOWHERE as NOWHERE
from netdsl.syntax.values import Argument as Argument
from netdsl.syntax.values import Dims as Dims
from netdsl.syntax.values import Expr as Expr
from netdsl.syntax.values import List as List
from netdsl.syntax.values import Name as Name
from netdsl.syntax.values import Negative as Negative
from netdsl.syntax.values import Number as Number
from netdsl.syntax.values import Operation as Operation
from netdsl.syntax.values import Option as Option
from netdsl.syntax.values import Parenthesis as Parenthesis
from netdsl.syntax.values import Pinned as Pinned
from netdsl.syntax.values import Text as Text
from netdsl.syntax.values import Value as Value
from netdsl.syntax.values import no_span


@dataclass(frozen=True, slots=True)
class Layer:
    """`Conv 64 7x7 s2`: a name and its arguments."""

    name: str
    arguments: tuple[Argument, ...] = ()
    name_span: Span = no_span()
    span: Span = no_span()


@dataclass(frozen=True, slots=True)
class Repeat:
    """`x3`, `x[2, 3]`, `x3!` behind a group."""

    count: Value
    pinned: bool = False
    span: Span = no_span()


@dataclass(frozen=True, slots=True)
class Group:
    """`( … )x3`; without a count it only groups."""

    body: Body
    repeat: Repeat | None = None
    span: Span = no_span()


@dataclass(frozen=True, slots=True)
class Branch:
    """What stands between two `|`; `@name` at its start reads a label instead of what comes in."""

    reads: Name | None
    body: Body
    span: Span = no_span()


@dataclass(frozen=True, slots=True)
class Combine:
    """`Res options ( … )`, `Add( … | … )` and the like, with the repeat behind it."""

    name: str
    options: tuple[Option | Name, ...]
    branches: tuple[Branch, ...]
    repeat: Repeat | None = None
    name_span: Span = no_span()
    span: Span = no_span()


@dataclass(frozen=True, slots=True)
class Item:
    """A layer, group or combination with what is said of its output: a label, an asserted shape."""

    core: Layer | Group | Combine
    label: Name | None = None
    shape: Dims | None = None
    span: Span = no_span()


Body = tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """`norm batch`: a known key of the header, with its value."""

    key: str
    value: Value
    key_span: Span = no_span()
    span: Span = no_span()


@dataclass(frozen=True, slots=True)
class Parameter:
    """`n = 9`."""

    name: str
    value: Value
    name_span: Span = no_span()
    span: Span = no_span()


@dataclass(frozen=True, slots=True)
class Default:
    """`default BB(dropout=0.5)`."""

    layer: str
    options: tuple[Option | Name, ...]
    layer_span: Span = no_span()
    span: Span = no_span()


@dataclass(frozen=True, slots=True)
class Scale:
    """`scale s(width=0.5)`."""

    name: str
    options: tuple[Option, ...]
    name_span: Span = no_span()
    span: Span = no_span()


@dataclass(frozen=True, slots=True)
class Expect:
    """`expect(params=0.85M depth=56)`."""

    options: tuple[Option, ...]
    span: Span = no_span()


@dataclass(frozen=True, slots=True)
class Formal:
    """`s=2` in the brackets of a `def`."""

    name: str
    default: Value | None = None
    span: Span = no_span()


@dataclass(frozen=True, slots=True)
class Definition:
    """`def Stage(c, n, s=2) { … }`."""

    name: str
    formals: tuple[Formal, ...]
    body: Body
    name_span: Span = no_span()
    span: Span = no_span()


Header = Setting | Parameter | Default | Scale | Expect | Definition


@dataclass(frozen=True, slots=True)
class Comment:
    """`# …` with its place; `own_line` says that nothing stands before it."""

    text: str
    own_line: bool
    span: Span = no_span()


@dataclass(frozen=True, slots=True)
class File:
    """A whole source: header entries, then layers."""

    header: tuple[Header, ...]
    body: Body
    comments: tuple[Comment, ...] = field(default=(), compare=False)
    span: Span = no_span()
