"""Answers written down: CSV, JSON and submissions, of any name."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdsl.train import TrainError
from netdsl.train.data.images import ImageFiles
from netdsl.train.inference import (
    About,
    Answer,
    Answers,
    Picked,
    refuse_unfit_submission,
    submission_ids,
    to_csv,
    to_json,
    to_submission,
)

ABOUT = About("", (3, 6, 9), ("cat", "dog"), (0.5,) * 3, (0.25,) * 3)
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


def test_a_submission_that_cannot_be_is_refused_before_anything_is_computed() -> None:
    names = ["a/0.png", "b/0.png", "b/1.png"]
    unknown = np.full(3, -1)
    files = Picked("t", ImageFiles(None, names), np.arange(3), unknown)  # type: ignore[arg-type]
    with pytest.raises(TrainError, match=r"^2 images are called 0\.png\n"):
        refuse_unfit_submission(WORDS, files)
    refuse_unfit_submission(WORDS, replace(files, positions=np.arange(1, 3)))
    with pytest.raises(TrainError, match=r"^a submission calls classes by ids, and of goldfish, "):
        refuse_unfit_submission(replace(WORDS, class_ids=()), files)
