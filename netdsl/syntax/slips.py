"""Slips of the finger in numbers: `3bx3`, which is read as `3` and `bx3`, and `03`."""

from __future__ import annotations

import re

from netdsl.errors import Source, Span

_SIZE = re.compile("[0-9]+(?:[x×][0-9]+)+")
_SLIP = re.compile("[0-9]{1,9}(?:[a-z]{0,2}[x×][a-z]{0,2}[0-9]{1,9}){1,2}[a-z]{0,2}(?![\\w=.×])")
_ZEROS = re.compile("(?<![0-9.])(?<![eE]-)0+(?=[0-9])")  # at the start of a number, not of `1e-06`
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


def slip_in_zeros(text: str) -> str | None:
    """Return what to say of `01`, of which nobody knows whether 1, 10 or 101 is meant.

    >>> slip_in_zeros("03x3"), slip_in_zeros("0.5"), slip_in_zeros("1e-06")
    ('a number begins with no `0`: write `3x3`, if that is meant', None, None)
    """
    plain = _ZEROS.sub("", text)
    return (
        None if plain == text else f"a number begins with no `0`: write `{plain}`, if that is meant"
    )
