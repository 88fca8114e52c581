"""How far the points of a figure are moved sideways, so that those at one number stand apart."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from netdsl.experiment.report.families import Family

# All in points.
_WIDTH = 300  # of the axis, about
_NEAR = 8  # numbers that are no further apart are taken for one
_STEP = 5  # from point to point, at most
_APART = 20  # from the first point at one number to the last, at most


def sideways(
    families: Sequence[Family], at: Mapping[int, float], measures: int
) -> dict[tuple[int, int], float]:
    """Return how many points each measure of each row is moved to the right.

    `at` is where the rows stand on the axis, in any unit, by their numbers. A family that a line
    joins is moved as a whole.
    """
    heaps, room = _heaps(at)
    slots = _slots(families, heaps)
    count = measures * (1 + max(slots.values()))
    step = min(_STEP, _APART / max(1, count - 1), 0.7 * room / count)
    return {
        (number, measure): step * (measures * slot + measure - (count - 1) / 2)
        for number, slot in slots.items() for measure in range(measures)
    }  # fmt: skip


def _heaps(at: Mapping[int, float]) -> tuple[dict[int, int], float]:
    """Return which rows stand at about one number, and how near the nearest others are."""
    places = sorted({*at.values()})
    scale = _WIDTH / (places[-1] - places[0]) if len(places) > 1 else 1.0
    firsts = [places[0]]
    firsts += [there for here, there in pairwise(places) if scale * (there - here) > _NEAR]
    heap = {place: sum(first <= place for first in firsts) for place in places}
    room = scale * min((there - here for here, there in pairwise(firsts)), default=math.inf)
    return {number: heap[place] for number, place in at.items()}, room


def _slots(families: Sequence[Family], heaps: Mapping[int, int]) -> dict[int, int]:
    """Return the place of each row among those at its number: its family's, or the next free."""
    if all(family.joined for family in families):
        return {row.number: slot for slot, family in enumerate(families) for row in family.rows}
    seen: Counter[int] = Counter()
    slots = {}
    for family in families:
        for row in family.rows:
            slots[row.number] = seen[heaps[row.number]]
            seen[heaps[row.number]] += 1
    return slots
