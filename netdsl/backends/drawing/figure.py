"""What a drawing is made of: boxes, joints, frames, wires; and the pen that adds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from netdsl.ir import Family, Shape

# What a wire carries: the main path, a shortcut of three forms, a value that is read again further
# down, or an operand that is neither.
Form = Literal["spine", "identity", "padding", "projection", "read", "beside"]


@dataclass(frozen=True, slots=True)
class Box:
    """A layer, or `times` of them; `parts` are its nodes, each with its parameters.

    A `main` box is not in a branch.
    """

    name: str
    family: Family | Literal["input", "output"]
    text: str
    main: bool = True
    times: int = 1
    params: int = 0
    parts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Joint:
    """Where values meet, with their sign; without one, a point where a value goes several ways.

    One `of_shortcut` is the addition that a plain network does not have.
    """

    name: str
    sign: str
    of_shortcut: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """A line around what belongs together."""

    name: str
    text: str
    members: list[Member] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Split:
    """Branches side by side; where it is `anchored` the first stays on the main path."""

    anchored: bool
    branches: list[list[Member]] = field(default_factory=list)


Member = Box | Joint | Frame | Split


@dataclass(frozen=True, slots=True)
class Wire:
    """From one member to another; `shape` is written on it, `word` or `box` says what it does.

    `params` are those of what it does, where they are in no box. One that is `written` belongs to a
    shortcut that is made of layers of the text.
    """

    tail: str
    head: str
    form: Form
    word: str = ""
    shape: Shape | None = None
    box: Box | None = None
    written: bool = False
    params: int = 0


@dataclass(frozen=True, slots=True)
class Value:
    """What leaves the member `at`; `said` is the last shape that was written on the way there.

    `form`, `word`, `box`, `written` and `params` are those of the next wire.
    """

    at: str
    shape: Shape
    said: Shape | None = None
    form: Form = "spine"
    word: str = ""
    box: Box | None = None
    written: bool = False
    params: int = 0


def flat(members: Iterable[Member]) -> Iterator[Box | Joint]:
    """Return the boxes and joints in some members, in order."""
    for member in members:
        if isinstance(member, Frame):
            yield from flat(member.members)
        elif isinstance(member, Split):
            yield from flat(one for branch in member.branches for one in branch)
        else:
            yield member


class Pen:
    """Adds members and wires to a drawing, from top to bottom.

    `reads` are the numbers of the wires that bring a value from further up; `sides` counts the
    lines that reach a member from the side.
    """

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.wires: list[Wire] = []
        self.reads: list[int] = []
        self.sides: Counter[str] = Counter()
        self.frames = 0
        self.main = True

    def box(self, x: Value | None, box: Box, shape: Shape) -> Value:
        """Add a box that turns `x` into a value of this shape."""
        self.members.append(replace(box, main=self.main))
        said = None if x is None else self.wire(x, box.name).said
        return Value(box.name, shape, said)

    def joint(
        self,
        x: Value,
        name: str,
        sign: str = "",
        *,
        silent: bool = False,
        of_shortcut: bool = False,
    ) -> Value:
        """Add a joint behind `x`; where it is silent, the shape is written behind the joint."""
        self.members.append(Joint(name, sign, of_shortcut))
        y = self.wire(replace(x, said=x.shape) if silent else x, name)
        return replace(y, said=x.said) if silent else y

    def wire(self, x: Value, head: str) -> Value:
        """Lead `x` to a member; on the main path write its shape if it is new."""
        shape = x.shape if x.form == "spine" and x.shape != x.said else None
        if x.form == "read":
            self.reads.append(len(self.wires))
        self.sides[head] += x.form != "spine"
        self.wires.append(Wire(x.at, head, x.form, x.word, shape, x.box, x.written, x.params))
        return Value(head, x.shape, x.shape)

    @contextmanager
    def frame(self, text: str, times: int = 1) -> Iterator[None]:
        """Draw what follows inside a frame, unless that has neither a name nor repetitions."""
        if not text and times == 1:
            yield
            return
        self.frames += 1
        label = f"{text}  ×{times}".strip() if times > 1 else text
        frame = Frame(f"frame {self.frames}", label)
        outside, self.members = self.members, frame.members
        yield
        self.members = outside
        self.members.append(frame)

    @contextmanager
    def branch(self, split: Split, *, main: bool) -> Iterator[None]:
        """Draw what follows in a new branch of a split."""
        outside = self.members, self.main
        self.members, self.main = [], main and self.main
        split.branches.append(self.members)
        yield
        self.members, self.main = outside
