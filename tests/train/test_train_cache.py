"""Decoded images: kept once, shared, verified, and never half there."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from netdsl.train import DataSet, TrainError, load
from netdsl.train.data.kept import kept_images, remove
from netdsl.train.data.place import alone, lock_of

Save = Callable[..., None]


@pytest.fixture
def photos(tmp_path: Path, save: Save, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twenty images of two classes, as worth keeping as the many of a real folder."""
    monkeypatch.setattr("netdsl.train.data.images._WORTH_KEEPING", 1000)
    for number in range(20):
        save(tmp_path / "photos" / "ab"[number % 2] / f"{number}.png", number, 9, 7)
    return tmp_path / "photos"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The images that were decoded."""
    from netdsl.train.data import images

    names: list[str] = []
    real = images._decode

    def decode(image: images.Encoded, shape: tuple[int, int, int] | None) -> tuple[np.ndarray, ...]:
        names.append(Path(image.where).name)
        return real(image, shape)

    monkeypatch.setattr("netdsl.train.data.images._decode", decode)
    return names


def _folders(photos: Path) -> list[Path]:
    found = (photos.parent / "netdsl-data" / "decoded").iterdir()
    return [path for path in found if not path.name.endswith(".lock")]


def test_images_are_decoded_once(photos: Path, counted: list[str]) -> None:
    first = load(str(photos))
    assert len(set(counted)) == 20
    counted.clear()
    again = load(str(photos))
    assert counted == []
    _equal(first, again)
    assert (len(_folders(photos)), _folders(photos)[0].name[:7]) == (1, "photos-")


def _equal(a: DataSet, b: DataSet) -> None:
    assert torch.equal(a.train.images, b.train.images)
    assert torch.equal(a.val.images, b.val.images)
    assert torch.equal(a.train.labels, b.train.labels)
    assert (a.fingerprint, a.mean, a.std, a.notes) == (b.fingerprint, b.mean, b.std, b.notes)


def test_what_is_kept_is_what_is_decoded(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = load(str(photos))
    monkeypatch.setattr("netdsl.train.data.images._WORTH_KEEPING", 10**9)
    _equal(kept, load(str(photos)))


def test_writing_to_the_images_changes_nothing_for_others(photos: Path) -> None:
    load(str(photos)).train.images.fill_(0)
    assert load(str(photos)).train.images.sum() > 0


def test_a_copy_of_the_folder_is_not_decoded_again(photos: Path, counted: list[str]) -> None:
    load(str(photos))
    shutil.copytree(photos, photos.parent / "copy" / "photos")
    counted.clear()
    load(str(photos.parent / "copy" / "photos"))
    assert counted == []


@pytest.mark.parametrize("change", ["touch", "rename", "add", "limit", "shape"])
def test_other_images_are_decoded_anew(
    photos: Path, counted: list[str], change: str, save: Save
) -> None:
    load(str(photos))
    counted.clear()
    path, options = photos / "a" / "0.png", {}
    if change == "touch":
        os.utime(path, (1, 1))
    elif change == "rename":
        path.rename(photos / "a" / "00.png")
    elif change == "add":
        save(photos / "a" / "99.png", 99, 9, 7)
    else:
        options = {"limit": {"limit": 8}, "shape": {"shape": (3, 4, 4)}}[change]
    load(str(photos), **options)
    assert counted


@pytest.mark.parametrize("damage", ["flip", "cut", "about", "version", "no pixels"])
def test_damaged_images_are_decoded_anew_and_told_of(photos: Path, damage: str) -> None:
    expected = load(str(photos)).train.images.clone()
    (folder,) = _folders(photos)
    pixels, about = folder / "pixels", folder / "about.json"
    if damage == "flip":
        content = bytearray(pixels.read_bytes())
        content[1000] ^= 1
        pixels.write_bytes(content)
    elif damage == "cut":
        pixels.write_bytes(pixels.read_bytes()[:-1])
    elif damage == "about":
        about.write_text("{")
    elif damage == "version":
        about.write_text(json.dumps(json.loads(about.read_text()) | {"version": 0}))
    else:
        pixels.unlink()
    found = load(str(photos))
    assert torch.equal(found.train.images, expected)
    assert found.notes == (f"the decoded images in {folder} were damaged and have been made anew",)
    assert load(str(photos)).notes == ()


def test_images_left_out_are_remembered(photos: Path) -> None:
    (photos / "a" / "0.png").write_bytes(b"GIF89a")
    first, again = (load(str(photos), on_bad_image="skip") for _ in range(2))
    note = f"1 of 20 images is left out; the first: {photos}/a/0.png is"
    assert first.notes[0].startswith(note)
    _equal(first, again)
    with pytest.raises(TrainError):
        load(str(photos))


def test_an_error_leaves_nothing_behind(photos: Path) -> None:
    (photos / "b" / "19.png").write_bytes(b"")
    with pytest.raises(TrainError):
        load(str(photos))
    assert _folders(photos) == []


def test_a_disk_without_room_is_told_of_and_the_images_are_read(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = type("Usage", (), {"free": 5})
    monkeypatch.setattr("netdsl.train.data.cache.shutil.disk_usage", lambda path: full)
    data = load(str(photos))
    assert len(data.train) == 16
    folder = photos.parent / "netdsl-data" / "decoded"
    assert data.notes == (
        f"decoded images are not kept for the next run: {folder}: "
        "3,780 bytes are needed, 5 are free",
    )
    assert _folders(photos) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_disk_that_fills_meanwhile_is_told_of(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netdsl.train.data.cache._to_disk", _full)
    assert "No space left on device" in load(str(photos)).notes[0]
    assert _folders(photos) == []


def _full(file: object) -> None:
    with Path("/dev/full").open("wb", buffering=0) as device:
        device.write(b"x")


def test_a_folder_that_is_none_is_told_of(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (photos.parent / "file").write_text("")
    monkeypatch.setenv("NETDSL_DATA", str(photos.parent / "file"))
    data = load(str(photos))
    assert (len(data.train), "Not a directory" in data.notes[0]) == (16, True)


def _load(photos: str, results: multiprocessing.Queue[str]) -> None:
    results.put(load(photos).fingerprint)


def test_runs_that_begin_at_once_share_what_one_decodes(photos: Path) -> None:
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    runs = [context.Process(target=_load, args=(str(photos), results)) for _ in range(4)]
    with warnings.catch_warnings(action="ignore"):  # of forking beside threads
        for run in runs:
            run.start()
    fingerprints = {results.get(timeout=60) for _ in runs}
    for run in runs:
        run.join()
    assert fingerprints == {load(str(photos)).fingerprint}
    assert len(_folders(photos)) == 1


def test_a_process_that_was_killed_leaves_no_half_images(photos: Path) -> None:
    expected = load(str(photos)).train.images.clone()
    (folder,) = _folders(photos)
    beside = folder.with_name(f".{folder.name}.tmp")
    folder.rename(beside)
    (beside / "pixels").write_bytes(b"half")
    assert torch.equal(load(str(photos)).train.images, expected)
    assert _folders(photos) == [folder]


def test_the_images_are_not_in_memory_until_they_are_used(photos: Path) -> None:
    load(str(photos))
    data = load(str(photos))
    pixels = data.train.images.permute(0, 2, 3, 1)
    assert pixels.is_contiguous()
    assert (_folders(photos)[0] / "pixels").stat().st_size == 20 * 9 * 7 * 3
    assert data.val.images.data_ptr() == data.train.images.data_ptr() + pixels.numel()


def test_what_is_kept_is_told_and_removed(photos: Path, counted: list[str]) -> None:
    assert kept_images() == ()
    load(str(photos))
    (folder,) = _folders(photos)
    long_ago = time.time() - 3 * 24 * 60 * 60
    for path in folder.iterdir():
        os.utime(path, (long_ago, long_ago))
    (kept,) = kept_images()
    assert (kept.folder, kept.size) == (folder, sum(p.stat().st_size for p in folder.iterdir()))
    assert kept.days == pytest.approx(3, abs=0.01)
    used = load(str(photos))
    (kept,) = kept_images()
    assert kept.days < 0.01
    with alone(lock_of(folder)):
        assert not remove(kept)
    assert remove(kept)
    assert (kept_images(), used.train.images[0].float().mean() >= 0) == ((), True)
    counted.clear()
    _equal(load(str(photos)), used)
    assert len(set(counted)) == 20


def test_what_a_killed_process_has_left_is_removed_too(photos: Path) -> None:
    load(str(photos))
    (folder,) = _folders(photos)
    half = folder.with_name(f".{folder.name}.tmp")
    half.mkdir()
    (half / "pixels").write_bytes(b"12345")
    assert {kept.folder for kept in kept_images()} == {folder, half}
    assert lock_of(half) == lock_of(folder)
    assert all(remove(kept) for kept in kept_images())
    assert _folders(photos) == []


def test_what_somebody_else_has_put_there_stays(photos: Path, tmp_path: Path) -> None:
    load(str(photos))
    (folder,) = _folders(photos)
    others = [folder.with_name("holiday"), folder.with_name(f"{folder.name}.old")]
    for other in others:
        other.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.with_name(f"linked-{folder.name[-20:]}").symlink_to(elsewhere)
    assert [kept.folder for kept in kept_images()] == [folder]
