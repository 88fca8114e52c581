"""Mistakes in header entries: settings, parameters, `default`, `scale`, `expect`, `def`."""

from __future__ import annotations

import re

from netdsl.errors import Diagnostic
from netdsl.syntax.foreign import setting_here
from netdsl.syntax.item_mistakes import SEPARATOR, layer_missing, separator_between_options
from netdsl.syntax.lexemes import ANY, VALUE, written_out
from netdsl.syntax.slips import slip_in_size
from netdsl.syntax.spot import Mistake, Spot

_SPELT = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FORMS = {
    "default": "default BB(dropout=0.5 pre)",
    "scale": "scale s(width=0.5)",
    "expect": "expect(params=0.85M depth=56)",
    "def": "def Stage(c, n, s=2) { … }",
}


def _form(spot: Spot) -> Diagnostic:
    first = spot.last(spot.place)
    message = f"`{spot.place}` is written as in `{FORMS[spot.place]}`"
    return Diagnostic("E0113", message, spot.span(first, 0 if spot.word(0).text else -1))


def _separator_between_entries(spot: Spot) -> Diagnostic:
    if spot.kinds(-2, 1) == "word number comma number" and spot.word(-2).text == "input":
        return _shape_of_input(spot, -2, 3 if spot.kinds(2, 3) == "comma number" else 1)
    message = f"the entries of the header have no `{spot.word(0).text}` between them"
    if spot.word(1).kind in ("layer", "combine", "open"):
        message = f"the header has no `{spot.word(0).text}` behind it"
        return Diagnostic("E0111", message, spot.span(), help="delete it")
    return Diagnostic("E0111", message, spot.span())


def _sign_missing(spot: Spot) -> Diagnostic:
    return _equal_missing(spot, 0)


def _sign_missing_before(spot: Spot) -> Diagnostic:
    return _equal_missing(spot, -1)


def _equal_missing(spot: Spot, offset: int) -> Diagnostic:
    key, value = spot.word(offset), spot.word(offset + 1)
    if found := _exponent(spot, offset):
        return found
    if key.text in ("k", "m", "g") and spot.kinds(offset - 1, offset - 1) == "number":
        number = f"{spot.word(offset - 1).text}{key.text.upper()}"
        message = f"thousands, millions and billions are K, M and G: `{number}`"
        return Diagnostic("E0113", message, spot.span(offset - 1, offset))
    if value.kind not in ("number", "dims", "string", "word"):
        return Diagnostic("E0112", f"`{key.text}` has no value", spot.span(offset))
    message = f"a `=` is missing: write `{key.text}={value.text}`"
    return Diagnostic("E0113", message, spot.span(offset, offset + 1))


def _block_in_lower_case(spot: Spot) -> Diagnostic:
    name = spot.word(0).text.capitalize()
    return Diagnostic("E0108", f"the name of a block starts with a capital: `{name}`", spot.span())


def _block_with_taken_name(spot: Spot) -> Diagnostic:
    message = f"`{spot.word(0).text}` is part of the language, a block needs another name"
    return Diagnostic("E0113", message, spot.span())


def _digits_in_name(spot: Spot) -> Diagnostic | None:
    first = spot.last("def") + 1
    if not spot.glued(first):
        return None
    name = spot.written(first, first + 1)
    message = f"the name of a block has no digits: `{name}`"
    spelt = re.sub("[0-9]", lambda digit: _SPELT[int(digit[0])].capitalize(), name)
    help = f"call it `{spelt}`, say" if spelt.isalpha() else None
    return Diagnostic("E0113", message, spot.span(first, first + 1), help=help)


def _comma_missing(spot: Spot) -> Diagnostic:
    before, after = spot.word(-1).text, spot.word(0).text
    return Diagnostic("E0113", f"a `,` is missing between `{before}` and `{after}`", spot.span())


def _name_missing(spot: Spot) -> Diagnostic:
    return Diagnostic("E0112", f"a name is missing before `{spot.word(0).text}`", spot.span())


def _layer_in_lower_case(spot: Spot) -> Diagnostic:
    name = spot.word(-1).text
    if name == "input":
        return _shape_of_input(spot, -1, 0)
    message = f"a layer starts with a capital: `{name.capitalize()}`"
    return Diagnostic("E0108", message, spot.span(-1))


def _shape_of_input(spot: Spot, first: int, last: int) -> Diagnostic:
    message = "the shape of the input is written as in `input 3x32x32`"
    return Diagnostic("E0113", message, spot.span(first, last))


def _wrong_value(spot: Spot) -> Diagnostic:
    message = f"`{spot.word(-1).text}` takes a number, a size, a word or a string"
    if spot.word(0).text == "-":
        message = f"`{spot.word(-1).text}` takes no negative number"
    return Diagnostic("E0113", message, spot.span())


def _setting_with_colon(spot: Spot) -> Diagnostic:
    key, value = spot.word(-1).text, spot.word(1).text
    value = setting_here(key, value) or value
    message = f"a setting has no `:`: write `{key} {value or '…'}`"
    return Diagnostic("E0113", message, spot.span(-1, 0))


def _value_in_capitals(spot: Spot) -> Diagnostic | None:
    key, value, last = spot.word(-1).text, *spot.whole_word()
    meant = setting_here(key, value)
    if meant is None:
        return None
    message = f"a value is lower case: `{key} {meant}`"
    return Diagnostic("E0108", message, spot.span(0, last))


def _exponent(spot: Spot, offset: int) -> Diagnostic | None:
    """Return what to say of the `e3` of `1e3`."""
    number = written_out(spot.word(offset - 1).text, spot.word(offset).text)
    if number is None or not spot.glued(offset - 1):
        return None
    message = f"an exponent is negative or left away: write `{number}`"
    return Diagnostic("E0113", message, spot.span(offset - 1, offset))


def _value_missing(spot: Spot) -> Diagnostic:
    if found := _exponent(spot, -1):
        return found
    if slip := slip_in_size(spot.source, spot.word(-1).start):
        return Diagnostic("E0119", *slip)
    message = f"`{spot.word(-1).text}` has no value"
    help = "a setting is written as in `norm batch`, all in lower case, a layer as in `Norm`"
    if spot.word(-1).text == "name":
        help = 'a name is written in quotes: `name "ResNet"`'
    elif re.fullmatch(r"\s*[a-z]+[0-9]\w*\s*", spot.span(-1).source.text):  # as in `net1` alone
        help = "a text of layers stands here; files and shipped networks are named to `load`"
    return Diagnostic("E0112", message, spot.span(-1), help=help)


def _parameter_in_capitals(spot: Spot) -> Diagnostic:
    name = spot.word(-1).text
    return Diagnostic("E0108", f"a parameter is lower case: `{name.lower()} =`", spot.span(-1, 0))


def _name_before_sign_missing(spot: Spot) -> Diagnostic:
    return Diagnostic("E0112", "a name is missing before `=`", spot.span())


HEADER = (
    Mistake("entry", "start", SEPARATOR, layer_missing),
    Mistake("entry", ANY, SEPARATOR, _separator_between_entries),
    Mistake("default|scale|expect", ANY, SEPARATOR, separator_between_options),
    Mistake("scale|expect", f"open|close|end_list|{VALUE}", "word|short", _sign_missing),
    Mistake("default", "word", "number|dims|string", _sign_missing_before),
    Mistake("def", "def", "word|short", _block_in_lower_case),
    Mistake("def", "def layer", "number|dims", _digits_in_name),
    Mistake("def", "def", "combine (?:number|dims)", _digits_in_name),
    Mistake("def", "def", "combine", _block_with_taken_name),
    Mistake("def", f"{VALUE}|close|end_list", "word|short", _comma_missing),
    Mistake("def", "open|comma", "comma|close", _name_missing),
    Mistake("default|scale|expect|def", ANY, ANY, _form),
    Mistake("setting", "word", "colon", _setting_with_colon),
    Mistake("setting", "word", "layer", _value_in_capitals),
    Mistake("setting", ANY, "open (?:number|word|short|dims|string)", _layer_in_lower_case),
    Mistake("setting", ANY, "open|list|sign|star|slash", _wrong_value),
    Mistake("setting", ANY, ANY, _value_missing),
    Mistake("layer", "layer", "equal", _parameter_in_capitals),
    Mistake(ANY, ANY, "equal", _name_before_sign_missing),
)
