"""Layers of two networks to pairs: by order and role, or by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from torch import Tensor

from netdsl.errors import NetDSLError, fail
from netdsl.transfer.weighted import Role, Weighted

# Kept by some files and not by others; counts steps, which evaluation does not read.
OPTIONAL = frozenset({"num_batches_tracked"})


@dataclass(frozen=True, slots=True)
class Pair:
    """A layer of the network and the one whose numbers it gets."""

    ours: Weighted
    theirs: Weighted

    @property
    def fits(self) -> bool:
        """Whether all tensors of both have the same shapes."""
        mine, other = _shapes(self.ours), _shapes(self.theirs)
        return mine == other

    def names(self) -> list[tuple[str, str]]:
        """Return the names of the tensors that belong together; a factor has but one."""
        if self.ours.kind == "factor":
            return list(zip(self.ours.tensors, self.theirs.tensors, strict=True))
        return [(name, name) for name in self.ours.tensors]


def pair_by_role(ours: Sequence[Weighted], theirs: Sequence[Weighted]) -> tuple[Pair, ...]:
    """Return the pairs of two networks that compute the same, in the order of the first.

    Branches are paired with branches and shortcuts with shortcuts, each in order: some networks
    run the projection before the branch, some after it, and both may have one shape.
    """
    roles: tuple[Role, ...] = ("branch", "shortcut")
    found = [
        pair
        for role in roles
        for pair in _pair(
            [x for x in ours if x.role == role], [x for x in theirs if x.role == role]
        )
    ]
    place = {layer.name: i for i, layer in enumerate(ours)}
    return tuple(sorted(found, key=lambda pair: place[pair.ours.name]))


def pair_by_order(ours: Sequence[Weighted], theirs: Sequence[Weighted]) -> tuple[Pair, ...]:
    """Return the pairs of two networks whose layers run in the same order, whatever their roles."""
    return tuple(_pair(ours, theirs))


def pair_by_name(ours: Sequence[Weighted], theirs: Sequence[Weighted]) -> tuple[Pair, ...]:
    """Return the pairs of layers of one name."""
    named = {layer.name: layer for layer in theirs}
    return tuple(Pair(layer, named[layer.name]) for layer in ours if layer.name in named)


def _pair(ours: Sequence[Weighted], theirs: Sequence[Weighted]) -> list[Pair]:
    for i, (a, b) in enumerate(zip_longest(ours, theirs), 1):
        if a is None or b is None or a.kind != b.kind:
            raise _apart(i, a, b, len(ours), len(theirs))
    return [Pair(a, b) for a, b in zip(ours, theirs, strict=True)]


def _apart(
    place: int, ours: Weighted | None, theirs: Weighted | None, here: int, there: int
) -> NetDSLError:
    """Return the error of two networks that differ in their layers."""
    mine = f"`{ours.name}` ({ours.shapes()})" if ours else "no layer"
    other = f"`{theirs.name}` ({theirs.shapes()})" if theirs else "no layer"
    role = f"{ours.role} " if ours else f"{theirs.role} " if theirs else ""
    return fail(
        "E0701",
        f"the networks part at {role}layer {place} of {here} and {there}: {mine} here, "
        f"{other} there",
    )


def _shapes(layer: Weighted) -> Mapping[str, tuple[int, ...]]:
    """The shapes by name; a fully connected layer is a convolution of 1x1."""
    shapes = {
        name: _stripped(tensor) for name, tensor in layer.tensors.items() if name not in OPTIONAL
    }
    return shapes if layer.kind != "factor" else {str(i): s for i, s in enumerate(shapes.values())}


def _stripped(tensor: Tensor) -> tuple[int, ...]:
    shape = tuple(tensor.shape)
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape
