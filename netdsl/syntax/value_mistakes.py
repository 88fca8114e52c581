"""Mistakes in values: behind `=`, in sums, lists, shapes and labels."""

from __future__ import annotations

from netdsl.errors import Diagnostic
from netdsl.syntax.foreign import setting_here
from netdsl.syntax.lexemes import ANY, BETWEEN_LAYERS, FOOTNOTE, OPERATORS, VALUE, part_of_whole
from netdsl.syntax.spot import Mistake, Spot

_BEGIN_ITEMS = ("layer", "combine", "open", "label")
OPERATOR = f"(?:{'|'.join(OPERATORS)})"


def _value_missing(spot: Spot) -> Diagnostic:
    key = spot.word(-2).text
    return Diagnostic("E0112", f"a value is missing after `{key} =`", spot.span(-2, -1))


def _group_for_value(spot: Spot) -> Diagnostic:
    key = spot.word(-3).text
    return Diagnostic("E0112", f"a value is missing after `{key} =`", spot.span(-3, -2))


def _capital_value(spot: Spot) -> Diagnostic | None:
    if not spot.glued(-1):
        return None
    key, value, last = spot.word(-2).text, *spot.whole_word()
    meant = setting_here(key, value) or value.lower()
    return Diagnostic("E0108", f"a value is lower case: `{key}={meant}`", spot.span(0, last))


def _plus_before_value(spot: Spot) -> Diagnostic | None:
    if spot.word(0).text == "-":
        return None
    return Diagnostic("E0114", "a value has no `+` before it", spot.span())


def _kept_for_repeats(spot: Spot) -> Diagnostic:
    last = 1 if spot.word(1).kind == "number" and spot.glued(0) else 0
    message = f"`{spot.written(0, last)}` is read as a repeat, it cannot be a name"
    return Diagnostic("E0105", message, spot.span(0, last))


def _sign_in_argument(spot: Spot) -> Diagnostic:
    message = "a sign stands only directly after `=` and inside `[ ]`"
    help = BETWEEN_LAYERS if spot.word(1).kind in _BEGIN_ITEMS else None
    return Diagnostic("E0114", message, spot.span(), help=help)


def _operand_missing(spot: Spot) -> Diagnostic:
    sign = spot.word(-1).text
    help = None
    if sign == "%" and spot.word(-2).kind == "number" and spot.place == "layer":
        if spot.word(-3).text in ("Dropout", "="):
            help = f"a part of the whole is written as in `{part_of_whole(spot.word(-2).text)}`"
        else:
            help = "a column of percentages is left away"
    elif sign == "*" and spot.place == "layer" and spot.word(0).kind in (*_BEGIN_ITEMS, "end"):
        help = FOOTNOTE
    elif sign in "+-" and spot.place == "layer" and spot.word(0).kind in _BEGIN_ITEMS:
        help = BETWEEN_LAYERS
    return Diagnostic("E0112", f"a value is missing after `{sign}`", spot.span(-1), help=help)


def _count_missing(spot: Spot) -> Diagnostic:
    sign, closed, help = spot.word(-1).text, None, None
    if spot.word(0).text == "(" and (closed := spot.partner(0)):
        help = f"an expression stands in square brackets: `{sign}[{spot.written(1, closed - 1)}]`"
    elif sign == "*" and spot.word(0).kind in (*_BEGIN_ITEMS, "end"):
        help = FOOTNOTE
    return Diagnostic("E0112", f"a number is missing after `{sign}`", spot.span(-1), help=help)


def _brackets_in_argument(spot: Spot) -> Diagnostic:
    first = -2
    while spot.word(first - 1).kind in OPERATORS:
        first -= 2
    last = spot.partner(0)
    help = None if last is None else f"write `[{spot.written(first, last)}]`"
    message = "an expression with brackets stands inside `[ ]`"
    return Diagnostic("E0117", message, spot.span(0, last), help=help)


def _option_with_colon(spot: Spot) -> Diagnostic | None:
    if not spot.glued(-2):
        return None
    key, value = spot.word(-2).text, spot.word(0).text
    message = f"an option is written with `=`: `{key}={value or '…'}`"
    return Diagnostic("E0118", message, spot.span(-2, 0))


def _shape_missing(spot: Spot) -> Diagnostic:
    message = "a shape is missing after `:`, as in `:64x32x32`"
    return Diagnostic("E0112", message, spot.span(-1))


def _label_without_name(spot: Spot) -> Diagnostic:
    name = spot.word(1)
    if name.kind == "layer" and spot.glued(0):
        message = f"a label is lower case: `@{name.text.lower()}`"
        return Diagnostic("E0108", message, spot.span(0, 1))
    return Diagnostic("E0112", "a name is missing after `@`, as in `@enc`", spot.span())


def _empty_list(spot: Spot) -> Diagnostic:
    return Diagnostic("E0116", "the list is empty", spot.span(-1, 0))


def _list_gap(spot: Spot) -> Diagnostic:
    sign = spot.word(0).text
    return Diagnostic("E0116", f"a value is missing before `{sign}`", spot.span())


def _list_separator(spot: Spot) -> Diagnostic:
    message = f"the values of a list have `,` between them, not `{spot.word(0).text}`"
    return Diagnostic("E0116", message, spot.span())


def _layer_in_list(spot: Spot) -> Diagnostic:
    help = "layers are grouped by round brackets: `(Conv 64)x2`"
    message = f"a list holds values, not layers such as `{spot.word(0).text}`"
    return Diagnostic("E0116", message, spot.span(), help=help)


def _option_in_list(spot: Spot) -> Diagnostic:
    message = f"a list holds values, not options such as `{spot.word(0).text}=`"
    return Diagnostic("E0116", message, spot.span(0, 1))


def _list_comma(spot: Spot) -> Diagnostic:
    before, after = spot.word(-1).text, spot.word(0).text
    return Diagnostic("E0116", f"a `,` is missing between `{before}` and `{after}`", spot.span())


def _list_in_brackets(spot: Spot) -> Diagnostic:
    message = "a list stands in square brackets: `[64, 128]`"
    help = "a size is written with `x`: `3x5`" if spot.word(-3).kind == "equal" else None
    return Diagnostic("E0116", message, spot.span(), help=help)


def _operator_missing(spot: Spot) -> Diagnostic:
    before, after = spot.word(-1).text, spot.word(0).text
    message = f"an operator is missing between `{before}` and `{after}`"
    return Diagnostic("E0102", message, spot.span())


VALUES = (
    Mistake(ANY, "word equal", "layer|combine", _capital_value),
    Mistake(ANY, "equal", "times", _kept_for_repeats),
    Mistake("def|list|bracket", ANY, "times", _kept_for_repeats),
    Mistake(ANY, "equal", "sign", _plus_before_value),
    Mistake("list", "list", "end_list", _empty_list),
    Mistake("list", "list|comma", "comma|end_list", _list_gap),
    Mistake("list", ANY, "arrow", _list_separator),
    Mistake("list", ANY, "layer|combine", _layer_in_list),
    Mistake("list", ANY, "(?:word|short) equal", _option_in_list),
    Mistake("list", f"{VALUE}|end_list|close", f"{VALUE}|open|list", _list_comma),
    Mistake("bracket", "equal open", "layer|combine", _group_for_value),
    Mistake("bracket", ANY, "comma", _list_in_brackets),
    Mistake("bracket", f"{VALUE}|close", VALUE, _operator_missing),
    Mistake(ANY, "equal", ANY, _value_missing),
    Mistake("layer", OPERATOR, "open", _brackets_in_argument),
    Mistake(ANY, OPERATOR, "sign", _sign_in_argument),
    Mistake("layer|repeat", ANY, "sign", _sign_in_argument),
    Mistake("repeat", "times|star", ANY, _count_missing),
    Mistake(ANY, OPERATOR, ANY, _operand_missing),
    Mistake(ANY, "word colon", ANY, _option_with_colon),
    Mistake(ANY, "colon", ANY, _shape_missing),
    Mistake(ANY, ANY, "at", _label_without_name),
)  # fmt: skip
