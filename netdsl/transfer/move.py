"""Weights of a module or a state dict into a network, and the account of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor, nn

from netdsl.amounts import sized
from netdsl.errors import NetDSLError, fail
from netdsl.first_line import first_line
from netdsl.modes import evaluating
from netdsl.transfer.construction import as_built
from netdsl.transfer.numbers import lent, move, numbers_of, refuse_empty, refuse_unsound, widened
from netdsl.transfer.pairs import Pair, pair_by_name, pair_by_order, pair_by_role
from netdsl.transfer.source import tensors
from netdsl.transfer.verify import difference, randomise
from netdsl.transfer.weighted import Weighted, executed, registered, weighted_layers
from netdsl.wrapped import unwrapped

TOLERANCE = 1e-5  # of the largest value, in fp32

_SORTED = (
    "the source has its layers sorted by name; a file of `torch.save` has them as they were built"
)

# Why nothing was compared.
_WEIGHTS = "the source is weights alone, which cannot be run"
_UNLIKE = "layers before the last one differ"
_SILENT = "random numbers do not get through the network"

Matched = Literal["role", "order", "name"]


@dataclass(frozen=True)
class Transfer:
    """A network with the weights of another, and where each of them came from.

    `matched` says how the pairs were found. `difference` is the largest difference of both
    networks under random numbers, relative to the largest value: of the logits, or where the last
    layer differs of what it reads. It is None where nothing was compared; `uncompared` says
    why. `sorted_names` says that the source had its layers sorted by name, and that what was paired
    by role is in the order of those names.
    """

    module: nn.Module = field(repr=False)
    pairs: tuple[Pair, ...]
    matched: Matched
    difference: float | None
    initialised: tuple[str, ...]
    unused: tuple[str, ...]
    uncompared: str = ""
    sorted_names: bool = False

    @property
    def moved(self) -> tuple[Pair, ...]:
        """The pairs whose numbers were moved: those that fit."""
        return tuple(pair for pair in self.pairs if pair.fits)

    @property
    def unlike(self) -> frozenset[str]:
        """The layers of the source that have a pair here, but not its shape."""
        return frozenset(pair.theirs.name for pair in self.pairs if not pair.fits)

    @property
    def params(self) -> int:
        """How many learned values came from the source."""
        return sum(pair.ours.params for pair in self.moved)

    @property
    def compared(self) -> str:
        """What `difference` is about; empty where nothing was compared."""
        if self.uncompared:
            return ""
        return "logits" if self.pairs[-1].fits else "features before the last layer"

    @property
    def caution(self) -> str:
        """What pairs rest on that were found by order and not compared; empty for all others."""
        if self.matched == "name" or not self.uncompared:
            return ""
        rests_on = "order and role alone"
        if self.sorted_names:
            rests_on = "the order of names, by which the source has its layers sorted"
        return f"not compared: {self.uncompared}; the pairs rest on {rests_on}"


def transfer(
    module: nn.Module,
    shape: tuple[int, ...],
    source: nn.Module | Mapping[str, Tensor],
    *,
    partial: bool = False,
    by_name: bool = False,
) -> Transfer:
    """Move the weights of `source` into `module`, which takes images of `shape`.

    Layers are paired by their order of execution and their role: those on shortcuts among
    themselves. A source that can be run is compared with the network before anything is moved.
    The last layer may differ in its classes and then stays as it was initialised; with `partial`
    other layers may stay so too, and then nothing can be compared. Of a source that is weights
    by name alone, those that are missing stay so without it: `Transfer.initialised` names them.
    `by_name` pairs such weights by name even where each side has names that the other lacks.

    Raises `NetDSLError` where the two are not the same network; `module` is then left as it was.
    """
    has_sorted_names = False
    source = unwrapped(source) if isinstance(source, nn.Module) else source
    state = numbers_of(source) if isinstance(source, nn.Module) else tensors(source, "the source")
    refuse_empty(state)
    with evaluating(module), widened(module) as dtype:
        random = torch.Generator().manual_seed(0)
        x = torch.randn(2, *shape, generator=random, dtype=dtype, device="cpu")
        ours = executed(module, x)
        if not ours:
            raise fail("E0701", "the network has no weights, so nothing can be moved into it")
        if isinstance(source, nn.Module):
            pairs, matched, far = _compare(module, ours, source, x, partial=partial)
            uncompared = _uncompared(pairs, far)
        else:
            pairs, matched, has_sorted_names = _match_state(ours, state, by_name=by_name)
            far, uncompared = None, _WEIGHTS
            _refuse_unfit(pairs, ours[-1], partial=partial)
        refuse_unsound(pairs, state)
        move(pairs, state)
    taken = {pair.ours.name for pair in pairs if pair.fits}
    used = {pair.theirs.name for pair in pairs if pair.fits}
    return Transfer(
        module, pairs, matched, far,
        tuple(layer.name for layer in ours if layer.name not in taken),
        tuple(layer.name for layer in weighted_layers(state)[0] if layer.name not in used),
        uncompared, has_sorted_names,
    )  # fmt: skip


def _match_state(
    ours: tuple[Weighted, ...], state: Mapping[str, Tensor], *, by_name: bool
) -> tuple[tuple[Pair, ...], Matched, bool]:
    """Pair by name where one side has all names of the other, else by the order of the file.

    Where that is the order of names and does not fit, a network of torchvision may know another.
    The last value says whether it is that of names.
    """
    theirs, is_sorted = weighted_layers(state)
    here, there = {layer.name for layer in ours}, {layer.name for layer in theirs}
    if by_name or here <= there or there <= here:
        return pair_by_name(ours, theirs), "name", False
    try:
        return pair_by_role(ours, theirs), "role", is_sorted
    except NetDSLError as error:
        if not is_sorted:
            raise
        if (built := as_built(state)) is not None:
            return pair_by_role(ours, registered(built)), "role", False
        found = (replace(diagnostic, help=_SORTED) for diagnostic in error.diagnostics)
        raise NetDSLError(*found) from None


def _compare(
    module: nn.Module, ours: tuple[Weighted, ...], source: nn.Module, x: Tensor, *, partial: bool
) -> tuple[tuple[Pair, ...], Matched, float | None]:
    """Return pairs under which both networks give the same, by role or else by order alone.

    A copy of the source is run, with random numbers. Order alone is trusted only if they do.
    """
    stand_in = _copied(source).to("cpu", x.dtype).eval()
    theirs, is_telling = _run(stand_in, x)

    def verified(pairs: tuple[Pair, ...]) -> float | None:
        far = _verify(module, stand_in, pairs, x, partial=partial)
        return far if is_telling else None

    try:
        pairs = pair_by_role(ours, theirs)
        return pairs, "role", verified(pairs)
    except NetDSLError as error:
        try:
            pairs = pair_by_order(ours, theirs)
            far = verified(pairs)
        except NetDSLError:
            raise error from None
        if far is None:
            raise _misled(pairs) or error from None
        return pairs, "order", far


def _misled(pairs: tuple[Pair, ...]) -> NetDSLError | None:
    """Return the error of pairs that fit by order and not by role, and could not be compared.

    The layer at which the roles part is not the one whose name misleads.
    """
    unlike = next((pair for pair in pairs if pair.ours.role != pair.theirs.role), None)
    if unlike is None or not all(pair.fits for pair in pairs[:-1]):
        return None
    ours, theirs = unlike.ours, unlike.theirs
    return fail(
        "E0701",
        f"`{theirs.name}` of the source is on a {theirs.role} by its name, and `{ours.name}` on a "
        f"{ours.role}; all layers fit by their order alone, but {_SILENT}, so nothing was compared",
        help="give the layers of the source names that say their role",
    )


def _copied(source: nn.Module) -> nn.Module:
    """Return a copy of the source; raise where it holds what cannot be copied or watched."""
    if isinstance(source, torch.jit.ScriptModule):
        fact = "the source is a module of TorchScript, in which layers cannot be watched"
        raise fail("E0701", fact, help="give its weights, `source.state_dict()`")
    try:
        return copy.deepcopy(source)
    except Exception as error:  # whatever a foreign module may hold
        fact = f"the source cannot be copied, and a copy is what is run: {first_line(error)}"
        help = "pruned weights can be copied behind `torch.nn.utils.prune.remove`"
        raise fail("E0701", fact, help=help) from error


def _run(stand_in: nn.Module, x: Tensor) -> tuple[tuple[Weighted, ...], bool]:
    """Draw the numbers of the stand-in; return its layers as they ran, as `randomise` does."""
    try:
        return randomise(stand_in, x)
    except Exception as error:  # whatever a foreign forward may raise
        size = sized(x.shape[1:])
        fact = f"the source does not take a {size} image: {first_line(error)}"
        raise fail("E0701", fact) from error


def _verify(
    module: nn.Module, stand_in: nn.Module, pairs: tuple[Pair, ...], x: Tensor, *, partial: bool
) -> float | None:
    """Return how far apart both are with equal numbers; None where they cannot be compared."""
    last = pairs[-1]
    _refuse_unfit(pairs, last.ours, partial=partial)
    if not all(pair.fits for pair in pairs[:-1]):
        return None
    layers = None if last.fits else (last.ours.name, last.theirs.name)
    with lent(module):
        move(pairs, numbers_of(stand_in))
        far = difference(module, stand_in, x, layers)
    if not far <= TOLERANCE:
        raise fail(
            "E0702",
            f"with equal weights the networks differ by {far:.1e} of the largest value, more than "
            f"{TOLERANCE:.0e}",
            help="weights do not show strides, padding, groups, activations, eps, pooling",
        )
    return far


def _uncompared(pairs: tuple[Pair, ...], far: float | None) -> str:
    """Return why a source that was run was not compared; nothing where it was."""
    if far is not None:
        return ""
    return _SILENT if all(pair.fits for pair in pairs[:-1]) else _UNLIKE


def _refuse_unfit(pairs: tuple[Pair, ...], last: Weighted, *, partial: bool) -> None:
    """Refuse unequal shapes, but those of the network's last layer, and pairs of which none fits.

    Of weights by name, the last pair need not be that of the last layer.
    """
    if not any(pair.fits for pair in pairs):
        raise fail("E0701", "no layer of the source fits one of the network")
    for pair in pairs:
        if not pair.fits and pair.ours is not last and not partial:
            raise fail(
                "E0701",
                f"`{pair.ours.name}` has {pair.ours.shapes()}, and `{pair.theirs.name}` of the "
                f"source has {pair.theirs.shapes()}",
                help="the last layer alone may differ; `netdsl transfer --partial`, in Python "
                "`partial=True`, leaves what does not fit as it is initialised",
            )
