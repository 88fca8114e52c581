"""Text to syntax tree, or to all the syntax errors of the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark, lexer
from lark.exceptions import UnexpectedInput

from netdsl.amounts import counted
from netdsl.collector import paused
from netdsl.errors import MOST, Diagnostic, NetDSLError, Source
from netdsl.syntax import tree
from netdsl.syntax.build import Builder
from netdsl.syntax.lexemes import COMBINERS
from netdsl.syntax.recover import Recovery
from netdsl.syntax.scan import Scan, scan

_KNOWN_EVERYWHERE = ("DEFAULT", "SCALE", "EXPECT", "DEF", "KEY", *map(str.upper, COMBINERS))


@paused()
def parse(text: str, name: str = "<text>") -> tree.File:
    """Return the tree of a source, or raise all that is wrong with its syntax.

    >>> file = parse("norm none   (Conv 64)×2, Avg2 → FC 10")
    >>> [str(argument) for argument in file.body[-1].core.arguments]
    ['10']
    """
    source = Source(name, text)
    scanned = scan(source)
    if scanned.is_hopeless:
        raise _refused(scanned, scanned.faults, is_all=False)
    parser, builder = _parser()
    builder.begin(source)
    recovery = Recovery(scanned)
    file = _read(parser, scanned.text, recovery)
    faults = [*builder.faults, *recovery.faults]
    if faults:
        raise _refused(scanned, faults, is_all=not recovery.is_full)
    assert file is not None
    return replace(file, comments=scanned.comments)


def _refused(scanned: Scan, faults: Sequence[Diagnostic], *, is_all: bool) -> NetDSLError:
    """Return the first faults of a text, those in forms of papers told as these.

    How many more there are is told behind them, as far as the text was read.
    """
    from netdsl.syntax.paper_forms import forms_of_papers  # a third of a start are its patterns

    told = forms_of_papers(scanned.source, scanned.comments, faults)
    first = dict.fromkeys(sorted(told, key=_start))
    return NetDSLError(*list(first)[:MOST], *_more(len(first), is_all))


def _more(found: int, is_all: bool) -> Iterator[Diagnostic]:
    if found > MOST:
        more = counted(found - MOST, "more error")
        yield Diagnostic("N0122", f"… and {more}{'' if is_all else ' at least'}")
    elif not is_all:
        yield Diagnostic("N0122", "… and more, perhaps: behind so many the text is not read on")


def _read(parser: Lark, text: str, recovery: Recovery) -> tree.File | None:
    try:
        file: Any = parser.parse(text, on_error=recovery)
    except UnexpectedInput:
        return None
    assert isinstance(file, tree.File)
    return file


@cache
def _parser() -> tuple[Lark, Builder]:
    builder: Any = Builder()
    grammar = files("netdsl.grammars").joinpath("netdsl.lark").read_text(encoding="utf-8")
    options: dict[str, Any] = {"start": "file", "parser": "lalr", "maybe_placeholders": False}
    options["_plugins"] = {"ContextualLexer": _Lexer}
    # NOTE: where interegular is installed Lark looks for terminals that collide, in this grammar
    # and in its own, for 0.1 s at every start. A test does that instead, with `strict=True`.
    present, lexer.has_interegular = lexer.has_interegular, False
    try:
        return Lark(grammar, **options, transformer=builder), builder
    finally:
        lexer.has_interegular = present


class _Lexer(lexer.ContextualLexer):
    """Knows the words of the language and `key =` wherever they stand, for the errors they make."""

    def __init__(self, conf: Any, states: Any, always_accept: Any = ()) -> None:
        super().__init__(conf, states, _KNOWN_EVERYWHERE)


def _start(fault: Diagnostic) -> int:
    return fault.span.start if fault.span else 0
