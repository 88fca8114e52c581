"""Tiny ImageNet: every place and layout, and trees that are something else."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from netdsl.train import DATA_SETS, TrainError, load
from netdsl.train.data import list_images

FIRST = "n00000000"


def test_it_is_read_from_its_folder(tiny: Path) -> None:
    data = load("tiny-imagenet", data_dir=tiny)
    assert data.classes[:3] == ("goldfish, Carassius auratus", "cat", "n00000018")
    assert data.train.labels.tolist() == [label for label in range(200) for _ in range(2)]
    assert data.val.labels.tolist() == list(range(200))
    first = np.asarray(Image.open(tiny / f"train/{FIRST}/images/{FIRST}_0.JPEG"))
    assert np.array_equal(data.train.images[0].permute(1, 2, 0), first)
    assert (data.shape, data.mean) == ((3, 64, 64), (0.4802, 0.4481, 0.3975))
    assert data.augment == ("flip", "crop_rescale")


def test_validation_images_have_the_classes_of_the_annotations(tiny: Path) -> None:
    data = load("tiny-imagenet", data_dir=tiny)
    red = data.val.images[:, 0].float().mean((1, 2))
    assert (red - torch.arange(200)).abs().max() < 3


def test_it_is_the_same_in_every_place(tiny: Path, tiny_zip: Path) -> None:
    expected = load("tiny-imagenet", data_dir=tiny)
    for place in (tiny.parent, tiny_zip, tiny_zip.parent):
        found = load("tiny-imagenet", data_dir=place)
        assert found.fingerprint == expected.fingerprint
        assert torch.equal(found.train.images, expected.train.images)
        assert torch.equal(found.val.labels, expected.val.labels)
        assert found.classes == expected.classes


@pytest.mark.parametrize("below", ["images", "."])
def test_validation_images_may_lie_in_a_folder_for_each_class(tiny: Path, below: str) -> None:
    expected = load("tiny-imagenet", data_dir=tiny)
    _refold(tiny, below)
    assert load("tiny-imagenet", data_dir=tiny).fingerprint == expected.fingerprint


def test_the_refolded_layout_needs_no_lists(tiny: Path) -> None:
    expected = load("tiny-imagenet", data_dir=tiny)
    _refold(tiny, ".")
    for folder in (tiny / "train").iterdir():
        for image in (folder / "images").iterdir():
            image.rename(folder / image.name)
        (folder / "images").rmdir()
    (tiny / "wnids.txt").unlink()
    (tiny / "words.txt").unlink()
    shutil.rmtree(tiny / "test")
    found = load("tiny-imagenet", data_dir=tiny)
    assert found.classes[:2] == (FIRST, "n00000009")
    assert torch.equal(found.train.images, expected.train.images)
    assert torch.equal(found.val.images, expected.val.images)
    assert torch.equal(found.val.labels, expected.val.labels)


def _refold(tiny: Path, below: str) -> None:
    for line in (tiny / "val" / "val_annotations.txt").read_text().splitlines():
        name, wnid, *_ = line.split("\t")
        folder = tiny / "val" / wnid / below
        folder.mkdir(parents=True, exist_ok=True)
        (tiny / "val" / "images" / name).rename(folder / name)


def test_test_images_are_listed_without_a_label(tiny: Path) -> None:
    labels = list_images("tiny-imagenet", tiny).labels
    assert (len(labels), labels[-1], (labels < 0).sum()) == (601, -1, 1)


def test_a_grey_image_becomes_rgb(tiny: Path) -> None:
    path = tiny / f"train/{FIRST}/images/{FIRST}_0.JPEG"
    Image.open(path).convert("L").save(path)
    image = load("tiny-imagenet", data_dir=tiny).train.images[0]
    assert torch.equal(image[0], image[2])


def test_the_first_classes_are_those_of_the_sorted_ids(tiny: Path) -> None:
    data = load("tiny-imagenet", data_dir=tiny, limit_classes=2)
    assert data.classes == ("goldfish, Carassius auratus", "cat")
    assert (len(data.train), len(data.val)) == (4, 2)


def test_a_place_without_it_says_how_to_bring_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet", data_dir=tmp_path)
    assert str(caught.value) == f"tiny-imagenet is not in {tmp_path}"
    assert caught.value.help == (
        f"`netdsl data get tiny-imagenet --data-dir {tmp_path}` downloads tiny-imagenet-200.zip "
        "(248 MB), or takes one that you have: --from tiny-imagenet-200.zip"
    )
    monkeypatch.setenv("NETDSL_DATA", str(tmp_path))
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet")
    assert "`netdsl data get tiny-imagenet` downloads" in str(caught.value.help)


def test_only_what_looks_like_it_is_taken_for_it(tmp_path: Path, tiny_zip: Path) -> None:
    (tmp_path / "junk.txt").write_text("junk")
    (tmp_path / "folder" / "train" / "cat").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("train/cat/1.JPEG", b"")
    find = DATA_SETS["tiny-imagenet"].find
    assert [find(tmp_path / name) for name in ("junk.txt", "folder", "other.zip")] == [None] * 3
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet", data_dir=tmp_path / "junk.txt")
    assert (str(caught.value), caught.value.help) == (
        f"{tmp_path / 'junk.txt'} is not tiny-imagenet",
        "--data-dir names the folder that holds it, tiny-imagenet-200, or tiny-imagenet-200.zip",
    )
    renamed = tiny_zip.rename(tmp_path / "renamed.zip")
    assert find(renamed) == renamed


def test_a_tree_of_another_class_count_is_refused(tiny: Path) -> None:
    (tiny / "wnids.txt").write_text("n00000000\nn00000009\n")
    shutil.rmtree(tiny / "train")
    for wnid in ("n00000000", "n00000009"):
        shutil.copytree(tiny / "val" / "images", tiny / "train" / wnid)
    lines = (tiny / "val" / "val_annotations.txt").read_text().splitlines(keepends=True)
    (tiny / "val" / "val_annotations.txt").write_text("".join(lines[:2]))
    for image in sorted((tiny / "val" / "images").iterdir()):
        if image.name not in ("val_199.JPEG", "val_198.JPEG"):
            image.unlink()
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet", data_dir=tiny)
    assert str(caught.value) == f"{tiny} has 2 classes, and Tiny ImageNet has 200"
    assert caught.value.help == (
        "train on it as on any folder: give its path as --data; "
        "the first N classes of the whole are had by --classes N"
    )


def test_a_missing_class_is_named(tiny: Path) -> None:
    shutil.rmtree(tiny / "train" / "n00000009")
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet", data_dir=tiny)
    assert str(caught.value) == f"{tiny}/wnids.txt: no training image of class n00000009 is there"


@pytest.mark.parametrize(("part", "word"), [("train", "training"), ("val", "validation")])
def test_a_missing_class_is_named_without_a_list_too(tiny: Path, part: str, word: str) -> None:
    _refold(tiny, ".")
    (tiny / "wnids.txt").unlink()
    shutil.rmtree(tiny / part / "n00000009")
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet", data_dir=tiny)
    assert str(caught.value) == f"{tiny}: no {word} image of class n00000009 is there"


def test_a_class_that_is_not_listed_is_named(tiny: Path) -> None:
    (tiny / "wnids.txt").write_text("n00000000\nn00000009\n")
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet", data_dir=tiny)
    assert str(caught.value) == f"{tiny}/wnids.txt: class n00000018 is not listed in it"


def test_annotations_and_validation_images_must_agree(tiny: Path) -> None:
    (tiny / "val" / "images" / "val_3.JPEG").unlink()
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet", data_dir=tiny)
    where = f"{tiny}/val/val_annotations.txt"
    assert str(caught.value) == f"{where}: val/images/val_3.JPEG is not there"


def test_images_of_another_size_are_refused(tiny: Path) -> None:
    for path in tiny.rglob("*.JPEG"):
        Image.new("RGB", (32, 32)).save(path)
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
        archive.writestr(f"tiny-imagenet-200/train/{FIRST}/images/../../evil.JPEG", b"x")
        archive.writestr("/etc/evil.JPEG", b"x")
    data = load("tiny-imagenet", data_dir=tiny_zip)
    assert len(data.train) == 400
    assert sorted(tmp_path.rglob("*")) == before


def test_a_broken_image_in_a_zip_file_is_named(tiny_zip: Path) -> None:
    name = f"tiny-imagenet-200/train/{FIRST}/images/broken.JPEG"
    with zipfile.ZipFile(tiny_zip, "a") as archive:
        archive.writestr(name, b"no image")
    with pytest.raises(TrainError) as caught:
        load("tiny-imagenet", data_dir=tiny_zip)
    assert str(caught.value) == f"{tiny_zip}:{name} is not an image"
