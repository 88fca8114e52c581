"""What happens before a training: start-up, text to graph, graph to module."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import handwritten
import pytest
from table import GOALS, Measured, interleaved, seconds, timed

import netdsl

Enter = Callable[[Measured], None]


@pytest.mark.parametrize("arguments", ["--help", "check digits"])
def test_start_up_against_an_empty_program(measured: Enter, arguments: str) -> None:
    # Modules are compiled once, as after any installation.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def run(*command: str) -> None:
        subprocess.run([sys.executable, *command], check=True, capture_output=True, env=environment)

    measured(interleaved(
        timed(lambda: run("-m", "netdsl", *arguments.split())),
        timed(lambda: run("-c", "pass")),
        21, f"netdsl {arguments.split(maxsplit=1)[0]} ÷ python -c pass",
    ))  # fmt: skip


def test_ten_thousand_layers(measured: Enter) -> None:
    def compiled(layers: int) -> Any:
        return netdsl.parse(" ".join(["Conv 64"] * layers), input=(3, 32, 32))

    name = "10,000 layers to a checked graph, seconds"
    taken = sorted(seconds(lambda: compiled(10_000)) for _ in range(5))
    measured(Measured(name, GOALS[name], taken[2], taken[1], taken[3], 5))
    measured(interleaved(
        timed(lambda: compiled(10_000)), timed(lambda: compiled(1_000)),
        5, "10,000 layers ÷ 1,000 layers",
    ))  # fmt: skip


@pytest.mark.parametrize(("arch", "title"), [("resnet20", "ResNet-20"), ("net1", "Net 1")])
def test_constructing_against_a_hand_written_constructor(
    measured: Enter, arch: str, title: str
) -> None:
    network = netdsl.load(arch)
    measured(interleaved(
        timed(network.module), timed(getattr(handwritten, arch)),
        21, f"constructing ÷ hand-written constructor, {title}",
    ))  # fmt: skip
