"""A text with forms of papers, LaTeX, Keras or torch in it to the same text in the language."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from netdsl.errors import Diagnostic, NetDSLError, Source
from netdsl.lower import Loader, Overrides, lower
from netdsl.syntax import parse
from netdsl.syntax.forms import FORMS
from netdsl.syntax.here import Form
from netdsl.syntax.paper_forms import Patterns, forms_in, told
from netdsl.syntax.plain_forms import PLAIN, SIGN
from netdsl.syntax.scan import scan

_ROUNDS = 8  # what is left away in one may be all that hid a form from the next
_OF_FORMS = "E0121"
# Faults of brackets, hyphens, lower case and other names.
_OF_PLAIN = {"E0101", "E0102", "E0108", "E0112", "E0113", "E0114", "E0117", "E0201", "E0202"}
_USES = re.compile(r'\buse\s*"')
_GONE = "\0"  # in place of a form that is left away; a text that has it itself is not read
_EMPTIED = re.compile(rf"(?<![^\n])[ \t]*(?:{_GONE}[ \t]*)+(?:\n|\Z)")
_OPTION = re.compile(r"[a-z]\w+=")  # that a number may have right before it, but looks odd so
_TRANSLATED = ", translated"  # behind the name of a text that is another now


@dataclass(frozen=True, slots=True)
class Translation:
    """A text as it came out, and what was written otherwise, each as its error would say it.

    `error` holds what is still wrong with the text; None where nothing is.
    """

    text: str
    changes: tuple[Diagnostic, ...] = ()
    error: NetDSLError | None = field(default=None, compare=False)


def translate(text: str, name: str = "<text>", loader: Loader | None = None) -> Translation:
    """Return a text in which every form that is known is written as its error says.

    `loader` finds the files that it uses.

    A text without mistakes comes back as it is. What a form does not say is not made up: `…` stands
    there, which is an error.

    >>> translate("3x3 conv, 64, stride 2; avg pool; 10-d fc").text
    'Conv 64 s2; GAP; FC 10'
    """
    changes: list[Diagnostic] = []
    loader = loader or Loader()
    error = _error(text, name, loader)
    for _ in range(_ROUNDS):
        patterns = _patterns(text, error)
        if not patterns:
            break
        source = Source(name, text)
        forms, header = _written(source, patterns)
        if not forms:
            break
        changes += [told(source, form) for form, _ in forms]
        text = header + _rewritten(text, forms)
        name = name if name.endswith(_TRANSLATED) else f"{name}{_TRANSLATED}"
        error = _error(text, name, loader)
    return Translation(text, tuple(changes), error)


def _error(text: str, name: str, loader: Loader) -> NetDSLError | None:
    """Return all that is wrong with a text, so far as it can be said without shapes."""
    try:
        lowered = lower(parse(text, name), Overrides({}), loader)
    except NetDSLError as error:
        return error
    errors = [finding for finding in lowered.diagnostics if finding.severity == "error"]
    return NetDSLError(*errors) if errors else None


def _patterns(text: str, error: NetDSLError | None) -> Patterns:
    """Return the patterns of the forms that may be at fault; what is no such form stays.

    A file that is used may define a block `Dense`.
    """
    codes = {one.code for one in error.diagnostics} if error else set()
    plain = PLAIN if _USES.search(text) is None else ()
    if _OF_FORMS in codes:
        return (*FORMS, *plain)
    return () if codes.isdisjoint(_OF_PLAIN) else plain


def _written(source: Source, patterns: Patterns) -> tuple[list[tuple[Form, str]], str]:
    """Return the forms of a text with what is written in place of each, but for those in words.

    In front of the text go the defaults that set the numbers of norms and activations.
    """
    comments = scan(source).comments
    forms = list(forms_in(source, comments, patterns=patterns))
    if signs := [form for form in forms if form.here.code == SIGN]:
        return [(form, SIGN) for form in signs], ""  # without which layers do not follow another
    defaults = _defaults(source.text, forms)
    if defaults is None:
        forms, defaults = list(forms_in(source, comments, apart=True, patterns=patterns)), []
    written = [
        (form, code + _left_to_forward(source.text, form))
        for form in forms
        if (code := form.here.code) is not None
    ]
    return written, "".join(f"default {one}\n" for one in defaults)


def _defaults(text: str, forms: list[Form]) -> list[str] | None:
    """Return the defaults that set the numbers of forms; None where one cannot set them all.

    `Norm(eps=0.001)` reaches every norm of a network, and so has to be said of each.
    """
    set_here = [(form, form.here.numbers) for form in forms if form.here.numbers]
    said = dict.fromkeys(numbers for _, numbers in set_here)
    layers = {
        layer
        for form, (layer, options) in set_here
        if options and layer not in (form.here.code or "")  # else they stand behind their name
    }
    if any(re.search(rf"\bdefault\s+{layer}\b", text) for layer in layers):
        return None
    if any([one for one, _ in said].count(layer) > 1 for layer in layers):
        return None
    return [f"{layer}({options})" for layer, options in said if layer in layers]


def _left_to_forward(text: str, form: Form) -> str:
    """Return the options that a `forward` decides, which is not read: `norm=… act=…`."""
    if not form.is_defined(text):
        return ""
    options = {"norm": "norm", "activation": "act"}
    return "".join(f" {option}=…" for noun, option in options.items() if noun in form.here.remark)


def _rewritten(text: str, forms: list[tuple[Form, str]]) -> str:
    """Return a text with its forms as they are written here; a line of which none is left goes."""
    pieces, before, end = [], "", 0
    for form, code in forms:
        between = text[end : form.start]
        before = between or before  # of what is left away nothing stands between
        blank = " " * (before[-1:].isdecimal() and _OPTION.match(code) is not None)
        pieces += [between, blank, code or _GONE]
        before, end = code or before, form.end
    return _EMPTIED.sub("", "".join(pieces) + text[end:]).replace(_GONE, "")
