"""What a training takes is known before it begins."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from netdsl.train import DataSet, ExitCode, RunFolder, Settings, TrainError, train
from netdsl.train.data.dataset import Split
from netdsl.train.faults import refuse_too_large
from netdsl.train.memory import Need, count, estimate, forget_peak, free_memory, peak_memory

GB = 10**9


class Draws(nn.Module):
    """Has all that an estimate could change: norms, dropout, own random numbers, a mode."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(64, 10)
        self.random = random.Random(1)

    def forward(self, x: Tensor) -> Tensor:
        self.random.random()
        return self.head(self.drop(self.norm(x)).flatten(1))


def test_an_estimate_leaves_the_network_as_it_was(settings: Settings) -> None:
    model = Draws().eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch_state, own = torch.get_rng_state(), model.random.getstate()
    estimate(model, (1, 8, 8), settings)
    assert all(torch.equal(before[name], now) for name, now in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert model.random.getstate() == own
    assert not model.training


def test_what_is_kept_of_each_weight_is_counted(settings: Settings) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10, bias=False))
    fixed = {
        name: count(model, (1, 8, 8), replace(settings, optimiser=name, average=average)).fixed
        for name, average in (("sgd", 0.0), ("adamw", 0.9))
    }
    assert fixed == {"sgd": 640 * 4 * 2, "adamw": 640 * 4 * 4}


def test_what_the_backward_run_needs_of_an_image_is_counted(settings: Settings) -> None:
    model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(inplace=True), nn.Flatten())
    image, activation = 8 * 8 * 4, 6 * 6 * 6 * 4
    assert count(model, (1, 8, 8), settings).image == image + activation + 2 * activation


def test_weights_that_a_backward_run_reads_are_not_counted_with_its_images(
    settings: Settings,
) -> None:
    layers = [nn.Flatten(), nn.Linear(64, 10, bias=False), nn.Linear(10, 7, bias=False)]
    image, hidden, weights = 64 * 4, 10 * 4, (640 + 70) * 4
    found = count(nn.Sequential(*layers), (1, 8, 8), replace(settings, optimiser="sgd"))
    assert found == Need(fixed=weights * 2, image=image + hidden + 2 * image)


@pytest.mark.parametrize(
    ("free", "help"),
    [(3 * GB + 4096, "batch_size 4096 fits"), (3 * GB, "no batch fits: take a smaller network")],
)
def test_a_training_that_does_not_fit_is_refused(free: int, help: str) -> None:
    with pytest.raises(TrainError) as caught:
        refuse_too_large(Need(3 * GB, 1), free, GB, "this", "batch_size {}".format)
    assert str(caught.value) == "this takes about 4.0 GB, and 3.0 GB are free"
    assert (caught.value.help, caught.value.exit_code) == (help, ExitCode.MEMORY)


def test_nothing_is_refused_where_free_memory_is_unknown() -> None:
    refuse_too_large(Need(10**18, 1), None, 64, "this", str)


def test_a_batch_is_no_larger_than_the_data(
    make_network: Callable[[DataSet], nn.Module],
    make_run: Callable[..., RunFolder],
    digits: DataSet,
    settings: Settings,
) -> None:
    settings = replace(settings, batch_size=10**9, epochs=1)
    assert train(make_network(digits), digits, settings, make_run(settings)).last.epoch == 1


def test_a_batch_that_is_too_large_is_refused_before_the_first_step(
    make_network: Callable[[DataSet], nn.Module],
    make_run: Callable[..., RunFolder],
    digits: DataSet,
    settings: Settings,
) -> None:
    settings = replace(settings, batch_size=10**8)
    model, run = make_network(digits), make_run(settings)
    images, labels = digits.train.images[:1], digits.train.labels[:1]
    many = Split(images.expand(10**8, -1, -1, -1), labels.expand(10**8))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(TrainError) as caught:
        train(model, replace(digits, train=many), settings, run)
    said = r"training with batches of 100,000,000 images on cpu takes about \S+ GB, and \S+ .B are free"
    assert re.fullmatch(said, str(caught.value))
    assert caught.value.exit_code == ExitCode.MEMORY
    assert caught.value.help is not None
    fits = int(caught.value.help.removeprefix("batch_size ").removesuffix(" fits"))
    assert estimate(model, digits.shape, settings).at(fits) <= free_memory("cpu") * 1.1
    assert all(torch.equal(before[name], now) for name, now in model.state_dict().items())


MEASURED = """
import sys
import torch
from netdsl.network import build
from netdsl.shelf import open_arch
from netdsl.lower import make_overrides
from netdsl.train.memory import estimate, peak_memory
from netdsl.train import Settings
from netdsl.train.optimiser import make_optimiser
from netdsl.train.forward import forward

torch.set_num_threads(1)
settings = Settings(batch_size=int(sys.argv[2]), precision=sys.argv[3])
network = build(*open_arch(sys.argv[1]).with_overrides(make_overrides(None, None, None, None, {})))
model = network.module().to(memory_format=torch.channels_last)
shape = network.input_shape
need = estimate(model, shape, settings)
before = int(open("/proc/self/statm").read().split()[1]) * 4096
optimiser = make_optimiser(model, settings)
for step in range(2):
    images = torch.rand((settings.batch_size, *shape)).contiguous(memory_format=torch.channels_last)
    optimiser.zero_grad()
    forward(model, images, settings).sum().backward()
    optimiser.step()
print(need.at(settings.batch_size), peak_memory("cpu") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measured as Linux counts")
@pytest.mark.parametrize(
    ("arch", "batch", "precision"),
    [("resnet20", 128, "fp32"), pytest.param("net1", 8, "bf16", marks=pytest.mark.slow)],
)
def test_an_estimate_is_near_what_training_takes(arch: str, batch: int, precision: str) -> None:
    command = [sys.executable, "-c", MEASURED, arch, str(batch), precision]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    estimated, measured = map(int, done.stdout.split())
    assert 0.7 < estimated / measured < 1.5, (estimated, measured)


def test_the_peak_is_that_of_this_process_alone() -> None:
    child = 'from netdsl.train.memory import peak_memory; print(peak_memory("cpu"))'
    parent = "import subprocess, sys; large = b'1' * 1_500_000_000; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
    command = [sys.executable, "-c", parent, child]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert 10**7 < int(done.stdout) < 1_200_000_000


def test_the_peak_is_known_where_the_system_keeps_no_account_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "VmSize: 3 kB\nVmRSS: 2 kB\n")
    assert peak_memory("cpu") > 10**7


@pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK), reason="the system begins no account anew"
)
def test_a_peak_that_is_over_is_forgotten() -> None:
    small = [torch.ones(10_000) for _ in range(5_000)]  # 200 MB in pieces, which a heap may keep
    before = peak_memory("cpu")
    small.clear()
    forget_peak("cpu")
    assert peak_memory("cpu") < before - 150 * 10**6
