"""The leaves of the syntax tree: numbers, words, sizes, expressions, lists, options."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from netdsl.amounts import sized
from netdsl.errors import Source, Span

NOWHERE = Span(Source("", ""), 0, 0)


def no_span() -> Span:
    return field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Number:
    """`64`, `0.5`, `1e-6`, and in `expect` also `0.85M`; keeps the digits as written."""

    text: str
    span: Span = no_span()

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
    span: Span = no_span()

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Dims:
    """`3x5`, `3x64x64`: a size or a shape."""

    values: tuple[int, ...]
    span: Span = no_span()

    def __str__(self) -> str:
        return sized(self.values)


@dataclass(frozen=True, slots=True)
class Text:
    """A string in double quotes."""

    value: str
    span: Span = no_span()

    def __str__(self) -> str:
        return f'"{self.value}"'


@dataclass(frozen=True, slots=True)
class Operation:
    """A chain of operators of one rank, left to right: `a + b - c` or `a * b // c`.

    Flat, so that a sum of ten thousand terms is no deeper than a sum of two.
    """

    first: Expr
    rest: tuple[tuple[str, Expr], ...]
    span: Span = no_span()

    def __str__(self) -> str:
        return str(self.first) + "".join(f"{op}{operand}" for op, operand in self.rest)


@dataclass(frozen=True, slots=True)
class Negative:
    """`-a`, allowed after `=` and inside brackets."""

    operand: Expr
    span: Span = no_span()

    def __str__(self) -> str:
        return f"-{self.operand}"


@dataclass(frozen=True, slots=True)
class Parenthesis:
    """`(a + b)`."""

    inner: Expr
    span: Span = no_span()

    def __str__(self) -> str:
        return f"({self.inner})"


@dataclass(frozen=True, slots=True)
class List:
    """`[64, 128, 256]`, one value a repetition; of one element, an expression in brackets."""

    values: tuple[Value, ...]
    span: Span = no_span()

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.values))}]"


Expr = Number | Name | Operation | Negative | Parenthesis
Value = Number | Name | Operation | Negative | Parenthesis | Dims | Text | List


@dataclass(frozen=True, slots=True)
class Pinned:
    """`16!`: a positional value that `scale` leaves alone."""

    value: Value
    span: Span = no_span()

    def __str__(self) -> str:
        return f"{self.value}!"


@dataclass(frozen=True, slots=True)
class Option:
    """`key=value`; `k3` and `k1x7` are read as such, with `short` set."""

    key: str
    value: Value
    key_span: Span = no_span()
    span: Span = no_span()
    short: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


Argument = Value | Pinned | Option
