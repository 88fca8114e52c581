"""Places what is drawn: what stands in which row, from top to bottom.

Lengths are points; y grows downwards, x to the right of the main path.

NOTE: the layout of Graphviz was tried. Arcs around several layers came out as waves, branches of
unequal length stood askew, and the time grew much faster than the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from netdsl.backends.drawing.figure import Box, Frame, Joint, Member, Pen, Split, flat
from netdsl.backends.drawing.labels import Labels

GAP, LABEL, ARROW = 8.0, 16.0, 8.0  # between rows; for a label; for an arrowhead
FIRST, ENTRY = 18.0, 9.0  # above the lines that enter branches, for a label; between them
ROUNDS = 50  # of pushing rows down until those of all drawings agree; twins need 3
PAD, HEADING = 8.0, 18.0  # inside a frame; at the top of one that has a name


@dataclass(slots=True)
class Place:
    """A rectangle by its centre."""

    x: float
    y: float
    width: float
    height: float

    @property
    def top(self) -> float:
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height / 2

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2


@dataclass(slots=True)
class Layout:
    """Where everything lies: members and frames by name, the rest by the number of its wire.

    `below` is where a label behind a member begins. `lanes` are the upright pieces, or the box on
    one, of a line that goes around, the innermost first; `levels` the heights at which it comes
    into branches, the outermost first. A line `from_above` ends on top of its member, and its word
    stands at this height.
    """

    members: dict[str, Place] = field(default_factory=dict)
    frames: dict[str, Place] = field(default_factory=dict)
    labels: dict[int, Place] = field(default_factory=dict)
    lanes: dict[int, list[Place]] = field(default_factory=dict)
    levels: dict[int, list[float]] = field(default_factory=dict)
    from_above: dict[int, float] = field(default_factory=dict)
    below: dict[str, float] = field(default_factory=dict)


def stack(pens: Sequence[Pen], labels: Labels) -> list[Layout]:
    """Put the members of every drawing into rows; what has the same name shares one."""
    rows: dict[str, float] = {}
    for _ in range(ROUNDS):
        layouts = [_Stack(pen, labels, rows).layout for pen in pens]
        found = [(name, place.y) for each in layouts for name, place in each.members.items()]
        lowest = dict(sorted(found, key=lambda row: row[1]))
        if lowest == rows:
            return layouts
        rows = lowest
    return [_Stack(pen, labels, {}).layout for pen in pens]  # their orders contradict each other


class _Stack:
    """Places one drawing from top to bottom, nothing above the `rows` that are asked for."""

    def __init__(self, pen: Pen, labels: Labels, rows: Mapping[str, float]) -> None:
        self.labels = labels
        self.rows = rows
        self.layout = Layout()
        self.pen = pen
        self.labelled = {wire.head for wire in pen.wires if wire.shape is not None}
        self.signed = {m.name for m in flat(pen.members) if isinstance(m, Joint) and m.sign}
        self.inset = 0.0
        self._column(pen.members, 0.0)

    def _column(self, members: Sequence[Member], y: float) -> float:
        """Place members one below the other under `y`, and return where the last one ends."""
        for member in members:
            if isinstance(member, Split):
                y = self._split(member, y)
            elif isinstance(member, Frame):
                self.inset += GAP / 2 + (HEADING if member.text else PAD)
                y = self._column(member.members, y) + PAD
            else:
                y = self._place(member, y)
            if not isinstance(member, Split):
                self.layout.below[_last(member)] = y
        return y

    def _split(self, split: Split, y: float) -> float:
        """Place branches, under the lines that come into them from elsewhere."""
        if not any(split.branches):
            return y  # nothing but lines, above which there may still be some to come in
        read = [i for branch in split.branches for i in entering(branch, self.pen)]
        from_above = [i for i in read if self.pen.wires[i].head not in self.signed]
        inset = self.inset + (FIRST + ENTRY * (len(read) - 1) if read else 0.0)
        for k, i in enumerate(reversed(read)):
            self.layout.levels.setdefault(i, []).append(y + inset - ENTRY * k)
        self.layout.from_above.update(dict.fromkeys(from_above, y + inset + LABEL / 2))
        inset += LABEL * bool(from_above)
        ends = [y]
        for branch in split.branches:
            self.inset = inset
            ends.append(self._column(branch, y))
        self.inset = GAP * (len(split.branches) > 1)  # for the line on which branches meet
        return max(ends)

    def _place(self, member: Box | Joint, y: float) -> float:
        width, height = self.labels.size(member)
        arrow = isinstance(member, Box) or bool(member.sign)
        top = y + GAP + LABEL * (member.name in self.labelled) + ARROW * arrow + self.inset
        self.inset = 0.0
        middle = max(top + height / 2, self.rows.get(member.name, 0.0))
        self.layout.members[member.name] = Place(0.0, middle, width, height)
        return middle + height / 2


def entering(branch: Sequence[Member], pen: Pen) -> list[int]:
    """Return the numbers of the wires that bring a value from above a split into a branch."""
    if not pen.reads:
        return []
    inside = {member.name for member in flat(branch)}
    ends = [(i, pen.wires[i].tail in inside, pen.wires[i].head in inside) for i in pen.reads]
    return [i for i, tail, head in ends if head and not tail]


def _last(member: Member) -> str:
    *_, last = flat([member])
    return last.name
