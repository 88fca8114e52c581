"""A word that is not known to the one that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str], what: str) -> str:
    """Return a help line: the closest known word, else all of them.

    >>> did_you_mean("flop", ("flip", "crop"), "transforms")
    'did you mean flip?'
    >>> did_you_mean("zebra", ("flip", "crop"), "transforms")
    'transforms: flip, crop'
    """
    words = list(known)
    close = get_close_matches(word, words, 1)
    return f"did you mean {close[0]}?" if close else f"{what}: {', '.join(words)}"
