"""Text to syntax tree, or to all the syntax errors of the text."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark
from lark.exceptions import UnexpectedInput
from lark.lexer import ContextualLexer

from netdsl.errors import Diagnostic, NetDSLError, Source
from netdsl.syntax import tree
from netdsl.syntax.brackets import MOST
from netdsl.syntax.build import Builder
from netdsl.syntax.recover import Recovery
from netdsl.syntax.scan import scan


def parse(text: str, name: str = "<text>") -> tree.File:
    """Return the tree of a source, or raise all that is wrong with its syntax.

    >>> file = parse("norm none   (Conv 64)×2, Avg2 → FC 10")
    >>> [str(argument) for argument in file.body[-1].core.arguments]
    ['10']
    """
    source = Source(name, text)
    scanned = scan(source)
    parser, builder = _parser()
    builder.begin(source)
    recovery = Recovery(scanned)
    try:
        file: tree.File = parser.parse(scanned.text, on_error=recovery)  # type: ignore[assignment]
    except UnexpectedInput:
        file = tree.File((), ())
    faults = [*builder.faults, *recovery.faults]
    if faults:
        raise NetDSLError(*sorted(faults, key=_start)[:MOST])
    return replace(file, comments=scanned.comments)


parse_text = parse  # the name for where another `parse` is about


@cache
def _parser() -> tuple[Lark, Builder]:
    builder: Any = Builder()
    grammar = files("netdsl.grammars").joinpath("netdsl.lark").read_text(encoding="utf-8")
    plugins = {"ContextualLexer": _Lexer}
    options: dict[str, Any] = {"start": "file", "parser": "lalr", "maybe_placeholders": False}
    return Lark(grammar, **options, transformer=builder, _plugins=plugins), builder


class _Lexer(ContextualLexer):
    """Knows header words and `key =` everywhere, for their errors; does not look for collisions.

    NOTE: wherever `interegular` is installed Lark looks for terminals that collide, at every start
    and for 0.1 s. A test does it instead, with `strict=True`.
    """

    def __init__(self, conf: Any, states: Any, always_accept: Any = ()) -> None:
        conf.skip_validation = True
        super().__init__(conf, states, ("DEFAULT", "SCALE", "EXPECT", "DEF", "KEY"))


def _start(fault: Diagnostic) -> int:
    return fault.span.start if fault.span else 0
