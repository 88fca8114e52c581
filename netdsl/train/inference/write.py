"""The likeliest classes of images to the bytes of a file: CSV, JSON, a submission."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.inference.about import About
from netdsl.train.inference.answers import Answer, Answers
from netdsl.train.inference.pick import Picked

HEADER = ("file", "rank", "class", "id", "probability")


def to_csv(found: Answers, about: About) -> bytes:
    """Return a table with a line for each class of each image, the likeliest first."""
    text = io.StringIO()
    # NOTE: before Python 3.13 a carriage return by itself was not quoted.
    torn = any("\r" in answer.file for answer in found.answers)
    how: Literal[0, 1] = csv.QUOTE_ALL if torn else csv.QUOTE_MINIMAL
    writer = csv.writer(text, lineterminator="\n", quoting=how)
    writer.writerow(HEADER)
    for answer in found.answers:
        for rank, (label, chance) in enumerate(_ranked(answer), start=1):
            writer.writerow(
                (answer.file, rank, about.classes[label], about.ids[label], f"{chance:.6g}")
            )
    return _encoded(text.getvalue())


def to_json(found: Answers, about: About, more: dict[str, object]) -> bytes:
    """Return an object with every image and its classes, and `more` before them."""
    images = [
        {
            "file": answer.file,
            "classes": [
                {"class": about.classes[label], "id": about.ids[label], "probability": chance}
                for label, chance in _ranked(answer)
            ],
        }
        for answer in found.answers
    ]
    record = {**more, "rescaled": found.rescaled, "bad": dict(found.bad), "images": images}
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    return text.encode(errors="backslashreplace")  # which is how JSON writes them


def to_submission(found: Answers, ids: tuple[str, ...]) -> bytes:
    """Return what Tiny ImageNet's server took: `test_0.JPEG n04067472`, one line an image.

    Lines are in the order of the numbers in the names.
    """
    _refuse_alike(answer.name for answer in found.answers)
    lines = sorted(found.answers, key=_by_number)
    return _encoded("".join(f"{each.name} {ids[each.classes[0]]}\n" for each in lines))


def refuse_unfit_submission(about: About, picked: Picked) -> None:
    """Raise for images of which no submission can be written, before any is looked at."""
    submission_ids(about, picked)
    _refuse_alike(Path(picked.file(place)).name for place in range(len(picked)))


def submission_ids(about: About, picked: Picked) -> tuple[str, ...]:
    """Return what a submission calls the classes: WordNet's ids for Tiny ImageNet."""
    # Weights that were written before they held ids are helped out by the data that are predicted.
    helped = not about.class_ids and about.classes == picked.classes
    ids = picked.class_ids if helped and picked.class_ids else about.ids
    if spaced := [name for name in ids if len(name.split()) != 1]:
        raise TrainError(
            f"a submission calls classes by ids, and of {spaced[0]} none is known",
            "predict a split of the data that the network was trained on: --data",
        )
    return ids


def _refuse_alike(names: Iterable[str]) -> None:
    (name, times), *_ = Counter(names).most_common(1)
    if times > 1:
        raise TrainError(
            f"{times} images are called {name}",
            "a submission names an image by its file alone: predict one folder",
            ExitCode.USAGE,
        )


def _encoded(text: str) -> bytes:
    """Return the bytes of a text in which names of files are as the system has them."""
    return text.encode(errors="surrogateescape")


def _ranked(answer: Answer) -> zip[tuple[int, float]]:
    return zip(answer.classes, answer.probabilities, strict=True)


def _by_number(answer: Answer) -> list[tuple[int, str]]:
    """Sort test_9 before test_10."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part)
        for part in re.split(r"([0-9]+)", answer.name)
    ]
