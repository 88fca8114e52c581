"""Names of classes with all their synonyms to short ones that tell them apart."""

from __future__ import annotations

from collections import Counter


def short_names(classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the first synonym of each, the whole of it where two would be called alike.

    >>> short_names(("tabby, tabby cat", "crane, machine", "crane, bird"))
    ('tabby', 'crane, machine', 'crane, bird')
    """
    first = [name.split(",")[0].strip() for name in classes]
    times = Counter(first)
    pairs = zip(first, classes, strict=True)
    return tuple(short if short and times[short] == 1 else whole for short, whole in pairs)
