"""Values to arguments: of the right type, within the limits, else an error that says what is."""

from __future__ import annotations

import operator
from fractions import Fraction
from typing import Any

from netdsl.errors import NetDSLError, Span, fail
from netdsl.ir import Shape
from netdsl.lower.values import (
    LIST,
    OF_THE_PLACE,
    Quoted,
    Scope,
    Value,
    describe,
    evaluate,
    no_repeat,
    plain,
)
from netdsl.ops import Argument
from netdsl.suggest import closest
from netdsl.syntax import tree
from netdsl.syntax.foreign import value_here

SWITCH = {"on": True, "true": True, "off": False, "false": False}


def convert(argument: Argument, expr: tree.Value, scope: Scope, owner: str) -> Any:
    """Return the value of `expr` as the type of `argument`; `owner` is named in errors."""
    words = argument.choices or (tuple(SWITCH) if argument.kind == "bool" else ())
    if isinstance(expr, tree.Name) and words and _is_typo(expr.text, words, argument, scope):
        raise _wrong(argument, expr.text, expr.span, owner)
    if isinstance(expr, tree.Name) and argument.kind == "text":
        help = f'write `{argument.name} "{expr.text}"`'
        raise fail(
            "E0206", f"{_subject(argument, owner)} takes a text in quotes", expr.span, help=help
        )
    if argument.kind == "size" and scope.index is None and (size := listed_size(expr)):
        first, second = size.split("x")
        help = "write `( … )x3` around the layer; " * (first != second)
        raise no_repeat(LIST, expr.span, help=f"{help}a size is written `{size}`")
    return cast(argument, evaluate(expr, scope, (*words, *argument.words)), expr.span, owner)


def listed_size(expr: tree.Argument) -> str | None:
    """Return the size that two written numbers in brackets were meant to be: `[3, 3]`."""
    values = expr.values if isinstance(expr, tree.List) else ()
    is_size = len(values) == 2 and all(isinstance(value, tree.Number) for value in values)
    return "x".join(map(str, values)) if is_size else None


def cast(argument: Argument, value: Value, span: Span | None, owner: str) -> Any:
    """Return `value` as the type of `argument`."""
    if isinstance(value, str) and value in argument.words:
        value = argument.words[value]  # type: ignore[assignment]
    accepted, result = _CASTS[argument.kind](argument, value)
    if not accepted:
        raise _wrong(argument, value, span, owner)
    if argument.kind in ("int", "float", "size"):
        _bound(argument, value, result, span, owner)
    return result


def _is_typo(word: str, words: tuple[str, ...], argument: Argument, scope: Scope) -> bool:
    return word not in (*words, *argument.words) and word not in (*scope.names, *OF_THE_PLACE)


def _wrong(argument: Argument, value: Value, span: Span | None, owner: str) -> NetDSLError:
    words = argument.choices or (("on", "off") if argument.kind == "bool" else ())
    near = value_here(value if isinstance(value, str) else plain(value), words)
    if near is None and isinstance(value, str):
        near = closest(value, argument.choices)
    meant = f"; did you mean `{near}`?" if near else ""
    subject = _subject(argument, owner)
    message = f"{subject} takes {argument.takes}, not {describe(value)}{meant}"
    return fail("E0206", message, span, help=argument.help)


def _bound(argument: Argument, value: Any, result: Any, span: Span | None, owner: str) -> None:
    """Refuse a number outside of the argument's limits."""
    numbers = result if isinstance(result, tuple) else (result,)
    sides = (
        ("at least", argument.least, operator.lt),
        ("at most", argument.most, operator.gt),
        ("below", argument.below, operator.ge),
    )
    for side, limit, is_outside in sides:
        if limit is not None and any(is_outside(n, limit) for n in numbers):
            subject = _subject(argument, owner)
            raise fail("E0206", f"{subject} must be {side} {limit:,}, not {plain(value)}", span)
    if argument.odd and any(n % 2 == 0 for n in numbers):
        subject = _subject(argument, owner)
        raise fail("E0206", f"{subject} must be odd, not {plain(value)}", span)


def _subject(argument: Argument, owner: str) -> str:
    return f"{argument.name} of {owner}" if owner else f"`{argument.name}`"


def _int(argument: Argument, value: Value) -> tuple[bool, Any]:
    return isinstance(value, int), value


def _float(argument: Argument, value: Value) -> tuple[bool, Any]:
    number = isinstance(value, int | Fraction)
    return number, float(value) if number else value  # type: ignore[arg-type]


def _bool(argument: Argument, value: Value) -> tuple[bool, Any]:
    return (isinstance(value, str) and value in SWITCH), SWITCH.get(value)  # type: ignore[arg-type]


def _size(argument: Argument, value: Value) -> tuple[bool, Any]:
    if isinstance(value, int):
        return True, (value, value)
    return isinstance(value, tuple) and len(value) == 2, value


def _word(argument: Argument, value: Value) -> tuple[bool, Any]:
    return value in argument.choices and not isinstance(value, Quoted), value


def _text(argument: Argument, value: Value) -> tuple[bool, Any]:
    return isinstance(value, Quoted), str(value)


def _shape(argument: Argument, value: Value) -> tuple[bool, Any]:
    if isinstance(value, tuple) and len(value) in (1, 3) and min(value) > 0:
        return True, Shape(*value)
    return (isinstance(value, int) and value > 0), Shape(value) if isinstance(value, int) else value


_CASTS = {
    "int": _int, "float": _float, "bool": _bool, "size": _size,
    "word": _word, "text": _text, "shape": _shape,
}  # fmt: skip
