"""Speed as ratios within one run: interleaved pairs, one thread, the median of the ratios.

`make bench` prints them; nothing here fails for being slow, since other work may share the machine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import handwritten
import pytest
import torch

import netdsl

GOALS = {
    "step, resnet20": 1.01, "step, net1": 1.01, "construct, resnet20": 1.1, "construct, net1": 1.1,
    "netdsl --help": 5, "netdsl check": 10, "10,000 layers": 11,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def ratio(
    benchmark: Any, name: str, ours: Callable[[], object], theirs: Callable[[], object], pairs: int
) -> None:
    """Time pairs in turn, which comes first in turn too; keep ours as the benchmark's own time."""
    ours()
    theirs()
    ratios = []
    for i in range(pairs):
        if i % 2:
            a, b = seconds(ours), seconds(theirs)
        else:
            b, a = seconds(theirs), seconds(ours)
        ratios.append(a / b)
    low, middle, high = statistics.quantiles(ratios, n=4)
    benchmark.extra_info.update(ratio=middle, quartiles=[low, high], goal=GOALS[name], pairs=pairs)
    print(
        f"\n{name}: ratio {middle:.3f} (quartiles {low:.3f} to {high:.3f}, {pairs} pairs), goal {GOALS[name]}"
    )
    benchmark.pedantic(ours, rounds=3)


@pytest.mark.parametrize("name", ["resnet20", "net1"])
def test_step_against_handwritten(benchmark: Any, name: str) -> None:
    torch.manual_seed(0)
    size, batch = (32, 128) if name == "resnet20" else (64, 16)
    x = torch.randn(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
    y = torch.randint(0, 10, (batch,))
    ours, theirs = (
        model.to(memory_format=torch.channels_last).train()
        for model in (netdsl.load(name).module(), getattr(handwritten, name)())
    )
    ratio(
        benchmark, f"step, {name}",
        lambda: handwritten.step(ours, x, y), lambda: handwritten.step(theirs, x, y), pairs=21,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["resnet20", "net1"])
def test_constructor_against_handwritten(benchmark: Any, name: str) -> None:
    net = netdsl.load(name)
    ratio(benchmark, f"construct, {name}", net.module, getattr(handwritten, name), pairs=11)


@pytest.mark.parametrize("arguments", ["--help", "check digits"])
def test_start_up_against_an_empty_program(benchmark: Any, arguments: str) -> None:
    def run(*command: str) -> None:
        subprocess.run([sys.executable, *command], check=True, capture_output=True)

    name = f"netdsl {arguments.split(maxsplit=1)[0]}"
    ratio(
        benchmark, name,
        lambda: run("-m", "netdsl", *arguments.split()), lambda: run("-c", "pass"), pairs=11,
    )  # fmt: skip


def test_ten_thousand_layers_against_a_thousand(benchmark: Any) -> None:
    def compile_(layers: int) -> None:
        netdsl.parse(" ".join(["Conv 64"] * layers), input=(3, 32, 32))

    taken = seconds(lambda: compile_(10_000))
    print(f"\ntext to checked graph, 10,000 layers: {taken:.2f} s, goal 1.5 s")
    ratio(
        benchmark, "10,000 layers", lambda: compile_(10_000), lambda: compile_(1_000), pairs=5
    )  # fmt: skip
