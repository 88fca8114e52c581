"""Arguments to layers: the written ones by the fields of the class, the rest by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from netdsl.errors import Diagnostic, NetDSLError, by_place, fail
from netdsl.ir import Op, Size
from netdsl.lower.arithmetic_mistakes import (
    reckoned,
    refuse_dashes_for_layers,
    refuse_slash_for_stride,
)
from netdsl.lower.bind_mistakes import (
    does_nothing,
    missing_argument,
    none_is_set,
    one_too_many,
    refuse_name_of_torch,
    refuse_word_for_padding,
    unknown_option,
    unknown_word,
    usage,
    without_value,
)
from netdsl.lower.bind_torch import bind_torch
from netdsl.lower.bound import Bound, option_text, value_text
from netdsl.lower.convert import convert
from netdsl.lower.defaults import Defaults, fill, is_settled, note_reads
from netdsl.lower.mentions import names_in
from netdsl.lower.values import OF_THE_PLACE, Scope, unknown_name
from netdsl.ops import Argument, LayerType, arguments
from netdsl.ops.scale import round_channels
from netdsl.ops.torch_layer import TorchLayer
from netdsl.syntax import tree

_Written = TypeVar("_Written", bound=tree.Argument)


def bind(
    written: tree.Layer, cls: LayerType, scope: Scope, defaults: Defaults, *, is_named: bool = False
) -> tuple[Any, str]:
    """Return the layer and its canonical text, every argument resolved.

    One that `is_named` has a label, and may do nothing else but name what comes to it.
    """
    if cls is TorchLayer:
        return bind_torch(written, scope)
    refuse_name_of_torch(written, cls)
    known, bound, positions = arguments(cls), Bound(), iter(cls.positional)
    _take_each(
        written.arguments,
        lambda one: _take(one, cls, known, bound, positions, scope, defaults),
    )
    values = fill(cls.code, known, defaults, bound)
    missing = [a for a in known.values() if a.name not in values and a.default is ...]
    if missing:
        raise missing_argument(written, cls, missing[0])
    layer = cls(**values)
    note_reads(layer, cls.code, bound, defaults, {})
    is_bare = cls.code in ("Norm", "Act") and "kind" not in bound.values
    if is_bare and layer.kind == "none" and is_settled(known["kind"], cls.code, bound, defaults):
        defaults.reads.notice(none_is_set(written, known["kind"].setting))
    elif (
        not is_named and isinstance(layer, Op) and layer.is_identity and _is_literal(written, bound)
    ):
        defaults.reads.notice(does_nothing(written))
    return layer, " ".join([cls.code, *bound.words])


def _is_literal(written: tree.Layer, bound: Bound) -> bool:
    """Say whether a layer has arguments, and each is a number, size or word that stands there."""
    values = [a.value if isinstance(a, tree.Option) else a for a in written.arguments]
    plain = all(isinstance(v, tree.Number | tree.Dims | tree.Name) for v in values)
    return bool(values) and plain and not bound.open


def bind_options(
    options: tuple[tree.Option | tree.Name, ...], cls: LayerType, owner: str, scope: Scope,
    flags: Mapping[str, tuple[str, object]] | None = None, defaults: Defaults | None = None,
) -> Bound:  # fmt: skip
    """Bind what takes options and flags alone, `Res` and `default`; raise all of their faults."""
    bound = Bound()
    _take_each(
        options,
        lambda one: _take_option_or_flag(one, owner, cls, bound, scope, flags or {}, defaults),
    )
    return bound


def _take_each(arguments: Sequence[_Written], take: Callable[[_Written], None]) -> None:
    """Take each argument; raise all that is wrong with them at once."""
    faults: list[Diagnostic] = []
    is_clear = True  # what stands behind a word that means nothing may belong to it
    for argument in arguments:
        is_option = isinstance(argument, tree.Option)
        try:
            take(argument)
        except NetDSLError as error:
            faults += error.diagnostics if is_option or is_clear else ()
            is_clear = is_clear and is_option
    if faults:
        raise NetDSLError(*by_place(faults))


def made(
    cls: LayerType, owner: str, bound: Bound, defaults: Defaults, idle: Mapping[str, str]
) -> Any:
    """Return what needs no argument: what was given, else defaults and settings.

    `idle` says which options change nothing here, and why.
    """
    layer = cls(**fill(owner, arguments(cls), defaults, bound))
    note_reads(layer, owner, bound, defaults, idle)
    return layer


def _take(
    argument: tree.Argument,
    cls: LayerType,
    known: Mapping[str, Argument],
    bound: Bound,
    positions: Any,
    scope: Scope,
    defaults: Defaults,
) -> None:
    owner = cls.code
    if isinstance(argument, tree.Option):
        _take_option(argument, owner, known, bound, scope, defaults)
    elif isinstance(argument, tree.Name) and argument.text in cls.flags:
        name, value = cls.flags[argument.text]
        bound.put(name, value, argument.span, owner)
        bound.words.append(argument.text)
    elif isinstance(argument, tree.Dims):
        if not cls.size:
            raise fail("E0205", f"{owner} takes no size", argument.span, help=usage(cls))
        value = convert(known[cls.size], argument, scope, owner)
        bound.put(cls.size, value, argument.span, owner, help=_for_output(value, cls, bound))
        bound.words.append(str(argument))
    else:
        _take_positional(argument, cls, known, bound, next(positions, ""), scope, defaults)


def _for_output(size: Size, cls: LayerType, bound: Bound) -> str:
    """Return how the shape of an output is written, which is the larger of two sizes."""
    height, width = max(size, bound.values.get(cls.size, size))
    channels = bound.values.get("channels")
    shape = f"`:{channels}x{height}x{width}`" if channels else f"as in `:64x{height}x{width}`"
    return f"the shape of an output is written {shape}, behind the layer"


def _take_option_or_flag(
    option: tree.Option | tree.Name, owner: str, cls: LayerType, bound: Bound, scope: Scope,
    flags: Mapping[str, tuple[str, object]], defaults: Defaults | None,
) -> None:  # fmt: skip
    known = arguments(cls)
    if isinstance(option, tree.Option):
        _take_option(option, owner, known, bound, scope, defaults)
    elif option.text in flags:
        name, value = flags[option.text]
        bound.put(name, value, option.span, owner)
        bound.words.append(option.text)
    elif option.text in known:
        raise without_value(option, known[option.text])
    else:
        raise unknown_name(option.text, option.span, (*flags, *known), for_number=False)


def _take_option(
    option: tree.Option,
    owner: str,
    known: Mapping[str, Argument],
    bound: Bound,
    scope: Scope,
    defaults: Defaults | None = None,
) -> None:
    refuse_word_for_padding(option, owner, known, scope)
    if option.key not in known:
        raise unknown_option(option, owner, tuple(known))
    argument = known[option.key]
    value = _converted(argument, option.value, scope, owner, defaults)
    text = option_text(option.key, value)
    found = reckoned(option.value, owner, argument, known, text, is_option=True)
    if found and defaults is not None:
        defaults.reads.notice(found)
    bound.put(option.key, value, option.span, owner, is_open=_is_open(option.value, scope))
    bound.words.append(text)


def _take_positional(
    argument: tree.Value | tree.Pinned,
    cls: LayerType,
    known: Mapping[str, Argument],
    bound: Bound,
    name: str,
    scope: Scope,
    defaults: Defaults,
) -> None:
    owner = cls.code
    if isinstance(argument, tree.Name) and _is_nothing(argument.text, scope):
        raise unknown_word(argument, cls, known, scope, for_number=bool(name))
    if not name:
        raise one_too_many(argument, cls, known, scope)
    if isinstance(argument, tree.Pinned) and not known[name].scaled:
        message = f"a scale leaves {name} of {owner} alone in any case: `!` is for channels"
        raise fail("E0114", message, argument.span)
    inner = argument.value if isinstance(argument, tree.Pinned) else argument
    refuse_slash_for_stride(inner, cls, known)
    refuse_dashes_for_layers(inner, cls, known[name])
    factors = None if isinstance(argument, tree.Pinned) else defaults
    value = _converted(known[name], inner, scope, owner, factors)
    if found := reckoned(inner, owner, known[name], known, value_text(value)):
        defaults.reads.notice(found)
    bound.put(name, value, argument.span, owner, is_open=_is_open(inner, scope))
    bound.words.append(value_text(value))


def _converted(
    argument: Argument, expr: tree.Value, scope: Scope, owner: str, defaults: Defaults | None
) -> Any:
    """Return a value of the argument's kind, times the width of the scale where it has one.

    What is reckoned from `cin` is scaled already.
    """
    before, scope.read_cin = scope.read_cin, False
    value = convert(argument, expr, scope, owner)
    from_cin, scope.read_cin = scope.read_cin, before
    if argument.scaled and defaults is not None and defaults.width != 1 and not from_cin:
        return round_channels(value * defaults.width)
    return value


def _is_open(expr: tree.Value, scope: Scope) -> bool:
    return not names_in(expr).isdisjoint({*scope.names, *OF_THE_PLACE})


def _is_nothing(word: str, scope: Scope) -> bool:
    return word not in scope.names and word not in (*OF_THE_PLACE, "classes")
