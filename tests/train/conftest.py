"""Small real networks, data sets and image files for the tests of training."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import relu

from netdsl.train import DataSet, RunFolder, Settings, load, resolve

WNIDS = tuple(f"n{9 * label:08}" for label in range(200))


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests out of the person's data, and from the network."""
    monkeypatch.setenv("NETDSL_DATA", str(tmp_path / "netdsl-data"))
    monkeypatch.setenv("NETDSL_MIRROR", "http://127.0.0.1:9")


class Residual(nn.Module):
    """A stem, one residual block and a classifier."""

    def __init__(self, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        self.stem = nn.Conv2d(channels, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.branch = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8 * height * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = relu(self.norm(self.stem(x)))
        return self.head(relu(x + self.branch(x)).flatten(1))


@pytest.fixture
def make_network() -> Callable[[DataSet], nn.Module]:
    def make(data: DataSet) -> nn.Module:
        torch.manual_seed(3)
        return Residual(data.shape, len(data.classes))

    return make


@pytest.fixture(scope="session")
def digits() -> DataSet:
    return load("digits", limit=200)


@pytest.fixture
def settings() -> Settings:
    return resolve(
        {"epochs": 2, "batch_size": 32, "lr": 0.05, "device": "cpu", "threads": 1},
        {"precision": "fp32"},
    )


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., RunFolder]:
    def make(settings: Settings, name: str = "run") -> RunFolder:
        return RunFolder.create("Conv 8\n", settings, {"arch": "net1"}, path=tmp_path / name)

    return make


@pytest.fixture
def picture() -> Callable[..., Image.Image]:
    def make(number: int, height: int = 64, width: int = 64) -> Image.Image:
        pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)
        return Image.fromarray(pixels)

    return make


@pytest.fixture
def save(picture: Callable[..., Image.Image]) -> Callable[..., None]:
    def write(path: Path, number: int, height: int = 64, width: int = 64) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number, height, width).save(path)

    return write


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny ImageNet's official layout, 200 classes: 2 training images each, 1 for validation."""
    root = tmp_path_factory.mktemp("official") / "tiny-imagenet-200"
    annotations = []
    (root / "val" / "images").mkdir(parents=True)
    for label, wnid in enumerate(WNIDS):
        (root / "train" / wnid / "images").mkdir(parents=True)
        for number in range(2):
            _plain(label, number).save(root / f"train/{wnid}/images/{wnid}_{number}.JPEG")
        _plain(label, 2).save(root / "val" / "images" / f"val_{199 - label}.JPEG")
        annotations.append(f"val_{199 - label}.JPEG\t{wnid}\t0\t0\t9\t9\n")
    (root / "test" / "images").mkdir(parents=True)
    _plain(0, 3).save(root / "test" / "images" / "test_0.JPEG")
    (root / "val" / "val_annotations.txt").write_text("".join(annotations))
    (root / "wnids.txt").write_text("\n".join(reversed(WNIDS)) + "\n")
    (root / "words.txt").write_text("n00000000\tgoldfish, Carassius auratus\nn00000009\tcat\n")
    return root


def _plain(label: int, number: int) -> Image.Image:
    return Image.new("RGB", (64, 64), (label, 60 * number, 255 - label))


@pytest.fixture
def tiny(official: Path, tmp_path: Path) -> Path:
    """A copy of it to be tampered with."""
    return Path(shutil.copytree(official, tmp_path / official.name))


@pytest.fixture
def tiny_zip(tiny: Path) -> Path:
    path = tiny.parent / "archive" / "tiny-imagenet-200.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(tiny.rglob("*")):
            archive.write(file, file.relative_to(tiny.parent))
    return path


@pytest.fixture
def animals(tmp_path: Path, save: Callable[..., None]) -> Path:
    """A folder of class folders: 10 cats, 5 dogs, 6×9 pixels."""
    root = tmp_path / "animals"
    for number in range(10):
        save(root / "cat" / f"{number}.png", number, 6, 9)
    for number in range(5):
        save(root / "dog" / f"{number}.PNG", 50 + number, 6, 9)
    return root
