"""A word that is not known to the one that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches


def did_you_mean(
    word: str, known: Iterable[str], what: str, others: Mapping[str, str] | None = None
) -> str:
    """Return a help line: the closest known word, else all of them.

    `others` are words that people use elsewhere, and what they mean here.

    >>> did_you_mean("flop", ("flip", "crop"), "transforms")
    'did you mean flip?'
    >>> did_you_mean("zebra", ("flip", "crop"), "transforms")
    'transforms: flip, crop'
    >>> did_you_mean("mirrored", ("flip", "crop"), "transforms", {"mirror": "flip"})
    'did you mean flip?'
    """
    words, meant = list(known), others or {}
    close = get_close_matches(word, [*words, *meant], 1)
    if not close:
        return f"{what}: {', '.join(words)}"
    return f"did you mean {meant.get(close[0], close[0])}?"
