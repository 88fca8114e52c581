"""What only a GPU can show: a training there is that of a CPU, and no step waits for the GPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from netdsl.train import SILENT, DataSet, RunFolder, Settings, evaluate, resolve, train
from netdsl.train.batches import shuffled
from netdsl.train.computing import computing
from netdsl.train.distributed import ALONE
from netdsl.train.epoch import take_step
from netdsl.train.prepare import prepare
from netdsl.train.signals import Stop

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no GPU here that torch can use"
)

Make = Callable[[DataSet], nn.Module]


@pytest.fixture
def on_gpu() -> Settings:
    augment = ("pad_crop padding=1", "crop_rescale", "rotate")
    return resolve({"epochs": 2, "batch_size": 32, "device": "cuda", "augment": augment})


def test_the_defaults_are_those_of_a_gpu(on_gpu: Settings) -> None:
    assert resolve().device == "cuda"
    assert on_gpu.channels_last
    assert not on_gpu.exact


def test_it_learns_what_a_cpu_does(
    make_network: Make, digits: DataSet, on_gpu: Settings, tmp_path: Path
) -> None:
    losses = {}
    for device in ("cpu", "cuda"):
        settings = replace(on_gpu, device=device, exact=True, precision="fp32", augment=())
        run = RunFolder.create("", settings, {}, data=digits, path=tmp_path / device)
        network = make_network(digits)
        losses[device] = [train(network, digits, settings, run).last.train_loss]
        assert evaluate(network, digits, settings).accuracy == run.rows[-1].val_accuracy
    assert losses["cuda"] == pytest.approx(losses["cpu"], rel=1e-3)


@pytest.mark.parametrize("compile", [False, True])
def test_no_step_waits_for_it(
    make_network: Make, digits: DataSet, on_gpu: Settings, tmp_path: Path, *, compile: bool
) -> None:
    settings = replace(on_gpu, compile=compile)
    run = RunFolder.create("", settings, {}, data=digits, path=tmp_path / "run")
    with computing(settings):
        job = prepare(make_network(digits), digits, settings, run, SILENT, Stop(), ALONE)
        batches = shuffled(job.feeds.train, settings, 1)
        for _ in range(3):  # which choose kernels, compile, record a graph
            take_step(job, *next(batches))
        torch.cuda.set_sync_debug_mode("error")
        try:
            for _ in range(2):
                take_step(job, *next(batches))
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert job.done == 5


def test_images_that_do_not_fit_are_brought(
    make_network: Make, digits: DataSet, on_gpu: Settings, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    settings = replace(on_gpu, deterministic=True, compile=False)
    losses = []
    for stay in (True, False):
        monkeypatch.setattr("netdsl.train.prepare.stays", lambda *_, stay=stay: stay)
        run = RunFolder.create("", settings, {}, data=digits, path=tmp_path / str(stay))
        losses.append(train(make_network(digits), digits, settings, run).last.train_loss)
    assert losses[0] == losses[1]
