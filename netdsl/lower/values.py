"""Expressions to values: exact numbers, words, sizes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from netdsl.amounts import sized
from netdsl.errors import NetDSLError, Span, fail
from netdsl.ir import Settings
from netdsl.ir.limits import DIGITS, VALUE
from netdsl.ops import arguments
from netdsl.suggest import closest
from netdsl.syntax import tree
from netdsl.syntax.foreign import PROSE


class Quoted(str):
    """A text in quotes, as opposed to a word."""

    __slots__ = ()


class Unresolved(Exception):
    """A value that depends on a shape which is not known, because of an earlier mistake."""


Value = int | Fraction | str | tuple[int, ...]

# Names that stand for what is so at the place where they are written.
OF_THE_PLACE = ("cin", "rep")

_BITS = (10**DIGITS).bit_length()

LIST = "a list gives one value a repetition"

# What a parameter is worth whose own value is wrong: nothing more is said where it is used.
POISON = Quoted("")


@dataclass(slots=True)
class Scope:
    """The names that an expression may use, and where it stands.

    `index` counts the repetitions of the innermost repeat written around, None where there is none;
    `rep` is one more. `cin` is how many channels arrive, 0 where that is not known and None in the
    header. `dynamic` says that a value depended on either, `read_cin` on the latter, `used` which
    names were read, `lists` those that the first repetition took a value of. `from_cin` are the
    names whose values were reckoned from the `cin` of a call.
    """

    names: Mapping[str, Value]
    used: set[str] = field(default_factory=set)
    index: int | None = None
    cin: int | None = None
    dynamic: bool = False
    read_cin: bool = False
    lists: list[tree.List] = field(default_factory=list)
    from_cin: frozenset[str] = frozenset()

    def at(self, index: int | None, cin: int | None) -> Scope:
        """Return a scope of the same names in another place, where nothing was read yet."""
        return Scope(self.names, self.used, index, cin, from_cin=self.from_cin)


def evaluate(expr: tree.Value, scope: Scope, words: tuple[str, ...] = ()) -> Value:
    """Return the value of an expression; a word among `words` stands for itself."""
    return _EVALUATE[type(expr)](expr, scope, words)


def number(expr: tree.Value, scope: Scope) -> int | Fraction:
    """Return the value of an expression that has to be a number."""
    value = evaluate(expr, scope)
    if isinstance(value, int | Fraction):
        return value
    raise fail("E0206", f"a number is needed here, not {describe(value)}", expr.span)


def describe(value: Value) -> str:
    """Name a value in a message.

    >>> describe("relu"), describe((3, 5)), describe(Fraction(1, 2))
    ('`relu`', '3x5', '0.5')
    """
    if isinstance(value, Quoted):
        return f'"{value}"'
    if isinstance(value, str):
        return f"`{value}`"
    return plain(value)


def plain(value: Value) -> str:
    """Write a value as it stands in a source."""
    if isinstance(value, tuple):
        return sized(value)
    if isinstance(value, Fraction):
        return repr(float(value))
    return f'"{value}"' if isinstance(value, Quoted) else str(value)


def exact(value: int | Fraction) -> int | Fraction:
    """Return a whole fraction as an int."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def _number(expr: tree.Number, scope: Scope, words: tuple[str, ...]) -> Value:
    if expr.unit != 1:
        raise fail("E0206", f"{expr.text}: K, M and G are for `expect` alone", expr.span)
    return expr.value


def _name(expr: tree.Name, scope: Scope, words: tuple[str, ...]) -> Value:
    if expr.text in words and expr.text in scope.names:
        message = f"`{expr.text}` is a word that may stand here, and a parameter"
        raise fail("E0209", message, expr.span, help="give the parameter another name")
    if expr.text in words:
        return expr.text
    if expr.text == "cin":
        return _cin(expr, scope)
    if expr.text == "rep":
        return _repetition(expr, scope, "`rep` is the number of a repetition") + 1
    if expr.text in scope.names:
        scope.used.add(expr.text)
        scope.read_cin |= expr.text in scope.from_cin
        value = scope.names[expr.text]
        if value is POISON:
            raise Unresolved
        return value
    if expr.text == "classes":
        raise fail(
            "E0208",
            "the number of classes is not known",
            expr.span,
            help="write `classes 200` in the header, or give --classes 200, "
            "in Python `classes=200`",
        )
    if expr.text == "i" and scope.index is not None:
        help = "the number of the repetition is `rep`, which begins at 1"
        raise fail("E0208", "unknown name `i`", expr.span, help=help)
    raise unknown_name(expr.text, expr.span, (*words, *scope.names))


def unknown_name(
    name: str, span: Span, known: tuple[str, ...], *, for_number: bool = True
) -> NetDSLError:
    """Return the error of a word that means nothing here, where a number may be what is missing."""
    near = closest(name, known)
    meant = f"; did you mean `{near}`?" if near else ""
    help = None
    if not near and for_number and name not in (*PROSE, "width", "depth"):
        help = f"a parameter is defined in the header: `{name} = 3`"
    if name in arguments(Settings):
        meant, help = "", f"`{name}` is a setting: it stands in the header, before the layers"
    return fail("E0208", f"unknown name `{name}`{meant}", span, help=help)


def _cin(expr: tree.Name, scope: Scope) -> int:
    scope.dynamic = scope.read_cin = True
    if scope.cin is None:
        raise fail("E0208", "`cin` is known only at a layer", expr.span)
    if scope.cin == 0:
        raise Unresolved
    return scope.cin


def _list(expr: tree.List, scope: Scope, words: tuple[str, ...]) -> Value:
    if len(expr.values) == 1:
        return evaluate(expr.values[0], scope, words)
    index = _repetition(expr, scope, LIST)
    if index == 0:
        scope.lists.append(expr)
    return evaluate(expr.values[min(index, len(expr.values) - 1)], scope, words)


def _repetition(expr: tree.List | tree.Name, scope: Scope, what: str) -> int:
    """Return the number of the repetition, the first being 0; `what` says who asks for it."""
    scope.dynamic = True
    if scope.index is None:
        raise no_repeat(what, expr.span, help="write `( … )x3` around the layer")
    return scope.index


def no_repeat(what: str, span: Span, *, help: str) -> NetDSLError:
    """Return the error of what has a value for each repetition, where nothing is repeated."""
    return fail("E0210", f"{what}, and no repeat is written around it", span, help=help)


def _operation(expr: tree.Operation, scope: Scope, words: tuple[str, ...]) -> Value:
    value = number(expr.first, scope)
    for sign, operand in expr.rest:
        if sign in ("//", "%") and isinstance(operand, tree.Name) and _is_free(operand, scope):
            help = "a comment begins with `#`"
            raise fail("E0208", f"unknown name `{operand.text}`", operand.span, help=help)
        value = exact(_apply(sign, value, number(operand, scope), expr.span))
        if not -VALUE <= value <= VALUE:
            raise fail("E0403", f"the value exceeds the limit of {VALUE:,}", expr.span)
        if value.denominator.bit_length() > _BITS:
            raise fail("E0403", f"the value has more than {DIGITS:,} digits", expr.span)
    return value


def _is_free(name: tree.Name, scope: Scope) -> bool:
    return name.text not in scope.names and name.text not in (*OF_THE_PLACE, "classes")


def _apply(sign: str, a: int | Fraction, b: int | Fraction, span: Span) -> int | Fraction:
    if sign in ("/", "//", "%") and b == 0:
        raise fail("E0211", f"{plain(a)} {sign} 0 is not defined", span)
    if sign == "/":
        value = Fraction(a) / b
        if isinstance(a, int) and isinstance(b, int) and value.denominator != 1:
            raise fail(
                "E0211",
                f"{a} / {b} is not a whole number",
                span,
                help="`//` rounds down",
            )
        return value
    return _OPERATORS[sign](a, b)


_OPERATORS: dict[str, Callable[[Any, Any], int | Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}


def _negative(expr: tree.Negative, scope: Scope, words: tuple[str, ...]) -> Value:
    return -number(expr.operand, scope)


_Evaluator = Callable[[Any, Scope, tuple[str, ...]], Value]

_EVALUATE: dict[type, _Evaluator] = {
    tree.Number: _number,
    tree.Name: _name,
    tree.Dims: lambda expr, scope, words: expr.values,
    tree.Text: lambda expr, scope, words: Quoted(expr.value),
    tree.List: _list,
    tree.Operation: _operation,
    tree.Negative: _negative,
    tree.Parenthesis: lambda expr, scope, words: evaluate(expr.inner, scope, words),
}
