"""The outline: the network as it was written, so that table and drawing fold without guessing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Leaf:
    """One written layer; its nodes are those whose `layer` is its name.

    `code` is the layer's name in the language, `text` is canonical, with parameters and
    lists resolved.
    """

    name: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """A group with a count; one body a repetition."""

    bodies: tuple[Outline, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """What holds other layers and is a module of its own: the call of a `def`, Res, Add, Cat, Mul.

    `text` is what stands before the branches, with parameters and lists resolved.

    The nodes that belong to none of the layers inside (an addition, a shortcut) have its name as
    their `layer`. A `def` has one branch, a `Res` has a second one where its shortcut is written
    out. `reads` holds, for each branch, the label that it starts from, or "" for what comes in.
    """

    name: str
    code: str
    kind: Literal["def", "res", "join"]
    branches: tuple[Outline, ...]
    text: str
    reads: tuple[str, ...]


Entry = Leaf | Repeat | Section
Outline = tuple[Entry, ...]
