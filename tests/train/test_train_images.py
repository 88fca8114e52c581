"""Image files of every mode, size and state of health."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from netdsl.train import TrainError
from netdsl.train.data.images import Encoded, decode, read_images
from netdsl.train.data.store import FolderStore


def _quiet(done: int, total: int) -> None:
    """Say nothing."""


def _decoded(image: Image.Image, path: Path, **options: object) -> np.ndarray:
    image.save(path, **options)
    return decode(Encoded(path.name, path.read_bytes()))


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA", "LA"])
def test_each_mode_becomes_rgb(
    mode: str, tmp_path: Path, picture: Callable[..., Image.Image]
) -> None:
    image = picture(1, 5, 7).convert(mode)
    expected = np.asarray(image.convert("RGB"))
    assert np.array_equal(_decoded(image, tmp_path / "a.png"), expected)


def test_cmyk_becomes_rgb(tmp_path: Path, picture: Callable[..., Image.Image]) -> None:
    image = picture(1, 5, 7).convert("CMYK")
    expected = np.asarray(image.convert("RGB"))
    assert np.array_equal(_decoded(image, tmp_path / "a.tif"), expected)


def test_sixteen_bits_become_the_upper_eight(tmp_path: Path) -> None:
    values = np.array([[0, 255, 256], [4660, 65279, 65535]], np.uint16)
    found = _decoded(Image.fromarray(values), tmp_path / "a.png")
    assert found.tolist() == [[[0] * 3, [0] * 3, [1] * 3], [[18] * 3, [254] * 3, [255] * 3]]


def test_a_palette_with_transparency_becomes_rgb(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    found = _decoded(image, tmp_path / "a.png", transparency=bytes([0, 128]))
    assert found.tolist() == [[[10, 20, 30], [40, 50, 60]]]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"not an image", "x.png is not an image"), (b"", "x.png is not an image")],
)
def test_what_is_no_image_names_its_file(content: bytes, message: str) -> None:
    with pytest.raises(TrainError) as caught:
        decode(Encoded("x.png", content))
    assert str(caught.value) == message


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".bmp", ".tif", ".webp"])
def test_an_image_cut_short_names_its_file(
    suffix: str, tmp_path: Path, picture: Callable[..., Image.Image]
) -> None:
    path = tmp_path / f"a{suffix}"
    picture(1).save(path)
    with pytest.raises(TrainError, match=rf"^a\{suffix} is (not an|a broken) image"):
        decode(Encoded(path.name, path.read_bytes()[:300]))


def test_two_processes_read_what_one_reads(tmp_path: Path, save: Callable[..., None]) -> None:
    names = [f"{number}.png" for number in range(600)]
    for number, name in enumerate(names):
        save(tmp_path / name, number, 3, 4)
    told: list[tuple[int, int]] = []
    store = FolderStore(tmp_path)
    one = read_images(store, names, _quiet, processes=1)
    two = read_images(store, names, lambda done, total: told.append((done, total)), processes=2)
    assert torch.equal(one, two)
    assert told == [(256, 600), (512, 600), (600, 600)]


@pytest.mark.parametrize("processes", [1, 2])
def test_unequal_sizes_name_two_files(
    processes: int, tmp_path: Path, save: Callable[..., None]
) -> None:
    save(tmp_path / "a.png", 1, 6, 9)
    save(tmp_path / "b.png", 2, 9, 6)
    with pytest.raises(TrainError) as caught:
        read_images(FolderStore(tmp_path), ["a.png", "b.png"], _quiet, processes)
    assert str(caught.value) == f"{tmp_path}/b.png is 9×6, but {tmp_path}/a.png is 6×9"
    assert caught.value.help == "bring all images to one size"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        read_images(FolderStore(tmp_path), ["a.png"], _quiet)
    assert str(caught.value) == f"cannot read {tmp_path}/a.png: No such file or directory"


def test_a_huge_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netdsl.train.data.store.MOST_BYTES", 2**20)
    (tmp_path / "a.png").write_bytes(bytes(2**20 + 1))
    with pytest.raises(TrainError, match=r"a\.png holds more than 1 MiB$"):
        FolderStore(tmp_path).read("a.png")
