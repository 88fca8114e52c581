"""A person's own folder of images."""

from __future__ import annotations

import errno
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from netdsl.train import ExitCode, TrainError, load
from netdsl.train.data.images import Encoded, decode
from netdsl.train.data.statistics import histogram, of_levels
from netdsl.train.data.store import FolderStore, open_zip
from tests.statistics_of import channel_statistics

LAYOUT = (
    "a data folder has one sub-folder a class with its images, "
    "or the sub-folders train and val with such folders each"
)


def test_a_fifth_of_each_class_is_held_out(animals: Path) -> None:
    data = load(str(animals))
    assert (data.name, data.classes, data.shape) == ("animals", ("cat", "dog"), (3, 6, 9))
    assert data.train.labels.bincount().tolist() == [8, 4]
    assert data.val.labels.bincount().tolist() == [2, 1]


def test_what_is_held_out_is_a_matter_of_seed_and_part(animals: Path) -> None:
    first, again, other = (load(str(animals), seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.val.images, again.val.images)
    assert not torch.equal(first.val.images, other.val.images)
    assert len(load(str(animals), holdout=0.4).val) == 6


@pytest.mark.parametrize("holdout", [-0.5, 0, 1, 1.5, float("nan"), "0.2", None])
def test_a_part_that_is_none_is_refused(animals: Path, holdout: Any) -> None:
    with pytest.raises(TrainError) as caught:
        load(str(animals), holdout=holdout)
    fact = f"holdout is {holdout!r}, but must be a number above 0 and below 1"
    assert (str(caught.value), caught.value.exit_code) == (fact, ExitCode.USAGE)


def test_what_to_do_about_bad_images_is_one_of_two_things(animals: Path) -> None:
    with pytest.raises(TrainError) as caught:
        load(str(animals), on_bad_image="ignore")
    fact = "on_bad_image is 'ignore', not one of error, skip"
    assert (str(caught.value), caught.value.exit_code) == (fact, ExitCode.USAGE)


def test_mean_and_std_are_those_of_the_training_images(animals: Path) -> None:
    data = load(str(animals))
    mean, std = channel_statistics(data.train.images)
    assert (data.mean, data.std) == (pytest.approx(mean), pytest.approx(std))


def test_sub_folders_train_and_val_are_the_splits(
    tmp_path: Path, save: Callable[..., None]
) -> None:
    for number, name in enumerate(("train/a/1", "train/a/2", "train/b/1", "val/b/1")):
        save(tmp_path / f"{name}.png", number, 4, 5)
    data = load(str(tmp_path))
    assert (data.train.labels.tolist(), data.val.labels.tolist()) == ([0, 0, 1], [1])


def test_classes_without_images_of_a_split_are_told(
    tmp_path: Path, save: Callable[..., None]
) -> None:
    for number, name in enumerate("abcd"):
        for n in range(4):
            save(tmp_path / "own" / "train" / name / f"{n}.png", 10 * number + n, 4, 5)
            if name != "d":
                save(tmp_path / "own" / "val" / name / f"{n}.png", 60 + 10 * number + n, 4, 5)
    assert load(str(tmp_path / "own")).lacks == ("no validation image of d",)
    assert load(str(tmp_path / "own"), limit_classes=3).lacks == ()
    assert load(str(tmp_path / "own"), limit=2).lacks == (
        "2 of 4 classes have no training image",
        "2 of 4 classes have no validation image",
    )


def test_hidden_files_and_other_files_are_passed_over(
    animals: Path, save: Callable[..., None]
) -> None:
    (animals / "cat" / "notes.txt").write_text("my cats")
    (animals / "cat" / "._1.png").write_bytes(b"left by a Mac")
    save(animals / ".cache" / "1.png", 1)
    save(animals / "preview.png", 1)
    assert len(load(str(animals)).train) == 12


def test_unequal_sizes_name_two_files(animals: Path, save: Callable[..., None]) -> None:
    save(animals / "dog" / "7.png", 1, 6, 10)
    with pytest.raises(TrainError) as caught:
        load(str(animals), seed=3)
    assert "/dog/7.png is 6×10, but " in str(caught.value)
    assert str(caught.value).endswith(" is 6×9")


def test_a_broken_image_is_named(animals: Path) -> None:
    (animals / "dog" / "7.png").write_bytes(b"")
    with pytest.raises(TrainError) as caught:
        load(str(animals))
    assert str(caught.value) == f"{animals}/dog/7.png is not an image"


def test_a_class_without_images_is_named(animals: Path) -> None:
    (animals / "eel").mkdir()
    with pytest.raises(TrainError) as caught:
        load(str(animals))
    assert (str(caught.value), caught.value.help) == (f"no image in {animals}/eel", LAYOUT)


def test_a_class_of_other_files_alone_is_told_how_images_end(animals: Path) -> None:
    (animals / "eel").mkdir()
    (animals / "eel" / "1.heic").write_bytes(b"")
    with pytest.raises(TrainError) as caught:
        load(str(animals))
    assert str(caught.value) == f"no image in {animals}/eel"
    assert str(caught.value.help).startswith("images end in .bmp, .gif, .jfif, ")


def test_files_that_do_not_end_as_images_do_are_told(animals: Path) -> None:
    assert load(str(animals)).notes == ()
    for name in ("dog/labels.csv", "dog/Thumbs.db", ".DS_Store", "cat/.DS_Store", "cat/1.heic"):
        (animals / name).write_bytes(b"")
    told = "2 files are left out that end otherwise than images; the first: "
    assert load(str(animals)).notes == (f"{told}{animals}/cat/1.heic",)


def test_a_jpeg_may_end_as_browsers_save_it(animals: Path) -> None:
    for name in ("jfif", "JPE"):
        Image.new("RGB", (9, 6)).save(animals / "dog" / f"x.{name}", "JPEG")
    found = load(str(animals))
    assert (len(found.train) + len(found.val), found.notes) == (17, ())


def test_folders_in_class_folders_are_refused(tmp_path: Path, save: Callable[..., None]) -> None:
    for name in ("a/old/1", "b/1"):
        save(tmp_path / f"{name}.png", 1, 4, 5)
    with pytest.raises(TrainError) as caught:
        load(str(tmp_path))
    assert str(caught.value) == f"{tmp_path}/a/old is a folder inside a class folder"


@pytest.mark.parametrize(
    ("beside", "help"),
    [
        ("", "name {root}/train: a part of each class is held out of it"),
        ("test", "name {root}/train: a part of each class is held out of it"),
        ("valid", "rename {root}/valid to val"),
        ("validation", "rename {root}/validation to val"),
        ("dev", "rename {root}/dev to val"),
    ],
)
def test_a_folder_train_without_val_is_told_the_way_out(
    tmp_path: Path, save: Callable[..., None], beside: str, help: str
) -> None:
    for folder in filter(None, ("train", beside)):
        for number, name in enumerate(("a/1", "a/2", "b/1", "b/2")):
            save(tmp_path / folder / f"{name}.png", number, 4, 5)
    with pytest.raises(TrainError) as caught:
        load(str(tmp_path))
    assert str(caught.value) == f"{tmp_path} has a folder train and none that is called val"
    assert caught.value.help == help.format(root=tmp_path)


def test_a_class_may_be_called_train(animals: Path) -> None:
    (animals / "dog").rename(animals / "train")
    assert load(str(animals)).classes == ("cat", "train")


@pytest.mark.parametrize("name", ["test", "val", "valid", "validation", "dev"])
def test_a_split_among_class_folders_is_no_class(
    animals: Path, save: Callable[..., None], name: str
) -> None:
    save(animals / name / "1.png", 1, 6, 9)
    with pytest.raises(TrainError) as caught:
        load(str(animals))
    fact = f"{animals}/{name} lies among class folders, but is called as a split is"
    help = f"{LAYOUT}; below those a class may be called {name}"
    assert (str(caught.value), caught.value.help) == (fact, help)


def test_a_class_below_train_may_be_called_test(tmp_path: Path, save: Callable[..., None]) -> None:
    for number, name in enumerate(("train/a/1", "train/test/1", "val/a/1", "val/test/1")):
        save(tmp_path / f"{name}.png", number, 4, 5)
    assert load(str(tmp_path)).classes == ("a", "test")


@pytest.mark.parametrize(
    ("holdout", "counts", "help"),
    [
        (
            0.99,
            "0 training and 15 validation images",
            "a smaller --holdout than 0.99 leaves more to train on",
        ),
        (
            0.01,
            "15 training and 0 validation images",
            "a larger --holdout than 0.01 holds more out",
        ),
    ],
)
def test_a_part_that_leaves_too_few_is_named(
    animals: Path, holdout: float, counts: str, help: str
) -> None:
    with pytest.raises(TrainError) as caught:
        load(str(animals), holdout=holdout)
    fact = f"{animals} has {counts}, but at least 2 and 1 are needed"
    assert (str(caught.value), caught.value.help) == (fact, help)


def test_a_split_of_ones_own_has_no_part_to_change(
    tmp_path: Path, save: Callable[..., None]
) -> None:
    for name in ("train/a/1", "train/b/1", "val/a/1"):
        save(tmp_path / f"{name}.png", 1, 4, 5)
    (tmp_path / "val" / "a" / "1.png").write_bytes(b"")
    with pytest.raises(TrainError) as caught:
        load(str(tmp_path), on_bad_image="skip")
    assert caught.value.help is None


def test_a_single_class_is_refused(tmp_path: Path, save: Callable[..., None]) -> None:
    save(tmp_path / "cat" / "1.png", 1)
    with pytest.raises(TrainError) as caught:
        load(str(tmp_path))
    assert str(caught.value) == f"{tmp_path} has fewer than 2 class folders"


def test_a_class_of_val_only_is_refused(tmp_path: Path, save: Callable[..., None]) -> None:
    for name in ("train/a/1", "train/b/1", "val/b/1", "val/c/1"):
        save(tmp_path / f"{name}.png", 1, 4, 5)
    with pytest.raises(TrainError) as caught:
        load(str(tmp_path))
    assert str(caught.value) == f"class c is in {tmp_path}/val only"


def test_too_few_images_to_hold_any_out_are_refused(
    tmp_path: Path, save: Callable[..., None]
) -> None:
    save(tmp_path / "cat" / "1.png", 1)
    save(tmp_path / "dog" / "1.png", 1)
    with pytest.raises(TrainError) as caught:
        load(str(tmp_path))
    counts = "2 training and 0 validation images"
    assert str(caught.value) == f"{tmp_path} has {counts}, but at least 2 and 1 are needed"


def test_images_of_one_colour_can_be_normalised() -> None:
    images = torch.full((2, 1, 3, 3), 51, dtype=torch.uint8)
    counted = histogram(images.permute(0, 2, 3, 1).numpy())
    assert of_levels(counted) == ((pytest.approx(0.2),), (1 / 255,))


def test_broken_images_can_be_left_out(animals: Path) -> None:
    expected = load(str(animals))
    broken = [name for name in ("3.png", "4.png") if (animals / "cat" / name).exists()]
    for name in broken:
        (animals / "cat" / name).write_bytes(b"GIF8")
    data = load(str(animals), on_bad_image="skip")
    assert len(data.train) + len(data.val) == 13
    assert data.notes == (
        f"2 of 15 images are left out; the first: {animals}/cat/3.png is not an image",
    )
    assert data.fingerprint != expected.fingerprint
    assert data.train.labels.bincount()[1] == 4


def test_nothing_but_broken_images_is_an_error(animals: Path) -> None:
    for path in animals.rglob("*"):
        if path.is_file():
            path.write_bytes(b"")
    with pytest.raises(TrainError, match=r"^none of 15 images can be read: .* is not an image$"):
        load(str(animals), on_bad_image="skip")


def test_images_of_any_size_are_brought_to_a_shape(
    animals: Path, save: Callable[..., None]
) -> None:
    save(animals / "dog" / "7.png", 1, 30, 11)
    data = load(str(animals), shape=(1, 8, 8))
    assert (data.shape, len(data.train)) == ((1, 8, 8), 13)
    mean, std = channel_statistics(data.train.images)
    assert (data.mean, data.std) == (pytest.approx(mean), pytest.approx(std))


def test_the_fingerprint_is_of_pixels_and_labels(animals: Path, save: Callable[..., None]) -> None:
    first, again = load(str(animals)), load(str(animals))
    assert first.fingerprint == again.fingerprint
    save(animals / "dog" / "0.PNG", 999, 6, 9)
    assert load(str(animals)).fingerprint != first.fingerprint
    (animals / "dog").rename(animals / "hen")
    assert load(str(animals)).fingerprint != first.fingerprint


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_need_not_be_utf_8(animals: Path, save: Callable[..., None]) -> None:
    odd = animals / "cat" / "0.png"
    odd.rename(animals / "cat" / os.fsdecode(b"\xff.png"))
    assert len(load(str(animals)).train) == 12


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_the_name_of_a_class_is_utf_8(animals: Path) -> None:
    odd = animals / os.fsdecode(b"caf\xe9")
    (animals / "cat").rename(odd)
    with pytest.raises(TrainError) as caught:
        load(str(animals))
    assert str(caught.value) == f"the name of the class folder {odd} is not UTF-8"


def test_a_zip_that_needs_a_newer_version_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", b"")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 99  # the version that it takes to read the file
    path.write_bytes(content)
    with pytest.raises(TrainError, match=r"is not a readable zip file: zip file version 9\.9"):
        open_zip(path)


def test_a_link_to_the_training_images_validates_nothing(animals: Path, tmp_path: Path) -> None:
    (tmp_path / "train").symlink_to(animals)
    (tmp_path / "val").symlink_to(animals)
    with pytest.raises(TrainError, match=r"train and .*val are one folder: one is a link to the"):
        load(str(tmp_path))


@pytest.mark.parametrize("target", ["nowhere.png", "odd.png"])
def test_a_link_that_leads_to_no_file_is_an_image_that_cannot_be_read(
    target: str, animals: Path
) -> None:
    (animals / "cat" / "odd.png").symlink_to(target)
    with pytest.raises(TrainError, match=r"^cannot read .*odd\.png: "):
        load(str(animals))


def test_a_link_to_a_class_is_a_class_and_one_in_a_class_is_refused(
    animals: Path, tmp_path: Path
) -> None:
    (animals / "tiger").symlink_to(animals / "cat", target_is_directory=True)
    assert load(str(animals)).classes == ("cat", "dog", "tiger")
    (animals / "cat" / "more").symlink_to(animals / "dog", target_is_directory=True)
    with pytest.raises(TrainError, match=r"more is a folder inside a class folder"):
        load(str(animals))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_image_in_a_zip_is_left_out_where_that_is_wanted(
    method: int, animals: Path, tmp_path: Path
) -> None:
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in sorted(animals.glob("*/*.png")):
            archive.write(file, file.relative_to(animals).as_posix())
        info = archive.infolist()[0]
    content = bytearray(path.read_bytes())
    begin = info.header_offset + 30 + len(info.filename)
    content[begin : begin + info.compress_size] = b"\xff" * info.compress_size
    path.write_bytes(content)
    store = open_zip(path)
    with pytest.raises(TrainError, match=r"cannot read .*images\.zip:cat"):
        store.read(info.filename)


def test_running_out_of_memory_is_no_broken_image(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("netdsl.train.data.images.Image.open", full)
    with pytest.raises(MemoryError):
        decode(Encoded("a.png", b""))


@pytest.mark.skipif(os.name != "posix", reason="other systems look at such names otherwise")
def test_what_cannot_be_looked_at_is_named() -> None:
    long = "a" * 300
    with pytest.raises(TrainError) as caught:
        load(long)
    assert str(caught.value) == f"cannot read {long}: File name too long"


def test_what_the_system_refuses_without_a_name_is_told_of_the_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for i in range(1, 6):
        (folder / f"data_batch_{i}.bin").write_bytes(bytes(3073))
    (folder / "test_batch.bin").write_bytes(bytes(3073))
    (folder / "batches.meta.txt").write_text("cat\n")

    def memmap(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr("numpy.memmap", memmap)  # as a file system says that maps nothing
    with pytest.raises(TrainError) as caught:
        load("cifar10", data_dir=tmp_path)
    assert str(caught.value) == "cannot read cifar10: No such device"


def test_a_folder_that_cannot_be_read_is_named(
    animals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    listdir = os.listdir

    def refusing(list: Callable[..., object]) -> Callable[..., object]:
        def refuse(path: object = ".") -> object:
            if str(path).endswith("dog"):
                raise PermissionError(13, "Permission denied", str(path))
            return list(path)

        return refuse

    monkeypatch.setattr(os, "scandir", refusing(scandir))
    monkeypatch.setattr(os, "listdir", refusing(listdir))
    for read in (FolderStore(animals).names, lambda: load(str(animals))):
        with pytest.raises(TrainError) as caught:
            read()
        assert str(caught.value) == f"cannot read {animals / 'dog'}: Permission denied"
