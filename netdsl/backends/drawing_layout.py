"""Places what is drawn: what stands in which row, from top to bottom.

Lengths are points; y grows downwards, x to the right of the main path.

NOTE: the layout of Graphviz was tried. Arcs around several layers came out as waves, branches of
unequal length stood askew, and the time grew much faster than the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from netdsl.backends.drawing import Box, Frame, Joint, Member, Pen, Split, Wire
from netdsl.backends.drawing_labels import Labels

GAP, LABEL, ARROW = 8.0, 16.0, 8.0  # between rows; for a label; for an arrowhead
ENTRY = 9.0  # between the lines that enter branches from above
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

    `below` is where a label behind a member begins, `entries` the height at which a line from
    elsewhere reaches a branch; `lanes` are what goes around: a vertical line, or the box on it.
    """

    members: dict[str, Place] = field(default_factory=dict)
    frames: dict[str, Place] = field(default_factory=dict)
    labels: dict[int, Place] = field(default_factory=dict)
    lanes: dict[int, Place] = field(default_factory=dict)
    below: dict[str, float] = field(default_factory=dict)
    entries: dict[str, float] = field(default_factory=dict)


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
        self.wires: dict[str, list[Wire]] = {}
        for wire in pen.wires:
            self.wires.setdefault(wire.head, []).append(wire)
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
            self.layout.below[_last(member)] = y
        return y

    def _split(self, split: Split, y: float) -> float:
        first = [_first(branch[0]) for branch in split.branches if branch]
        read = [name for name in first if self.wires[name][0].form == "read"]
        self.layout.entries.update({name: y + ENTRY * i for i, name in enumerate(read, 1)})
        inset, ends = self.inset + ENTRY * len(read), [y]
        for branch in split.branches:
            self.inset = inset
            ends.append(self._column(branch, y))
        self.inset = GAP * (len(split.branches) > 1)  # for the line on which branches meet
        return max(ends)

    def _place(self, member: Box | Joint, y: float) -> float:
        width, height = self.labels.size(member)
        wires = self.wires.get(member.name, ())
        labelled = any(wire.shape is not None for wire in wires)
        arrow = isinstance(member, Box) or bool(member.sign)
        top = y + GAP + LABEL * labelled + ARROW * arrow + self.inset
        self.inset = 0.0
        middle = max(top + height / 2, self.rows.get(member.name, 0.0))
        self.layout.members[member.name] = Place(0.0, middle, width, height)
        return middle + height / 2


def _first(member: Member) -> str:
    """The topmost box or joint in a member."""
    while isinstance(member, Frame):
        member = member.members[0]
    return member.name if not isinstance(member, Split) else _first(member.branches[0][0])


def _last(member: Member) -> str:
    while isinstance(member, Frame):
        member = member.members[-1]
    return member.name if not isinstance(member, Split) else ""
