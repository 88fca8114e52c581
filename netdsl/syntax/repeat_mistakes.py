"""Mistakes in repeats: without a group, before it, with another sign; sizes that look like them."""

from __future__ import annotations

from netdsl.errors import Diagnostic
from netdsl.syntax.lexemes import ANY
from netdsl.syntax.spot import LENGTH, Mistake, Spot
from netdsl.syntax.torch_arguments import LARGEST_KERNEL

_ARGUMENTS = ("number", "dims", "short", "word", "string", "equal")
_BEGINS = "(?:open|layer)"


def _repeat_without_group(spot: Spot) -> Diagnostic:
    count = spot.word(1).text if spot.word(1).kind in ("number", "word") else "2"
    layer = spot.written(spot.last("layer"), -1)
    if layer.split()[0] == "Up":  # `Up ×2`, `Up 2x`
        numbers = [spot.word(i).text for i in (-1, 1) if spot.word(i).kind == "number"]
        message = f"a factor has no `{spot.word(0).text}`: write `Up {[*numbers, 2][0]}`"
        return Diagnostic("E0105", message, spot.span(0))
    is_square = spot.word(-1).text == count and count.isdecimal()
    if is_square and spot.kinds(-2, 1) == "layer number times number":
        return _square_behind_layer(spot)
    size = spot.kinds(-1, 1) == "number times number" and spot.word(-2).kind != "layer"
    help = f"or, for a size, `{spot.word(-1).text}x{count}`" if size else None
    message = f"a repeat needs a group: write `({layer})x{count}`"
    return Diagnostic("E0105", message, spot.span(0, 1), help=help)


def _square_behind_layer(spot: Spot) -> Diagnostic:
    """Return what to say of `Max 2 × 2`, a kernel, and of `Pooling 56 × 56`, the size of a map."""
    side = spot.word(1).text
    if int(side) > LARGEST_KERNEL:
        message = f"the size of a map is left away, or asserted behind a layer: `:64x{side}x{side}`"
        return Diagnostic("E0113", message, spot.span(-1, 1))
    message = f"a size is written without spaces: `{side}x{side}`"
    return Diagnostic("E0113", message, spot.span(-1, 1))


def _repeat_without_sign(spot: Spot) -> Diagnostic:
    opened = spot.partner(-1)
    group = "( … )" if opened is None else _short(spot, opened, -1)
    message = f"a repeat is written with `x`: `{group}x{spot.word(0).text}`"
    return Diagnostic("E0105", message, spot.span())


def _repeat_before_group(spot: Spot) -> Diagnostic:
    opened = next(i for i in (1, 2) if spot.word(i).kind == "open")
    numbers = [spot.word(i).text for i in range(opened) if spot.word(i).kind == "number"]
    closed = spot.partner(opened)
    group = "( … )" if closed is None else _short(spot, opened, closed)
    message = f"a repeat stands behind its group: write `{group}x{''.join(numbers) or 2}`"
    return Diagnostic("E0105", message, spot.span(0, opened - 1))


def _repeat_before_layer(spot: Spot) -> Diagnostic | None:
    """Say of `3×(Conv 64)` and `3×BB 64` where the repeat stands: behind another layer too."""
    times = 0 if spot.word(0).kind == "times" else 1
    if spot.word(times - 2).kind == "layer":  # in `Conv 64 x (` the number is no count
        return None
    first, count = times + 1, spot.word(times - 1).text
    last, group = first, "( … )"
    if spot.word(first).kind != "open":
        while spot.word(last + 1).kind in _ARGUMENTS:
            last += 1
        written = spot.written(first, last)
        group = f"({written})" if len(written) <= LENGTH else group
    elif (closed := spot.partner(first)) is not None:
        group = _short(spot, first, closed)
    message = f"a repeat stands behind its group: write `{group}x{count}`"
    return Diagnostic("E0105", message, spot.span(times - 1, times))


def _size_with_spaces(spot: Spot) -> Diagnostic:
    last = 1
    while spot.kinds(last + 1, last + 2) == "times number":
        last += 2
    numbers = "x".join(spot.word(i).text for i in range(-1, last + 1, 2))
    message = f"a size is written without spaces: `{numbers}`"
    return Diagnostic("E0113", message, spot.span(-1, last))


def _repeat_elsewhere(spot: Spot) -> Diagnostic:
    message = "a repeat stands directly behind a group, as in `(Conv 64)x2`"
    return Diagnostic("E0105", message, spot.span())


def _short(spot: Spot, first: int, last: int) -> str:
    written = spot.written(first, last)
    return written if len(written) <= LENGTH else "( … )"


REPEATS = (
    Mistake("layer", "number", f"times {_BEGINS}", _repeat_before_layer),
    Mistake("item|entry", ANY, f"number times {_BEGINS}", _repeat_before_layer),
    Mistake("layer", ANY, "times", _repeat_without_group),
    Mistake("layer", "layer", "star", _repeat_without_group),
    Mistake("item", "close", "number", _repeat_without_sign),
    Mistake("item|entry", ANY, "times (?:number |word )?open", _repeat_before_group),
    Mistake("item|entry", ANY, "(?:number|word) (?:times )?open", _repeat_before_group),
    Mistake("entry", "word number", "times number", _size_with_spaces),
    Mistake("item|entry", ANY, "times", _repeat_elsewhere),
)  # fmt: skip
