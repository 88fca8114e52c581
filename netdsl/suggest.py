"""A word that is not known to the one that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from netdsl.amounts import listed


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that was probably meant, letter case aside.

    Of two words of one or two letters that differ neither is a slip of the other.

    >>> closest("Cnov", ["Conv", "FC"]), closest("fc", ["FC"]), closest("dw", ["d"])
    ('Conv', 'FC', None)
    """
    own = word.lower()
    names = {
        one.lower(): one for one in candidates if max(len(word), len(one)) > 2 or one.lower() == own
    }
    near = get_close_matches(own, names, n=1)
    return names[near[0]] if near else None


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
    words = list(known)
    return meant(word, words, others) or f"{what}: {listed(words)}"


def meant(word: str, known: Iterable[str], others: Mapping[str, str] | None = None) -> str | None:
    """Return a help line with the closest known word, if one is close, be it in other letters.

    >>> meant("SGD", ("sgd", "adam")), meant("zebra", ("sgd", "adam"))
    ('did you mean sgd?', None)
    """
    elsewhere = others or {}
    near = closest(word, [*known, *elsewhere])
    return None if near is None else f"did you mean {elsewhere.get(near, near)}?"
