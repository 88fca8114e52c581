"""Data sets by name: digits, Tiny ImageNet as a folder and as a zip file."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from netdsl.train import DATA_SETS, ExitCode, TrainError, load
from netdsl.train.data.statistics import channel_statistics


def test_digits_are_1797_images_a_fifth_held_out() -> None:
    data = load("digits")
    assert (data.shape, len(data.train), len(data.val)) == ((1, 8, 8), 1438, 359)
    assert data.train.labels.bincount().tolist() == [
        142,
        146,
        142,
        146,
        145,
        146,
        145,
        143,
        139,
        144,
    ]
    assert data.train.images.dtype == torch.uint8
    assert data.train.labels.dtype == torch.int64


def test_digits_look_like_digits() -> None:
    data = load("digits")
    (zero,) = data.train.images[data.train.labels == 0][0]
    assert zero[0].tolist() == [0, 0, 80, 207, 143, 16, 0, 0]


def test_the_entry_of_digits_holds_the_statistics_of_its_training_images() -> None:
    data = load("digits")
    assert np.allclose(channel_statistics(data.train.images), (data.mean, data.std), atol=5e-5)


@pytest.mark.parametrize("name", DATA_SETS)
def test_an_entry_is_complete(name: str) -> None:
    entry = DATA_SETS[name]
    assert len(entry.mean) == len(entry.std) == entry.shape[0]
    assert entry.source
    assert set(entry.defaults) >= {"epochs", "batch_size", "lr"}


def test_statistics_are_those_of_all_pixels_at_once() -> None:
    images = torch.randint(0, 256, (1030, 2, 3, 5), dtype=torch.uint8)
    mean, std = channel_statistics(images)
    pixels = images.numpy() / 255
    assert np.allclose(mean, pixels.mean((0, 2, 3)))
    assert np.allclose(std, pixels.std((0, 2, 3)))


def test_a_limit_keeps_each_class_and_as_much_of_the_validation_images() -> None:
    data = load("digits", limit=100)
    assert (len(data.train), len(data.val)) == (100, 25)
    assert set(data.train.labels.bincount().tolist()) == {10}
    more = load("digits", limit=10_000)
    assert (len(more.train), len(more.val)) == (1438, 359)


def test_the_first_classes_can_be_had_alone() -> None:
    data = load("digits", limit_classes=3)
    assert data.classes == ("0", "1", "2")
    assert set(data.train.labels.tolist()) == set(data.val.labels.tolist()) == {0, 1, 2}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit_classes": 11}, "limit_classes is 11, but must be from 2 to 10"),
        ({"limit_classes": 1}, "limit_classes is 1, but must be from 2 to 10"),
        ({"limit": 1}, "limit is 1, but must be 2 or more"),
    ],
)
def test_limits_out_of_range_are_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(TrainError) as caught:
        load("digits", **options)
    assert (str(caught.value), caught.value.exit_code) == (message, ExitCode.USAGE)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("digit", "did you mean digits?"),
        ("no-such", "data sets: digits, tiny-imagenet"),
    ],
)
def test_an_unknown_name_gets_a_suggestion(name: str, hint: str) -> None:
    with pytest.raises(TrainError) as caught:
        load(name)
    assert str(caught.value) == f"no data set and no folder is called {name}"
    assert (caught.value.help, caught.value.exit_code) == (hint, ExitCode.DATA)


def test_tiny_imagenet_is_read_from_its_folder(tiny: Path) -> None:
    data = load("tiny-imagenet", data_dir=tiny)
    assert data.classes == ("goldfish, Carassius auratus", "cat", "n04067472")
    assert data.train.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert data.val.labels.tolist() == [1, 0, 2, 1, 0, 2]
    first = np.asarray(Image.open(tiny / "train/n01443537/images/n01443537_0.JPEG"))
    assert np.array_equal(data.train.images[0].permute(1, 2, 0), first)
    assert (data.shape, data.mean) == ((3, 64, 64), (0.4802, 0.4481, 0.3975))


def test_tiny_imagenet_is_the_same_in_every_place_and_layout(tiny: Path, tiny_zip: Path) -> None:
    expected = load("tiny-imagenet", data_dir=tiny)
    for place in (tiny.parent, tiny_zip, tiny_zip.parent):
        found = load("tiny-imagenet", data_dir=place)
        assert torch.equal(found.train.images, expected.train.images)
        assert torch.equal(found.val.images, expected.val.images)
        assert torch.equal(found.val.labels, expected.val.labels)
        assert found.classes == expected.classes


@pytest.mark.parametrize("below", ["images", "."])
def test_validation_images_may_lie_in_a_folder_for_each_class(tiny: Path, below: str) -> None:
    expected = load("tiny-imagenet", data_dir=tiny)
    for line in (tiny / "val" / "val_annotations.txt").read_text().splitlines():
        name, wnid, *_ = line.split("\t")
        folder = tiny / "val" / wnid / below
        folder.mkdir(parents=True, exist_ok=True)
        (tiny / "val" / "images" / name).rename(folder / name)
    found = load("tiny-imagenet", data_dir=tiny)
    assert found.val.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert torch.equal(found.val.images, expected.val.images[[1, 4, 0, 3, 2, 5]])


def test_a_grey_image_of_tiny_imagenet_becomes_rgb(tiny: Path) -> None:
    path = tiny / "train/n01443537/images/n01443537_0.JPEG"
    Image.open(path).convert("L").save(path)
    image = load("tiny-imagenet", data_dir=tiny).train.images[0]
    assert torch.equal(image[0], image[2])


def test_the_first_classes_of_tiny_imagenet_are_those_of_the_sorted_ids(tiny: Path) -> None:
    data = load("tiny-imagenet", data_dir=tiny, limit_classes=2)
    assert data.classes == ("goldfish, Carassius auratus", "cat")
    assert (len(data.train), len(data.val)) == (8, 4)


def test_a_place_without_tiny_imagenet_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet", data_dir=tmp_path)
    assert str(caught.value) == (
        f"tiny-imagenet is not in {tmp_path}: looked for {tmp_path}/wnids.txt, "
        f"{tmp_path}/tiny-imagenet-200/wnids.txt, {tmp_path}/tiny-imagenet-200.zip"
    )
    assert caught.value.help == (
        "download http://cs231n.stanford.edu/tiny-imagenet-200.zip (248 MB) and name the zip "
        "file, or the folder it unpacks to, as the data folder (`--data-dir`)"
    )


def test_a_missing_class_is_named(tiny: Path) -> None:
    shutil.rmtree(tiny / "train" / "n02124075")
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet", data_dir=tiny)
    assert str(caught.value) == f"{tiny}/wnids.txt: no training image of class n02124075 is there"


def test_a_class_that_is_not_listed_is_named(tiny: Path) -> None:
    (tiny / "wnids.txt").write_text("n02124075\nn01443537\n")
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet", data_dir=tiny)
    assert str(caught.value) == f"{tiny}/wnids.txt: class n04067472 is not listed in it"


def test_annotations_and_validation_images_must_agree(tiny: Path) -> None:
    (tiny / "val" / "images" / "val_3.JPEG").unlink()
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet", data_dir=tiny)
    where = f"{tiny}/val/val_annotations.txt"
    assert str(caught.value) == f"{where}: val/images/val_3.JPEG is not there"


def test_images_of_another_size_are_refused(tiny: Path) -> None:
    for path in tiny.rglob("*.JPEG"):
        Image.open(path).resize((32, 32)).save(path)
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet", data_dir=tiny)
    assert str(caught.value) == "tiny-imagenet is made of 3×64×64 images, but these are 3×32×32"


def test_a_broken_zip_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiny-imagenet-200.zip"
    path.write_text("<html>moved</html>")
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet", data_dir=path)
    assert str(caught.value) == f"{path} is not a readable zip file: File is not a zip file"


def test_hostile_members_of_a_zip_file_are_passed_over(tiny_zip: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    with zipfile.ZipFile(tiny_zip, "a") as archive:
        archive.writestr("tiny-imagenet-200/train/n01443537/images/../../evil.JPEG", b"x")
        archive.writestr("/etc/evil.JPEG", b"x")
    data = load("tiny-imagenet", data_dir=tiny_zip)
    assert len(data.train) == 12
    assert sorted(tmp_path.rglob("*")) == before


def test_a_broken_image_in_a_zip_file_is_named(tiny_zip: Path) -> None:
    name = "tiny-imagenet-200/train/n04067472/images/broken.JPEG"
    with zipfile.ZipFile(tiny_zip, "a") as archive:
        archive.writestr(name, b"no image")
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet", data_dir=tiny_zip)
    assert str(caught.value) == f"{tiny_zip}:{name} is not an image"
