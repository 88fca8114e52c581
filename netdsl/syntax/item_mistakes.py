"""Mistakes between layers: brackets, branches, separators."""

from __future__ import annotations

import re

from netdsl.errors import Diagnostic
from netdsl.syntax.foreign import help_for, layer_here
from netdsl.syntax.lexemes import ANY, COMBINERS, KEYWORDS, OPERATORS, VALUE, part_of_whole
from netdsl.syntax.mark_mistakes import MARKS
from netdsl.syntax.spot import LENGTH, Mistake, Spot
from netdsl.syntax.torch_arguments import OF_TORCH, as_here, is_read_alike, words_of, written_here

KEYWORD = f"(?:{'|'.join(KEYWORDS)})"


def _arguments_in_brackets(spot: Spot) -> Diagnostic:
    if found := _foreign_combination(spot, -1):
        return found
    message = "the arguments of a layer stand without brackets"
    closed = spot.partner(-1)
    if closed is None:
        return Diagnostic("E0117", message, spot.span(-1))
    if foreign := _foreign_block(spot.word(-2).text, spot):
        return foreign
    name = spot.word(-2).text
    written = _without_brackets(spot, closed, name)
    help = None if written is None else _help_to_write(name, written.split())
    if help is not None:
        return Diagnostic("E0117", message, spot.span(-1, closed), help=help)
    if not _is_own(name, spot) and not is_read_alike(name, spot.source.text):
        help = f"with the channels and the kernel, as in `{name} 64 9x9`"
    elif name in ("BB", "Bott") and not _is_own(name, spot):
        help = _numbers_of_block(name)
    return Diagnostic("E0117", message, spot.span(-1, closed), help=help)


def _help_to_write(name: str, words: list[str]) -> str | None:
    """Return a layer and its arguments as they are written, a `Conv` with channels; None if long.

    >>> _help_to_write("Conv", ["3x3", "s=2"])
    'with the channels, as in `Conv 64 3x3 s=2`'
    """
    are_options = all(re.fullmatch(r"\w+=.*|\d+x\d+", word) for word in words)
    has_channels = name != "Conv" or not are_options
    layer = " ".join((name, *words) if has_channels else (name, "64", *words))
    if len(layer) > LENGTH:
        return None
    return f"write `{layer}`" if has_channels else f"with the channels, as in `{layer}`"


def _numbers_of_block(name: str) -> str:
    if name == "Bott":
        return "a block has the number of what comes out, as in `Bott 256 s2` for the 64 of torch"
    return f"a block has the number of its channels, as in `{name} 64 s2`"


def _more_in_brackets(spot: Spot) -> Diagnostic | None:
    """Return what to say of `Conv3x3(64)`, whose name in torch code ends with its kernel."""
    closed, name = spot.partner(-1), spot.word(-3).text
    if closed is None or not spot.glued(-3) or not spot.glued(-2):
        return None
    outside, inside = spot.word(-2), (_without_brackets(spot, closed, name) or "").split()
    help = None
    is_kernel = outside.kind == "dims"
    has_two = is_kernel and any(one.startswith("k") for one in inside)
    if inside and outside.kind != spot.word(0).kind and not has_two:
        after_channels = is_kernel and "=" not in inside[0]
        inside.insert(after_channels, outside.text)
        help = _help_to_write(name, inside)
    message = "the arguments of a layer stand without brackets"
    return Diagnostic("E0117", message, spot.span(-1, closed), help=help)


def _without_brackets(spot: Spot, closed: int, name: str) -> str | None:
    """Return arguments as they are written; `(c + 8) / 2` is an expression and keeps brackets."""
    end = closed
    while spot.word(end + 1).kind in OPERATORS and re.fullmatch(
        VALUE, spot.word(end + 2).kind
    ):  # else the sign stands between two layers
        end += 2
    if end > closed:
        return f"[{spot.written(-1, end)}]"
    if closed == 2 and spot.word(0).kind == "number" and spot.word(1).text == "%":
        return part_of_whole(spot.word(0).text)
    if any(spot.word(i).kind in OPERATORS for i in range(closed)):
        return f"[{spot.written(0, closed - 1)}]"
    words = words_of(spot.written(0, closed - 1))
    if _is_own(name, spot):
        return " ".join(words)
    return written_here(name, words) if is_read_alike(name, spot.source.text) else None


def _empty_brackets(spot: Spot) -> Diagnostic:
    if spot.word(-2).kind == "layer":
        return _arguments_in_brackets(spot)
    return Diagnostic("E0117", "the brackets hold no layer", spot.span(-1, 0))


def _branches_without_brackets(spot: Spot) -> Diagnostic:
    name = spot.word(spot.last("combine")).text
    form = "Res( … )" if name == "Res" else f"{name}( … | … )"
    message = f"`{name}` needs brackets: `{form}`"
    return Diagnostic("E0117", message, spot.span(spot.last("combine")))


def _argument_of_combine(spot: Spot) -> Diagnostic:
    name = spot.word(spot.last("combine")).text
    message = f"`{name}` takes no `{spot.word(0).text}`, only options such as `act=relu`"
    return Diagnostic("E0117", message, spot.span())


def _foreign_combination(spot: Spot, opened: int) -> Diagnostic | None:
    """Return what to say of `Concat( … | … )`, whose bracket opens there."""
    name = spot.word(opened - 1)
    here = name.text.capitalize()
    if here not in COMBINERS:
        here = layer_here(name.text) or ""
    if name.text == here or _is_own(name.text, spot):
        return None
    if here not in COMBINERS:
        help = help_for(name.text) if name.kind == "layer" else None
        message = f"unknown layer `{name.text}`"
        return Diagnostic("E0201", message, spot.span(opened - 1), help=help) if help else None
    message = f"unknown layer `{name.text}`; did you mean `{here}`?"
    return Diagnostic("E0201", message, spot.span(opened - 1))


def _foreign_block(name: str, spot: Spot) -> Diagnostic | None:
    """Return what to say of `BasicBlock(64, 64)`, whose arguments are others than here."""
    here = layer_here(name)
    if here not in ("BB", "Bott") or _is_own(name, spot):
        return None
    message = f"unknown layer `{name}`; did you mean `{here}`?"
    help = _numbers_of_block(here)
    return Diagnostic("E0201", message, spot.span(-2), help=help)


def _is_own(name: str, spot: Spot) -> bool:
    """Say whether a text defines a block of that name."""
    return re.search(rf"\bdef\s+{re.escape(name)}\b", spot.source.text) is not None


def _bar_elsewhere(spot: Spot) -> Diagnostic:
    for offset in range(-1, -spot.index - 1, -1):
        closed = spot.partner(offset) if spot.word(offset).kind == "open" else None
        around = closed is not None and closed > 0
        if around and (found := _foreign_combination(spot, offset)):
            return found
    message = "`|` stands only between branches: `Add( … | … )`, `Cat( … | … )`, `Mul( … | … )`"
    return Diagnostic("E0117", message, spot.span())


def _group_in_square_brackets(spot: Spot) -> Diagnostic:
    message = "layers are grouped by round brackets: `(Conv 64)x2`"
    return Diagnostic("E0117", message, spot.span())


def _brace_elsewhere(spot: Spot) -> Diagnostic:
    message = "`{` stands only in `def Stage(c) { … }`"
    help = "layers are grouped by round brackets: `(Conv 64)x2`"
    return Diagnostic("E0117", message, spot.span(), help=help)


def layer_missing(spot: Spot) -> Diagnostic:
    before, sign = spot.word(-1), spot.word(0).text
    gap = f"before `{sign}`"
    if before.kind in ("comma", "arrow"):
        gap = f"between `{before.text}` and `{sign}`"
    return Diagnostic("E0111", f"a layer is missing {gap}", spot.span())


def _separator_in_layer(spot: Spot) -> Diagnostic:
    sign = spot.word(-1).text
    meant = _one_number(spot) or _one_layer(spot)
    message = f"`{sign}` ends the layer" + (f": write `{meant}`" if meant else "")
    return Diagnostic("E0111", message, spot.span(-1))


def _one_number(spot: Spot) -> str | None:
    """Return what a decimal comma, or one between thousands, stands for."""
    before, after = spot.word(-2).text, spot.word(0).text
    if spot.written(-2, 0) != f"{before},{after}" or not (before + after).isdigit():
        return None
    if before == "0":
        return f"0.{after}"
    # `FC 25,088` is one number; two widths of convolutions are not, as in `Conv 64,128`.
    is_one = len(before) == 1 or spot.word(spot.last("layer")).text == "FC"
    is_alone = spot.word(1).kind != "comma"
    return before + after if len(after) == len("000") and is_one and is_alone else None


def _one_layer(spot: Spot) -> str | None:
    """Return a layer with what stands behind the sign, if a layer may have that."""
    first, last = spot.last("layer"), spot.partner(0) or (2 if spot.word(1).kind == "equal" else 0)
    name, added = spot.word(first).text, spot.written(0, last)
    if spot.word(-2).kind == "close":
        return None
    if spot.word(0).kind == "dims" and len(re.findall("[x×]", added)) == 2:
        added = f":{added}"
    elif name in OF_TORCH and spot.word(0).kind == "number" and first == -3:
        while spot.kinds(last + 1, last + 2) == "comma number":  # as in `Conv 64, 7, 2`
            last += 2
        words = spot.written(-2, last).replace(",", " ").split()
        is_small = all(len(word) < len("100") for word in words[1:])  # else it is a width
        here = as_here(name, words)
        return f"{name} {' '.join(here)}" if is_small and here and here != words else None
    elif spot.kinds(-2, 0) == "number comma number" and not _is_own(name, spot):
        return None  # a layer has one number at most
    layer = f"{spot.written(first, -2)} {added}"
    return layer if len(layer) <= LENGTH else None


def separator_between_options(spot: Spot) -> Diagnostic:
    message = f"options have no `{spot.word(0).text}` between them"
    return Diagnostic("E0111", message, spot.span())


def _keyword(spot: Spot) -> Diagnostic:
    message = f"`{spot.word(0).text}` stands in the header, before the first layer"
    return Diagnostic("E0110", message, spot.span())


def _header_entry(spot: Spot) -> Diagnostic:
    last = 2 if spot.word(1).kind == "equal" else 1
    message = f"`{spot.written(0, last)}` belongs to no layer"
    help = "header entries stand before the first layer"
    if spot.word(-1).kind == "open" and spot.word(-2).text == "Res":
        help = f"options stand before the brackets: `Res {spot.written(0, last)} ( … )`"
    return Diagnostic("E0110", message, spot.span(0, last), help=help)


def _lower_case_layer(spot: Spot) -> Diagnostic:
    name = spot.word(0).text
    message = f"a layer starts with a capital: `{name.capitalize()}`"
    inside = spot.word(-1).kind in ("open", "bar", "label")
    entry = spot.word(1).kind in ("number", "dims") and not inside
    help = "header entries stand before the first layer" if entry else None
    return Diagnostic("E0108", message, spot.span(), help=help)


def _alone(spot: Spot) -> Diagnostic:
    owner, help = "layer", None
    if spot.place == "entry":
        owner = "header entry"
        if spot.word(0).kind == "number" and spot.word(-1).kind == "word":  # as in `gap fc 200`
            help = "layers start with a capital, as in `Conv 64`; what stands before is the header"
    message = f"`{spot.word(0).text}` belongs to no {owner}"
    return Diagnostic("E0102", message, spot.span(), help=help)


SEPARATOR = "(?:comma|arrow)"
PLAIN = "number|dims|string"

ITEMS = (
    Mistake("item|entry", ANY, "list (?:layer|combine|label)", _group_in_square_brackets),
    Mistake("item|layer", ANY, KEYWORD, _keyword),
    Mistake("item", "layer open", ANY, _arguments_in_brackets),
    Mistake("item", f"layer (?:{PLAIN}) open", f"{VALUE}|word", _more_in_brackets),
    Mistake("item", "open", "close", _empty_brackets),
    Mistake("combine", ANY, SEPARATOR, separator_between_options),
    Mistake("combine", ANY, f"{VALUE}|list", _argument_of_combine),
    Mistake("combine", ANY, ANY, _branches_without_brackets),
    Mistake(ANY, ANY, "bar", _bar_elsewhere),
    Mistake(ANY, ANY, "brace", _brace_elsewhere),
    Mistake("item", ANY, SEPARATOR, layer_missing),
    Mistake(
        "item", SEPARATOR, "number|dims|string|short|list|sign|word equal", _separator_in_layer
    ),
    Mistake("item", "(?:open|bar) label", f"{VALUE}|list|pin", _alone),
    *MARKS,
    Mistake("item", ANY, "(?:word|short) equal|word (?:word|string)", _header_entry),
    Mistake("item", ANY, "word", _lower_case_layer),
    Mistake("item|entry", ANY, f"{VALUE}|list", _alone),
)
