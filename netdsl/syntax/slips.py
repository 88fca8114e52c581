"""Slips of the finger that leave a size in pieces: `3bx3` is read as `3` and `bx3`."""

from __future__ import annotations

import re

from netdsl.errors import Source, Span

_SIZE = re.compile("[0-9]+(?:[x×][0-9]+)+")
_SLIP = re.compile("[0-9]{1,9}(?:[a-z]{0,2}[x×][a-z]{0,2}[0-9]{1,9}){1,2}[a-z]{0,2}(?![\\w=.×])")
_GLUED_BEFORE = re.compile(r"(?<![\w×.])[0-9][a-z0-9×]*\Z")


def slip_in_size(source: Source, place: int) -> tuple[str, Span] | None:
    """Return what to say of a size with a letter too many, of which a part stands at a place.

    With it comes where the size stands; None for another word.

    >>> said, whole = slip_in_size(Source("net.arch", "input 3x64x64a"), 6)
    >>> said, whole.start, whole.end
    ('`3x64x64a` is no size; did you mean `3x64x64`?', 6, 14)
    >>> slip_in_size(Source("net.arch", "Conv 3x3act=relu"), 8)
    """
    text = source.text
    before = _GLUED_BEFORE.search(text, max(0, place - 32), place)
    start = before.start() if before else place
    found = _SLIP.match(text, start, start + 64)
    if found is None or found.end() <= place or _SIZE.fullmatch(found[0]):
        return None
    meant = "x".join(re.findall("[0-9]+", found[0]))
    return f"`{found[0]}` is no size; did you mean `{meant}`?", Span(source, start, found.end())
