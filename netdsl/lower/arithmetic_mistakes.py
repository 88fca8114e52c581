"""Arithmetic between written numbers, `Max 2/2`, `Conv 3-64`, `k=3*3`, and what was meant by it."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence

from netdsl.errors import Diagnostic, fail
from netdsl.ops import Argument, LayerType, arguments
from netdsl.syntax import tree
from netdsl.syntax.torch_arguments import LARGEST_KERNEL

WIDTHS = ("channels", "features")


def refuse_slash_for_stride(
    value: tree.Value, cls: LayerType, known: Mapping[str, Argument]
) -> None:
    """Refuse `Conv 64 /2` and `Max 3/2`, as figures write a stride of 2."""
    found = re.fullmatch(r"(.*\S)\s+/(\d+)", value.span.text)
    broken = re.fullmatch(r"(\d{1,9})/(\d{1,9})", value.span.text)
    if broken and int(broken[2]) and int(broken[1]) % int(broken[2]):
        found = broken
    if isinstance(value, tree.Operation) and found and "s" in known:
        message = f"`{value.span.text}` is a division; a stride is written `s{found[2]}`"
        help = f"write `{cls.code} {found[1]} s{found[2]}`"
        help += f", or `{found[1]}/{found[2]}`" * (found is not broken)
        raise fail("E0114", message, value.span, help=help)


def refuse_dashes_for_layers(value: tree.Value, cls: LayerType, argument: Argument) -> None:
    """Refuse `FC 84-120` and `Conv 3-64`, no width but layers in a row, or kernel and width."""
    numbers = _numbers(value, {"-"})
    if argument.name not in WIDTHS or not all(isinstance(n.value, int) for n in numbers):
        return
    if numbers and (result := 2 * numbers[0].value - sum(n.value for n in numbers)) < 1:
        message = f"`{value.span.text}` is a difference: {result}"
        raise fail("E0114", message, value.span, help=f"write `{_side_by_side(numbers, cls)}`")


def reckoned(
    value: tree.Value,
    owner: str,
    argument: Argument,
    known: Mapping[str, Argument],
    text: str,
    *,
    is_option: bool = False,
) -> Diagnostic | None:
    """Return what to say of `Max 2/2` or `k=3*3`: two numbers that nobody has to reckon.

    `text` is how their result is written.
    """
    numbers = _numbers(value, {"/", "//", "%", "-", "*"})
    if not isinstance(value, tree.Operation) or not numbers:
        return None
    signs = [sign for sign, _ in value.rest]
    help = f"write `{text}` if it is meant"
    if signs == ["/"] and "s" in known and argument.name in ("k", *WIDTHS):
        help = f"a stride is written `s{numbers[1]}`; {help}"
    elif size := product_as_size(value, argument, known):
        help = f"a size is written `{size}`; {help}"
    elif signs == ["*"] and not is_option:
        help = f"to repeat, write `({owner} {numbers[0]})x{numbers[1]}`; {help}"
    elif "//" in signs or "%" in signs:
        help = f"a comment begins with `#`; {help}"
    elif signs[1:] and {*signs} == {"-"} and argument.name in WIDTHS:
        help = f"layers in a row are written `{_in_a_row(numbers, owner)}`; {help}"
    this = f"`{text}` of {owner}" if is_option else f"`{owner} {text}`"
    message = f"`{value.span.text}` is reckoned: this is {this}"
    return Diagnostic("W0513", message, value.span, help=help)


def product_as_size(
    value: tree.Argument, argument: Argument | None, known: Mapping[str, Argument]
) -> str | None:
    """Return the size that `3*3` was meant to be: of a window, or of equal numbers beside one.

    `argument` is what it is given for, None where nothing is left that takes a number.
    """
    numbers = _numbers(value, {"*"})
    if len(numbers) != 2:
        return None
    is_size = argument is None or argument.kind == "size"
    is_square = "k" in known and numbers[0] == numbers[1] and argument and argument.scaled
    return f"{numbers[0]}x{numbers[1]}" if is_size or is_square else None


def _numbers(value: tree.Argument, signs: Container[str]) -> list[tree.Number]:
    """Return the written numbers that make up a value, with some of these signs between them."""
    if not isinstance(value, tree.Operation) or not all(sign in signs for sign, _ in value.rest):
        return []
    terms = (value.first, *(operand for _, operand in value.rest))
    numbers = [term for term in terms if isinstance(term, tree.Number) and term.unit == 1]
    return numbers if len(numbers) == len(terms) else []


def _side_by_side(numbers: Sequence[tree.Number], cls: LayerType) -> str:
    """Return `Conv 64` for `3-64`, whose first number is a kernel; else one layer a number."""
    kernel, *others = (n.value for n in numbers)
    if cls.size == "k" and len(others) == 1 and kernel % 2 and kernel <= LARGEST_KERNEL:
        is_usual = arguments(cls)["k"].default == (kernel, kernel)
        size = "" if is_usual else f" {kernel}x{kernel}"
        return f"{cls.code} {others[0]}{size}"
    return _in_a_row(numbers, cls.code)


def _in_a_row(numbers: Sequence[tree.Number], code: str) -> str:
    return "  ".join(f"{code} {number}" for number in numbers)
