"""Places what is drawn from left to right: branches side by side, and lanes for what goes around.

Every line that leaves the main path gets a lane to the right of all that it goes around, so that no
line or label lies on a box or on another label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from netdsl.backends.drawing import Box, Frame, Joint, Member, Pen, Split
from netdsl.backends.drawing_labels import Labels
from netdsl.backends.drawing_layout import HEADING, PAD, Layout, Place

LANE = 11.0  # between lines that run downwards
BESIDE = 16.0  # between branches
NEAR = 5.0  # from a line to its label


@dataclass(slots=True)
class Block:
    """A column: how far it reaches from its axis, and the places in it, which move with it.

    `solid` are those of members and frames, without labels and lanes.
    """

    left: float = 0.0
    right: float = 0.0
    names: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    solid: list[Place] = field(default_factory=list)

    def move(self, distance: float) -> None:
        for place in self.places:
            place.x += distance


def spread(pen: Pen, layout: Layout, labels: Labels) -> Block:
    """Give everything its x, the main path at 0."""
    return _Spread(pen, layout, labels).column(pen.members)


class _Spread:
    def __init__(self, pen: Pen, layout: Layout, labels: Labels) -> None:
        self.layout = layout
        self.labels = labels
        self.wires = pen.wires
        self.leaving: dict[str, list[int]] = {}
        for i, wire in enumerate(pen.wires):
            self.leaving.setdefault(wire.tail, []).append(i)

    def column(self, members: Sequence[Member]) -> Block:
        """Place the members of a column, then the lines that go around some of them."""
        column = Block()
        for member in members:
            if isinstance(member, Split):
                self._split(column, member)
            elif isinstance(member, Frame):
                self._frame(column, member)
            else:
                self._member(column, member)
        self._arcs(column)
        return column

    def _member(self, column: Block, member: Box | Joint) -> None:
        place = self.layout.members[member.name]
        column.names.append(member.name)
        column.solid.append(place)
        self._add(column, place)
        for i in self.leaving.get(member.name, ()):
            if self.wires[i].shape is not None:
                w, h = self.labels.wire_size(self.wires[i])
                y = self.layout.below[member.name] + 11
                label = self.layout.labels[i] = Place(NEAR + w / 2, y, w, h)
                self._add(column, label)

    def _frame(self, column: Block, frame: Frame) -> None:
        inside = self.column(frame.members)
        top = min(place.top for place in inside.solid) - (HEADING if frame.text else PAD)
        bottom = max(place.bottom for place in inside.solid) + PAD
        right = max(inside.right, self._heading(frame)) + PAD
        left = inside.left - PAD
        place = Place((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
        self.layout.frames[frame.name] = place
        self._join(column, inside)
        column.solid.append(place)
        self._add(column, place)

    def _heading(self, frame: Frame) -> float:
        """How far a frame must reach to the right, so that its name is off the main path."""
        return self.labels.heading_size(frame.text)[0] + NEAR if frame.text else 0.0

    def _split(self, column: Block, split: Split) -> None:
        """Place branches side by side, one of them or the middle of all on the axis."""
        blocks = [self.column(branch) for branch in split.branches]
        axes, x = [], 0.0
        for block in blocks:
            axes.append(x - block.left)
            x += block.right - block.left + BESIDE
        middle = (x - BESIDE) / 2 if len(axes) % 2 == 0 else axes[len(axes) // 2]
        for block, axis in zip(blocks, axes, strict=True):
            block.move(axis - (axes[0] if split.anchored else middle))
            self._join(column, block)

    def _arcs(self, column: Block) -> None:
        """Lay the lines within this column that go around, short ones first."""
        inside = set(column.names)
        arcs = [
            i for name in column.names for i in self.leaving.get(name, ())
            if self.wires[i].form != "spine" and self.wires[i].head in inside
            and i not in self.layout.lanes
        ]  # fmt: skip
        for i in sorted(arcs, key=self._length):
            self._arc(column, i)

    def _length(self, i: int) -> float:
        members = self.layout.members
        return members[self.wires[i].head].y - members[self.wires[i].tail].y

    def _arc(self, column: Block, i: int) -> None:
        wire = self.wires[i]
        top = self.layout.members[wire.tail].y
        bottom = self.layout.entries.get(wire.head, self.layout.members[wire.head].y)
        beside = [p.right for p in column.places if p.bottom > top - 3 and p.top < bottom + 3]
        width, height = self.labels.size(wire.box) if wire.box else (0.0, bottom - top)
        x, y = max(beside) + LANE + width / 2, (top + bottom) / 2
        lane = self.layout.lanes[i] = Place(x, y, width, height)
        self._add(column, lane)
        if wire.word:
            w, h = self.labels.wire_size(wire)
            label = self.layout.labels[i] = Place(lane.right + NEAR + w / 2, y, w, h)
            self._add(column, label)

    def _add(self, column: Block, place: Place) -> None:
        column.places.append(place)
        column.left = min(column.left, place.left)
        column.right = max(column.right, place.right)

    def _join(self, column: Block, inner: Block) -> None:
        column.names += inner.names
        column.solid += inner.solid
        for place in inner.places:
            self._add(column, place)
