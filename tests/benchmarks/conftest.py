"""Benchmarks find what stands beside them; what they measure becomes one table at the end."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parent))

from side import SHORT, THREADS, short
from table import GOALS, Measured, keep, show

from netdsl.train import load

MEASURED: list[Measured] = []


@pytest.fixture
def measured() -> Callable[[Measured], None]:
    """Enters a row of the table."""

    def enter(row: Measured) -> None:
        print(f"\n{row.name}: {row.value:.3f}, goal {row.goal}")
        MEASURED.append(row)

    return enter


@pytest.fixture
def not_run() -> Callable[[str, str], None]:
    """Enters why rows could not be measured, and skips the test."""

    def enter(begin: str, why: str) -> None:
        MEASURED.extend(Measured(n, g, why=why) for n, g in GOALS.items() if n.startswith(begin))
        pytest.skip(why)

    return enter


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps what is decoded out of the user's folder; processes inherit it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NETDSL_DATA", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def image_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Two folders of JPEG files, 10 classes in each: 32×32 and 64×64, training and validation."""
    folders = {}
    for size, count in ((32, short(2560, 256)), (64, short(1024, 128))):
        root = tmp_path_factory.mktemp(f"images{size}")
        made = load("shapes", shape=(3, size, size), limit_classes=10, limit=count)
        for part, split in (("train", made.train), ("val", made.val)):
            for i, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
                folder = root / part / f"c{int(label)}"
                folder.mkdir(parents=True, exist_ok=True)
                pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
                Image.fromarray(pixels).save(folder / f"{i}.jpg", quality=90)
        folders[size] = root
    return folders


@pytest.fixture(scope="session")
def many_images(
    image_folders: dict[int, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[int], Path]:
    """Returns a folder of so many training images of 32×32: the same again and again."""

    def repeated(count: int) -> Path:
        root = tmp_path_factory.mktemp("many")
        for part, times in (("train", count), ("val", 100)):
            files = sorted((image_folders[32] / part).rglob("*.jpg"))
            for number, path in enumerate(itertools.islice(itertools.cycle(files), times)):
                place = root / part / path.parent.name / f"{number}.jpg"
                place.parent.mkdir(parents=True, exist_ok=True)
                os.link(path, place)
        return root

    return repeated


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(config: pytest.Config) -> None:
    if not MEASURED:
        return
    show(MEASURED, Console(width=150))
    if path := config.getoption("--keep-table", None):
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
        ).stdout.strip()
        keep(MEASURED, Path(path), commit)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keep-table", metavar="FILE", help="Keep what is measured as JSON.")
    parser.addoption(
        "--short", action="store_true", help="See that everything runs; the numbers mean nothing."
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--short"):
        os.environ[SHORT] = "1"  # which processes inherit, and modules read when imported
