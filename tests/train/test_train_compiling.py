"""Compiled training: where it pays, what is refused, and that it comes to the same."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.testing import CompileCounter
from torch._dynamo.utils import counters

from netdsl.lower import make_overrides
from netdsl.network import build
from netdsl.shelf import open_arch
from netdsl.train import (
    DataSet,
    ExitCode,
    RunFolder,
    Settings,
    Silent,
    Step,
    TrainError,
    load,
    resolve,
    train,
)
from netdsl.train.batches import Feed, feed, shuffled
from netdsl.train.checkpoint import read_checkpoint
from netdsl.train.compiling import (
    Compiled,
    compile_where_it_pays,
    compiled_feed,
    has_compiler,
    pays,
)
from netdsl.train.forward import forward

needs_compiler = pytest.mark.skipif(not has_compiler(), reason="torch.compile needs C++")
LONG = 2_000_000  # steps of 32 images of a network with 64 × 4096 + 4096 × 10 MACs an image


class Plain(nn.Sequential):
    def __init__(self, *more: nn.Module) -> None:
        super().__init__(nn.Flatten(), nn.Linear(64, 4096), *more, nn.Linear(4096, 10))


class Draws(Plain):
    """Leaves out what it draws to leave out, as stochastic depth does."""

    def __init__(self) -> None:
        super().__init__()
        self.random = random.Random(1)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * (self.random.random() < 0.5)


@dataclass
class Notes(Silent):
    facts: list[str] = field(default_factory=list)

    def note(self, fact: str) -> None:
        self.facts.append(fact)


def _feed(data: DataSet, settings: Settings) -> Feed:
    return feed(data.train, data, settings, stays=True)


@pytest.mark.parametrize(
    ("change", "model", "steps", "does"),
    [
        ({}, Plain(), LONG, True),
        ({}, Plain(), 1_999, False),
        ({}, Plain(), 2_000, False),  # steps enough, and each too short
        ({"exact": True}, Plain(), LONG, False),
        ({"device": "mps"}, Plain(), LONG, False),
        ({}, Plain(nn.Dropout(0.5)), LONG, False),
        ({}, Draws(), LONG, False),
    ],
)
def test_a_cpu_compiles_what_is_long_and_draws_nothing(
    change: dict[str, Any], model: nn.Module, steps: int, does: bool, digits: DataSet, settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("netdsl.train.compiling.has_compiler", lambda: True)
    source = _feed(digits, settings)
    assert pays(model, source, replace(settings, **change), steps) == does


def test_without_a_compiler_nothing_is_compiled(
    digits: DataSet, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "/nowhere/g++")
    assert not has_compiler()
    assert not pays(Plain(), _feed(digits, settings), settings, LONG)


def test_deciding_changes_nothing_of_the_network(
    digits: DataSet, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netdsl.train.compiling.has_compiler", lambda: True)
    model = Draws()
    model.append(nn.BatchNorm1d(10))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    numbers, own = torch.get_rng_state(), model.random.getstate()
    pays(model, _feed(digits, settings), settings, LONG)
    assert all(torch.equal(before[name], now) for name, now in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())
    assert torch.equal(numbers, torch.get_rng_state())
    assert (model.random.getstate(), model.random.random()) == (own, random.Random(1).random())


def test_what_is_decided_is_stored(
    make_network: Callable[[DataSet], nn.Module], make_run: Callable[..., RunFolder],
    digits: DataSet, settings: Settings,
) -> None:  # fmt: skip
    run = make_run(settings)
    assert run.settings.compile is run.undecided.compile is None
    before = json.loads((run.path / "settings.json").read_text())
    train(make_network(digits), digits, settings, run)
    assert run.settings == replace(settings, compile=False)
    after = json.loads((run.path / "settings.json").read_text())
    assert after == {**before, "settings": after["settings"], "decided": ["compile"]}
    assert run.undecided == settings  # which another machine may decide otherwise


def test_what_was_asked_for_stays_asked_for(
    make_network: Callable[[DataSet], nn.Module], make_run: Callable[..., RunFolder],
    digits: DataSet, settings: Settings,
) -> None:  # fmt: skip
    asked = replace(settings, compile=False)
    run = make_run(asked)
    train(make_network(digits), digits, asked, run)
    assert run.undecided == run.settings == asked


def test_a_network_that_leaves_out_blocks_is_not_compiled(
    digits: DataSet, settings: Settings
) -> None:
    asked = replace(settings, compile=True)
    with pytest.raises(TrainError) as caught:
        compile_where_it_pays(Draws(), _feed(digits, asked), asked, 2, lambda fact: None)
    assert (str(caught.value), caught.value.help, caught.value.exit_code) == (
        "the network cannot be compiled: it draws for every step which blocks it leaves out",
        "train it with --no-compile, or without stochastic depth",
        ExitCode.USAGE,
    )


def test_every_network_of_a_process_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    counter = CompileCounter()
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=counter))
    for width in range(1, 12):  # torch compiles one piece of code for eight of them
        model = nn.Sequential(nn.Linear(4, width), nn.ReLU())
        assert Compiled(model, replayed=False)(torch.ones(2, 4)).shape == (2, width)
    assert counter.frame_count == 11


def test_exact_and_compiled_exclude_one_another() -> None:
    with pytest.raises(TrainError) as caught:
        resolve({"exact": True, "compile": True})
    assert str(caught.value) == "compile is true, but exact is what a plain loop computes"


FAILING = """
import sys
from dataclasses import replace
from torch import nn
from netdsl.train import TrainError, load, resolve
from netdsl.train import compiling
from netdsl.train.batches import feed

data = load("digits", limit=50)
settings = resolve({"device": "cpu", "precision": "fp32"})
compiling.pays = lambda *_: True
model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
decide = compiling.compile_where_it_pays
chosen, compiled, _ = decide(model, feed(data.train, data, settings, stays=True), settings, 2, print)
print(chosen.compile, compiled)
try:
    decide(model, feed(data.train, data, settings, stays=True), replace(settings, compile=True), 2, print)
except TrainError as error:
    print(error, error.help, int(error.exit_code), sep="|")
"""


@pytest.mark.slow
def test_a_compiler_that_fails_is_done_without_unless_it_was_asked_for(tmp_path: Path) -> None:
    environment = {
        "CXX": "/nowhere/g++", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path), "PATH": "/usr/bin:/bin",
        "PYTHONPATH": ":".join(path for path in sys.path if path),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", FAILING], env=environment, capture_output=True, text=True, check=True
    )
    compiling = "compiling the network: this takes a minute or two"
    fact = (
        "the network cannot be compiled: No working C++ compiler found in "
        "torch._inductor.config.cpp.cxx: (None, '/nowhere/g++')"
    )
    assert done.stdout.splitlines() == [
        compiling, f"{fact}; training goes on without", "False None",
        compiling, f"{fact}|train it with --no-compile|2",
    ]  # fmt: skip


def _shipped(arch: str) -> nn.Module:
    return build(
        *open_arch(arch).with_overrides(make_overrides(None, None, None, None, {}))
    ).module()


@pytest.mark.slow
@needs_compiler
@pytest.mark.parametrize("arch", ["resnet20", "net1"])
def test_a_network_is_one_graph(arch: str) -> None:
    size = 32 if arch == "resnet20" else 64
    model = _shipped(arch).to(memory_format=torch.channels_last)
    compiled = torch.compile(model, dynamic=False, fullgraph=True)
    images = torch.randn(4, 3, size, size).contiguous(memory_format=torch.channels_last)
    forward(compiled, images, Settings(precision="bf16")).sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


@dataclass
class Cut(Silent):
    """Ends a training as Ctrl-C does, at one of its steps."""

    at: int
    run: RunFolder

    def step(self, step: Step) -> None:
        if (step.epoch - 1) * step.steps + step.step == self.at:
            raise KeyboardInterrupt


@pytest.mark.slow
@needs_compiler
def test_a_compiled_training_is_near_an_eager_one_and_is_resumed_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = load("digits", limit=300)
    settings = resolve(
        {"epochs": 3, "batch_size": 64, "lr": 0.02, "device": "cpu", "threads": 1},
        {"precision": "fp32", "augment": ("pad_crop padding=1",), "sample": 30},
    )
    monkeypatch.setattr("netdsl.train.epoch._REPORT_EVERY", 0.0)

    def run(name: str, compiles: bool) -> RunFolder:
        chosen = replace(settings, compile=compiles)
        path = tmp_path / name
        return RunFolder.create("", chosen, {}, path=path) if not path.exists() else RunFolder(path)

    def go(folder: RunFolder, seed: int, watch: Silent, minutes: float = 10.0) -> None:
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(),
            nn.Linear(8 * 36, 10),
        )  # fmt: skip
        train(model, data, folder.settings, folder, watch, save_minutes=minutes)

    whole, cut, eager = run("whole", True), run("cut", True), run("eager", False)
    counters.clear()
    go(whole, 3, Silent())
    assert counters["stats"]["unique_graphs"] == 1  # the last, smaller batch is not compiled
    with pytest.raises(KeyboardInterrupt):
        go(cut, 3, Cut(8, cut), minutes=0.0)
    assert read_checkpoint(cut.checkpoint)["done"] == 7
    go(cut, 9, Silent())
    for name in ("metrics.csv", "last.safetensors", "best.safetensors"):
        assert (cut.path / name).read_bytes() == (whole.path / name).read_bytes(), name
    go(eager, 3, Silent())
    for one, other in zip(whole.rows, eager.rows, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=0.05)


@pytest.mark.slow
@needs_compiler
def test_augmentation_is_the_same_compiled(settings: Settings) -> None:
    data = load("shapes", shape=(3, 16, 16), limit_classes=4, limit=40)
    chosen = replace(
        settings, batch_size=8, augment=("flip", "pad_crop padding=2", "heavy k=3", "rotate p=0.5")
    )
    eager = feed(data.train, data, chosen, stays=True)
    compiled = compiled_feed(eager)
    for one, other in zip(shuffled(eager, chosen, 1), shuffled(compiled, chosen, 1), strict=True):
        grey = (one[0] - other[0]).abs() * (1 / eager.scale.min())
        assert grey.max() <= 1.001  # grey levels, where fused sums round to the other side
        assert (grey > 0.5).double().mean() < 0.01
