"""Training steps and whole trainings: against hand-written loops, and against the usual script."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import handwritten
import pytest
import torch
from side import side
from table import Measured, interleaved, rounds, row, timed
from trainings import Case, bare, eager, ours, usual

import netdsl

Enter = Callable[[Measured], None]

CASES = (Case("resnet20", "ResNet-20", 32, 1280, 128), Case("net1", "Net 1", 64, 128, 64))
cases = pytest.mark.parametrize("case", CASES, ids=[case.arch for case in CASES])
ON_GPU = Case("resnet20", "ResNet-20", 32, 51_200, 512, "cuda")
ROUNDS = 5


@cases
def test_step_against_a_hand_written_network(measured: Enter, case: Case) -> None:
    torch.manual_seed(0)
    batch = 64 if case.size == 32 else 8
    x = torch.randn(batch, 3, case.size, case.size).contiguous(memory_format=torch.channels_last)
    y = torch.randint(0, 10, (batch,))
    ours, theirs = (
        model.to(memory_format=torch.channels_last).train()
        for model in (netdsl.load(case.arch).module(), getattr(handwritten, case.arch)())
    )
    measured(interleaved(
        timed(lambda: handwritten.step(ours, x, y)), timed(lambda: handwritten.step(theirs, x, y)),
        61, f"step ÷ hand-written, {case.title}",
    ))  # fmt: skip


@cases
def test_training_on_a_cpu(measured: Enter, image_folders: dict[int, Path], case: Case) -> None:
    """All of one round are measured one after the other, so that any two of them compare."""
    folder = image_folders[case.size]
    functions = ((ours,), (ours, "fp32"), (bare,), (eager,), (usual,))
    with ExitStack() as held:
        sides = [
            held.enter_context(side(function, case, folder, *more)) for function, *more in functions
        ]
        found = rounds(sides, ROUNDS)
    for name, ratio in {
        "default step ÷ fp32 NCHW eager": lambda d, f, b, e, u: e / d,
        "end to end ÷ bare loop, images/s": lambda d, f, b, e, u: d / b,
        "end to end ÷ usual script, images/s": lambda d, f, b, e, u: d / u,
        "end to end ÷ usual script, both fp32, images/s": lambda d, f, b, e, u: f / u,
    }.items():
        measured(row(f"{name}, {case.title}", [ratio(*paces) for paces in found]))


def test_training_on_a_gpu(
    measured: Enter, not_run: Callable[[str, str], None], many_images: Callable[[int], Path]
) -> None:
    if not torch.cuda.is_available():
        not_run("GPU", "no GPU here that torch can use")
    folder, workers = many_images(ON_GPU.images), min(16, os.cpu_count() or 1)
    functions = ((ours,), (bare,), (usual, workers))
    with ExitStack() as held:
        sides = [
            held.enter_context(side(function, ON_GPU, folder, *more))
            for function, *more in functions
        ]
        found = rounds(sides, ROUNDS)
    name = "GPU: end to end ÷ {}, images/s, ResNet-20"
    measured(row(name.format("bare step"), [d / b for d, b, _ in found]))
    measured(row(name.format("usual script"), [d / u for d, _, u in found]))
