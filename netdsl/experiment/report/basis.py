"""Results to what their numbers are of: data, images, epochs, and what all that was cut to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path, PurePath
from typing import Any

from netdsl.amounts import counted
from netdsl.experiment.plan import Job
from netdsl.experiment.report.networks import asked_at, stages_settings
from netdsl.experiment.report.outcome import Outcome
from netdsl.experiment.report.results import Results
from netdsl.experiment.report.words import pairs
from netdsl.train import DATA_SETS

_CUTS: Mapping[str, Callable[[object], str]] = {
    "data": lambda name: f"images of {_data(str(name))}",
    "classes": lambda number: f"the first {number} classes",
    "limit": lambda number: f"{number:,} training images",
    "input": lambda shape: f"images of {shape}",
    "epochs": lambda number: counted(int(str(number)), "epoch"),
    "seeds": lambda number: counted(int(str(number)), "seed"),
}
_TOLD = ("data", "epochs")  # before what it was cut to
_NO_CUT = ("seeds", "fit")  # what images and training are left whole by


def trained_on(results: Results) -> str:
    """Say what was trained on, for how long, and what that was cut to; no more than is known.

    How many training images there were is reckoned from the plan's multiply-adds; of a training by
    stages, whose networks may differ, it is not known.
    """
    images = {_training_images(run.job) for run in results.runs}
    classes = {run.classes for run in results.runs if run.state == "finished"}
    epochs = {run.job.epochs for run in results.runs}
    most = "at most " if any(has_patience(run) for run in results.runs) else ""
    long = f"{most}{_span(epochs)} epoch{'' if epochs == {1} else 's'}"
    data = results.plan.data
    said = {
        key: value for key, value in cuts(results).items()
        if key != "classes" or _is_part(data, value)
    }  # fmt: skip
    is_limit = images == {said.get("limit")}  # which is told as a cut
    on = "" if 0 in images or is_limit else f"{_span(images)} images of "
    is_known = classes and 0 not in classes and "classes" not in said
    of = f" ({_span(classes)} classes)" if is_known else ""
    found = cut({key: value for key, value in said.items() if key not in _TOLD})
    tail = f", cut to {found}" if found else ""
    return f"Trained for {long} on {on}{_data(data)}{of}{tail}."


def validating(results: Results) -> str:
    """Name the images that validate, with their number where the plan tells one for all runs."""
    number, *others = {run.job.val_images for run in results.runs}
    return "validation images" if others or not number else counted(number, "validation image")


def has_patience(run: Outcome) -> bool:
    """Say whether validation may have ended a run, or a stage of it, before its time."""
    return any(settings.get("patience") for settings in stages_settings(run))


def cuts(results: Results) -> Mapping[str, object]:
    """Return what images and training were cut to: by the budget, or by what the file says."""
    found = {key: value for key, value in shared_budget(results).items() if key not in _NO_CUT}
    own = [_own_cuts(run) for run in results.runs if asked_at(run)]
    shared = own[0].items() if own and all(one == own[0] for one in own) else ()
    return {**found, **{key: value for key, value in shared if key not in found}}


def is_cut(results: Results) -> bool:
    """Say whether anything of images or training was left out of any run, as far as is known."""
    budget = {key for key in results.plan.budget if key not in _NO_CUT}
    return bool(budget) or any(_own_cuts(run) for run in results.runs)


def shared_budget(results: Results) -> Mapping[str, object]:
    """Return what the budget says of all rows: not how long, where networks or stages differ."""
    budget = results.plan.budget
    if {row.job.epochs for row in results.rows} == {budget.get("epochs")}:
        return budget
    return {key: value for key, value in budget.items() if key not in ("epochs", "milestones")}


def cut(budget: Mapping[str, object]) -> str:
    """Return what a budget leaves of an experiment, in words; a unit says nothing by itself.

    >>> cut({"limit": 5000, "epochs": 8, "unit": "epochs", "milestones": []})
    '5,000 training images, 8 epochs'
    """
    said = {key: value for key, value in budget.items() if key != "fit"}
    if "classes" in said and not _is_part(said.get("data"), said["classes"]):
        del said["classes"]  # these are all
    if not said.get("milestones"):
        said = {key: value for key, value in said.items() if key not in ("unit", "milestones")}
    found = [words(said.pop(key)) for key, words in _CUTS.items() if key in said]
    return ", ".join([*found, *filter(None, [pairs(said)])])


def _own_cuts(run: Outcome) -> dict[str, object]:
    """Return how many images or classes a run was told to leave it at."""
    asked: Any = asked_at(run).get("data") or {}
    data, limit, classes = (asked.get(key) for key in ("data", "limit", "limit_classes"))
    found = {"limit": limit} if limit is not None else {}
    is_few = classes is not None and data in DATA_SETS and _is_part(data, classes)
    return {**found, **({"classes": classes} if is_few else {})}


def _is_part(data: object, classes: object) -> bool:
    """Say whether so many classes may be fewer than a data set has."""
    entry = DATA_SETS.get(str(data))
    return entry is None or entry.free or entry.classes != classes


def _training_images(job: Job) -> int:
    """Return how many images an epoch of a run is of; 0 where its work does not tell."""
    has_stages = len(Path(job.folder).parts) > 2
    each = job.macs * job.epochs
    return 0 if has_stages or each == 0 or job.work % each else job.work // each


def _data(names: str) -> str:
    """Return what data sets are called; a folder of images by its name, wherever it lies.

    >>> _data("digits, /home/ada/birds")
    'digits, birds'
    """
    return ", ".join(PurePath(name).name for name in names.split(", "))


def _span(numbers: Collection[int]) -> str:
    """Return a number, or the smallest and the largest of several.

    >>> _span({8, 32, 16}), _span({5000})
    ('8 to 32', '5,000')
    """
    first, last = min(numbers), max(numbers)
    return f"{first:,}" if first == last else f"{first:,} to {last:,}"
