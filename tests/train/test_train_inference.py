"""Inference: folding changes nothing but the time, and every image comes to its own answer."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from torch import Tensor, nn

import netdsl
from netdsl.train import DataSet, ExitCode, RunFolder, Settings, TrainError, evaluate, train
from netdsl.train.batches import feed
from netdsl.train.data.images import ImageFiles
from netdsl.train.data.source import Wanted
from netdsl.train.evaluation import place
from netdsl.train.inference import (
    About,
    Answer,
    Answers,
    Picked,
    about_weights,
    answer,
    find_files,
    fold,
    make_fast,
    pick_split,
    predict,
    score,
    submission_ids,
    to_csv,
    to_json,
    to_submission,
)
from netdsl.train.inference.read import read
from netdsl.train.weights import save_weights

DENSE = """
input 3x32x32 classes 10
k = 6
def Dense(k) { Cat( | Norm Act Conv 4*k 1x1 Conv k norm=none act=none bias=off) }
Conv 12 (Dense k)x3 Norm Act Conv 16 1x1 norm=none act=none Avg 2 (Dense k)x3 Norm Act GAP FC classes
"""
NETWORKS = {
    "resnet20": (lambda: netdsl.load("resnet20"), 19, 19),
    "net1": (lambda: netdsl.load("net1"), 14, 14),
    "mobilenet_v2": (lambda: netdsl.load("mobilenet_v2", input=(3, 33, 47), classes=5), 52, 52),
    "dense": (lambda: netdsl.parse(DENSE), 15, 7),
}


def scramble(model: nn.Module, seed: int = 0) -> nn.Module:
    """Give every batch norm statistics, scales and shifts as after a training."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for norm in model.modules():
            if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
                norm.running_mean.normal_(0, 0.3, generator=random)
                norm.running_var.uniform_(0.5, 1.5, generator=random)
                norm.weight.uniform_(0.5, 1.5, generator=random)
                norm.bias.normal_(0, 0.2, generator=random)
    return model


def normal(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def far(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_folded_network_gives_the_same(name: str) -> None:
    make, norms, folded = NETWORKS[name]
    network = make()
    model = scramble(network.module())
    images = normal(3, *network.input_shape)
    found = fold(model)
    with torch.no_grad():
        expected = model.eval()(images)
        assert (found.norms, found.folded, found.reason) == (norms, folded, None)
        assert far(found.model(images), expected) < 1e-6
        left = sum(isinstance(module, nn.BatchNorm2d) for module in found.model.modules())
        assert left == norms - folded


@pytest.mark.parametrize("name", NETWORKS)
def test_bf16_stays_within_a_hundredth(name: str) -> None:
    network = NETWORKS[name][0]()
    model = scramble(network.module()).eval()
    images = normal(4, *network.input_shape)
    with torch.no_grad():
        expected = model(images)
        found = make_fast(model, Settings(precision="bf16"))(images)
    assert found.dtype == torch.float32
    assert float((found - expected).norm() / expected.norm()) < 1e-2


def test_the_network_that_is_given_stays_as_it_is() -> None:
    model = scramble(netdsl.load("resnet20").module())
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    strides = {name: tensor.stride() for name, tensor in model.state_dict().items()}
    make_fast(model, Settings(precision="bf16"))
    after = model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert all(tensor.stride() == strides[name] for name, tensor in after.items())
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())


class Shared(nn.Module):
    """A convolution that runs twice, its norm once."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(self.conv(x)))


class ReadTwice(Shared):
    """A convolution whose output somebody else reads too."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return y + self.norm(y)


class OwnWeights(Shared):
    """A forward that reads the weights of the convolution by itself."""

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)) * self.conv.weight.mean()


class Scaled(nn.Conv2d):
    """A convolution that does something else."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).square()


@pytest.mark.parametrize(
    "model",
    [
        Shared(),
        ReadTwice(),
        OwnWeights(),
        nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 5, 3)),
        nn.Sequential(Scaled(4, 5, 3), nn.BatchNorm2d(5)),
        nn.Sequential(nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5, track_running_stats=False)),
    ],
    ids=["shared", "read twice", "own weights", "norm first", "subclass", "no statistics"],
)
def test_what_cannot_be_folded_is_left(model: nn.Module) -> None:
    if not any(getattr(m, "track_running_stats", True) is False for m in model.modules()):
        scramble(model)
    model.eval()
    images = normal(2, 4, 9, 7)
    found = fold(model)
    assert (found.norms, found.folded, found.reason) == (1, 0, None)
    assert torch.equal(found.model(images), model(images))


def test_norms_behind_linear_layers_and_groups_are_folded() -> None:
    model = scramble(
        nn.Sequential(
            nn.Conv2d(4, 6, 3, groups=2, bias=False, padding=1, padding_mode="reflect"),
            nn.BatchNorm2d(6, affine=True, eps=0.1), nn.ReLU(), nn.Flatten(),
            nn.Linear(6 * 5 * 7, 3), nn.BatchNorm1d(3),
        )
    ).eval()  # fmt: skip
    found, images = fold(model), normal(3, 4, 5, 7)
    assert (found.norms, found.folded) == (2, 2)
    with torch.no_grad():
        assert far(found.model(images), model(images)) < 1e-6


class Counting(nn.Module):
    """A forward that asks what it is given, which cannot be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten())

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x) if x.sum() > 0 else -self.net(x)


def test_a_network_that_cannot_be_traced_runs_as_it_is() -> None:
    model, images = scramble(Counting()).eval(), normal(2, 3, 5, 5)
    fast = make_fast(model, Settings(precision="fp32", channels_last=False))
    assert (fast.norms, fast.folded) == (1, 0)
    assert fast.reason == "symbolically traced variables cannot be used as inputs to control flow"
    assert torch.equal(fast(images), model(images))


def test_predict_gives_the_probabilities_of_a_plain_loop() -> None:
    torch.manual_seed(0)
    model = scramble(
        nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Flatten(), nn.Linear(6 * 3 * 5, 4))
    )
    images = torch.randint(0, 256, (7, 3, 5, 7), dtype=torch.uint8)
    mean, std = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]
    settings = Settings(batch_size=3, precision="fp32")
    found = predict(model, images, mean=mean, std=std, settings=settings)
    shape = (1, 3, 1, 1)
    plain = (images / 255 - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)
    with torch.no_grad():
        expected = model.eval()(plain).softmax(1)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.sum(1), torch.ones(7))


def test_predict_refuses_images_that_are_normalised_already() -> None:
    with pytest.raises(ValueError, match=r"^images are uint8 \(N, C, H, W\), not torch\.float32"):
        predict(nn.Flatten(), torch.zeros(1, 3, 2, 2), mean=[0.5] * 3, std=[0.2] * 3)


@pytest.mark.parametrize("normalise", ["channel", "global", "pixel"])
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
    expected = feed(digits.val, digits, settings)
    found = about.feed(rows, digits.val.labels, settings)
    assert torch.equal(found.normalise(found.rows), expected.normalise(expected.rows))
    assert (about.classes, about.ids, about.shape) == (digits.classes, digits.classes, (1, 8, 8))


@pytest.mark.parametrize(
    ("about", "fault"),
    [
        ({}, "w.safetensors does not say which network it is of"),
        ({"network": 3}, "w.safetensors does not say soundly what its network takes and tells: "
                         "3 is no text"),
        ({"network": "FC 2", "shape": [3, 2, 0]},
         "w.safetensors does not say soundly what its network takes and tells: shape [3, 2, 0]"),
        ({"network": "FC 2", "shape": [3, 2, 2], "classes": ["a", "b"], "mean": [0.5], "std": [1]},
         "w.safetensors does not say soundly what its network takes and tells: 1 means"),
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


def test_paths_that_are_wrong_are_named(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"^there is no file and no folder nowhere\.png$"):
        find_files([Path("nowhere.png")])
    with pytest.raises(TrainError) as caught:
        find_files([tmp_path])
    assert str(caught.value) == f"no image is below {tmp_path}"
    assert caught.value.help == (
        "images end in .bmp, .gif, .jpeg, .jpg, .pgm, .png, .ppm, .tif, .tiff, .webp"
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
    monkeypatch.setattr("netdsl.train.inference.read._IMAGES", 3)
    for number in range(10):
        save(tmp_path / f"{number}.png", number, 6, 9)
    (tmp_path / "4.png").write_text("none")
    parts = list(read(find_files([tmp_path]), Wanted(ABOUT.shape, skip=True)))
    assert [part.places for part in parts] == [[0, 1, 2], [3, 5], [6, 7, 8], [9]]
    assert [part.bad for part in parts] == [{}, {4: f"{tmp_path}/4.png is not an image"}, {}, {}]


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
    assert left == "1 of 16 images are left out: the network does not know 1 of 3 classes"
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


FOUND = Answers(
    (Answer("t/test_10.JPEG", (1, 0), (0.75, 0.25)), Answer("t/test_9.JPEG", (0, 1), (0.6, 0.4))),
    1,
    {"t/x.png": "t/x.png is not an image"},
)
WORDS = replace(ABOUT, classes=("goldfish, carp", "cat"), class_ids=("n01", "n02"))


def test_a_csv_has_a_line_a_class() -> None:
    assert to_csv(FOUND, WORDS).decode() == (
        "file,rank,class,id,probability\n"
        "t/test_10.JPEG,1,cat,n02,0.75\n"
        't/test_10.JPEG,2,"goldfish, carp",n01,0.25\n'
        't/test_9.JPEG,1,"goldfish, carp",n01,0.6\n'
        "t/test_9.JPEG,2,cat,n02,0.4\n"
    )


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=9))
def test_any_name_of_a_file_comes_back_from_a_csv(names: list[str]) -> None:
    found = Answers(tuple(Answer(name, (0,), (0.5,)) for name in names), 0, {})
    rows = list(csv.DictReader(io.StringIO(to_csv(found, ABOUT).decode(), newline="")))
    assert [row["file"] for row in rows] == names


def test_names_that_are_no_utf8_are_written_as_they_are() -> None:
    found = Answers((Answer("\udcff.png", (0,), (0.5,)),), 0, {})
    assert b"\n\xff.png,1,cat" in to_csv(found, ABOUT)
    assert to_submission(found, ABOUT.ids) == b"\xff.png cat\n"
    assert json.loads(to_json(found, ABOUT, {}))["images"][0]["file"] == "\udcff.png"


def test_json_holds_all_of_it() -> None:
    record = json.loads(to_json(FOUND, WORDS, {"run": "r"}))
    assert (record["run"], record["rescaled"], record["bad"]) == ("r", 1, FOUND.bad)
    assert record["images"][0] == {
        "file": "t/test_10.JPEG",
        "classes": [
            {"class": "cat", "id": "n02", "probability": 0.75},
            {"class": "goldfish, carp", "id": "n01", "probability": 0.25},
        ],
    }


def test_a_submission_has_a_line_an_image_in_the_order_of_their_numbers() -> None:
    assert to_submission(FOUND, WORDS.ids) == b"test_9.JPEG n01\ntest_10.JPEG n02\n"


def test_a_submission_that_could_not_be_read_is_refused() -> None:
    with pytest.raises(TrainError) as caught:
        to_submission(replace(FOUND, answers=(*FOUND.answers, FOUND.answers[0])), WORDS.ids)
    assert str(caught.value) == "2 images are called test_10.JPEG"
    nobody = Picked("t", ImageFiles(None, []), np.arange(0), np.arange(0))  # type: ignore[arg-type]
    with pytest.raises(TrainError) as caught:
        submission_ids(replace(WORDS, class_ids=()), nobody)
    assert str(caught.value) == (
        "a submission calls classes by ids, and of goldfish, carp none is known"
    )
    helpful = replace(nobody, classes=WORDS.classes, class_ids=("n7", "n8"))
    assert submission_ids(replace(WORDS, class_ids=()), helpful) == ("n7", "n8")
