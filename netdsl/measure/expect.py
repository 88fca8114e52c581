"""Holds a network against the `expect` of its file, to the digits that were written."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from netdsl.errors import Diagnostic, fail
from netdsl.ir import Graph, Shape
from netdsl.lower import Lowered
from netdsl.lower.convert import convert
from netdsl.lower.names import MEASURED, SETTINGS, words_beside
from netdsl.lower.values import Scope, Value, evaluate, plain
from netdsl.measure.totals import depth, total
from netdsl.syntax import tree

# Settings that change none of these, and such options of layers.
HARMLESS = {"name", "init", "drop_path"}
HARMLESS_OPTIONS = {"dropout", "drop_path", "eps", "momentum", "slope"}


def check_expectations(lowered: Lowered, graph: Graph) -> Iterator[Diagnostic]:
    """Yield what does not hold.

    Keys other than params, macs, depth and out are conditions: the expectation speaks of the
    network under which they hold. It is skipped, with a note, where something is overridden that
    it does not name.
    """
    for expectation in lowered.expectations:
        conditions = [o for o in expectation.options if o.key not in MEASURED]
        named = {option.key for option in conditions}
        held = [_holds_here(option, lowered) for option in conditions]  # all, for their errors
        if not any(option.key in MEASURED for option in expectation.options):
            message = "`expect` says nothing that is measured, and holds always"
            help = f"measured are {', '.join(MEASURED)}; all else is a condition"
            yield Diagnostic("E0204", message, expectation.span, help=help)
        for option in expectation.options:
            _refuse_what_is_not_measured(option)
        if not all(held):
            continue
        scaled = frozenset() if "scale" in named else lowered.scaled
        beyond = sorted(key for key in lowered.overridden | scaled if not _is_free(key, named))
        if beyond:
            verb = "is" if len(beyond) == 1 else "are"
            message = f"`expect` is not checked, because {_list(beyond)} {verb} overridden"
            yield Diagnostic("N0505", message, expectation.span)
            continue
        for option in expectation.options:
            if option.key in MEASURED and not holds(option.key, option.value, graph):
                message = (
                    f"expected {option.key} = {option.value}, the network has "
                    f"{measured(option.key, graph)}"
                )
                yield Diagnostic("E0401", message, option.span)


def _refuse_what_is_not_measured(option: tree.Option) -> None:
    """Raise where a measured quantity is expected to be what it never is."""
    value = option.value
    if option.key == "out" and not isinstance(value, tree.Dims | tree.Number):
        help = "as in `out=200` or `out=64x8x8`"
        raise fail("E0206", "out is expected to be a shape", value.span, help=help)
    if option.key in MEASURED and option.key != "out" and not isinstance(value, tree.Number):
        raise fail("E0206", f"{option.key} is expected to be a number", value.span)


def holds(key: str, expected: tree.Value, graph: Graph) -> bool:
    """Whether a measured number rounds to the one that was written."""
    value = measured(key, graph)
    if isinstance(value, Shape):
        dims = expected.values if isinstance(expected, tree.Dims) else _whole(expected)
        return dims == value.dims
    assert isinstance(expected, tree.Number)
    _, point, digits = expected.text.rstrip("KMG").partition(".")
    if expected.unit == 1 and not point:
        return value == expected.value
    half = Fraction(1, 2 * 10 ** len(digits))
    return abs(Fraction(value, expected.unit) - expected.value) <= half


def measured(key: str, graph: Graph) -> int | Shape:
    """Return what the network has of one of the keys."""
    if key == "depth":
        return depth(graph)
    if key == "out":
        return graph.output.shape
    cost = total(graph)
    return cost.params if key == "params" else cost.macs


def _whole(expected: tree.Value) -> tuple[Value, ...]:
    return (expected.value,) if isinstance(expected, tree.Number) else ()


def _holds_here(option: tree.Option, lowered: Lowered) -> bool:
    """Whether a scale, parameter or setting has this value now."""
    if option.key in SETTINGS:
        value = convert(SETTINGS[option.key], option.value, Scope({}), "")
        return bool(getattr(lowered.settings, option.key) == value)
    if option.key not in lowered.names and option.key != "scale":
        message = f"`{option.key}` is neither measured nor a parameter or setting"
        is_flops = option.key.lower() in ("flops", "gflops", "mflops", "mult_adds")
        help = "1 MAC = 2 FLOPs: say `macs`" if is_flops else f"measured are {', '.join(MEASURED)}"
        raise fail("E0208", message, option.key_span, help=help)
    words = words_beside(())
    if option.key == "scale" and isinstance(option.value, tree.Name):
        words = (option.value.text,)
    written = plain(evaluate(option.value, Scope({}), words))
    if option.key == "scale":
        return written == (lowered.scale or "none")
    return written == plain(lowered.names[option.key])


def _is_free(key: str, named: set[str]) -> bool:
    """Whether overriding it leaves the numbers as they are, or an expectation names it."""
    _, dot, option = key.partition(".")
    return key in named or key in HARMLESS or (bool(dot) and option in HARMLESS_OPTIONS)


def _list(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
