"""CIFAR-10 and CIFAR-100 from binary files that were made as the published ones are described."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from netdsl.train import DATA_SETS, DataSet, TrainError, load

NAMES = {
    "cifar10": [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"],
    "cifar100": ["train.bin", "test.bin"],
}


@pytest.fixture(params=["cifar10", "cifar100"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(name: str, tmp_path: Path) -> Path:
    """Seven images a file: planes of red, green and blue behind one or two bytes of label."""
    random = np.random.default_rng(0)
    classes = DATA_SETS[name].classes
    for file in NAMES[name]:
        labels = random.integers(0, classes, (7, classes // 100 + 1), np.uint8)
        planes = random.integers(0, 256, (7, 3072), np.uint8)
        content = np.concatenate((labels, planes), 1).tobytes()
        (tmp_path / file).write_bytes(content)
    list_ = "batches.meta.txt" if name == "cifar10" else "fine_label_names.txt"
    (tmp_path / list_).write_text("\n".join(f"class{i}" for i in range(classes)) + "\n\n")
    return tmp_path


def _record(name: str, place: Path, file: int, number: int) -> tuple[int, np.ndarray]:
    header = 1 if name == "cifar10" else 2
    content = (place / NAMES[name][file]).read_bytes()
    record = content[number * (3072 + header) :][: 3072 + header]
    return record[header - 1], np.frombuffer(record[header:], np.uint8).reshape(3, 32, 32)


def test_images_and_labels_are_those_of_the_records(name: str, place: Path) -> None:
    data = load(name, data_dir=place)
    n = 7 * (len(NAMES[name]) - 1)
    assert (len(data.train), len(data.val), data.shape) == (n, 7, (3, 32, 32))
    for position in (0, 6, n - 1):
        label, planes = _record(name, place, *divmod(position, 7))
        assert np.array_equal(data.train.images[position], planes)
        assert data.train.labels[position] == label
    label, planes = _record(name, place, -1, 3)
    assert np.array_equal(data.val.images[3], planes)
    assert data.val.labels[3] == label
    assert data.classes == tuple(f"class{i}" for i in range(DATA_SETS[name].classes))
    assert data.mean == DATA_SETS[name].mean


def test_they_are_decoded_once_and_mapped(name: str, place: Path, tmp_path: Path) -> None:
    first, again = load(name, data_dir=place), load(name, data_dir=str(place))
    assert first.fingerprint == again.fingerprint
    assert torch.equal(first.train.images, again.train.images)
    (folder,) = (tmp_path / "netdsl-data" / "decoded").glob(f"{name}-*")
    assert (folder / "pixels").stat().st_size == 3072 * 7 * len(NAMES[name])


def test_the_folder_may_lie_in_the_place(name: str, place: Path) -> None:
    root = DATA_SETS[name].archive
    assert root is not None
    expected = load(name, data_dir=place)
    _move(place, place / root.root)
    assert load(name, data_dir=place).fingerprint == expected.fingerprint


def _move(place: Path, folder: Path) -> None:
    folder.mkdir()
    for path in place.iterdir():
        if path.is_file():
            path.rename(folder / path.name)


def test_images_may_be_brought_to_another_shape(name: str, place: Path) -> None:
    data: DataSet = load(name, data_dir=place, shape=(1, 8, 8))
    assert data.shape == (1, 8, 8)
    assert len(data.mean) == 1


def test_a_file_cut_short_is_named(name: str, place: Path) -> None:
    path = place / NAMES[name][0]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TrainError) as caught:
        load(name, data_dir=place)
    record = 3073 if name == "cifar10" else 3074
    size = f"{7 * record - 1:,}"
    assert str(caught.value) == f"{path} has {size} bytes, no whole number of {record:,}"


def test_a_missing_file_is_a_missing_data_set(name: str, place: Path) -> None:
    (place / NAMES[name][-1]).unlink()
    with pytest.raises(TrainError, match=f"^{name} is not in "):
        load(name, data_dir=place)


def _folders(root: Path, held: str, classes: int) -> None:
    for split, count in (("train", 2), (held, 1)):
        for i in range(classes):
            folder = root / split / f"class{i:03}"
            folder.mkdir(parents=True)
            for number in range(count):
                image = np.full((32, 32, 3), 100 * number + i % 100, np.uint8)
                Image.fromarray(image).save(folder / f"{number}.png")


@pytest.mark.parametrize("held", ["test", "val"])
def test_images_may_lie_in_folders_of_classes(held: str, tmp_path: Path) -> None:
    _folders(tmp_path / "cifar10", held, 10)
    data = load("cifar10", data_dir=tmp_path)
    assert (data.name, len(data.train), len(data.val)) == ("cifar10", 20, 10)
    assert data.classes == tuple(f"class{i:03}" for i in range(10))
    assert data.mean == DATA_SETS["cifar10"].mean
    seen = [(int(label), int(image[0, 0, 0])) for image, label in zip(data.train.images, data.train.labels, strict=True)]  # fmt: skip
    assert seen == [(i, 100 * number + i) for i in range(10) for number in range(2)]


def test_folders_of_another_number_of_classes_are_refused(tmp_path: Path) -> None:
    _folders(tmp_path / "cifar100", "test", 3)
    with pytest.raises(TrainError) as caught:
        load("cifar100", data_dir=tmp_path)
    folder = tmp_path / "cifar100"
    assert str(caught.value) == f"{folder} has 3 classes, but cifar100 has 100"
    assert caught.value.help == f"--data {folder} takes it as it is"
