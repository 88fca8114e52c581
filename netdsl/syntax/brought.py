"""Norms and activations, as others write them, behind a convolution that brings its own here."""

from __future__ import annotations

import re

from netdsl.syntax.foreign import layer_here, names_of, setting_here
from netdsl.syntax.forms import Here

# The settings that say what a convolution brings, in this order, and their words without a header.
_USUAL = {"norm": "batch", "act": "relu"}
_NOUNS = {"norm": "norm", "act": "activation"}
# `BN`, `ReLU6`, `LayerNorm(64)`, and layers of the language with brackets.
NAMED = re.compile(
    r"(?<![\w.@])(?:(?P<own>Norm|Act)\s*\((?P<kind>\w+)\)"
    rf"|(?P<name>{'|'.join(names_of('Norm', 'Act'))})(?:[123]d)?(?![\w.=])(?:\(\w*\))?)"
)
_PART = re.compile(r"(?P<layer>Norm|Act)(?: (?P<kind>\w+))?(?P<options>(?: \w+=\S+)*)")
_CONVOLUTION = re.compile(
    r"\b(?P<layer>DWConv|Deconv|Conv)(?P<arguments>[^A-Z(){}|@:#,;→]*)(?:\s|,|;|->|→)*\Z"
)
_BETWEEN = re.compile(r"(?:\s|,|;|->|→)*")
_SIGN = re.compile(r"(?:,|;|->|→)\s*\Z")
_WINDOW = 64


def named(match: re.Match[str]) -> Here | None:
    """Return what a norm or an activation is here that stands without numbers."""
    if own := match["own"]:
        kind = setting_here(own.lower(), match["kind"])
        return Here(f"`{own} {kind}`") if kind else None
    return Here(f"`{layer_here(match['name'])}`")


class Chain:
    """The forms of a text in their order, with what the convolution before them brings.

    Where a norm and an activation stand before their convolution, nothing is known of it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.kinds = {setting: _said(text, setting) or usual for setting, usual in _USUAL.items()}
        self.is_known = not re.search(r"\bdefault\s+(?:DWConv|Deconv|Conv)\b", text)
        self.layer = ""
        self.brings: list[str] = []
        self.left: list[str] = []  # of what it brings
        self.end = 0  # of the last form
        self.norm_end = 0  # of a norm that nothing brings

    def follow(self, start: int, end: int, here: Here) -> tuple[int, Here] | None:
        """Go on to the next form; return where it begins and what it is, if a layer brings it."""
        if not self._is_next(self.end, start):
            self._begin(self.text[max(0, start - _WINDOW) : start])
        self.end = end
        code = here.words[1:].partition("`")[0]
        part = _PART.fullmatch(code)
        if part is None:
            if code and not code[0].islower():  # else it is an option of the layer before it
                self._begin(code)
            return None
        setting = part["layer"].lower()
        if setting not in self.left:
            if setting == "act" and self.norm_end and self._is_next(self.norm_end, start):
                self.is_known = False
            self.norm_end = end if setting == "norm" else 0
            self.left = []
            return None
        del self.left[: self.left.index(setting) + 1]
        sign = _SIGN.search(self.text[max(0, start - _WINDOW) : start])
        return start - (len(sign[0]) if sign else 0), self._told(setting, part)

    def _is_next(self, end: int, start: int) -> bool:
        """Say whether nothing but signs between layers stands between two places."""
        return _BETWEEN.fullmatch(self.text, end, start) is not None

    def _begin(self, text: str) -> None:
        """Begin anew behind a text, which may end with a convolution."""
        found = _CONVOLUTION.search(text) if self.is_known else None
        self.layer = found["layer"] if found else ""
        self.brings = []
        if found and "act=" not in found["arguments"]:
            self.brings = [one for one in _USUAL if f"{one}=" not in found["arguments"]]
        self.left = list(self.brings)

    def _told(self, setting: str, part: re.Match[str]) -> Here:
        """Return what is said of a part that the layer brings, of another kind perhaps."""
        usual = {"norm": "batch", "act": self.kinds["act"]}[setting]
        kind, options = part["kind"] or usual, part["options"].strip()
        brings = [one for one in self.brings if one == setting or self.kinds[one] != "none"]
        nouns = " and ".join(_NOUNS[one] for one in brings)
        help, words = f"`{self.layer}` brings its {nouns}", ""
        if kind != self.kinds[setting]:
            help, words = f"as an option of the `{self.layer}` before it", f"`{setting}={kind}`"
        if options:
            help += f"; `default {part['layer']}({options})` in the header sets its numbers"
        return Here(words, help)


def _said(text: str, setting: str) -> str | None:
    """Return the word of a setting of the header."""
    found = re.search(rf"(?<![\w.]){setting}\s+([a-z]\w*)", text)
    return found[1] if found else None
