"""Text to comments and bracket pairs, with every fault that can be seen without the grammar."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from netdsl.errors import LINE_ENDS, MOST, Diagnostic, NetDSLError, Source, Span, fail
from netdsl.syntax.brackets import Brackets, match_brackets
from netdsl.syntax.lexemes import BETWEEN_LAYERS, FOOTNOTE
from netdsl.syntax.tree import Comment

BYTES = 1 << 20
WORDS = 200_000  # a hundred thousand times `Conv 64`
DIGITS = 15  # `macs=11513626624` has 11

_WORD = re.compile(rf"#[^{LINE_ENDS}]*|[A-Za-z_]+|[0-9]+|[^\w\s]")
_MARK = re.compile(
    r"""(?P<own_line> (?: (?<=[\r\n\x85\u2028\u2029]) | \A )
                      [^\S\r\n\x85\u2028\u2029]* \#[^\r\n\x85\u2028\u2029]* )
      | (?P<comment> \#[^\r\n\x85\u2028\u2029]* )
      | (?P<string> "[^"\n]*" )
      | (?P<open_string> "[^\n]* )
      | (?P<bracket> [()\[\]{}] )
      | (?P<number> [0-9]{16,} )
      | (?P<exponent> (?<=[0-9])[eE]-[0-9]{3,} )
      | (?P<alien> (?: [^\sA-Za-z0-9_.,;:@!|=+\-*/%()\[\]{}\#"→×✕⨯>\u200b\u2060\ufeff]
                     | => | (?<!-)> | (?<![0-9])\. | \.(?![0-9]) )+ )
    """,
    re.VERBOSE,
)
_SAID = {"…": "write out what is left away", "•": "delete it"}
_SAID |= dict.fromkeys("†‡§¶", FOOTNOTE)
_KNOWN = re.compile(r'[A-Za-z0-9_.,;:@!|=+\-*/%()\[\]{}#">×]+')  # signs that the language has
_DASHES = "−–—‐‑‒"
_ARROW = re.compile(rf"[{_DASHES}=~>]+[>›»]|>")
_MEANT = dict.fromkeys(_DASHES, "-")
_MEANT |= {"÷": "/", "·": "*", "⋅": "*", "∗": "*", "✖": "×", "⨉": "×", "х": "x"}
_MEANT |= dict.fromkeys("“”„«»'‘’", '"') | dict.fromkeys((">", "⟶", "➔", "➜", "⇒", "↓"), "->")


@dataclass(frozen=True, slots=True)
class Scan:
    """What stands in a source; `text` is its text with what is faulty blanked.

    Nothing moves by that; `blanks` are the offsets at which something was blanked. Where twenty
    things are wrong the rest of the text is not worth reading: it `is_hopeless`.
    """

    source: Source
    text: str
    comments: tuple[Comment, ...]
    brackets: Brackets
    faults: tuple[Diagnostic, ...]
    blanks: tuple[int, ...]
    is_hopeless: bool


def scan(source: Source) -> Scan:
    """Read a source character by character; one that is too large or too deep is refused.

    >>> [fault.message for fault in scan(Source("net.arch", "(Conv 64 & BB 1")).faults]
    ['unexpected character `&`', '`(` is not closed']
    """
    refuse_too_large(source, len(source.text.encode(errors="surrogatepass")))
    if "\0" in source.text:
        raise nul(source)
    comments, offsets, wrong = _marks(source)
    brackets = match_brackets(source, offsets)
    faults = [
        _fault(source, match)
        for match, before in zip(wrong, [None, *wrong], strict=False)
        if not _closes(match, before)
    ]
    if not any(map(_hides_brackets, wrong)):
        faults += brackets.faults()
    is_hopeless = max(len(wrong), len(brackets.stray)) == MOST
    text = brackets.mend(_blank(source.text, wrong))
    blanks = tuple(match.start() for match in wrong)
    return Scan(source, text, tuple(comments), brackets, tuple(faults), blanks, is_hopeless)


def _marks(source: Source) -> tuple[list[Comment], list[int], list[re.Match[str]]]:
    """Find comments, brackets and the first twenty things that are wrong by themselves."""
    comments: list[Comment] = []
    offsets: list[int] = []
    wrong: list[re.Match[str]] = []
    for match in _MARK.finditer(source.text):
        if match.lastgroup == "bracket":
            offsets.append(match.start())
        elif match.lastgroup in ("comment", "own_line"):
            comments.append(_comment(source, match))
        elif match.lastgroup != "string" and len(wrong) < MOST:
            wrong.append(match)
    return comments, offsets, wrong


def refuse_too_large(source: Source, size: int) -> None:
    """Refuse a source of too many bytes, or of too many words for its bytes."""
    start = Span(source, 0, 0)
    if size > BYTES:
        raise fail("E0106", f"the text has {size:,} bytes, the limit is {BYTES:,}", start)
    words = len(source.text)
    if words > WORDS:
        words = sum(1 for _ in _WORD.finditer(source.text))
    if words > WORDS:
        message = f"the text has {words:,} words and signs, the limit is {WORDS:,}"
        raise fail("E0106", message, start)


def nul(source: Source) -> NetDSLError:
    """Return the error of a text with a NUL byte in it."""
    offset = source.text.index("\0")
    line, _ = source.position(offset)
    start = len(source.text[:offset].encode(errors="surrogatepass"))
    message = f"byte {start:,}, in line {line}, is NUL"
    return fail("E0104", message, Span(source, offset, offset + 1))


def _comment(source: Source, match: re.Match[str]) -> Comment:
    start = source.text.index("#", match.start())
    text = source.text[start : match.end()].rstrip()
    return Comment(text, match.lastgroup == "own_line", Span(source, start, start + len(text)))


def _closes(match: re.Match[str], before: re.Match[str] | None) -> bool:
    """Say whether a quote is the end of a text that was begun on a line before."""
    is_second = before is not None and before.lastgroup == match.lastgroup == "open_string"
    return is_second and re.match(r'"(\s|$)', match[0]) is not None


def _fault(source: Source, match: re.Match[str]) -> Diagnostic:
    """Say what is wrong with a match of one of the last four kinds."""
    text = match[0].rstrip()
    span = Span(source, match.start(), match.start() + len(text))
    if match.lastgroup == "open_string":
        help = "a text ends on the line that it begins on"
        return Diagnostic("E0115", "the string is not closed", span, help=help)
    if match.lastgroup == "number":
        message = f"a number has at most {DIGITS} digits, this one has {len(text):,}"
        return Diagnostic("E0109", message, span)
    if match.lastgroup == "exponent":
        return Diagnostic("E0109", "an exponent has at most 2 digits", span)
    return _alien(span)


def _alien(span: Span) -> Diagnostic:
    """Name characters that the language does not have, with what was probably meant."""
    text, help = span.text, _meant(span)
    if not text.isprintable():
        help = "delete it" if unicodedata.category(text[0]) == "Cf" else None  # as a soft hyphen
        return Diagnostic("E0101", f"unexpected character U+{ord(text[0]):04X}", span, help=help)
    shown = text if len(text) <= 20 else f"{text[:20]}…"
    noun = "characters" if text[1:] else "character"
    return Diagnostic("E0101", f"unexpected {noun} `{shown}`", span, help=help)


def _meant(span: Span) -> str | None:
    """Say what was probably meant by characters that the language does not have."""
    text = span.text
    before = span.source.text[max(0, span.start - 64) : span.start]
    after = span.source.text[span.end : span.end + 64]
    if text in _DASHES and re.match(r"\s*[A-Z(@]", after):
        return BETWEEN_LAYERS
    if text in _DASHES and re.search(r"\b[A-Z][A-Za-z]*\s*$", before):
        return "write a space"
    if said := _said(text, before, after):
        return said
    if unicodedata.decomposition(text[0]).startswith(("<super>", "<sub>")):
        return FOOTNOTE  # or a power
    if text == "." and after[:1].isdecimal():
        plain = "0." + after[: len(after) - len(after.lstrip("0123456789"))]
    elif text in "·⋅" and re.search(r"(?<![\w.])0$", before) and after[:1].isdecimal():
        plain = "."  # a raised point; between other numbers it may be a product
    elif _ARROW.fullmatch(text):
        plain = "->"
    else:
        plain = _MEANT.get(text) or "".join(map(_plain, text))
    fits = plain != text and _KNOWN.fullmatch(plain)
    return f"write `{plain}`" if fits else None


def _said(text: str, before: str, after: str) -> str | None:
    if text == "\\" and re.match("[A-Za-z_]", after):
        return "write what LaTeX makes of it"
    if text == "^" and before.endswith(")"):
        return "a repeat is written as in `(Conv 64)x2`"
    return _SAID.get(text)


def _plain(character: str) -> str:
    return _MEANT.get(character) or unicodedata.normalize("NFKC", character)


def _hides_brackets(match: re.Match[str]) -> bool:
    """Whether the brackets around cannot be told: some may be part of what is wrong."""
    text = unicodedata.normalize("NFKC", match[0])
    return match.lastgroup == "open_string" or any(c in "()[]{}" for c in text)


def _blank(text: str, wrong: list[re.Match[str]]) -> str:
    """Put something harmless of the same length in the place of what is wrong."""
    pieces, end = [], 0
    for match in wrong:
        pieces += [text[end : match.start()], _HARMLESS[str(match.lastgroup)](match)]
        end = match.end()
    return "".join(pieces) + text[end:]


def _filler(match: re.Match[str]) -> str:
    """A space, or what keeps a word in one piece that foreign characters stand inside."""
    around = match.string[max(0, match.start() - 1) : match.end() + 1]
    inside = re.match("[A-Za-z_]", around) and re.search("[A-Za-z0-9_]$", around)
    return ("_" if inside else " ") * len(match[0])


_HARMLESS: dict[str, Callable[[re.Match[str]], str]] = {
    "open_string": lambda match: '""'.center(len(match[0])) if match[0][1:] else " ",
    "number": lambda match: match[0][:DIGITS].ljust(len(match[0])),
    "exponent": lambda match: match[0][:4].ljust(len(match[0])),
    "alien": _filler,
}
