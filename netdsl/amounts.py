"""Amounts to the words that people read: numbers of things, lists, shapes, times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def counted(number: int, noun: str) -> str:
    """Return a number of things.

    >>> counted(1, "seed"), counted(3, "class"), counted(64000, "iteration")
    ('1 seed', '3 classes', '64,000 iterations')
    """
    plural = "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{'' if number == 1 else plural}"


def part(number: int, of: int, noun: str) -> str:
    """Return how many of some things, with the verb of what is said of those.

    >>> part(2, 3, "run"), part(1, 3, "run"), part(0, 1, "run")
    ('2 of 3 runs are', '1 of 3 runs is', '0 of 1 run is')
    """
    return f"{number:,} of {counted(of, noun)} {'is' if 1 in (number, of) else 'are'}"


def listed(words: Iterable[str], between: str = ", ") -> str:
    """Return words one behind another, in quotes where one of them has a comma in itself.

    >>> listed(["Net 1", "Net 6"]), listed(["Net 1", "Net 1, plain"])
    ('Net 1, Net 6', "'Net 1', 'Net 1, plain'")
    """
    found = list(words)
    return between.join(map(repr, found) if any("," in word for word in found) else found)


def first_of(names: Sequence[str]) -> str:
    """Return the first of some names, and how many there are beside it.

    >>> first_of(["conv1.weight", "conv1.bias", "fc.bias"]), first_of(["fc.bias"])
    ('conv1.weight and 2 more', 'fc.bias')
    """
    first, *others = names
    return f"{first} and {len(others):,} more" if others else first


def numbers(shape: Iterable[int], cross: str = "x") -> str:
    """Return how many numbers something of a shape has.

    >>> numbers((1,)), numbers((4, 8, 8)), numbers(())
    ('1 number', '4x8x8 numbers', 'no numbers')
    """
    many = sized(shape, cross) or "no"
    return f"{many} number{'' if many == '1' else 's'}"


def sized(shape: Iterable[int], cross: str = "x") -> str:
    """Return a shape as it is typed, or with another cross as it is shown.

    >>> sized((3, 64, 64)), sized([3, 3], "×")
    ('3x64x64', '3×3')
    """
    return cross.join(map(str, shape))


def duration(seconds: float) -> str:
    """Return a time in its two largest units.

    >>> duration(4.24), duration(75.2), duration(7384)
    ('4.2 s', '1 min 15 s', '2 h 3 min')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, left = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {left} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min"
