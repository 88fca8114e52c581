"""What is wrong with the arguments of a layer, and what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Mapping

from netdsl.errors import Diagnostic, NetDSLError, Span, fail
from netdsl.ir import Settings
from netdsl.lower.arithmetic_mistakes import product_as_size
from netdsl.lower.convert import listed_size
from netdsl.lower.values import Scope, unknown_name
from netdsl.ops import CATALOGUE, Argument, LayerType, arguments
from netdsl.suggest import closest
from netdsl.syntax import tree
from netdsl.syntax.foreign import TORCH_NAMES, layer_here, value_here
from netdsl.syntax.lexemes import written_out
from netdsl.syntax.shorthand import LETTERS
from netdsl.syntax.slips import slip_in_size

_LOWER = {code.lower(): code for code in CATALOGUE}  # layers, as they are not written
# Options, what of them is written, and the words that others have for it.
_SAID_AS_A_WORD = (
    ("bias", "bias=off", ("no", "nobias", "no_bias", "biasless")),
    ("p", "p0", ("valid",)),
)


def does_nothing(written: tree.Layer) -> Diagnostic:
    """Return what to say of a layer whose own numbers make it hand on what it gets."""
    message = f"`{written.span.text}` does nothing: it hands on what it gets"
    return Diagnostic("W0512", message, written.span, help="leave it away")


def none_is_set(written: tree.Layer, setting: str) -> Diagnostic:
    """Return what to say of a `Norm` or an `Act` of a network whose header has none of them."""
    kind = {"norm": "batch", "act": "relu"}[setting]
    message = f"`{written.name}` does nothing: `{setting}` is none"
    help = (
        f"name one, as in `{written.name} {kind}`; in place of the header's `{setting} none`, "
        f"`default Conv({setting}=none)` leaves only those of convolutions away"
    )
    return Diagnostic("W0512", message, written.span, help=help)


def refuse_name_of_torch(written: tree.Layer, cls: LayerType) -> None:
    """Refuse `Dropout2d 0.3`, which reads as `Dropout 2 d 0.3`."""
    found = re.match(r"[A-Z][A-Za-z]*[123]d\b", written.span.text)
    if found and len(cls.positional) < 2:
        span = Span(written.span.source, written.span.start, written.span.start + len(found[0]))
        meant = 'Torch "nn.Dropout2d"' if found[0] == "Dropout2d" else cls.code
        raise fail("E0201", f"unknown layer `{found[0]}`; did you mean `{meant}`?", span)


def refuse_word_for_padding(
    option: tree.Option, owner: str, known: Mapping[str, Argument], scope: Scope
) -> None:
    """Refuse `p=same` and `padding=valid`, as torch and Keras name a padding."""
    value = option.value
    word = value.value if isinstance(value, tree.Text) else str(value)
    is_padding = TORCH_NAMES.get(option.key, option.key) == "p" and "p" in known
    if not is_padding or word not in ("same", "valid") or word in scope.names:
        return
    meant = "; did you mean `p0`?" if word == "valid" else ""
    message = f"p of {owner} takes {known['p'].takes}, not `{word}`"
    if option.key != "p":
        message = f"{owner} has no option `{option.key}`"
    code = "E0206" if option.key == "p" else "E0203"
    raise fail(code, f"{message}{meant}", option.span, help=_same(word, owner))


def _same(word: str, owner: str) -> str | None:
    """Return what to say of a padding that is usual here, where it is."""
    is_usual = word == "same" and owner in ("Conv", "DWConv")
    return (
        "leave it away: an odd kernel of stride 1 keeps the size of the map" if is_usual else None
    )


def unknown_word(
    word: tree.Name,
    cls: LayerType,
    known: Mapping[str, Argument],
    scope: Scope,
    *,
    for_number: bool,
) -> NetDSLError:
    """Return the error of a bare word, where a number could stand or none could.

    It may be the value of an option without its key, an option without its value, or the end of a
    longer name: `Conv3Bn` reads as `Conv 3 Bn`, and `Conv2do` as `Conv 2 do`.
    """
    before = word.span.source.text[max(0, word.span.end - 64) : word.span.end]
    glued = re.search(r"[A-Z][A-Za-z]*\d+[a-z]\w*\Z", before)
    if glued:
        whole = Span(word.span.source, word.span.end - len(glued[0]), word.span.end)
        return fail("E0201", f"unknown layer `{glued[0]}`; did you mean `{cls.code}`?", whole)
    if slip := slip_in_size(word.span.source, word.span.start):
        return fail("E0206", *slip)
    if word.text in known:
        return without_value(word, known[word.text])
    if meant := _meant(word.text, cls, known):
        message = f"unknown name `{word.text}`; did you mean {meant}?"
        return fail("E0208", message, word.span)
    if help := _same(word.text, cls.code):
        return fail("E0208", f"unknown name `{word.text}`", word.span, help=help)
    names = (*cls.flags, *known, *scope.names)
    return unknown_name(word.text, word.span, names, for_number=for_number)


def without_value(word: tree.Name, option: Argument) -> NetDSLError:
    """Return the error of an option without its value, which may stand behind it: `norm none`."""
    behind = re.match(r"\s+([a-z]\w*)", word.span.source.text[word.span.end :][:64])
    if behind and behind[1] in (*option.choices, "on", "off"):
        example = f"{word.text}={behind[1]}"
    else:
        example = f"{word.text}3" if word.text in LETTERS else f"{word.text}=…"
    message = f"`{word.text}` has no value: it is written as in `{example}`"
    is_setting = word.text in arguments(Settings)
    help = f"for all layers, `{word.text}` stands in the header" if is_setting else None
    return fail("E0112", message, word.span, help=help)


def _meant(word: str, cls: LayerType, known: Mapping[str, Argument]) -> str | None:
    """Return what a word of another language, a layer or a mistyped value was meant to be."""
    if flag := value_here(word, cls.flags):
        return f"`{flag}`"
    if (letter := TORCH_NAMES.get(word)) in known:
        return f"`{letter}`, as in `{letter}2`"
    for option, written, words in _SAID_AS_A_WORD:
        if option in known and word in words:
            return f"`{written}`"
    values = {choice: f"{a.name}={choice}" for a in known.values() for choice in a.choices}
    layer = _LOWER.get(word) or layer_here(word)
    if not value_here(word, values) and layer and word not in arguments(Settings):
        return f"the layer `{layer}`"
    if own := value_here(word, values):
        return f"`{values[own]}`"
    near = closest(word, values) if len(word) > 1 and not closest(word, cls.flags) else None
    return f"`{values[near]}`" if near else None


def one_too_many(
    argument: tree.Value | tree.Pinned, cls: LayerType, known: Mapping[str, Argument], scope: Scope
) -> NetDSLError:
    """Return the error of a value without a key where the layer takes no more of them.

    A name may stand for a word, which is not told from a number where it is written.
    """
    if slip := slip_in_size(argument.span.source, argument.span.start):
        return fail("E0206", *slip)
    if isinstance(argument, tree.Name):
        value = scope.names.get(argument.text)
        option = next((a.name for a in known.values() if value in a.choices), None)
        if option:
            message = f"`{argument.text}` stands for a word, and a word is given by its option"
            help = f"write `{cls.code} {option}={argument.text}`"
            return fail("E0205", message, argument.span, help=help)
    count = len(cls.positional)
    takes = ("no number", "one number")[count] if count < 2 else f"{count} numbers"
    help = usage(cls)
    size = product_as_size(argument, None, known) or listed_size(argument)
    if cls.size and size:
        help = f"a size is written `{size}`"
    if isinstance(argument, tree.Number) and not count:
        help = re.sub(r"(=)[0-9.]+`$", rf"\g<1>{argument}`", help)  # as in `SE r=16`
        if cls.code == "SE" and 0 < argument.value < 1:  # what is left, in place of the divisor
            help = f"r divides the channels: it is written `SE r{round(1 / argument.value)}`"
        if cls.code == "Act":
            help = f"a slope is written `slope={argument}`; other numbers take a class of torch.nn"
    return fail("E0205", f"{cls.code} takes {takes}", argument.span, help=help)


def unknown_option(option: tree.Option, owner: str, known: tuple[str, ...]) -> NetDSLError:
    """Return the error of an option that the layer does not have, as the `e3` of `1e3`."""
    before = re.search(r"[0-9.]+\Z", option.span.source.text[: option.span.start][-16:])
    number = written_out(before[0], option.span.text) if before and option.short else None
    if before and number:
        source, start = option.span.source, option.span.start - len(before[0])
        message = f"an exponent is negative or left away: write `{number}`"
        return fail("E0203", message, Span(source, start, option.span.end))
    near = closest(option.key, known) if len(option.key) > 1 else None
    if (letter := TORCH_NAMES.get(option.key)) in known:
        near = letter
    meant = f"; did you mean `{near}`?" if near else ""
    help = None if near else (f"it has {', '.join(known)}" if known else f"{owner} has no options")
    span = option.span if option.short else option.key_span
    return fail("E0203", f"{owner} has no option `{option.key}`{meant}", span, help=help)


def missing_argument(written: tree.Layer, cls: LayerType, argument: Argument) -> NetDSLError:
    """Return the error of an argument that a layer cannot do without."""
    what = {"channels": "number of channels", "features": "number of features"}.get(
        argument.name, "size" if argument.name == cls.size else f"`{argument.name}`"
    )
    sizes = [a for a in written.arguments if isinstance(a, tree.Dims) and len(a.values) == 2]
    help = f"write `{cls.examples[0]}`, say"
    if sizes and cls.size == "k":
        first, second = sizes[0].values
        help = f"`{sizes[0]}` is a kernel; to repeat, write `({cls.code} {first})x{second}`"
    return fail("E0204", f"{cls.code} needs its {what}", written.span, help=help)


def usage(cls: LayerType) -> str:
    """Return how a layer is written, from its docstring."""
    usage = next((line for line in cls.__doc__.splitlines() if f"`{cls.code}" in line), "")
    start = usage.find(f"`{cls.code}")
    return f"it is written {usage[start : usage.find('`', start + 1) + 1]}"
