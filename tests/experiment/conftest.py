"""What tests of experiments need: a small network, data of its own, runs whose numbers are drawn."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netdsl.experiment.definition import Definition, read_definition
from netdsl.train import Settings

SOURCE = 'name "Tiny"  input 1x8x8  classes 10  shortcut pad\nn = 1\n\nConv 4\n(BB 8)x n\nGAP\nFC classes\n'
COLUMNS = "epoch,lr,gradient_norm,train_loss,train_accuracy,sample_accuracy,val_loss,val_accuracy,val_top5"
Job = dict[str, Any]


def job(label: str, seed: int, *, plain: bool = False, **more: Any) -> Job:
    """Return a job of a plan; what is not said is alike for all."""
    key = f"{abs(hash_of(label)):x}-{int(plain)}-{seed}"
    made: Job = {
        "label": label, "group": label, "plain": plain, "seed": seed, "key": key,
        "folder": f"runs/{key}", "command": ["netdsl", "train", "tiny", "--run-dir", f"x/runs/{key}"],
        "arch": "tiny", "overrides": {}, "recipe": "quick", "set": {}, "depth": 4, "params": 1234,
        "macs": 5_678_900, "epochs": 4, "work": 0, "paper": None, "change": None,
    }  # fmt: skip
    return made | more


def hash_of(text: str) -> int:
    """Return a number for a text, the same in every process."""
    return sum(ord(letter) * 31**place for place, letter in enumerate(text)) % 10**9


def write_run(folder: Path, job: Job, epochs: int = 4, *, finished: bool = True) -> None:
    """Write the folder of a run with drawn numbers."""
    run = folder / job["folder"]
    run.mkdir(parents=True)
    (run / "network.arch").write_text(SOURCE)
    overrides = {**job["overrides"], **({"residual": False} if job["plain"] else {})}
    settings = Settings(seed=job["seed"], epochs=epochs).record()
    record = {
        "asked": {"overrides": overrides, "scale": None},
        "settings": settings,
        "made": {"netdsl": "0.1.0", "commit": "c0ffee012345"},
    }
    (run / "settings.json").write_text(json.dumps(record))
    draw = np.random.default_rng([job["seed"], job["plain"], hash_of(job["label"])])
    rows = [[epoch, 0.1, 1.5, *draw.random(6)] for epoch in range(1, epochs + 1)]
    (run / "metrics.csv").write_text(
        "\n".join([COLUMNS, *(",".join(map(str, row)) for row in rows)]) + "\n"
    )
    write_speed(folder, job, epochs, 100 * (1 + job["seed"]))
    best = 1 + int(np.argmax([row[7] for row in rows]))
    if finished:
        summary = {"best": {"epoch": best}, "seconds": 12.5, "device": "cpu", "torch": "2.15.0"}
        (run / "summary.json").write_text(json.dumps(summary))


def write_speed(folder: Path, job: Job, epochs: int, rate: float) -> None:
    """Write what the epochs of a run took."""
    lines = [f"{epoch},{rate},2.5,{700_000_000 + epoch}" for epoch in range(1, epochs + 1)]
    text = "\n".join(["epoch,images_per_second,seconds,peak_memory", *lines]) + "\n"
    (folder / job["folder"] / "speed.csv").write_text(text)


def write_plan(folder: Path, jobs: Sequence[Job], **more: Any) -> None:
    """Write the plan of an experiment."""
    plan = {"format": 1, "name": "t", "title": "A table", "data": "digits", "recipe": "quick",
            "budget": {"epochs": 4}, "version": "0.1.0", "jobs": list(jobs)}  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.json").write_text(json.dumps(plan | more))


@pytest.fixture
def experiment(tmp_path: Path) -> Callable[..., Path]:
    """Give what writes an experiment in which every run is finished."""

    def written(jobs: Sequence[Job], name: str = "x", **more: Any) -> Path:
        folder = tmp_path / name
        write_plan(folder, jobs, **more)
        for one in jobs:
            write_run(folder, one)
        return folder

    return written


@pytest.fixture
def make_job() -> Callable[..., Job]:
    """Give what makes a job of a plan."""
    return job


@pytest.fixture
def twins(experiment: Callable[..., Path]) -> Path:
    """Two networks and their twins, three seeds each, all finished."""
    return experiment([
        job(label, seed, plain=plain, depth=depth, params=params, paper=paper)
        for label, depth, params, paper in (("Net 1", 15, 6_647_176, {"val": 0.49, "train": 0.72}), ("Net 6", 7, 802_000, None))
        for plain in (False, True)
        for seed in (0, 1, 2)
    ])  # fmt: skip


@pytest.fixture
def metrics() -> Callable[[Path, Job], np.ndarray]:
    """Give what reads the metrics of a run without netdsl: a line an epoch, columns as in COLUMNS."""
    return lambda folder, job: np.loadtxt(
        folder / job["folder"] / "metrics.csv", delimiter=",", skiprows=1, ndmin=2
    )


@pytest.fixture
def change_run() -> Any:
    """Give what changes the runs of an experiment: `run`, `speed` and `plan` write each anew."""

    class Change:
        run = staticmethod(write_run)
        speed = staticmethod(write_speed)
        plan = staticmethod(write_plan)

    return Change


TINY = 'name "Tiny"  input 1x8x8  classes 10\nn = 1\nConv 4  Max 2  (BB 8 dropout=0.2)x n  GAP  FC classes\n'


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests out of the person's data, and from the network."""
    monkeypatch.setenv("NETDSL_DATA", str(tmp_path / "netdsl-data"))
    monkeypatch.setenv("NETDSL_MIRROR", "http://127.0.0.1:9")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def define(tmp_path: Path) -> Callable[[str], Definition]:
    """Return what reads the text of an experiment's file, beside a network `tiny.arch`."""
    (tmp_path / "tiny.arch").write_text(TINY)

    def read(text: str) -> Definition:
        path = tmp_path / "x.toml"
        path.write_text(text)
        return read_definition(path)

    return read
