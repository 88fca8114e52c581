"""Norms and activations, as others write them, behind a layer that brings its own here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from netdsl.syntax.foreign import layer_here, names_of, setting_here
from netdsl.syntax.here import Form, Here
from netdsl.syntax.inputs import with_input
from netdsl.syntax.stages import with_stages

# The settings that say what a layer brings, in this order, and their words without a header.
_USUAL = {"norm": "batch", "act": "relu"}
_NOUNS = {"norm": "norm", "act": "activation"}
_BRINGS = {"FC": ("act",)}  # and a convolution both
_FEATURES = r"[^\S\n]+\d{1,5}(?=[^\S\n]*(?:[,;)\n]|->|→|\Z)|[^\S\n]+[A-Z])"
# `BN`, `BN 64`, `ReLU6`, `LayerNorm(64)`, and layers of the language with brackets.
NAMED = re.compile(
    r"(?<![\w.@])(?:(?P<own>Norm|Act)\s*\((?P<kind>\w+)\)"
    rf"|(?P<name>(?P<norm>{'|'.join(names_of('Norm'))})|{'|'.join(names_of('Act'))})"
    rf"(?:[123]d)?(?![\w.=])(?:\(\w*\)|(?(norm){_FEATURES}|(?!)))?)"
)
_PART = re.compile(r"(?P<layer>Norm|Act)(?: (?P<kind>\w+))?(?P<options>(?: \w+=\S+)*)")
_LAYER = re.compile(
    r"\b(?P<layer>DWConv|Deconv|Conv|FC)(?P<arguments>[^A-Z(){}|@:#,;→]*)(?:\s|,|;|->|→)*\Z"
)
_DENSE = re.compile(
    r"\b(?:fc|(?:lazy)?linear|dense)|[ -](?:d|way)\b|fully[ -]connected", re.IGNORECASE
)
_BETWEEN = re.compile(r"(?:\s|,|;|->|→)*")
_SIGN = re.compile(r"(?:,|;|->|→)\s*\Z")
_SIGN_BEHIND = re.compile(r"\s*(?:,|;|->|→)")
_WINDOW = 64
# A header in which `auto` may not be what `bias` is.
_BIAS_SAID = re.compile(r"(?<![\w.])(?:bias\s+[a-z]|scale\s+\w+\s*\()")
_OF_FORWARD = (
    "what `forward` does is not read: a layer that it calls twice is written twice, and one "
    "without norm or activation has `norm=none` or `act=none`"
)
_NOT_NORMALISED = "nothing here is normalised, which `norm none` in the header says of all layers"


def named(match: re.Match[str]) -> Here | None:
    """Return what a norm or an activation is here that stands without numbers."""
    if own := match["own"]:
        kind = setting_here(own.lower(), match["kind"])
        return Here(f"`{own} {kind}`") if kind else None
    return Here(f"`{layer_here(match['name'])}`")


@dataclass(slots=True)
class _Layer:
    """A layer and what it brings, while the forms behind it are being read."""

    name: str
    brings: list[str]
    left: list[str]  # of what it brings, in this order
    end: int
    place: int | None = None  # of its form, if it is one
    is_call: bool = False
    is_defined: bool = False  # and called elsewhere
    parts: dict[str, tuple[int, re.Match[str]]] = field(default_factory=dict)


class Chain:
    """The forms of a text in their order, with what the layer before them brings.

    Where a norm and an activation stand before their convolution, calls alone say what it has.
    Those with numbers are `apart` where one `default` cannot set them all: none of them is brought.
    """

    def __init__(self, text: str, *, apart: bool = False) -> None:
        self.text = text
        self.apart = apart
        self.forms: list[Form] = []
        self.kinds = {setting: _said(text, setting) or usual for setting, usual in _USUAL.items()}
        self.has_norms = _said(text, "norm") is not None
        self.has_defaults = bool(re.search(r"\bdefault\s+(?:DWConv|Deconv|Conv|FC)\b", text))
        self.is_before = False  # that norms and activations stand before their convolution
        self.layer: _Layer | None = None
        self.end = 0  # of the last form
        self.norm_end = 0  # of a norm that nothing brings
        self.features: int | None = None  # of the last dense layer
        self.bare: list[int] = []  # places where a convolution is told to have no norm
        self.plain: list[int] = []  # and of those of which nothing is said

    def add(self, form: Form) -> None:
        """Go on to the next form."""
        start = form.start
        if not self._is_next(self.end, start):
            self._close()
            self._open(self.text[max(0, start - _WINDOW) : start], start)
        self.end = form.end
        code = form.here.code or ""
        if part := _PART.fullmatch(code):
            self._add_part(form, part)
            return
        if code and not code[0].islower():  # else it is an option of the layer before it
            self._close()
            form = self._with_features(form)
            self._open(code, form.end, form)
        elif not code and form.is_call:
            form = self._with_sign(form)
        is_repeated = bool(self.forms) and self.forms[-1].here.repeats
        self.forms.append(form)
        if is_repeated:
            self._close()

    def _with_sign(self, form: Form) -> Form:
        """Return a call that is left away between two signs, with the one before it."""
        before = self._sign_before(form)
        if not before or _SIGN_BEHIND.match(self.text, form.end) is None:
            return form
        return replace(form, start=form.start - len(before))

    def _sign_before(self, form: Form) -> str:
        """Return the sign in front of a form, with its blanks, but for what is of another form."""
        end = self.forms[-1].end if self.forms else 0
        before = _SIGN.search(self.text[max(end, form.start - _WINDOW) : form.start])
        return before[0] if before else ""

    def finish(self) -> list[Form]:
        """Return what is told of all forms."""
        self._close()
        first = next((i for i, form in enumerate(self.forms) if form.is_defined(self.text)), None)
        self._help(first, _OF_FORWARD)
        if self.bare and not self.has_norms:
            for place in self.plain:
                self._add_option(place, "norm=none")
            if len(places := self.bare + self.plain) > 1:
                self._help(min(places), _NOT_NORMALISED)
        return with_input(self.text, with_stages(self.text, self.forms))

    def _add_part(self, form: Form, part: re.Match[str]) -> None:
        """Go on to a norm or an activation, of the layer before it or of its own."""
        setting, layer = part["layer"].lower(), self.layer
        self.has_norms |= setting == "norm"
        signed = replace(form, start=form.start - len(self._sign_before(form)), is_name=False)
        is_apart = self.apart and layer and layer.is_call and part["options"]
        if layer and setting in layer.left and not is_apart:
            del layer.left[: layer.left.index(setting) + 1]
            layer.parts[setting] = len(self.forms), part
            layer.end = form.end
            self.forms.append(signed)
            return
        if setting == "act" and self.norm_end and self._is_next(self.norm_end, form.start):
            self.is_before = True
        self.norm_end = form.end if setting == "norm" else 0
        if options := self._close(norm_follows=setting == "norm"):
            here = Here(f"`{options}  {part[0]}`", "else the activation stands before the norm")
            form = replace(signed, here=here)
        if not form.is_name:
            here = replace(form.here, numbers=_numbers(part))
            self.forms.append(replace(form, here=here))

    def _is_next(self, end: int, start: int) -> bool:
        """Say whether nothing but signs between layers stands between two places."""
        return _BETWEEN.fullmatch(self.text, end, start) is not None

    def _with_features(self, form: Form) -> Form:
        """Return a dense layer behind an assertion of what it takes, unless that is known."""
        code = form.here.code or ""
        takes = form.here.takes
        if takes is not None and takes != self.features:
            last = self.forms[-1] if self.forms else None
            if last and last.here.words == "`Flatten`" and self._is_next(last.end, form.start):
                self.forms[-1] = replace(last, here=Here(f"`Flatten :{takes}`"))
            else:
                form = replace(form, here=Here(f"`Flatten :{takes}  {code}`"))
        if dense := re.search(r"\bFC (\d+)", code):
            self.features = int(dense[1])
        return form

    def _open(self, text: str, end: int, form: Form | None = None) -> None:
        """Begin anew behind a text, or what a form is, which may end with a layer."""
        found = _LAYER.search(text)
        if found is None or self.has_defaults:
            return
        is_call = form is not None and form.is_call and "…" not in text
        if self.is_before and not is_call:
            return
        given = [one for one in _USUAL if f"{one}=" in found["arguments"]]
        usual = _BRINGS.get(found["layer"], (*_USUAL,))
        brings = [one for one in usual if one not in given]
        left = [] if "act" in given else [*brings]
        place = None if form is None else len(self.forms)
        is_defined = form is not None and form.is_defined(self.text)
        self.layer = _Layer(found["layer"], brings, left, end, place, is_call, is_defined)

    def _close(self, *, norm_follows: bool = False) -> str:
        """Tell what was read of the last layer; return its options where no form can have them."""
        layer, self.layer = self.layer, None
        if layer is None:
            return ""
        missing = self._missing(layer, norm_follows=norm_follows)
        options = " ".join(f"{one}=none" for one in missing)
        places = [layer.place, *(place for place, _ in layer.parts.values())]
        if "norm" in missing:
            self.bare.append(next(place for place in places if place is not None))
        if layer.place is not None:
            self._tell_layer(layer, layer.place, options)
            if not options and "norm" in layer.brings and not layer.is_defined:
                self.plain.append(layer.place)
            layer.brings = [one for one in layer.brings if one not in missing]
            options = ""
        for setting, (place, part) in layer.parts.items():
            added = options if setting == [*layer.parts][-1] else ""
            here = self._told(layer, setting, part, added)
            of_its_own = self.forms[place].here.help
            self.forms[place] = replace(self.forms[place], here=here)
            self._help(place if of_its_own else None, of_its_own or "")
        return "" if layer.parts else options

    def _is_last(self, layer: _Layer) -> bool:
        """Say whether a layer gives the scores, which have no activation."""
        return layer.name == "FC" and not _DENSE.search(self.text, layer.end)

    def _missing(self, layer: _Layer, *, norm_follows: bool) -> list[str]:
        """Return what a layer brings that a text leaves out where it says what there is."""
        is_said = layer.is_call or layer.parts or (norm_follows and layer.name == "FC")
        if layer.is_defined or not is_said or self._is_last(layer):
            return []
        return [one for one in layer.brings if one not in layer.parts and self.kinds[one] != "none"]

    def _tell_layer(self, layer: _Layer, place: int, options: str) -> None:
        """Tell the form of a layer with its options, and what it brings if it is a call."""
        form = self.forms[place]
        code = form.here.code or ""
        bias = " bias" if self._has_bias(layer, code) else ""
        code = f"{self._without_usual_bias(layer, code)}{bias} {options}".rstrip()
        here = form.here.written(code)
        brought = [one for one in layer.brings if f"{one}=" not in code]
        if layer.is_call and brought:
            unless = ", unless it is the last" if layer.name == "FC" else ""
            remark = f", which brings its {_nouns(brought)}{unless}"
            here = replace(here, words=f"`{code}`{remark}")
        self.forms[place] = replace(form, here=here)

    def _has_bias(self, layer: _Layer, code: str) -> bool:
        """Say whether a convolution has a bias before its norm, as torch and Keras give it one."""
        is_normed = "norm" in layer.parts or (layer.is_defined and "norm" in layer.brings)
        is_told = "bias" in code.rpartition("  ")[2]
        return layer.is_call and layer.name != "FC" and is_normed and not is_told

    def _without_usual_bias(self, layer: _Layer, code: str) -> str:
        """Return a call without the word for its bias where that is what `bias auto` gives it."""
        is_open = layer.is_defined and layer.name != "FC"
        if not layer.is_call or is_open or _BIAS_SAID.search(self.text):
            return code
        is_normed = layer.name != "FC" and "norm" in layer.parts
        first, blanks, last = code.rpartition("  ")
        usual = "bias=off" if is_normed else "bias"
        return first + blanks + re.sub(rf" {usual}(?= |\Z)", "", last)

    def _add_option(self, place: int, option: str) -> None:
        """Tell the form that stands there with one option more."""
        form = self.forms[place]
        self.forms[place] = replace(form, here=form.here.written(f"{form.here.code} {option}"))

    def _told(self, layer: _Layer, setting: str, part: re.Match[str], added: str) -> Here:
        """Return what is said of a part that a layer brings, of another kind perhaps."""
        usual = {"norm": "batch", "act": self.kinds["act"]}[setting]
        kind, options = part["kind"] or usual, part["options"].strip()
        is_other = kind != self.kinds[setting] or self._is_last(layer)
        written = " ".join([f"{setting}={kind}"] * is_other + [added] * bool(added))
        brings = [one for one in layer.brings if one == setting or self.kinds[one] != "none"]
        help = f"`{layer.name}` brings its {_nouns(brings)}"
        if written:
            help = f"as an option of the `{layer.name}` before it"
        if added:
            missing = _nouns([one for one in brings if one not in layer.parts])
            help += f", which brings its {_nouns(brings)}: no {missing} stands here"
        if options:
            help += f"; `default {part['layer']}({options})` in the header sets its numbers"
        return Here(f"`{written}`" if written else "", help, numbers=_numbers(part))

    def _help(self, place: int | None, help: str) -> None:
        """Add a help to the form that stands there."""
        if place is not None:
            form = self.forms[place]
            help = f"{form.here.help}; {help}" if form.here.help else help
            self.forms[place] = replace(form, here=replace(form.here, help=help))


def _numbers(part: re.Match[str]) -> tuple[str, str] | None:
    """Return the options of a norm or an activation; None for one that has none to set."""
    has_some = part["layer"] == "Norm" or part["kind"] == "leaky_relu"
    return (part["layer"], part["options"].strip()) if has_some else None


def _nouns(settings: list[str]) -> str:
    return " and ".join(_NOUNS[one] for one in settings)


def _said(text: str, setting: str) -> str | None:
    """Return the word of a setting of the header."""
    found = re.search(rf"(?<![\w.]){setting}\s+([a-z]\w*)", text)
    return found[1] if found else None
