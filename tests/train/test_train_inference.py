"""Images that are picked: every one comes to its own answer, and classes to their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn

from netdsl.train import DataSet, ExitCode, RunFolder, Settings, TrainError, evaluate, train
from netdsl.train.batches import feed
from netdsl.train.data.images import ImageFiles
from netdsl.train.data.source import Wanted
from netdsl.train.evaluation import place
from netdsl.train.inference import (
    About,
    about_weights,
    answer,
    find_files,
    pick_split,
    score,
)
from netdsl.train.inference.read import read
from netdsl.train.weights import save_weights


@pytest.mark.parametrize("normalise", ["channel", "global", "pixel", "none"])
def test_weights_alone_normalise_as_the_training_did(
    normalise: str,
    make_network: Callable[[DataSet], nn.Module],
    make_run: Callable[..., RunFolder],
    digits: DataSet,
    settings: Settings,
) -> None:
    settings = replace(settings, normalise=normalise, epochs=1)
    model, run = make_network(digits), make_run(settings)
    train(model, digits, settings, run)
    about = about_weights(run.last)
    rows = digits.val.images.permute(0, 2, 3, 1).contiguous()
    expected = feed(digits.val, digits, settings, stays=True)
    found = about.feed(rows, digits.val.labels, settings)
    assert torch.equal(found.normalise(found.rows), expected.normalise(expected.rows))
    assert (about.classes, about.ids, about.shape) == (digits.classes, digits.classes, (1, 8, 8))


def test_images_that_leave_a_device_no_room_do_not_stay_there(
    digits: DataSet, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    about, rows = About("", (1, 8, 8), (), (0.5,), (0.5,)), digits.val.images.permute(0, 2, 3, 1)
    for stay in (True, False):
        monkeypatch.setattr("netdsl.train.inference.about.stays", lambda *_, stay=stay: stay)
        assert about.feed(rows, digits.val.labels, settings).stays == stay


@pytest.mark.parametrize(
    ("about", "fault"),
    [
        ({}, "w.safetensors does not say which network it is of"),
        ({"network": 3}, "w.safetensors does not say soundly what its network takes and tells: "
                         "3 is no text"),
        ({"network": "FC 2", "shape": [3, 2, 0]},
         "w.safetensors does not say soundly what its network takes and tells: shape [3, 2, 0]"),
        ({"network": "FC 2", "shape": [3, 2, 2], "classes": ["a", "b"], "mean": [0.5], "std": [1]},
         "w.safetensors does not say soundly what its network takes and tells: "
         "1 means for 3 channels"),
    ],
)  # fmt: skip
def test_weights_that_say_too_little_are_refused(
    about: dict[str, object], fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_weights(nn.Linear(2, 2), Path("w.safetensors"), about)
    with pytest.raises(TrainError) as caught:
        about_weights(Path("w.safetensors"))
    assert str(caught.value) == fault
    assert caught.value.help == ("give the folder of its run, or weights that `netdsl train` wrote")


ABOUT = About("", (3, 6, 9), ("cat", "dog"), (0.5,) * 3, (0.25,) * 3)


class Brightness(nn.Module):
    """Tells the brightness of the first and of the last row of an image."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack((x[:, :, 0].mean((1, 2)), x[:, :, -1].mean((1, 2))), 1)


def test_a_folder_is_every_image_below_it_in_order(animals: Path) -> None:
    (animals / "notes.txt").write_text("none")
    (animals / ".hidden").mkdir()
    Image.new("L", (3, 3)).save(animals / ".hidden" / "a.png")
    picked = find_files([animals, animals / "dog" / "1.PNG"])
    files = [picked.file(place) for place in range(len(picked))]
    expected = sorted([*animals.glob("cat/*"), *animals.glob("dog/*")])
    assert files == [*map(str, expected), str(animals / "dog" / "1.PNG")]


@pytest.mark.parametrize("target", [".", "..", "../..", "{animals}/cat"])
def test_a_link_to_a_folder_around_it_is_not_gone_round(target: str, animals: Path) -> None:
    before = find_files([animals])
    (animals / "cat" / "again").symlink_to(target.format(animals=animals))
    found = find_files([animals])
    assert [found.file(n) for n in range(len(found))] == [
        before.file(n) for n in range(len(before))
    ]


def test_folders_that_are_links_are_looked_into(tmp_path: Path, animals: Path) -> None:
    (tmp_path / "zoo").mkdir()
    for name in ("first", "second"):
        (tmp_path / "zoo" / name).symlink_to(animals / "cat")
    found = find_files([tmp_path / "zoo"])
    images = sorted(path.name for path in animals.glob("cat/*"))
    assert [found.file(n) for n in range(len(found))] == [
        str(tmp_path / "zoo" / name / image) for name in ("first", "second") for image in images
    ]


def test_links_that_lead_to_one_another_end(tmp_path: Path, save: Callable[..., None]) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        save(tmp_path / name / "1.png", 1)
        (tmp_path / name / other).symlink_to(tmp_path / other)
    found = find_files([tmp_path])
    files = [Path(found.file(n)).relative_to(tmp_path).as_posix() for n in range(len(found))]
    assert files == ["a/1.png", "a/b/1.png", "b/1.png", "b/a/1.png"]


def test_paths_that_are_wrong_are_named(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"^there is no file and no folder nowhere\.png$"):
        find_files([Path("nowhere.png")])
    with pytest.raises(TrainError) as caught:
        find_files([tmp_path])
    assert str(caught.value) == f"no image is below {tmp_path}"
    assert caught.value.help == (
        "images end in .bmp, .gif, .jfif, .jpe, .jpeg, .jpg, .pgm, .png, .ppm, .tif, .tiff, .webp"
    )


@pytest.mark.parametrize("processes", [1, 2])
def test_images_of_any_mode_and_size_are_fitted_as_in_training(
    processes: int, tmp_path: Path, picture: Callable[..., Image.Image]
) -> None:
    modes = ("RGB", "L", "RGBA", "P", "CMYK", "1")
    for number, mode in enumerate(modes):
        image = picture(number, 6 + number, 9).convert(mode)
        image.save(tmp_path / f"{number}.{'tif' if mode == 'CMYK' else 'png'}")
    picked = find_files([tmp_path])
    assert isinstance(picked.images, ImageFiles)
    picked = replace(picked, images=replace(picked.images, processes=processes))
    (part,) = read(picked, Wanted(ABOUT.shape))
    assert (part.rescaled, part.places) == (5, list(range(6)))
    for number, pixels in enumerate(part.pixels):
        with Image.open(picked.file(number)) as opened:
            image = opened.convert("RGBA").convert("RGB") if opened.mode == "P" else opened
            image = image.convert("RGB")
        expected = ImageOps.fit(image, (9, 6), Image.Resampling.BILINEAR)
        assert np.array_equal(pixels, np.asarray(expected)), picked.file(number)


def test_many_chunks_keep_their_order(
    tmp_path: Path, save: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netdsl.train.data.images._FILES", 3)
    for number in range(10):
        save(tmp_path / f"{number}.png", number, 6, 9)
    (tmp_path / "4.png").write_text("none")
    parts = list(read(find_files([tmp_path]), Wanted(ABOUT.shape, skip=True)))
    assert [part.places for part in parts] == [[0, 1, 2], [3, 5], [6, 7, 8], [9]]
    assert [part.bad for part in parts] == [{}, {4: f"{tmp_path}/4.png is not an image"}, {}, {}]


@pytest.mark.parametrize(("height", "rescaled"), [(8, 0), (6, 20)])
def test_images_that_are_arrays_are_fitted_and_counted(height: int, rescaled: int) -> None:
    picked = pick_split("digits", "val")
    picked = replace(picked, positions=picked.positions[:20], labels=picked.labels[:20])
    (part,) = read(picked, Wanted((3, height, 8)))
    assert (part.rescaled, part.places, part.bad) == (rescaled, list(range(20)), {})
    (block,) = picked.images.blocks(picked.positions, Wanted())
    for pixels, stored in zip(part.pixels, block.pixels, strict=True):
        image = Image.fromarray(stored.squeeze(2)).convert("RGB")
        expected = ImageOps.fit(image, (8, height), Image.Resampling.BILINEAR)
        assert np.array_equal(pixels, np.asarray(expected))


def test_every_image_gets_its_own_answer(tmp_path: Path, settings: Settings) -> None:
    for number in range(40):  # more than a batch
        level = 6 * number
        rows = np.full((6, 9, 3), 120, np.uint8)
        rows[0] = level
        Image.fromarray(rows).save(tmp_path / f"{number:02}.png")
    found = answer(Brightness(), ABOUT, find_files([tmp_path]), settings, top=5)
    assert [each.name for each in found.answers] == [f"{number:02}.png" for number in range(40)]
    assert [each.classes[0] for each in found.answers] == [1] * 20 + [0] * 20  # 6 * 20 is 120
    first = torch.tensor([0 / 255, 120 / 255]).sub(0.5).div(0.25).softmax(0)
    assert found.answers[0].probabilities == pytest.approx(sorted(first.tolist())[::-1])
    assert (found.rescaled, found.bad) == (0, {})


def test_broken_images_are_named_or_left_out(animals: Path, settings: Settings) -> None:
    broken = animals / "cat" / "3.png"
    broken.write_bytes(broken.read_bytes()[:50])
    picked = find_files([animals])
    with pytest.raises(TrainError) as caught:
        answer(Brightness(), ABOUT, picked, settings)
    assert str(caught.value).startswith(f"{broken} is ")
    found = answer(Brightness(), ABOUT, picked, settings, skip=True)
    assert len(found.answers) == 14
    assert list(found.bad) == [str(broken)]
    for file in [*animals.glob("cat/*"), *animals.glob("dog/*")]:
        file.write_text("none")
    with pytest.raises(
        TrainError, match=r"^none of 15 images can be read: .*0\.png is not an image$"
    ):
        answer(Brightness(), ABOUT, picked, settings, skip=True)


def test_a_score_is_the_evaluation_of_the_same_images(
    animals: Path, settings: Settings, make_network: Callable[[DataSet], nn.Module]
) -> None:
    from netdsl.train import load

    data = load(str(animals))
    about = About("", data.shape, data.classes, data.mean, data.std)
    model = make_network(data)
    place(model, settings)
    picked, left = pick_split(str(animals), "val").known_to(about)
    found = score(model, about, picked, settings)
    expected = evaluate(model, data, settings)
    assert (left, found.rescaled, found.evaluation.n) == (None, 0, expected.n)
    assert found.evaluation.accuracy == expected.accuracy
    assert found.evaluation.loss == pytest.approx(expected.loss, rel=1e-5)


def test_classes_are_matched_by_name(animals: Path) -> None:
    (animals / "eel").mkdir()
    Image.new("RGB", (9, 6)).save(animals / "eel" / "0.png")
    picked = pick_split(str(animals), "all")
    about = replace(ABOUT, classes=("eel", "dog", "cat"))
    found, left = picked.known_to(about)
    assert (found.labels.tolist(), left) == ([2] * 10 + [1] * 5 + [0], None)
    found, left = picked.known_to(replace(ABOUT, classes=("dog", "cat")))
    assert found.labels.tolist() == [1] * 10 + [0] * 5
    assert left == "1 of 16 images is left out: the network does not know 1 of 3 classes"
    assert [found.file(place) for place in (0, 14)] == ["cat/0.png", "dog/4.PNG"]
    with pytest.raises(TrainError) as caught:
        picked.known_to(replace(ABOUT, classes=("cow", "cat", "pig", "ox")))
    assert str(caught.value) == (
        "class dog of animals, all is not among the 4 that the network tells: cow, cat, pig, …"
    )


def test_classes_of_tiny_imagenet_are_matched_by_their_ids(official: Path) -> None:
    picked = pick_split("tiny-imagenet", "val", data_dir=official)
    assert picked.class_ids[:2] == ("n00000000", "n00000009")
    backwards = replace(
        ABOUT, classes=tuple(f"word {n}" for n in range(200)), class_ids=picked.class_ids[::-1]
    )
    found, left = picked.known_to(backwards)
    assert (found.labels.tolist(), left) == (list(range(199, -1, -1)), None)
    old = replace(ABOUT, classes=picked.classes)
    assert picked.known_to(old)[0].labels.tolist() == list(range(200))


def test_splits_that_are_not_there_are_refused(official: Path, animals: Path) -> None:
    picked = pick_split("tiny-imagenet", "test", data_dir=official)
    assert [picked.file(place) for place in range(len(picked))] == ["test/images/test_0.JPEG"]
    with pytest.raises(TrainError) as caught:
        picked.known_to(ABOUT)
    assert str(caught.value) == "the classes of tiny-imagenet, test are not known"
    assert caught.value.help == "`netdsl predict` tells them"
    with pytest.raises(TrainError) as caught:
        pick_split(str(animals), "test")
    assert (str(caught.value), caught.value.help) == (
        "animals has no test images", "it has train, val, all"
    )  # fmt: skip
    assert caught.value.exit_code == ExitCode.USAGE


def test_a_folder_may_have_test_images(tmp_path: Path, save: Callable[..., None]) -> None:
    for part, count in (("train", 3), ("test", 2)):
        for name in ("cat", "dog"):
            for number in range(count):
                save(tmp_path / part / name / f"{number}.png", number, 6, 9)
    picked = pick_split(str(tmp_path), "test")
    assert [picked.file(place) for place in range(len(picked))] == [
        "cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png"
    ]  # fmt: skip
