"""Training steps and whole trainings: against hand-written loops, and against the usual script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import handwritten
import pytest
import torch
import usual_script
from table import Measured, interleaved, timed

import netdsl
from netdsl.train import RunFolder, Settings, load, resolve, train
from netdsl.train.data import DataSet

Enter = Callable[[Measured], None]


@dataclass(frozen=True)
class Case:
    """A network, and how many images of which size are enough to time it."""

    arch: str
    title: str
    size: int
    images: int
    batch: int


CASES = (
    Case("resnet20", "ResNet-20", 32, 2560, 128),
    Case("net1", "Net 1", 64, 256, 64),
)
cases = pytest.mark.parametrize("case", CASES, ids=[case.arch for case in CASES])


@pytest.fixture(scope="module")
def paces(
    image_folders: dict[int, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., float]:
    """Returns the images a second of `netdsl train` in its second epoch."""

    def pace(case: Case, **chosen: object) -> float:
        settings = settings_of(case, **chosen)
        data = images(case, image_folders)
        folder = tmp_path_factory.mktemp("run")
        run = RunFolder.create("", settings, {}, data=data, path=folder)
        network = netdsl.load(case.arch, classes=10).module()
        train(network, data, settings, run)
        return run.rows[1].images_per_second

    return pace


def settings_of(case: Case, **chosen: object) -> Settings:
    augment = ("pad_crop padding=4", "flip") if case.size == 32 else ("flip", "crop_rescale")
    base = resolve({"epochs": 2, "batch_size": case.batch, "augment": augment, "sample": 2})
    return replace(base, threads=1, **chosen)  # type: ignore[arg-type]


def images(case: Case, folders: dict[int, Path]) -> DataSet:
    return load(str(folders[case.size]), limit=case.images)


@cases
def test_step_against_a_hand_written_network(measured: Enter, case: Case) -> None:
    torch.manual_seed(0)
    batch = 128 if case.size == 32 else 16
    x = torch.randn(batch, 3, case.size, case.size).contiguous(memory_format=torch.channels_last)
    y = torch.randint(0, 10, (batch,))
    ours, theirs = (
        model.to(memory_format=torch.channels_last).train()
        for model in (netdsl.load(case.arch).module(), getattr(handwritten, case.arch)())
    )
    measured(interleaved(
        timed(lambda: handwritten.step(ours, x, y)), timed(lambda: handwritten.step(theirs, x, y)),
        41, f"step ÷ hand-written, {case.title}",
    ))  # fmt: skip


@cases
def test_default_step_against_the_plain_one(
    measured: Enter, paces: Callable[..., float], image_folders: dict[int, Path], case: Case
) -> None:
    def eager() -> float:
        data = images(case, image_folders)
        return handwritten.pace(getattr(handwritten, case.arch)(), data.train, case.batch)

    measured(interleaved(
        lambda: 1 / paces(case), lambda: 1 / eager(),
        7, f"default step ÷ fp32 NCHW eager, {case.title}",
    ))  # fmt: skip


def test_stochastic_depth_against_all_blocks(measured: Enter, paces: Callable[..., float]) -> None:
    """Report 003: a step takes 13 % less; by the formula 11.75 of 16 blocks are computed."""
    whole = Case("tiny_resnet34", "ResNet-34", 64, 128, 16)
    dropped = replace(whole, arch="tiny_resnet34_sd")
    measured(interleaved(
        lambda: 1 / paces(dropped), lambda: 1 / paces(whole),
        5, "step with stochastic depth ÷ without, ResNet-34",
    ))  # fmt: skip


@cases
def test_training_against_the_usual_script(
    measured: Enter, paces: Callable[..., float], image_folders: dict[int, Path], case: Case
) -> None:
    def usual() -> float:
        loader = usual_script.loader(image_folders[case.size] / "train", case.size, case.batch)
        short = torch.utils.data.Subset(loader.dataset, range(case.images))
        loader = torch.utils.data.DataLoader(short, case.batch, shuffle=True)
        return usual_script.train(getattr(handwritten, case.arch)(), loader, 2)[1]

    measured(interleaved(
        lambda: paces(case), usual, 7, f"end to end ÷ usual script, images/s, {case.title}"
    ))  # fmt: skip
    measured(interleaved(
        lambda: paces(case, precision="fp32"), usual,
        7, f"end to end ÷ usual script, both fp32, images/s, {case.title}",
    ))  # fmt: skip
