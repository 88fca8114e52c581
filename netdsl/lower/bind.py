"""Arguments to layers: the written ones by the fields of the class, the rest by default."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from netdsl.errors import Label, NetDSLError, Span, fail
from netdsl.ir import Settings
from netdsl.lower.convert import convert
from netdsl.lower.values import Scope, Value, evaluate, plain, unknown_name
from netdsl.ops import Argument, LayerType, arguments, closest
from netdsl.ops.scale import round_channels
from netdsl.ops.torch_layer import TorchLayer, allowed, is_in_place
from netdsl.syntax import tree


@dataclass(slots=True)
class Defaults:
    """What stands in for an argument that is not written, and what of it did."""

    settings: Settings = field(default_factory=Settings)
    layers: dict[str, dict[str, Any]] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)  # layers that were bound
    read: set[str] = field(default_factory=set)  # of `layers`, as in `BB.dropout`
    width: Fraction = Fraction(1)


@dataclass(slots=True)
class Bound:
    """The arguments as they were given: by field, with their places, and as canonical words."""

    values: dict[str, Any] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    def put(self, name: str, value: Any, span: Span, owner: str) -> None:
        """Keep one argument; a second one for the same field is an error."""
        if name in self.values:
            message = f"{owner} has its `{name}` twice"
            raise fail("E0207", message, span, labels=[Label(self.spans[name], "first here")])
        self.values[name] = value
        self.spans[name] = span


def bind(written: tree.Layer, cls: LayerType, scope: Scope, defaults: Defaults) -> tuple[Any, str]:
    """Return the layer and its canonical text, every argument resolved."""
    if cls is TorchLayer:
        return _bind_torch(written, scope)
    known = arguments(cls)
    bound = Bound()
    positions = iter(cls.positional)
    for argument in written.arguments:
        _take(argument, cls, known, bound, positions, scope, defaults)
    values = _fill(cls.code, known, defaults, bound)
    missing = [a for a in known.values() if a.name not in values and a.default is ...]
    if missing:
        raise _missing(written, cls, missing[0])
    return cls(**values), " ".join([cls.code, *bound.words])


def bind_options(
    options: tuple[tree.Option | tree.Name, ...], cls: LayerType, owner: str, scope: Scope,
    flags: Mapping[str, tuple[str, object]] | None = None, defaults: Defaults | None = None,
) -> Bound:  # fmt: skip
    """Bind what takes options and flags alone: `Res`, `default`."""
    bound = Bound()
    known = arguments(cls)
    for option in options:
        if isinstance(option, tree.Option):
            _take_option(option, owner, known, bound, scope, defaults)
        elif option.text in (flags or {}):
            name, value = (flags or {})[option.text]
            bound.put(name, value, option.span, owner)
            bound.words.append(option.text)
        else:
            raise unknown_name(option.text, option.span, (*(flags or {}), *known))
    return bound


def fill(cls: LayerType, bound: Bound, defaults: Defaults, owner: str) -> dict[str, Any]:
    """Return all values of a class that needs none: what was given, else defaults and settings."""
    return _fill(owner, arguments(cls), defaults, bound)


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
            raise fail("E0205", f"{owner} takes no size", argument.span, help=_usage(cls))
        value = convert(known[cls.size], argument, scope, owner)
        bound.put(cls.size, value, argument.span, owner)
        bound.words.append(str(argument))
    else:
        _take_positional(argument, cls, known, bound, next(positions, ""), scope, defaults)


def _take_option(
    option: tree.Option,
    owner: str,
    known: Mapping[str, Argument],
    bound: Bound,
    scope: Scope,
    defaults: Defaults | None = None,
) -> None:
    if option.key not in known:
        raise unknown_option(option, owner, tuple(known))
    argument = known[option.key]
    value = _converted(argument, option.value, scope, owner, defaults)
    bound.put(option.key, value, option.span, owner)
    bound.words.append(option_text(option.key, value))


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
        raise _unknown_word(argument, cls, known, scope)
    if not name:
        count = len(cls.positional)
        takes = ("no number", "one number")[count] if count < 2 else f"{count} numbers"
        raise fail("E0205", f"{owner} takes {takes}", argument.span, help=_usage(cls))
    if isinstance(argument, tree.Pinned) and not known[name].scaled:
        message = f"a scale leaves {name} of {owner} alone in any case: `!` is for channels"
        raise fail("E0114", message, argument.span)
    inner = argument.value if isinstance(argument, tree.Pinned) else argument
    _refuse_slash_for_stride(inner, cls, known)
    factors = None if isinstance(argument, tree.Pinned) else defaults
    value = _converted(known[name], inner, scope, owner, factors)
    bound.put(name, value, argument.span, owner)
    bound.words.append(value_text(value))


def _refuse_slash_for_stride(
    value: tree.Value, cls: LayerType, known: Mapping[str, Argument]
) -> None:
    """Refuse `Conv 64 /2`, as figures write a stride of 2: it would be 32 channels."""
    found = re.fullmatch(r"(.*\S)\s+/(\d+)", value.span.text)
    if isinstance(value, tree.Operation) and found and "s" in known:
        message = f"`{value.span.text}` is a division; a stride is written `s{found[2]}`"
        help = f"write `{cls.code} {found[1]} s{found[2]}`, or `{found[1]}/{found[2]}`"
        raise fail("E0114", message, value.span, help=help)


def _unknown_word(
    word: tree.Name, cls: LayerType, known: Mapping[str, Argument], scope: Scope
) -> NetDSLError:
    """Return the error of a bare word.

    It may be the value of an option without its key, an option without its value, or the end of a
    name of torch: `Conv2d` reads as `Conv 2 d`.
    """
    before = word.span.source.text[max(0, word.span.end - 64) : word.span.end]
    glued = re.search(r"[A-Z][A-Za-z]*\d+[a-z]\w*\Z", before)
    if glued:
        whole = Span(word.span.source, word.span.end - len(glued[0]), word.span.end)
        return fail("E0201", f"unknown layer `{glued[0]}`; did you mean `{cls.code}`?", whole)
    if word.text in known and word.text not in arguments(Settings):
        example = f"{word.text}3" if len(word.text) == 1 else f"{word.text}=…"
        message = f"`{word.text}` has no value: it is written as in `{example}`"
        return fail("E0112", message, word.span)
    values = {choice: f"{a.name}={choice}" for a in known.values() for choice in a.choices}
    near = closest(word.text, values)
    if near and not closest(word.text, cls.flags):
        message = f"unknown name `{word.text}`; did you mean `{values[near]}`?"
        return fail("E0208", message, word.span)
    return unknown_name(word.text, word.span, (*cls.flags, *known, *scope.names))


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


def _is_nothing(word: str, scope: Scope) -> bool:
    return word not in scope.names and word not in ("cin", "classes")


def _fill(
    code: str, known: Mapping[str, Argument], defaults: Defaults, bound: Bound
) -> dict[str, Any]:
    """Return all values: what was given, else the default of the layer, else the setting."""
    own = defaults.layers.get(code, {})
    defaults.filled.add(code)
    defaults.read |= {f"{code}.{option}" for option in own if option not in bound.values}
    values = {a.name: getattr(defaults.settings, a.setting) for a in known.values() if a.setting}
    return {**values, **own, **bound.values}


def unknown_option(option: tree.Option, owner: str, known: tuple[str, ...]) -> NetDSLError:
    """Return the error of an option that the layer does not have."""
    near = closest(option.key, known) if len(option.key) > 1 else None
    meant = f"; did you mean `{near}`?" if near else ""
    help = None if near else (f"it has {', '.join(known)}" if known else f"{owner} has no options")
    span = option.span if option.short else option.key_span
    return fail("E0203", f"{owner} has no option `{option.key}`{meant}", span, help=help)


def _missing(written: tree.Layer, cls: LayerType, argument: Argument) -> NetDSLError:
    what = {"channels": "number of channels", "features": "number of features"}.get(
        argument.name, "size" if argument.name == cls.size else f"`{argument.name}`"
    )
    sizes = [a for a in written.arguments if isinstance(a, tree.Dims) and len(a.values) == 2]
    help = f"write `{cls.examples[0]}`, say"
    if sizes and cls.size == "k":
        first, second = sizes[0].values
        help = f"`{sizes[0]}` is a kernel; to repeat, write `({cls.code} {first})x{second}`"
    return fail("E0204", f"{cls.code} needs its {what}", written.span, help=help)


def _usage(cls: LayerType) -> str:
    usage = next((line for line in cls.__doc__.splitlines() if f"`{cls.code}" in line), "")
    start = usage.find(f"`{cls.code}")
    return f"it is written {usage[start : usage.find('`', start + 1) + 1]}"


def _bind_torch(written: tree.Layer, scope: Scope) -> tuple[TorchLayer, str]:
    target, *rest = written.arguments or (None,)
    if not isinstance(target, tree.Text):
        message = 'Torch needs a layer class in quotes: `Torch "nn.Hardswish"`'
        raise fail("E0204", message, written.span)
    problem = allowed(target.value)
    if problem:
        raise fail("E0206", problem, target.span)
    numbers: list[Any] = []
    bound = Bound()
    for argument in rest:
        if isinstance(argument, tree.Option):
            value = _python(evaluate(argument.value, scope, ("true", "false", "on", "off")))
            bound.put(argument.key, value, argument.span, "Torch")
            bound.words.append(option_text(argument.key, value))
        elif isinstance(argument, tree.Pinned | tree.Text):
            raise fail("E0205", "Torch takes numbers and options", argument.span)
        else:
            numbers.append(_python(evaluate(argument, scope)))
            bound.words.append(value_text(numbers[-1]))
    if is_in_place(target.value, len(numbers)):
        help = "give it by name: `inplace=true`"
        message = f"one of the numbers would be `inplace` of {target.value}"
        raise fail("E0206", message, written.span, help=help)
    layer = TorchLayer(target.value, tuple(numbers), tuple(bound.values.items()))
    return layer, " ".join(["Torch", str(target), *bound.words])


def _python(value: Value) -> Any:
    if isinstance(value, Fraction):
        return float(value)
    return (
        {"true": True, "on": True, "false": False, "off": False}.get(value, value)
        if isinstance(value, str)
        else value
    )


def option_text(key: str, value: Any) -> str:
    """Write an option as short as it may be: `s2`, `k=3x5`, `act=none`."""
    text = value_text(value)
    return f"{key}{text}" if len(key) == 1 and text.isdecimal() else f"{key}={text}"


def value_text(value: Any) -> str:
    """Write an argument's value as it stands in a source."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        h, w = value[0], value[-1]
        return str(h) if len(value) == 2 and h == w else "x".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else plain(value)
