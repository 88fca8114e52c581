"""The lines of a drawing: from member to member in straight pieces with round corners."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from itertools import pairwise
from math import sqrt

from netdsl.backends.drawing.figure import Wire
from netdsl.backends.drawing.labels import apart
from netdsl.backends.drawing.layout import Layout, Place

BUS = 9.0  # above a joint, where the lines of branches meet
ROUND = 9.0  # radius of a corner
HEAD = 6.0  # length of an arrowhead

Point = tuple[float, float]


def route(layout: Layout, wires: Sequence[Wire]) -> list[list[list[Point]]]:
    """Return where the line of every wire begins, turns and ends: two lines if a box is on its way.

    The words on them are moved to where no line crosses them.
    """
    shifts = _shifts(layout, wires)
    lines = [_lines(layout, i, wire, shifts.get(i, 0.0)) for i, wire in enumerate(wires)]
    pieces = [piece for parts in lines for line in parts for piece in pairwise(line)]
    level = sorted({a[1] for a, b in pieces if a[0] != b[0]})
    for i in layout.labels.keys() & layout.lanes.keys() - layout.from_above.keys():
        _clear(layout.labels[i], layout.lanes[i][-1], level)
    return lines


def _lines(layout: Layout, i: int, wire: Wire, shift: float) -> list[list[Point]]:
    tail, head = layout.members[wire.tail], layout.members[wire.head]
    if i not in layout.lanes:
        return [_down(tail, head)]
    *_, lane = layout.lanes[i]
    start = [(tail.right, tail.y), (lane.x, tail.y)]
    y = head.y + shift
    if wire.box is not None:
        end = [(lane.x, y), (_side(head, shift), y)]
        return [[*start, (lane.x, lane.top)], [(lane.x, lane.bottom), *end]]
    xs = [place.x for place in reversed(layout.lanes[i])]
    above = i in layout.from_above
    end = [(head.x, head.top)] if above else [(xs[-1], y), (_side(head, shift), y)]
    turns = zip(pairwise([*xs, head.x] if above else xs), layout.levels.get(i, ()), strict=True)
    return [[*start, *[(x, level) for pair, level in turns for x in pair], *end]]


def _side(head: Place, shift: float) -> float:
    """Where a line from the right meets a joint, so far below its middle: a square is a circle."""
    if head.width != head.height:
        return head.right
    return head.x + sqrt((head.width / 2) ** 2 - shift**2)


def _shifts(layout: Layout, wires: Sequence[Wire]) -> dict[int, float]:
    """How far below the middle of its joint each line from the side ends, outer ones lower."""
    found: dict[int, float] = {}
    sides: dict[str, list[int]] = {}
    for i in sorted(layout.lanes, key=lambda i: layout.lanes[i][0].x):
        sides.setdefault(wires[i].head, []).append(i)
    for numbers in sides.values():
        middle = (len(numbers) - 1) / 2
        step = apart(len(numbers))
        found.update({i: step * (k - middle) for k, i in enumerate(numbers)})
    return found


def _clear(label: Place, lane: Place, level: Sequence[float]) -> None:
    """Move a label along its lane, as little as may be, to where no level line crosses it."""
    room = label.height / 2 + 1
    for k in range(int(lane.height / 2 - room)):
        for y in (lane.y + k, lane.y - k):
            if bisect(level, y - room) == bisect(level, y + room):
                label.y = y
                return


def spline(points: Sequence[Point], *, arrow: bool) -> str:
    """Return a line as Graphviz writes it: cubic pieces, y upwards, the arrow's tip in front."""
    *_, before, end = points
    tip = end
    if arrow:
        end = _towards(end, before, HEAD)
    found = [points[0]]
    for last, corner, following in zip(points, points[1:-1], [*points[2:-1], end], strict=False):
        radius = min(ROUND, _far(last, corner) / 2, _far(corner, following) / 2)
        into, out = _towards(corner, last, radius), _towards(corner, following, radius)
        found += [found[-1], into, into, *_bend(into, corner, out)]
    found += [found[-1], end, end]
    written = " ".join(f"{x:.2f},{-y:.2f}" for x, y in found)
    return f"e,{tip[0]:.2f},{-tip[1]:.2f} {written}" if arrow else written


def _down(tail: Place, head: Place) -> list[Point]:
    if abs(tail.x - head.x) < 0.5:
        return [(tail.x, tail.bottom), (tail.x, head.top)]
    if tail.height < 3:  # a point, from which branches go off
        return [(tail.x, tail.y), (head.x, tail.y), (head.x, head.top)]
    bus = head.top - BUS
    return [(tail.x, tail.bottom), (tail.x, bus), (head.x, bus), (head.x, head.top)]


def _bend(into: Point, corner: Point, out: Point) -> list[Point]:
    """A quarter of a circle, nearly."""
    return [_between(into, corner, 0.55), _between(out, corner, 0.55), out]


def _between(a: Point, b: Point, part: float) -> Point:
    return a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])


def _towards(a: Point, b: Point, distance: float) -> Point:
    far = _far(a, b)
    return _between(a, b, distance / far) if far else a


def _far(a: Point, b: Point) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])  # the pieces are level or upright
