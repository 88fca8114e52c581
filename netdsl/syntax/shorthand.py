"""Words to the options that they stand for: `k7s2` is `k=7 s=2`, `k1x7` is `k=1x7`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from netdsl.errors import Span
from netdsl.syntax import tree

_LETTERS = "kspdgerm"
LETTERS = frozenset(_LETTERS)  # the options that have a short form

_OPTION = re.compile(rf"([{_LETTERS}])([0-9]+(?:[x×✕⨯][0-9]+)*)")
SHORT_OPTIONS = re.compile(rf"(?:{_OPTION.pattern})+")

_TIMES = re.compile("[x×✕⨯]")


def spell_out(words: Sequence[Any]) -> tuple[Any, ...]:
    """Return arguments with the options that a word stands for in its place.

    >>> [str(word) for word in spell_out([tree.Number("64"), tree.Name("k7s2"), tree.Name("pre")])]
    ['64', 'k=7', 's=2', 'pre']
    """
    arguments: list[Any] = []
    for word in words:
        if type(word) is tree.Name and SHORT_OPTIONS.fullmatch(word.text):
            arguments += _options(word)
        else:
            arguments.append(word)
    return tuple(arguments)


def sizes(text: str) -> tuple[int, ...]:
    """Return the numbers of `3x5`.

    >>> sizes("3×5")
    (3, 5)
    """
    return tuple(int(n) for n in _TIMES.split(text))


def _options(word: tree.Name) -> Iterator[tree.Option]:
    source, start = word.span.source, word.span.start
    for match in _OPTION.finditer(word.text):
        numbers = sizes(match[2])
        span = Span(source, start + match.start(2), start + match.end(2))
        value = tree.Dims(numbers, span) if numbers[1:] else tree.Number(match[2], span)
        key = Span(source, start + match.start(), start + match.start(2))
        yield tree.Option(match[1], value, key, key.to(span), short=True)
