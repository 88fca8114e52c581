"""The syntax tree: one class a grammar rule, in the order of the grammar.

Trees compare by what was written, not by where: spans and comments take no part in equality. `str`
of an argument is its canonical text; whole files are printed by `netdsl.syntax.printer`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from netdsl.errors import Source, Span

NOWHERE = Span(Source("", ""), 0, 0)


def _span() -> Span:
    return field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Number:
    """`64`, `0.5`, `1e-6`, and in `expect` also `0.85M`; keeps the digits as written."""

    text: str
    span: Span = _span()

    @property
    def value(self) -> int | Fraction:
        """The number without its unit, exact."""
        value = Fraction(self.text.rstrip("KMG"))
        return int(value) if value.denominator == 1 else value

    @property
    def unit(self) -> int:
        """1, or 10³, 10⁶, 10⁹ for a number that ends in K, M or G."""
        return {"K": 10**3, "M": 10**6, "G": 10**9}.get(self.text[-1], 1)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Name:
    """A bare word inside an expression: a parameter, or a word such as `none`."""

    text: str
    span: Span = _span()

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Dims:
    """`3x5`, `3x64x64`: a size or a shape."""

    values: tuple[int, ...]
    span: Span = _span()

    def __str__(self) -> str:
        return "x".join(map(str, self.values))


@dataclass(frozen=True, slots=True)
class Text:
    """A string in double quotes."""

    value: str
    span: Span = _span()

    def __str__(self) -> str:
        return f'"{self.value}"'


@dataclass(frozen=True, slots=True)
class Operation:
    """A chain of operators of one rank, left to right: `a + b - c` or `a * b // c`.

    Flat, so that a sum of ten thousand terms is no deeper than a sum of two.
    """

    first: Expr
    rest: tuple[tuple[str, Expr], ...]
    span: Span = _span()

    def __str__(self) -> str:
        return str(self.first) + "".join(f"{op}{operand}" for op, operand in self.rest)


@dataclass(frozen=True, slots=True)
class Negative:
    """`-a`, allowed after `=` and inside brackets."""

    operand: Expr
    span: Span = _span()

    def __str__(self) -> str:
        return f"-{self.operand}"


@dataclass(frozen=True, slots=True)
class Parenthesis:
    """`(a + b)`."""

    inner: Expr
    span: Span = _span()

    def __str__(self) -> str:
        return f"({self.inner})"


@dataclass(frozen=True, slots=True)
class List:
    """`[64, 128, 256]`, one value a repetition; of one element, an expression in brackets."""

    values: tuple[Value, ...]
    span: Span = _span()

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.values))}]"


Expr = Number | Name | Operation | Negative | Parenthesis
Value = Number | Name | Operation | Negative | Parenthesis | Dims | Text | List


@dataclass(frozen=True, slots=True)
class Pinned:
    """`16!`: a positional value that `scale` leaves alone."""

    value: Value
    span: Span = _span()

    def __str__(self) -> str:
        return f"{self.value}!"


@dataclass(frozen=True, slots=True)
class Option:
    """`key=value`; `k3` and `k1x7` are read as such, with `short` set."""

    key: str
    value: Value
    key_span: Span = _span()
    span: Span = _span()
    short: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


Argument = Value | Pinned | Option


@dataclass(frozen=True, slots=True)
class Layer:
    """`Conv 64 7x7 s2`: a name and its arguments."""

    name: str
    arguments: tuple[Argument, ...] = ()
    name_span: Span = _span()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Repeat:
    """`x3`, `x[2, 3]`, `x3!` behind a group."""

    count: Value
    pinned: bool = False
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Group:
    """`( … )x3`; without a count it only groups."""

    body: Body
    repeat: Repeat | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Branch:
    """What stands between two `|`; `@name` at its start reads a label instead of what comes in."""

    reads: Name | None
    body: Body
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Combine:
    """`Res options ( … )`, `Add( … | … )`, `Cat( … | … )`, with the repeat behind it."""

    name: str
    options: tuple[Option | Name, ...]
    branches: tuple[Branch, ...]
    repeat: Repeat | None = None
    name_span: Span = _span()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Item:
    """A layer, group or combination with what is said of its output: a label, an asserted shape."""

    core: Layer | Group | Combine
    label: Name | None = None
    shape: Dims | None = None
    span: Span = _span()


Body = tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """`norm batch`: a known key of the header, with its value."""

    key: str
    value: Value
    key_span: Span = _span()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Parameter:
    """`n = 9`."""

    name: str
    value: Value
    name_span: Span = _span()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Default:
    """`default BB(dropout=0.5)`."""

    layer: str
    options: tuple[Option | Name, ...]
    layer_span: Span = _span()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Scale:
    """`scale s(width=0.5)`."""

    name: str
    options: tuple[Option, ...]
    name_span: Span = _span()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Expect:
    """`expect(params=0.85M depth=56)`."""

    options: tuple[Option, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Formal:
    """`s=2` in the brackets of a `def`."""

    name: str
    default: Value | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Definition:
    """`def Stage(c, n, s=2) { … }`."""

    name: str
    formals: tuple[Formal, ...]
    body: Body
    name_span: Span = _span()
    span: Span = _span()


Header = Setting | Parameter | Default | Scale | Expect | Definition


@dataclass(frozen=True, slots=True)
class Comment:
    """`# …` with its place; `own_line` says that nothing stands before it."""

    text: str
    own_line: bool
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class File:
    """A whole source: header entries, then layers."""

    header: tuple[Header, ...]
    body: Body
    comments: tuple[Comment, ...] = field(default=(), compare=False)
    span: Span = _span()
