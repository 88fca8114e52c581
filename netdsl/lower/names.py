"""Names: what may be called what, and what was meant by a name that is unknown."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable

from netdsl.errors import Label, NetDSLError, Span, fail
from netdsl.ir import Settings
from netdsl.lower.values import OF_THE_PLACE
from netdsl.ops import CATALOGUE, Argument, arguments
from netdsl.ops.blocks import Res
from netdsl.ops.torch_layer import TorchLayer
from netdsl.ops.wiring import JOINS
from netdsl.suggest import closest
from netdsl.syntax import tree
from netdsl.syntax.foreign import (
    OF_TRAINING,
    SETTINGS_HERE,
    help_for,
    layer_here,
    layer_with,
    numbers_here,
    spelt,
)
from netdsl.syntax.shorthand import LETTERS, SHORT_OPTIONS

SETTINGS = arguments(Settings)
COMBINATIONS = ("Res", *JOINS)  # of layers in brackets
MEASURED = ("params", "macs", "depth", "out")  # what an `expect` holds a network against
FLAGS = frozenset(word for cls in CATALOGUE.values() for word in cls.flags)
# What an option or setting may be worth beside numbers: a parameter may stand for it.
WORDS = frozenset(
    word
    for cls in (*CATALOGUE.values(), Res, Settings)
    if cls is not TorchLayer
    for argument in arguments(cls).values()
    for word in (*argument.choices, "on", "off")
)

# Options that are no letter: who writes one in the header means all layers.
_OPTIONS = frozenset(
    name
    for cls in CATALOGUE.values()
    if cls is not TorchLayer
    for name in arguments(cls).keys() - {*cls.positional}
    if len(name) > 1
)
_BEGIN_ENTRIES = ("use", "def", "default", "scale", "expect")
_LEFT_TO_THE_LOSS = ("softmax", "logsoftmax")
_NUMBER_BEHIND = re.compile(r"[^\S\n]+([0-9]{1,9})(?![\w.!*/+-])")
_WORDS_OF_THE_LANGUAGE = frozenset(
    ("x", *OF_THE_PLACE, "on", "off", "true", "false", "scale", "default", "def", "expect")
)


def words_beside(names: Container[str]) -> tuple[str, ...]:
    """Return the words that stand for themselves as the value of a parameter."""
    return tuple(word for word in sorted(WORDS) if word not in names)


def refuse_reserved(name: str, span: Span, *, formal: bool = False) -> None:
    """Refuse a parameter, or a `formal` one of a `def`, whose name means something already."""
    if name in SETTINGS or name == "use":
        help = f"write `{name} …`, without the `=`"
        if formal:
            help = f"choose another name, such as `the_{name}`"
        raise fail("E0209", f"`{name}` is a setting, not a parameter", span, help=help)
    if name in FLAGS or name in _WORDS_OF_THE_LANGUAGE:
        raise fail("E0209", f"`{name}` has a meaning of its own in a network", span)
    if name[0] in LETTERS and name[1:2].isdecimal():
        raise fail("E0209", f"`{name}` reads as the option {name[0]}={name[1:]}", span)


def refuse_twice(options: Iterable[tree.Option]) -> None:
    """Refuse a key that stands twice in one pair of brackets."""
    first: dict[str, Span] = {}
    for option in options:
        if option.key in first:
            message = f"`{option.key}` is set twice"
            labels = [Label(first[option.key], "first here")]
            raise fail("E0207", message, option.key_span, labels=labels)
        first[option.key] = option.key_span


def unknown_layer(name: str, span: Span, known: tuple[str, ...]) -> NetDSLError:
    """Return the error of a layer that is neither in the catalogue nor defined."""
    if found := _glued_to_digits(name, span):
        return found
    own = [one for one in known if one not in CATALOGUE and one not in COMBINATIONS]
    near = closest(name, own)
    if not near and name.lower() not in _LEFT_TO_THE_LOSS:
        near = layer_here(name) or (None if help_for(name) else closest(name, known))
    behind = re.match(r"[123][dD]\b|6\b", span.source.text[span.end : span.end + 3])
    whole = Span(span.source, span.start, span.end + len(behind[0])) if behind else span
    if behind and (behind[0] != "6" or layer_here(whole.text)):  # as in `AvgPool2d`, `ReLU6`
        span, name = whole, whole.text
        near = closest(name, own) or layer_here(name) or near
    help = None if near else help_for(name) or f"the layers are {', '.join(known)}"
    number = _NUMBER_BEHIND.match(span.source.text, span.end, span.end + 16)
    if number and near == layer_here(name) and (full := layer_with(name, number[1])):
        span, near, help = Span(span.source, span.start, number.end()), full, numbers_here(name)
    meant = f"; did you mean `{near}`?" if near else ""
    if near in JOINS:
        help = f"its branches have `|` between them: `{near}( … | … )`"
    if name.lower() in _LEFT_TO_THE_LOSS:
        help = "leave it away: the scores of the last FC are what the loss takes"
    elif name.lower() in (*SETTINGS, *_BEGIN_ENTRIES) and not layer_here(name):
        help = f"what stands in the header is lower case: `{name.lower()}`"
    return fail("E0201", f"unknown layer `{name}`{meant}", span, help=help)


def _glued_to_digits(name: str, span: Span) -> NetDSLError | None:
    """Return what to say of the `D` of `Conv2D`, the `X` of `3X3`, the `S` of `S2`, of `@eOne`."""
    text = span.source.text
    written = text[max(0, span.start - 64) : span.start]
    before = re.search(r"[A-Z][A-Za-z]*[123]\Z|[0-9)]\s*\Z", written)
    digits = re.match(r"[0-9]+", text[span.end : span.end + 16])
    if name == "D" and before and before[0][-1:] in "123" and before[0][:1].isalpha():
        whole = Span(span.source, span.start - len(before[0]), span.end)
        near = layer_here(before[0][:-1]) or closest(before[0][:-1], CATALOGUE)
        meant = f"; did you mean `{near}`?" if near else ""
        return fail("E0201", f"unknown layer `{whole.text}`{meant}", whole)
    if label := re.search(r"@[a-z][a-z0-9_]*\Z", written):
        whole = Span(span.source, span.start - len(label[0]), span.end)
        return fail("E0108", f"a label is lower case: `{whole.text.lower()}`", whole)
    if name == "X" and before and re.match(r"\s*[0-9]", text[span.end : span.end + 16]):
        return fail("E0201", "a size or a repeat is written with a small `x`", span)
    if len(name) == 1 and SHORT_OPTIONS.fullmatch(f"{name.lower()}1") and digits:
        whole = Span(span.source, span.start, span.end + len(digits[0]))
        option = f"{name.lower()}{digits[0]}"
        return fail("E0201", f"unknown layer `{name}`; did you mean `{option}`?", whole)
    return None


def reaches_others(layer: str, option: str) -> bool:
    """Say whether a default reaches what other layers bring: norms, slopes of leaky ReLUs."""
    return layer == "Norm" or (layer, option) == ("Act", "slope")


def outside_option(name: str, option: str, written: Container[str]) -> Argument:
    """Return the argument whose default `Name.option` sets from outside.

    Refuses layers that the network does not have, where setting it would do nothing; norms and
    activations follow other layers unwritten.
    """
    cls = Res if name == "Res" else CATALOGUE.get(name)
    if (
        cls is None
        or cls is TorchLayer
        or (name not in written and not reaches_others(name, option))
    ):
        near = closest(name, [code for code in (*CATALOGUE, "Res") if code in written])
        meant = f"; did you mean `{near}.{option}`?" if near else ""
        raise fail("E0208", f"the network has no layer `{name}` to set {option} of{meant}")
    if (name, option) == ("Norm", "kind"):
        message = "Norm.kind would reach no norm of other layers; `norm` chooses the kind of all"
        raise fail("E0203", message)
    known = arguments(cls)
    if option not in known:
        near = closest(option, known)
        has = f"; it has {', '.join(known)}" if known else ""
        meant = f"; did you mean `{name}.{near}`?" if near else has
        raise fail("E0203", f"{name} has no option `{option}`{meant}")
    return known[option]


def unknown_setting(entry: tree.Setting) -> NetDSLError:
    if code := _layer_meant(entry):
        return fail(
            "E0202", f"unknown setting `{entry.key}`; layers start with a capital: `{code}`",
            entry.key_span,
        )  # fmt: skip
    near = SETTINGS_HERE.get(entry.key) or closest(entry.key, (*SETTINGS, "use"))
    meant = f"; did you mean `{near}`?" if near else ""
    help = None if near else f"the settings are {', '.join(SETTINGS)}"
    if entry.key in OF_TRAINING:
        meant, help = "", "what is said of a training stands in a recipe, below `[train]`"
    elif not near and entry.key not in _OPTIONS and isinstance(entry.value, tree.Number):
        help = f"a parameter is written `{entry.key} = {entry.value}`"
    return fail("E0202", f"unknown setting `{entry.key}`{meant}", entry.key_span, help=help)


def _layer_meant(entry: tree.Setting) -> str | None:
    """Return the layer whose name in lower case stands where a setting does, its number with it.

    That of another library is one if a number or a further layer follows: `padding same` is none.
    """
    if own := _own_layer(entry.key):
        return own
    value = entry.value
    is_column = isinstance(value, tree.Number) or (
        isinstance(value, tree.Name) and (_own_layer(value.text) or spelt(value.text)) is not None
    )
    return spelt(entry.key) if is_column and entry.key not in SETTINGS_HERE else None


def _own_layer(word: str) -> str | None:
    """Return the layer that a word in lower case is, its number with it.

    >>> _own_layer("conv64"), _own_layer("conv2d"), _own_layer("depth")
    ('Conv64', 'Conv', None)
    """
    word = word.removesuffix("2d")
    name = word.rstrip("0123456789")
    own = next((code for code in CATALOGUE if code.lower() == name), None)
    return f"{own}{word.removeprefix(name)}" if own else None
