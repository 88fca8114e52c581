"""Syntax tree to canonical text: how each thing is written is `flat`'s, what is broken is here.

The lines of an architecture are its stages, so a line break between two layers is kept, as gofmt
does, and so is one blank line; everything else about the layout is the printer's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from netdsl.errors import LINE_ENDS, Span
from netdsl.syntax import tree
from netdsl.syntax.flat import closing, entry_text, heading, item_text, opening
from netdsl.syntax.page import WIDTH, Page

_BAR = re.compile(rf"#[^{LINE_ENDS}]*|(\|)")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


def to_text(file: tree.File) -> str:
    r"""Return the canonical text of a file, with its comments.

    >>> from netdsl.syntax import parse
    >>> to_text(parse("norm none n=2 (Conv64k7s2)× n,Avg2 # stem\n"))
    'norm none  n = 2\n\n(Conv 64 k=7 s=2)x n  Avg 2  # stem\n'
    """
    page = Page(file.span, file.comments)
    beside = False
    for entry in file.header:
        short = isinstance(entry, tree.Setting | tree.Parameter)
        _entry(page, entry, fresh=not (short and beside))
        beside = short
    if file.header and file.body:
        page.blank_due = not _has_blank_line(page, file.header[-1].span, file.body[0].span)
    _items(page, file.body)
    return page.text()


def _entry(page: Page, entry: tree.Header, *, fresh: bool) -> None:
    """Write an entry; settings and parameters may share a line, as they do in the source."""
    text = entry_text(entry)
    if not isinstance(entry, tree.Definition) or not _is_broken(page, entry.span, entry.body, text):
        page.write(text, entry.span, fresh=fresh)
        return
    page.begin(heading(entry), entry.span, 2)
    _items(page, entry.body)
    page.finish("}", entry.span, entry.span, 2)


def _items(page: Page, body: tree.Body) -> None:
    for item in body:
        _item(page, item)


def _item(page: Page, item: tree.Item) -> None:
    core, text = item.core, item_text(item)
    if isinstance(core, tree.Layer) or not _is_broken(page, core.span, _inside(core), text):
        page.write(text, item.span)
    elif isinstance(core, tree.Group):
        page.begin(opening(core), core.span, 2)
        _items(page, core.body)
        page.finish(closing(item), core.span, item.span, 2)
    else:
        indent = 4 if core.branches[1:] else 2
        page.begin(opening(core), core.span, indent)
        _branches(page, core.branches)
        page.finish(closing(item), core.span, item.span, indent)


def _branches(page: Page, branches: Sequence[tree.Branch]) -> None:
    for before, branch in zip([None, *branches], branches, strict=False):
        if before is not None:
            page.bar(_bar(before.span, branch.span))
        if branch.reads is not None:
            page.write(f"@{branch.reads}", branch.reads.span)
        _items(page, branch.body)


def _bar(before: Span, after: Span) -> Span:
    """Return where the sign between two branches is."""
    for match in _BAR.finditer(before.source.text, before.end, after.start):
        if match[1]:
            return Span(before.source, match.start(), match.end())
    return after


def _inside(core: tree.Layer | tree.Group | tree.Combine) -> tree.Body:
    match core:
        case tree.Layer():
            return ()
        case tree.Group():
            return core.body
        case tree.Combine():
            return tuple(item for branch in core.branches for item in branch.body)


def _is_broken(page: Page, whole: Span, body: tree.Body, text: str) -> bool:
    """Whether something goes over several lines: too long, commented, or broken by its author."""
    too_long = page.indent + len(text) > WIDTH
    return too_long or page.has_comment(whole) or _is_broken_in_source(page, whole, body)


def _is_broken_in_source(page: Page, whole: Span, body: tree.Body) -> bool:
    if whole.source is not page.source:
        return False
    ends = (whole.start, *(item.span.end for item in body))
    starts = (*(item.span.start for item in body), whole.end)
    gaps = (page.source.text[a:b] for a, b in zip(ends, starts, strict=True))
    inner = (item.core for item in body if not isinstance(item.core, tree.Layer))
    return any("\n" in gap for gap in gaps) or any(
        _is_broken_in_source(page, core.span, _inside(core)) for core in inner
    )


def _has_blank_line(page: Page, before: Span, after: Span) -> bool:
    if before.source is not page.source or after.source is not page.source:
        return False
    return _BLANK_LINE.search(page.source.text, before.end, after.start) is not None
