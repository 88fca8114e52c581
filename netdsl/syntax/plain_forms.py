"""Layers in brackets, by other names, in lower case or with hyphens, to how they are written here.

Their errors say what to write, and `netdsl translate` writes it: `MaxPool(2)`, `Dense 10`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from netdsl.syntax.foreign import layer_here, layer_with, spelt
from netdsl.syntax.here import Here, Say, X, code
from netdsl.syntax.inputs import is_channels_last
from netdsl.syntax.lexemes import COMBINERS
from netdsl.syntax.torch_arguments import TAKES, is_read_alike, words_of, written_here

SIGN = ","  # between layers, where others have a hyphen
_NUMBER = rf"[0-9]{{1,9}}(?![\w.]|\s*{X})"
# What begins with a capital in brackets are layers, and a sign behind them makes them a value.
_BRACKETS = re.compile(
    r"(?<![\w.])(?P<name>[A-Z]\w*)\((?!\s*[A-Z])(?P<arguments>(?:[^()|]|\([^()|]*\))*)\)"
    rf"(?!\s*[-+*/]\s*[\d\[(])(?:\s*{X}\s*(?P<times>{_NUMBER}))?"
)
_INPUT = re.compile(r"(?<![\w.])(?P<name>Input)\((?P<arguments>[^()]*)\)(?:\s*(?:->|→|,))?")
_NAME = re.compile(
    rf"(?<![\w.@])(?P<name>[A-Z][A-Za-z]*)(?:\s*(?P<number>{_NUMBER})|(?=\s*\()|(?![\w.(=]))"
)
# Words that are neither values nor told of anything: `act relu`, `dropout=0.5`, `self.conv`.
_LOWER = re.compile(
    r"(?<![\w.@=:])(?<!\bact )(?<!\bnorm )(?<!\bhead )(?<!\bshortcut )(?P<name>[a-z]+)(?:[123]d)?"
    r"(?=\d|\(|\W|\Z)(?!\s*=)"
)
_HYPHEN = re.compile(r"(?P<name>)(?<=[\w)\]])[^\S\n]*[-–][^\S\n]*(?=[A-Z(])")
_LAST_WORD = re.compile(r"([A-Z][A-Za-z]*)?(?:\d*|\))\Z")
_FIRST_WORD = re.compile("[A-Z][A-Za-z]*")
_OPENS = re.compile(r"\s*\(")
_IN_HEADER = ("act", "norm", "shortcut")  # and names of layers too
_HAS_ARGUMENTS = re.compile(r"\s*(?:\d|[a-z]+=|[a-z]+\d)")
_DEFAULT = re.compile(r"\bdefault\s+\Z")
_IS_OPTION = re.compile(r"\w+=.*|\d+x\d+")


def in_brackets(match: re.Match[str]) -> Here | None:
    """Return a layer without the brackets around its arguments; None where they may mean more.

    >>> in_brackets(_BRACKETS.match("MaxPool(3, s=2)")).code
    'Max 3 s=2'
    >>> in_brackets(_BRACKETS.match("Conv(64)x2")).code, in_brackets(_BRACKETS.match("Conv(3x3)"))
    ('(Conv 64)x2', None)
    """
    before = match.string[max(0, match.start() - len("default" * 2)) : match.start()]
    if _DEFAULT.search(before):
        return None
    words = words_of(match["arguments"].replace("×", "x"))
    here = _without_brackets(match["name"], words, match.string)
    if here is None:
        return None
    return code(f"({here})x{match['times']}" if match["times"] else here)


def _without_brackets(name: str, words: list[str], text: str) -> str | None:
    """Return a layer with its arguments, where these say it."""
    layer = layer_here(name) or name
    if len(words) == 1 and words[0].isdecimal() and (here := _with_number(name, words[0])):
        return here
    is_block = layer != name and layer in ("BB", "Bott")  # with other numbers than here
    if layer not in TAKES or is_block or not is_read_alike(layer, text):
        return None
    if layer == "Conv" and all(_IS_OPTION.fullmatch(word) for word in words):
        return None  # it lacks its channels
    here = written_here(layer, words)
    return None if here is None else f"{layer} {here.removeprefix('kind=')}".rstrip()


def _with_number(name: str, number: str) -> str | None:
    """Return a layer that has a number alone."""
    here = layer_here(name) or name
    return layer_with(name, number) or (f"{here} {number}" if TAKES.get(here, (0,))[0] else None)


def by_another_name(match: re.Match[str]) -> Here | None:
    """Return a layer or a combination by its name here; None where it is no single one.

    >>> by_another_name(_NAME.match("Concat(")).code, by_another_name(_NAME.match("Dense 10")).code
    ('Cat', 'FC 10')
    >>> by_another_name(_NAME.match("Conv 64")), by_another_name(_NAME.match("Concat 64"))
    (None, None)
    """
    name, number = match["name"], match["number"]
    here = layer_here(name)
    if here is None:
        return None
    if number is not None:
        with_number = _with_number(name, number)
        return None if with_number is None else code(with_number)
    if here == "Max" and not _HAS_ARGUMENTS.match(match.string, match.end()):
        return code("Max 2")
    is_open = _OPENS.match(match.string, match.end()) is not None
    return code(here) if here in (COMBINERS if is_open else TAKES) else None


def in_lower_case(match: re.Match[str]) -> Here | None:
    """Return a layer as it is spelt; None in a text that has capitals, and so means its words.

    >>> [in_lower_case(_LOWER.match(text)).code for text in ("conv64", "bn", "maxpool(2)")]
    ['Conv', 'BN', 'MaxPool']
    """
    name = match["name"]
    if name in _IN_HEADER or _has_capitals(match.string):
        return None
    own = next((layer for layer in (*TAKES, *COMBINERS) if layer.lower() == name), None)
    layer = own or spelt(name)
    return None if layer is None else code(layer)


@lru_cache(maxsize=2)
def _has_capitals(text: str) -> bool:
    return re.search(r"(?<!\w)[A-Z]", text) is not None


def between_layers(match: re.Match[str]) -> Here | None:
    """Return the sign between two layers that have a hyphen; None for any other.

    >>> between_layers(_HYPHEN.search("Conv64-BN")).code, between_layers(_HYPHEN.search("Net-A"))
    (',', None)
    """
    before = _LAST_WORD.search(match.string, max(0, match.start() - 32), match.start())
    behind = _FIRST_WORD.match(match.string, match.end())
    names = [one for one in (before and before[1], behind and behind[0]) if one]
    is_known = all(name in TAKES or name in COMBINERS or layer_here(name) for name in names)
    return code(SIGN) if names and is_known else None


def _input(match: re.Match[str]) -> Here | None:
    """Return the input of a network, whose channels stand last where a square stands first."""
    sizes = re.findall(r"\d+", match["arguments"])
    if len(sizes) != 3 or not re.fullmatch(rf"(?:\d+|\s|,|{X})*", match["arguments"]):
        return None
    a, b, c = sizes
    return code(f"input {c}x{a}x{b}" if is_channels_last(a, b, c) else f"input {a}x{b}x{c}")


PLAIN: tuple[tuple[re.Pattern[str], Say], ...] = (
    (_INPUT, _input),
    (_BRACKETS, in_brackets),
    (_NAME, by_another_name),
    (_LOWER, in_lower_case),
    (_HYPHEN, between_layers),
)
