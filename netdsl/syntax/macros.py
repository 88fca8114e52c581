r"""Macros of LaTeX, `\newcommand`, and what they make of `\blockb{256}{64}{3}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from netdsl.syntax.cells import CELLS
from netdsl.syntax.here import BLANK, Here, Say, code, left_away

# NOTE: brackets within brackets keep what they have read (`++`): they are not read in other ways.
_INNER = r"[^{}\n]"
for _ in range(4):
    _INNER = rf"(?:[^{{}}\n]++|\{{{_INNER}*+\}})"
_DEFINES = r"\\(?:re|provide)?(?:newcommand|command)\*?"
DEFINITION = re.compile(
    rf"{_DEFINES}{BLANK}*\{{?\\(?P<name>[A-Za-z]+)\}}?(?:\[[1-9]\])?\{{(?P<body>{_INNER}*+)\}}"
)
_USE = re.compile(r"\\(?P<name>[A-Za-z]+)(?P<arguments>(?:\{[^{}\n]{0,99}\}){1,9})")
_ARGUMENT = re.compile(r"\{([^{}]*)\}")
_FORMAL = re.compile(r"#([1-9])")
# He et al. 2015, table 1, in its source: channels and repeats, and of bottlenecks what comes out.
_OF_HE = {
    "blocka": r"[3x3, #1; 3x3, #1]x#2",
    "blockb": r"[1x1, #2; 3x3, #2; 1x1, #1]x#3",
}


def _definition(match: re.Match[str]) -> Here:
    return left_away("what it makes is written where it is used")


def _use(match: re.Match[str]) -> Here | None:
    """Return the cell that a macro makes, or the text; None for one that no line defines."""
    body = _bodies(match.string).get(match["name"])
    if body is not None:
        return _made(body, match)
    if (body := _OF_HE.get(match["name"])) is None or (made := _made(body, match)) is None:
        return None
    help = f"in the source of He et al. it is {made.words}; paste the line that defines it too"
    return Here("as what its `\\newcommand` makes of it", help)


@lru_cache(maxsize=2)
def _bodies(text: str) -> Mapping[str, str]:
    return {match["name"]: match["body"] for match in DEFINITION.finditer(text)}


def _made(body: str, match: re.Match[str]) -> Here | None:
    """Return what a macro makes of its arguments; None where it has too few of them."""
    given = _ARGUMENT.findall(match["arguments"])
    if any(int(place) > len(given) for place in _FORMAL.findall(body)):
        return None
    text = _FORMAL.sub(lambda formal: given[int(formal[1]) - 1], body)
    for form, say in CELLS:
        if (found := form.search(text)) and (here := say(found)):
            return here
    return None if "`" in text else code(text)


def is_in_definition(text: str, place: int) -> bool:
    """Say whether the `#` at a place is of an argument, in the line of a definition."""
    line = text.rfind("\n", 0, place) + 1
    return re.match(rf"{BLANK}*{_DEFINES}", text[line:place]) is not None


MACROS: tuple[tuple[re.Pattern[str], Say], ...] = ((DEFINITION, _definition), (_USE, _use))
