"""Finds forms of papers, LaTeX and torch in a text, and tells how they are written here."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from netdsl.errors import MOST, Diagnostic, Source, Span
from netdsl.syntax.apart import kept_apart
from netdsl.syntax.brought import NAMED, Chain, named
from netdsl.syntax.classes import script, statement
from netdsl.syntax.foreign_calls import CALL
from netdsl.syntax.foreign_functions import FUNCTION
from netdsl.syntax.forms import FORMS, call, function
from netdsl.syntax.here import Form, Say
from netdsl.syntax.macros import is_in_definition
from netdsl.syntax.plain_forms import PLAIN
from netdsl.syntax.tree import Comment

Patterns = Sequence[tuple[re.Pattern[str], Say]]
_DEFINITION = re.compile(r"\bdef\s+\w+\s*(?:\([^(){}]*\)\s*)?\{[^{}]*\}")
_WORD = re.compile(r"[A-Z][A-Za-z_]*|\w{2,}")  # a `k` in a form may well be that of the text
_HEADER_ENDS = re.compile(r"(?<!\w)[A-Z]")
_READ = 2 * MOST  # forms of a text: what is told of one may depend on those behind it


def forms_of_papers(
    source: Source, comments: Sequence[Comment], faults: Sequence[Diagnostic]
) -> list[Diagnostic]:
    """Return the faults of a text with those inside of known forms told as these forms.

    Where one of them is at fault, the first twenty of the text are told. What is read as it is
    written, and then does not fit, is no such form, whatever it looks like.
    """
    misread = [fault for fault in faults if fault.code.startswith(("E01", "E02"))]
    found = [told(source, form) for form in islice(forms_in(source, comments, _READ), MOST)]
    spans = [form.span for form in found if form.span]
    if not any(_is_of(fault, spans) for fault in misread):
        return list(faults)
    return [*(fault for fault in faults if not _is_of(fault, spans)), *found]


def _is_of(fault: Diagnostic, spans: Sequence[Span]) -> bool:
    """Say whether a fault is one of the forms that stand there."""
    return _is_beside(fault, spans) or any(_is_inside(fault.span, span) for span in spans)


def _is_beside(fault: Diagnostic, spans: Sequence[Span]) -> bool:
    """Say whether a fault is but the comma before or behind a form, which layers may have."""
    if fault.code != "E0111" or fault.span is None:
        return False
    source = fault.span.source
    end = len(source.text[: fault.span.start].rstrip())
    start = len(source.text) - len(source.text[fault.span.end :].lstrip())
    return any(one.source is source and (one.end == end or one.start == start) for one in spans)


def forms_in(
    source: Source,
    comments: Sequence[Comment],
    most: float = math.inf,
    *,
    apart: bool = False,
    patterns: Patterns = FORMS,
) -> Iterator[Form]:
    """Yield the forms of a text from its start on; where two overlap, the one listed first.

    Behind so many of them calls and names alone are read, which say whether there are norms. Norms
    and activations with numbers may stand `apart` from the layers that bring them. Beside calls
    and names the forms are those of the `patterns`, as those of layers in brackets (`PLAIN`).
    """
    spans = [(c.span.start, c.span.end) for c in comments if not _is_of_form(source.text, c)]
    text = _blanked(source.text, spans)
    bare = _blanked(text, [match.span() for match in re.finditer(r'"[^"\n]*"', text)])
    found: list[tuple[int, re.Match[str], Say]]
    found = [(match.start(), match, call) for match in CALL.finditer(text)]
    found += [(match.start(), match, function) for match in FUNCTION.finditer(text)]
    found += [
        (match.start(), match, say)
        for form, say in patterns
        for match in form.finditer(bare)
        if say is not script or script(match)  # else it may give something a name
    ]
    own, end = _own_names(bare, [match.span() for _, match, say in found if say is not call]), 0
    found += [(match.start(), match, named) for match in NAMED.finditer(bare)]
    chain = Chain(bare, apart=apart)
    for start, match, say in sorted(found, key=lambda one: one[0]):  # stable: in the order listed
        if len(chain.forms) >= most and say not in (call, function, named):
            continue
        words = _words_of(match, say)
        if start < end or not own.isdisjoint(words):
            continue
        if here := say(match):
            chain.add(Form(start, match.end(), here, is_call=say is call, is_name=say is named))
            end = end if say is named else match.end()
    yield from kept_apart(text, chain.finish())


def _words_of(match: re.Match[str], say: Say) -> list[str]:
    """Return the words of a form that a text may have given to something of its own."""
    if say in (statement, script):
        return []
    has_name = say in (call, function, *(one for _, one in PLAIN))
    return [match["name"]] if has_name else re.findall(_WORD, match[0])


def _is_of_form(text: str, comment: Comment) -> bool:
    """Say whether a comment is but the cell of a row of Markdown, or an argument of a macro."""
    if is_in_definition(text, comment.span.start):
        return True
    before = text[text.rfind("\n", 0, comment.span.start) + 1 : comment.span.start].strip()
    return before.startswith("|") and before.endswith("|") and comment.text.endswith("|")


def _own_names(text: str, forms: Sequence[tuple[int, int]]) -> set[str]:
    """Return what a text gives a name: a block may be called `Dense`, a parameter `pool`.

    `stride=2` in a form or behind a layer names nothing.
    """
    header = _HEADER_ENDS.split(_DEFINITION.sub(" ", _blanked(text, forms)), 1)[0]
    names = set(re.findall(r"\b([a-z]\w*)\s*=", header))
    for block, formals in re.findall(r"\bdef\s+([A-Z][A-Za-z_]*)(\([^()]*)?", text):
        names |= {block, *re.findall(r"[a-z]\w*", formals)}
    return names


def told(source: Source, form: Form) -> Diagnostic:
    span, here = Span(source, form.start, form.end), form.here
    written = " ".join(span.text.split())
    shown = written if len(written) <= 40 else f"{written[:40]}…"
    said = f"written {here.words}" if here.words else "left away here"
    return Diagnostic("E0121", f"`{shown}` is {said}", span, help=here.help)


def _is_inside(inner: Span | None, outer: Span) -> bool:
    if inner is None or inner.source is not outer.source:
        return False
    return outer.start <= inner.start < outer.end


def _blanked(text: str, ranges: Sequence[tuple[int, int]]) -> str:
    """Return a text of the same length with blanks in some ranges of it."""
    pieces, behind = [], 0
    for start, end in sorted(ranges):
        pieces += [text[behind:start], " " * (end - max(start, behind))]
        behind = max(behind, end)
    return "".join(pieces) + text[behind:]
