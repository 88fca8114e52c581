"""Graph to a trainable torch module, nested as the network was written."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from operator import index
from typing import Any, SupportsIndex

import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import get_proxy_mode

from netdsl.backends.modules import Maker
from netdsl.collector import paused
from netdsl.errors import fail
from netdsl.ir import Call, Graph, Settings
from netdsl.measure.branches import branch_ends
from netdsl.plan import ModulePlan, Program, plan

_DRAWS = "stochastic depth draws anew for every training step: call eval() for one graph"
# Steps (child, operands, result), the slots beyond the inputs, the slot of the output.
_Program = tuple[tuple[tuple[str, tuple[int, ...], int], ...], tuple[None, ...], int]


class Scope(nn.Module):
    """A module that runs its children by a fixed program: what `def`, a block or a branch becomes.

    It can be called, hooked, frozen and printed by itself.
    """

    __call__: Callable[..., Tensor]  # torch says no type

    def __init__(self, plan: ModulePlan, maker: Maker) -> None:
        super().__init__()
        self.code = plan.code
        prefix = f"{plan.path}." if plan.path else ""
        for name, child in plan.children:
            self.add_module(name, _make(child, maker, f"{prefix}{name}"))
        self._program = _program(plan.program, plan.inputs)

    def forward(self, x: Tensor) -> Tensor:
        return self._run(self._program, (x,))

    def _run(self, program: _Program, inputs: tuple[Tensor, ...]) -> Tensor:
        steps, empty, output = program
        values: list[Any] = [*inputs, *empty]
        modules = self._modules
        for name, operands, result in steps:
            values[result] = modules[name](*[values[i] for i in operands])  # type: ignore[misc]
        return values[output]  # type: ignore[no-any-return]

    def _get_name(self) -> str:
        return self.code or "Network"


class Join(Scope):
    """A scope that reads several values: one whose branches start from labels."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return self._run(self._program, inputs)


class StochasticScope(Scope):
    """A residual block that a training step may leave out (Huang et al. 2016).

    Where `survives` is false its branch is not computed. The network draws it for every step; a
    block on its own survives.
    """

    def __init__(self, plan: ModulePlan, maker: Maker) -> None:
        super().__init__(plan, maker)
        assert plan.dropped is not None
        self._dropped = _program(plan.dropped, plan.inputs)
        self.survival = plan.survival
        self.survives = True

    def forward(self, *inputs: Tensor) -> Tensor:
        left_out = self.training and not self.survives
        return self._run(self._dropped if left_out else self._program, inputs)


class Network(Scope):
    """The whole network: images N x C x H x W in, scores N x classes out.

    `declared_input` is what its text says of one image: channels, height and width. `random` draws
    which residual blocks a training step leaves out; whoever wants to continue a training exactly
    keeps its state (`network.random.getstate()`).
    """

    def __init__(
        self, plan: ModulePlan, maker: Maker, seed: int, declared_input: tuple[int, ...]
    ) -> None:
        super().__init__(plan, maker)
        self.declared_input = declared_input
        self.random = random.Random(seed)
        self._stochastic = tuple(_stochastic(plan))

    def forward(self, x: Tensor) -> Tensor:
        if self._stochastic and self.training:
            if isinstance(x, torch.fx.Proxy):
                raise RuntimeError(_DRAWS)
            self.draw()
        return self._run(self._program, (x,))

    def draw(self) -> None:
        """Draw for every block with stochastic depth whether it survives the next step.

        Raises `RuntimeError` where a graph is made of the network: it would hold one draw for good.
        `torch.compile` then leaves this method alone, and compiles what it chooses between.
        """
        # NOTE: asked here: a function of its own would be compiled, and always be in a graph.
        is_traced: Any = torch.jit.is_tracing  # type: ignore[attr-defined]
        if torch.compiler.is_compiling() or is_traced() or get_proxy_mode() is not None:
            raise RuntimeError(_DRAWS)
        for path in self._stochastic:
            block = self.get_submodule(path)
            assert isinstance(block, StochasticScope)
            block.survives = self.random.random() < block.survival


def to_module(graph: Graph, settings: Settings, seed: int = 0) -> Network:
    """Return the network as a module in training mode, initialised by the seed."""
    seed = _seed(seed)
    zero = branch_ends(graph) if settings.init == "zero_last" else ()
    with paused(), torch.device("cpu") if _is_elsewhere() else nullcontext():
        maker = Maker(settings.init, seed, zero)
        return Network(plan(graph), maker, seed, graph.input.shape.dims)


def _seed(seed: object) -> int:
    """Return a seed as Python has it; numpy and torch have whole numbers of their own."""
    if isinstance(seed, SupportsIndex) and not isinstance(seed, bool) and index(seed) >= 0:
        return index(seed)
    raise fail("E0206", f"a seed is a whole number of 0 or more, not {seed!r}")


def _is_elsewhere() -> bool:
    """Say whether torch makes tensors on another device than the CPU now."""
    return torch.get_default_device().type != "cpu"


def _stochastic(plan: ModulePlan) -> Iterator[str]:
    """Give the paths of the blocks that a training step may leave out."""
    for _, child in plan.children:
        if isinstance(child, ModulePlan):
            if child.dropped is not None:
                yield child.path
            yield from _stochastic(child)


def _make(child: Call | ModulePlan, maker: Maker, path: str) -> nn.Module:
    if isinstance(child, Call):
        return maker.make(child, path)
    if child.dropped is not None:
        return StochasticScope(child, maker)
    return Scope(child, maker) if child.inputs == 1 else Join(child, maker)


def _program(program: Program, inputs: int) -> _Program:
    steps = tuple((step.child, step.operands, step.result) for step in program.steps)
    return steps, (None,) * (program.slots - inputs), program.output
