"""Lines of a class of torch that are no layers: imports, heads, its `forward`, and its script."""

from __future__ import annotations

import re
from functools import lru_cache

from netdsl.syntax.foreign_calls import CALL
from netdsl.syntax.here import BLANK, Here, Say, left_away

# What is said of a module whose `forward` does more than call its layers one after the other.
OF_MODULE = (
    "its `forward` is not read: what it does between these layers, as an activation, is missing"
)
BLOCK_OF_ITS_OWN = Here(
    "as a block of your own, by `def`", "what it does with its layers is not read"
)
_ONLY_LAYERS = "only the layers of a class are read: paste those alone"
_ONE_OF_SEVERAL = Here(
    "by itself", "each class is a network or a block of its own: paste the layers of one at a time"
)
_LINE = rf"(?<![^\n]){BLANK}*"
_IMPORT = rf"(?:import{BLANK}+[a-z][\w.]*|from{BLANK}+[\w.]+{BLANK}+import\b)[^\n]*"
_HEAD = (
    rf"class{BLANK}+(?P<name>\w+){BLANK}*(?:\([^()\n]*\))?{BLANK}*:"
    rf"|def{BLANK}+(?!forward\b)\w+{BLANK}*\([^()]*\){BLANK}*(?:->[^\n:]*)?:"
)
_SUPER = r"super\([^()\n]*\)\.__init__\([^()\n]*\)"
_CLASS = re.compile(rf"{_LINE}class{BLANK}+\w+{BLANK}*[(:]")
STATEMENT = re.compile(rf"{_LINE}(?:{_IMPORT}|{_HEAD}|{_SUPER})")
# With all lines behind it that are indented further, or blank.
FORWARD = re.compile(
    rf"(?<![^\n])(?P<indent>{BLANK}*)def{BLANK}+forward{BLANK}*\([^()]*\){BLANK}*(?:->[^\n:]*)?:[^\n]*"
    rf"(?:\n(?:(?P=indent){BLANK}[^\n]*|{BLANK}*(?=\n)))*"
)
# What is run at the margin around a class, `net = Net().to(device)`, `for epoch in range(9):`, with
# all lines behind it that are indented, or close its brackets.
_SETS = r"[a-z_][\w.]*(?:[ ]?,[ ]?\w+)*[ ]?=(?=[^\n]*[('\"])|[A-Z][A-Z_0-9]+[ ]?="
_CALLS = r"(?!expect\()[a-z_][\w.]*\("
_CONTROLS = r"(?:if|for|with|while|try|else|except)\b(?=[^\n]*:[^\S\n]*(?:\n|\Z))"
SCRIPT = re.compile(
    rf"(?<![^\n])(?:{_SETS}|{_CALLS}|{_CONTROLS})[^\n]*"
    rf"(?:\n(?:{BLANK}[^\n]*|[)\]}}][^\n]*|{BLANK}*(?=\n)))*"
)


def statement(match: re.Match[str]) -> Here:
    """Return what is said of a line; where a text has several classes, their heads stay."""
    if match.re is FORWARD:
        return left_away(OF_MODULE)
    is_class = match["name"] is not None
    return _ONE_OF_SEVERAL if is_class and _has_another(match) else left_away(_ONLY_LAYERS)


def script(match: re.Match[str]) -> Here | None:
    """Return what is said of lines around a class; None for layers, and where no class stands."""
    if not _has_class(match.string) or CALL.search(match[0]) or ")(" in match[0]:
        return None
    return left_away(_ONLY_LAYERS)


@lru_cache(maxsize=2)
def _has_class(text: str) -> bool:
    return _CLASS.search(text) is not None


def _has_another(match: re.Match[str]) -> bool:
    text = match.string
    return bool(_CLASS.search(text, 0, match.start("name")) or _CLASS.search(text, match.end()))


CLASSES: tuple[tuple[re.Pattern[str], Say], ...] = (
    (STATEMENT, statement),
    (FORWARD, statement),
    (SCRIPT, script),
)
