"""A network to what torch.compile makes of it, where that pays or somebody wants it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any, final

import torch
from torch import Tensor, nn

from netdsl.train.batches import Feed
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.forward import forward
from netdsl.train.freezing import training_mode
from netdsl.train.memory import whole
from netdsl.train.random_state import Fixed, own_random
from netdsl.train.settings import Settings

# Where the time that is won makes up for that of the compiler. On a CPU 36 s, and ResNet-20 wins a
# third of a step; networks with dropout, or so small that steps are short, win nothing.
_CPU_STEPS, _CPU_MACS = 2_000, 10**13
# On a GPU about a minute, by what is published: either many steps, whose kernels take less long
# than their launches, or much to compute.
_GPU_STEPS, _GPU_MACS = 10_000, 2 * 10**15
_LAUNCHES = 2 * 10**10  # MACs of a batch below which a GPU waits for launches: it replays a graph
COMPILERS = ("g++", "clang++", "c++", "cl")


@final
class Compiled(nn.Module):
    """A network as torch.compile makes it, for batches of one size; the weights are shared."""

    def __init__(self, model: nn.Module, *, replayed: bool) -> None:
        super().__init__()
        self.replayed = replayed
        mode = "reduce-overhead" if replayed else "default"
        self._call = (torch.compile(_alone(model), dynamic=False, mode=mode),)  # a tuple: no child

    def forward(self, images: Tensor) -> Tensor:
        (call,) = self._call
        if not self.replayed:
            return call(images)
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        # NOTE: the next replay writes over what this one gave, which the tally still has to read.
        return call(images).clone()


def compile_where_it_pays(
    model: nn.Module, train: Feed, settings: Settings, steps: int, note: Callable[[str], None]
) -> tuple[Settings, Compiled | None, Feed]:
    """Return the settings with `compile` decided, the compiled network if it is to be used, and the
    feed, which on a GPU augments and normalises by a compiled function then.

    `steps` are those of the whole training, which the feed may hold a part of.
    It is tried at once, forward and backward, so that nothing fails later. What somebody asked for
    is refused where it fails; what was decided here is taken back, and said.
    """
    asked = settings.compile
    if asked:
        _refuse_own_draws(model, train, settings)
    if not asked and (asked is not None or not pays(model, train, settings, steps)):
        return replace(settings, compile=False), None, train
    note("compiling the network: this takes a minute or two")
    try:
        compiled = _tried(model, train, settings)
        source = compiled_feed(train) if settings.device == "cuda" else train
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:  # as all errors of torch's compiler are
        fact = f"the network cannot be compiled: {_reason(error)}"
        if asked:
            raise TrainError(fact, "train it with --no-compile", ExitCode.USAGE) from error
        note(f"{fact}; training goes on without")
        return replace(settings, compile=False), None, train
    return replace(settings, compile=True), compiled, source


def compiled_feed(train: Feed) -> Feed:
    """Return a feed that augments and normalises by one compiled function, which was tried."""
    compiled = replace(train, finish=torch.compile(_alone(train.finish), dynamic=False))
    rows = _blank_rows(train, train.batch_size)
    numbers = tuple(
        rows.new_zeros((len(rows), t.draws), dtype=torch.float32) for t in train.transforms
    )
    compiled.finish(rows, numbers, train.mean, train.scale)
    return compiled


def pays(model: nn.Module, train: Feed, settings: Settings, steps: int) -> bool:
    """Say whether a training of so many steps makes up for the compiler, by the rule above.

    The rule knows counts only, never a clock: the same training is decided alike every time.
    """
    if settings.exact or settings.device == "mps" or train.world.size > 1:
        return False
    macs = _macs(model, train, settings) * settings.batch_size * steps
    if settings.device == "cuda":
        if steps < _GPU_STEPS and macs < _GPU_MACS:
            return False
        return not _step(model, model, train, settings, 2).draws_own
    if steps < _CPU_STEPS or macs < _CPU_MACS or not has_compiler():
        return False
    step = _step(model, model, train, settings, 2)
    return not (step.draws or step.draws_own)


def has_compiler() -> bool:
    """Say whether this machine has a C++ compiler where torch looks for one."""
    named = os.environ.get("CXX")
    return any(shutil.which(name) for name in ((named,) if named else COMPILERS))


def _alone(call: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return a function that calls this one, with code of its own.

    torch.compile counts by code what it made, and leaves a ninth network of one class as it is.
    """

    def function(*inputs: Any) -> Tensor:
        return call(*inputs)

    code = function.__code__.replace()  # a copy
    return FunctionType(code, globals(), closure=function.__closure__)


def _refuse_own_draws(model: nn.Module, train: Feed, settings: Settings) -> None:
    if _step(model, model, train, settings, 2).draws_own:
        raise TrainError(
            "the network cannot be compiled: it draws for every step which blocks it leaves out",
            "train it with --no-compile, or without stochastic depth",
            ExitCode.USAGE,
        )


@dataclass(frozen=True, slots=True)
class _Step:
    """What a step was seen to do: draw from the network's own random numbers, or from torch's."""

    draws_own: bool
    draws: bool


def _tried(model: nn.Module, train: Feed, settings: Settings) -> Compiled:
    macs = _macs(model, train, settings) * settings.batch_size
    compiled = Compiled(model, replayed=settings.device == "cuda" and macs < _LAUNCHES)
    _step(compiled, model, train, settings, settings.batch_size)
    return compiled


def _step(call: nn.Module, model: nn.Module, train: Feed, settings: Settings, images: int) -> _Step:
    """Run forward and backward in training mode, and leave all as it was."""
    batch, before = _blank(train, images), torch.get_rng_state()
    with whole(model, settings):
        training_mode(model)
        forward(call, batch, settings).sum().backward()  # type: ignore[no-untyped-call]
        model.zero_grad()
        own = own_random(model)
        return _Step(
            draws_own=isinstance(own, Fixed) and own.drawn,
            draws=not torch.equal(before, torch.get_rng_state()),
        )


def _macs(model: nn.Module, train: Feed, settings: Settings) -> int:
    """Return the multiply-adds of an image, as torch counts them."""
    from torch.utils.flop_counter import FlopCounterMode  # late: it brings triton

    counter = FlopCounterMode(display=False)
    with whole(model, settings), torch.no_grad(), counter:
        forward(model, _blank(train, 2), settings)
    return int(counter.get_total_flops()) // 4  # of two images, two operations each


def _blank(train: Feed, images: int) -> Tensor:
    """Return black images that lie in memory as those of the training do."""
    return train.normalise(_blank_rows(train, images))


def _blank_rows(train: Feed, images: int) -> Tensor:
    return train.rows.new_zeros((images, *train.rows.shape[1:]), device=train.labels.device)


def _reason(error: Exception) -> str:
    """Return the first line of what torch's compiler met, without what it says around it."""
    inner = getattr(error, "inner_exception", None) or error
    lines = [line for line in str(inner).splitlines() if line.strip()]
    return lines[0].strip() if lines else type(inner).__name__
