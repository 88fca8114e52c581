"""What a trained network gets wrong: against counts by hand, plain torch, and the evaluation."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from base64 import b64decode
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor, nn

from netdsl.experiment.analysis import About, Errors, Predictions, find_errors, look, write_errors
from netdsl.experiment.analysis.calibration import calibrate
from netdsl.experiment.analysis.confusion import by_class, count, most_confused, wilson
from netdsl.experiment.analysis.error_figures import draw_classes, draw_confusion, shown_order
from netdsl.experiment.analysis.names import named
from netdsl.experiment.analysis.similarity import by_similarity
from netdsl.train import DataSet, Settings, TrainError, evaluate, load, resolve
from netdsl.train.synonyms import short_names

ABOUT = About("runs/a", "Net 1", "animals", "best")
HOSTILE = ("cat, tabby", "<script>alert(1)</script>", "eel & ray")


@pytest.fixture(scope="module")
def digits() -> DataSet:
    return load("digits", limit=300)


def settings(precision: str) -> Settings:
    return resolve({"batch_size": 32, "device": "cpu", "threads": 1}, {"precision": precision})


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))  # fmt: skip


def predictions(labels: list[int], probabilities: list[list[float]]) -> Predictions:
    numbers = np.array(probabilities)
    order = (-numbers).argsort(1, kind="stable")
    return Predictions(np.array(labels), order[:, 0], order[:, :5], numbers)


@pytest.fixture(scope="module")
def three() -> Predictions:
    """Cats: right, dog, dog; dogs: right, right (unsure); the eel: cat, very sure."""
    return predictions(
        [0, 0, 0, 1, 1, 2],
        [[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.2, 0.7, 0.1], [0.1, 0.9, 0.0], [0.3, 0.4, 0.3], [0.95, 0.02, 0.03]],
    )  # fmt: skip


@pytest.fixture(scope="module")
def animals(digits: DataSet) -> DataSet:
    """Six validation images for the six predictions."""
    part = type(digits.val)(digits.val.images[:6], torch.tensor([0, 0, 0, 1, 1, 2]))
    return DataSet("animals", HOSTILE, part, part, digits.mean, digits.std, (), digits.defaults)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_accuracy_and_top5_are_those_of_the_evaluation(digits: DataSet, precision: str) -> None:
    found = find_errors(look(network(), digits, settings(precision)), digits.classes)
    other = evaluate(network(), digits, settings(precision))
    assert (found.accuracy, found.top5, found.images) == (other.accuracy, other.top5, other.n)
    assert found.loss == pytest.approx(other.loss, rel=1e-5)


def test_images_that_leave_a_device_no_room_are_brought_there_as_they_are_needed(
    digits: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(sizes: list[int], device: str) -> bool:
        asked.append((sizes, device))
        return False

    expected, asked = look(network(), digits, settings("fp32")), []
    monkeypatch.setattr("netdsl.experiment.analysis.predictions.stays", no_room)
    found = look(network(), digits, settings("fp32"))
    assert asked == [([digits.val.images.nbytes], "cpu")]
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)


def test_equal_scores_are_decided_as_the_evaluation_does(digits: DataSet) -> None:
    class Undecided(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.zeros(len(x), 10) + (torch.arange(10) >= 7)

    found = find_errors(look(Undecided(), digits, settings("fp32")), digits.classes)
    other = evaluate(Undecided(), digits, settings("fp32"))
    assert (found.accuracy, found.top5) == (other.accuracy, other.top5)


def test_probabilities_are_those_of_plain_torch(digits: DataSet) -> None:
    model = network().eval()
    with torch.no_grad():
        images = (digits.val.images / 255 - torch.tensor(digits.mean)) / torch.tensor(digits.std)
        expected = model(images).softmax(1)
    found = look(network(), digits, settings("fp32"))
    np.testing.assert_allclose(found.probabilities, expected.numpy(), atol=1e-5)
    assert found.probabilities.sum(1) == pytest.approx(1, abs=1e-12)
    np.testing.assert_array_equal(found.predicted, expected.argmax(1).numpy())


@given(st.integers(2, 5).flatmap(lambda c: st.tuples(st.just(c), st.lists(st.tuples(st.integers(0, c - 1), st.integers(0, c - 1)), min_size=1))))  # fmt: skip
def test_the_matrix_counts_every_pair(drawn: tuple[int, list[tuple[int, int]]]) -> None:
    classes, pairs = drawn
    labels, predicted = map(np.array, zip(*pairs, strict=True))
    matrix, times = count(labels, predicted, classes), Counter(pairs)
    assert all(matrix[i, j] == times[i, j] for i in range(classes) for j in range(classes))
    errors = {(p.true, p.predicted): p.images for p in most_confused(matrix, 99)}
    assert errors == {pair: n for pair, n in times.items() if pair[0] != pair[1]}


def test_classes_and_pairs_are_those_counted_by_hand(three: Predictions) -> None:
    found = find_errors(three, ("cat", "dog", "eel"))
    assert found.confusion.tolist() == [[1, 2, 0], [0, 2, 0], [1, 0, 0]]
    assert [(p.true, p.predicted, p.images) for p in found.confused] == [(0, 1, 2), (2, 0, 1)]
    assert [p.part for p in found.confused] == [pytest.approx(2 / 3), 1.0]
    cat, dog, eel = found.by_class
    assert (cat.accuracy, dog.accuracy, eel.accuracy) == (pytest.approx(1 / 3), 1.0, 0.0)
    assert (cat.precision, dog.precision, eel.precision) == (0.5, 0.5, None)
    assert (found.accuracy, found.top5) == (0.5, 1.0)
    assert found.loss == pytest.approx(-np.log([0.8, 0.3, 0.2, 0.9, 0.4, 0.03]).mean())


def test_a_class_without_images_has_no_accuracy() -> None:
    (_, other) = by_class(count(np.array([0]), np.array([0]), 2))
    assert (other.accuracy, other.precision, other.interval) == (None, None, (0.0, 1.0))


@pytest.mark.parametrize(
    ("right", "images", "interval"),
    # Newcombe 1998, table I, method 3.
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0.0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)  # fmt: skip
def test_intervals_are_those_that_newcombe_prints(
    right: int, images: int, interval: tuple[float, float]
) -> None:
    assert wilson(right, images) == pytest.approx(interval, abs=5e-5)


def test_the_gallery_begins_with_the_most_confident_error(three: Predictions) -> None:
    found = find_errors(three, ("cat", "dog", "eel")).gallery
    assert [(m.image, m.true, m.predicted) for m in found] == [(5, 2, 0), (2, 0, 1), (1, 0, 1)]
    assert [(m.probability, m.probability_of_true) for m in found] == [(0.95, 0.03), (0.7, 0.2), (0.6, 0.3)]  # fmt: skip


def test_the_calibration_error_is_that_by_hand() -> None:
    confidence = np.array([1.0, 0.98, 0.95, 0.94, 0.5, 0.49, 0.07])
    right = np.array([True, True, False, True, False, True, False])
    # Bins of 1/15: (14/15, 1] has four, (7/15, 8/15] two, (1/15, 2/15] one.
    gaps = [4 * abs(0.9675 - 0.75), 2 * abs(0.495 - 0.5), 1 * abs(0.07 - 0)]
    found = calibrate(confidence, right)
    assert found.error == pytest.approx(sum(gaps) / 7)
    assert {k: bin.images for k, bin in enumerate(found.bins) if bin.images} == {1: 1, 7: 2, 14: 4}


def test_a_confidence_on_an_edge_belongs_to_the_bin_below() -> None:
    found = calibrate(np.array([0.25, 0.5, 1.0]), np.array([True, False, True]), bins=4)
    assert [bin.images for bin in found.bins] == [1, 1, 0, 1]


@given(st.permutations(range(12)), st.integers(0, 99))
def test_classes_that_are_mixed_up_become_neighbours(groups: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.arange(12).repeat(3)
    alike = np.array(groups)[:, None] // 4 == np.array(groups) // 4
    numbers = (0.05 + 4 * alike + 10 * np.eye(12))[labels] + rng.uniform(0, 0.1, (36, 12))
    order = by_similarity(labels, numbers / numbers.sum(1, keepdims=True))
    assert sorted(order) == list(range(12))
    runs = [groups[label] // 4 for label in order]
    assert sum(a != b for a, b in pairwise(runs)) == 2


def test_names_are_the_first_synonyms_unless_two_would_be_alike() -> None:
    names = ("goldfish, Carassius auratus", "crane, bird", "crane, machine", "dog")
    assert short_names(names) == ("goldfish", "crane, bird", "crane, machine", "dog")


def test_ids_of_wordnet_get_their_words(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("n01443537\tgoldfish, Carassius auratus\n")
    ids = ("n01443537", "n99999999")
    assert named(ids, tmp_path / "part") == ("goldfish, Carassius auratus", "n99999999")
    assert named(("cat", "n01443537"), tmp_path) == ("cat", "n01443537")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, three: Predictions, animals: DataSet) -> Path:
    """The analysis of the six predictions, written."""
    place = tmp_path_factory.mktemp("run") / "errors"
    return write_errors(find_errors(three, HOSTILE), animals, ABOUT, place).parent


def test_the_folder_holds_tables_figures_and_numbers_that_agree(
    folder: Path, three: Predictions
) -> None:
    found = find_errors(three, HOSTILE)
    assert {path.name for path in folder.iterdir()} == {
        "errors.html", "errors.json", "gallery.png", "confusion.csv", "classes.csv",
        "confused.csv", "calibration.csv", "confusion.svg", "confusion.png", "classes.svg",
        "classes.png", "calibration.svg", "calibration.png",
    }  # fmt: skip
    header, *rows = csv.reader(io.StringIO((folder / "confusion.csv").read_text()))
    assert header == ["class", *HOSTILE]
    assert [row[1:] for row in rows] == [["1", "2", "0"], ["0", "2", "0"], ["1", "0", "0"]]
    numbers = json.loads((folder / "errors.json").read_text())
    assert (numbers["accuracy"], numbers["ece"]) == (0.5, found.calibration.error)
    assert numbers["confused"][0] == {"true": HOSTILE[0], "predicted": HOSTILE[1], "images": 2, "part": pytest.approx(2 / 3)}  # fmt: skip
    assert numbers["gallery"][0]["true"] == HOSTILE[2]


def test_the_page_needs_nothing_else_and_escapes_every_name(folder: Path) -> None:
    page = (folder / "errors.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(sources) == 3 + 3  # figures, errors
    assert all(source.startswith("data:image/") for source in sources)
    assert "<dd>50.00%</dd>" in page
    assert "top-5" not in page  # of three classes


def test_the_gallery_shows_the_pixels_of_the_errors(folder: Path, animals: DataSet) -> None:
    page = (folder / "errors.html").read_text()
    first = re.findall(r'<figure><img alt="" src="data:image/png;base64,([^"]*)"', page)[0]
    shown = np.asarray(Image.open(io.BytesIO(b64decode(first))))
    own = animals.val.images[5, 0].numpy()
    np.testing.assert_array_equal(shown[::12, ::12], own)  # 8 pixels enlarged to 96


def test_a_network_without_errors_is_written_too(tmp_path: Path, animals: DataSet) -> None:
    right = predictions([0, 0, 0, 1, 1, 2], np.eye(3)[[0, 0, 0, 1, 1, 2]].tolist())
    page = write_errors(find_errors(right, HOSTILE), animals, ABOUT, tmp_path).read_text()
    assert "No image is taken for another class." in page
    assert "There is no error." in page


def test_a_page_of_a_single_image_says_so(tmp_path: Path, animals: DataSet) -> None:
    data = replace(animals, val=type(animals.val)(animals.val.images[:1], torch.tensor([1])))
    found = find_errors(predictions([1], [[0.1, 0.7, 0.2]]), HOSTILE)
    page = write_errors(found, data, ABOUT, tmp_path).read_text()
    assert "1 validation image of 3 classes.</p>" in page


def test_a_folder_that_cannot_be_made_is_said(
    tmp_path: Path, three: Predictions, animals: DataSet
) -> None:
    (tmp_path / "errors").write_text("mine")
    with pytest.raises(TrainError) as caught:
        write_errors(find_errors(three, HOSTILE), animals, ABOUT, tmp_path / "errors")
    assert str(caught.value) == f"cannot make {tmp_path / 'errors'}: File exists"
    assert caught.value.exit_code == 6


def many(classes: int) -> Errors:
    rng = random.Random(0)
    labels = [label for label in range(classes) for _ in range(3)]
    logits = np.array([[rng.gauss(0, 1) + 2 * (i == label) for i in range(classes)] for label in labels])  # fmt: skip
    numbers = np.exp(logits)
    names = tuple(f"class {label}" for label in range(classes))
    return find_errors(predictions(labels, (numbers / numbers.sum(1, keepdims=True)).tolist()), names)  # fmt: skip


def test_names_in_letters_that_no_font_has_are_drawn_without_a_warning(
    three: Predictions,
) -> None:
    found = find_errors(three, ("Katze 猫", "Hund 犬", "Aal 鰻"))
    assert "Katze 猫" in draw_confusion(found)["svg"].decode()


def test_many_classes_are_named_as_far_as_there_is_room() -> None:
    found = many(130)
    assert sorted(shown_order(found)) == list(range(130))
    svg = draw_confusion(found)["svg"].decode()
    assert "class (one of 3 is named)" in svg
    assert len(set(re.findall(r">(class \d+)<", svg))) == 44
    bars = draw_classes(found)["svg"].decode()
    assert len(set(re.findall(r">(class \d+)<", bars))) == 40
    assert ">90 classes between<" in bars


def test_few_classes_stand_in_their_own_order_with_their_counts() -> None:
    found = many(7)
    assert shown_order(found) == tuple(range(7))
    svg = draw_confusion(found)["svg"].decode()
    shown = re.findall(r"text-anchor: middle[^>]*>(\d+)<", svg)
    assert sorted(map(int, shown)) == sorted(int(n) for n in found.confusion.flatten() if n)


@pytest.mark.parametrize("classes", [10, 12])
def test_no_letter_of_a_figure_is_cut_off_at_its_edge(classes: int) -> None:
    found = many(classes)
    for draw in (draw_confusion, draw_classes):
        pixels = np.asarray(Image.open(io.BytesIO(draw(found)["png"])).convert("L"))
        assert min(pixels[edge].min() for edge in np.s_[0, -1, (..., 0), (..., -1)]) > 250


def test_a_dollar_in_a_name_is_no_formula(three: Predictions) -> None:
    found = find_errors(three, ("$5$ bill", "a$^$", "eel"))
    assert ">$5$ bill<" in draw_confusion(found)["svg"].decode()
    assert ">a$^$<" in draw_classes(found)["svg"].decode()


def test_equal_numbers_give_equal_figures() -> None:
    assert draw_confusion(many(3)) == draw_confusion(many(3))
