"""Places what is drawn from left to right: branches side by side, and lanes for what goes around.

Every line that leaves the main path gets a lane to the right of all that it goes around, so that no
line or label lies on a box or on another label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from netdsl.backends.drawing.figure import Box, Frame, Joint, Member, Pen, Split
from netdsl.backends.drawing.labels import Labels
from netdsl.backends.drawing.layout import HEADING, PAD, Layout, Place, entering

LANE = 11.0  # between lines that run downwards
BESIDE = 16.0  # between branches
NEAR = 5.0  # from a line to its label
_STRIP = 200.0  # the height that places are looked for in


@dataclass(slots=True)
class Block:
    """A column: how far it reaches from its axis, and the places in it, which move with it.

    `solid` are those of members and frames, without labels and lanes; `rows` has all places by the
    strips of a figure that they lie in.
    """

    left: float = 0.0
    right: float = 0.0
    names: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    solid: list[Place] = field(default_factory=list)
    rows: dict[int, list[Place]] = field(default_factory=dict)

    def move(self, distance: float) -> None:
        for place in self.places:
            place.x += distance

    def put(self, place: Place) -> None:
        """Add a place, however far it reaches."""
        self.places.append(place)
        for row in _rows(place.top, place.bottom):
            self.rows.setdefault(row, []).append(place)

    def beside(self, top: float, bottom: float) -> Iterator[Place]:
        """Yield the places between two heights, those in several strips more than once."""
        for row in _rows(top, bottom):
            yield from (p for p in self.rows.get(row, ()) if p.bottom > top and p.top < bottom)


def _rows(top: float, bottom: float) -> range:
    return range(int(top // _STRIP), int(bottom // _STRIP) + 1)


def spread(pen: Pen, layout: Layout, labels: Labels) -> Block:
    """Give everything its x, the main path at 0."""
    return _Spread(pen, layout, labels).column(pen.members)


class _Spread:
    def __init__(self, pen: Pen, layout: Layout, labels: Labels) -> None:
        self.layout = layout
        self.labels = labels
        self.pen = pen
        self.wires = pen.wires
        self.leaving: dict[str, list[int]] = {}
        self.arriving: dict[str, list[int]] = {}
        self.entered: Counter[int] = Counter()
        self.done: set[int] = set()
        for i, wire in enumerate(pen.wires):
            self.leaving.setdefault(wire.tail, []).append(i)
            self.arriving.setdefault(wire.head, []).append(i)

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
                self._add(column, self._label(i, 0.0, self.layout.below[member.name] + 11))

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
        blocks = [self._branch(branch) for branch in split.branches]
        axes, x = [], 0.0
        for block in blocks:
            axes.append(x - block.left)
            x += block.right - block.left + BESIDE
        middle = (x - BESIDE) / 2 if len(axes) % 2 == 0 else axes[len(axes) // 2]
        for block, axis in zip(blocks, axes, strict=True):
            block.move(axis - (axes[0] if split.anchored else middle))
            self._join(column, block)

    def _branch(self, members: Sequence[Member]) -> Block:
        """Place a branch, and in it the lines that come in from elsewhere."""
        block = self.column(members)
        self._entry(block)
        for i in entering(members, self.pen):
            levels = self.layout.levels[i]
            self.entered[i] += 1
            if self.entered[i] == 1 and i in self.layout.from_above:
                self._add(block, self._label(i, 0.0, self.layout.from_above[i]))
                continue
            bounds = [*levels, self.layout.members[self.wires[i].head].y]
            depth = len(levels) - self.entered[i]
            self._lane(block, i, bounds[depth], bounds[depth + 1])
        return block

    def _entry(self, branch: Block) -> None:
        """Keep free where the main path comes into a branch, for the lines that go around it."""
        inside = set(branch.names)
        for wire in (self.wires[i] for name in branch.names for i in self.arriving[name]):
            if wire.form == "spine" and wire.tail not in inside:
                tail, head = self.layout.members[wire.tail], self.layout.members[wire.head]
                middle, height = (tail.y + head.top) / 2, head.top - tail.y
                self._add(branch, Place(head.x, middle, 0.0, height))
                return

    def _arcs(self, column: Block) -> None:
        """Lay the lines within this column that go around, short ones first."""
        inside = set(column.names)
        arcs = [
            i for name in column.names for i in self.leaving.get(name, ())
            if self.wires[i].form != "spine" and self.wires[i].head in inside
            and i not in self.done
        ]  # fmt: skip
        for i in sorted(arcs, key=self._length):
            self.done.add(i)
            self._arc(column, i)

    def _length(self, i: int) -> float:
        members = self.layout.members
        return members[self.wires[i].head].y - members[self.wires[i].tail].y

    def _arc(self, column: Block, i: int) -> None:
        wire = self.wires[i]
        levels = self.layout.levels.get(i, [self.layout.members[wire.head].y])
        lane = self._lane(column, i, self.layout.members[wire.tail].y, levels[0])
        if wire.word and i not in self.layout.from_above:
            label = self._label(i, lane.right, lane.y)
            self._add(column, Place(label.x, lane.y, label.width, lane.height))
            column.put(label)

    def _lane(self, column: Block, i: int, top: float, bottom: float) -> Place:
        """Add an upright piece of a line, right of all that is beside it."""
        box = self.wires[i].box
        width, height = self.labels.size(box) if box else (0.0, bottom - top)
        near = (place.right for place in column.beside(top - 3, bottom + 3))
        x = max(near, default=0.0) + LANE + width / 2
        place = Place(x, (top + bottom) / 2, width, height)
        self.layout.lanes.setdefault(i, []).append(place)
        self._add(column, place)
        return place

    def _label(self, i: int, x: float, y: float) -> Place:
        width, height = self.labels.wire_size(self.wires[i])
        label = self.layout.labels[i] = Place(x + NEAR + width / 2, y, width, height)
        return label

    def _add(self, column: Block, place: Place) -> None:
        column.put(place)
        column.left = min(column.left, place.left)
        column.right = max(column.right, place.right)

    def _join(self, column: Block, inner: Block) -> None:
        column.names += inner.names
        column.solid += inner.solid
        for place in inner.places:
            self._add(column, place)
