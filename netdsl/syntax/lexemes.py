"""Text to words and signs, each with its kind, without the grammar: for what is said of errors."""

from __future__ import annotations

import re
from typing import NamedTuple

from netdsl.syntax.shorthand import SHORT_OPTIONS

KEYWORDS = ("def", "default", "scale", "expect")
OPERATORS = ("sign", "star", "slash")
VALUE = "(?:number|dims|string|word|short)"
ANY = r"\w+"
COMBINERS = ("Res", "Add", "Cat", "Mul")
BETWEEN_LAYERS = "between layers stands `,`, `->` or nothing"
FOLLOW = "layers follow one another as they stand"
FOOTNOTE = "delete it, or write a repeat as in `(Conv 64)x2`"

_LEXEME = re.compile(
    r"""[\s\u200b\u2060\ufeff]+ | \#[^\r\n\x85\u2028\u2029]*
      | (?P<label> @[a-z][a-z0-9_]* )
      | (?P<string> "[^"\n]*" )
      | (?P<dims> [0-9]+ (?:[x×✕⨯][0-9]+)+ )
      | (?P<number> [0-9]+ (?:\.[0-9]+)? (?: [eE]-[0-9]+ | [KMG](?![A-Za-z_]) )? )
      | (?P<times> [x×✕⨯] (?![a-z_]) )
      | (?P<word> [a-z][a-z0-9_]* (?:[×✕⨯][0-9][a-z0-9_]*)* )
      | (?P<layer> [A-Z][A-Za-z_]* )
      | (?P<sign> -> | // | . )
    """,
    re.VERBOSE,
)
_WORDS = dict.fromkeys(COMBINERS, "combine") | {word: word for word in KEYWORDS}
_SIGNS = {
    "(": "open", ")": "close", "[": "list", "]": "end_list", "{": "brace", "}": "end_brace",
    ",": "comma", ";": "arrow", "->": "arrow", "→": "arrow", "|": "bar", ":": "colon",
    "=": "equal", "!": "pin", "@": "at", "+": "sign", "-": "sign", "*": "star", "/": "slash",
    "//": "slash", "%": "slash",
}  # fmt: skip


class Lexeme(NamedTuple):
    """A word or sign of the text, read without the grammar."""

    kind: str
    text: str
    start: int
    end: int


def lexemes(text: str) -> tuple[Lexeme, ...]:
    """Split a text into its words and signs.

    >>> [(word.kind, word.text) for word in lexemes("Conv 64 # stem")]
    [('layer', 'Conv'), ('number', '64')]
    """
    return tuple(_lexeme(match) for match in _LEXEME.finditer(text) if match.lastgroup)


def written_out(number: str, word: str) -> str | None:
    """Return a number with the exponent that is glued to it as it is written here.

    >>> written_out("1", "e3"), written_out("1.5", "e6"), written_out("7", "s2")
    ('1000', '1500000', None)
    """
    if not re.fullmatch("e[0-9]", word) or not re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", number):
        return None
    whole = f"{float(number) * 10 ** int(word[1:]):.15g}"
    return whole if whole.isdecimal() else None


def part_of_whole(percentage: str) -> str:
    """Return a percentage as it is written here.

    >>> part_of_whole("40"), part_of_whole("38.5")
    ('0.4', '0.385')
    """
    return f"{float(percentage) / 100:g}"


def _lexeme(match: re.Match[str]) -> Lexeme:
    kind, text = str(match.lastgroup), match[0]
    if kind == "sign":
        kind = _SIGNS.get(text, "other")
    elif kind == "word" and SHORT_OPTIONS.fullmatch(text):
        kind = "short"
    else:
        kind = _WORDS.get(text, kind)
    return Lexeme(kind, text, match.start(), match.end())
