"""`netdsl evaluate`: a run or a file of weights, and its accuracy on images with labels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netdsl.amounts import counted
from netdsl.cli.asked import DATA_NOW, images_here
from netdsl.cli.idle import note_idle, note_idle_images, note_idle_place
from netdsl.cli.images import BAD_IMAGE, bring_missing, folder_of
from netdsl.cli.kinds import PLACE, TEXT
from netdsl.cli.resume import reopen_unchanged
from netdsl.cli.trained import (
    holdout_of,
    how_chosen,
    how_computed,
    open_trained,
    settings_of,
    take_flags,
    tell_left_out,
    trained_options,
)
from netdsl.trained import Trained, asked_of

if TYPE_CHECKING:
    from netdsl.train import RunFolder, Settings
    from netdsl.train.inference import Picked, Score

WORDS = {"train": "training", "val": "validation", "test": "test", "all": "labelled"}


@click.command("evaluate")
@click.argument("path", metavar="RUN|WEIGHTS", type=PLACE)
@trained_options
@click.option("--data", type=TEXT, metavar="NAME|FOLDER", help="Other images than those of the "
              "run; classes are matched by their names.")  # fmt: skip
@DATA_NOW
@click.option("--split", type=click.Choice(["train", "val", "test", "all"]), default="val",
              show_default=True, help="Which images; all: whose class is known.")  # fmt: skip
@BAD_IMAGE
@click.option("--fast", is_flag=True, help="Compute as `predict` does: batch norms folded, bf16 "
              "weights where the machine is faster in it.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(path: Path, weights: str | None, fast: bool, as_json: bool, **options: Any) -> None:
    """Evaluate the network of a RUN folder, or of a file of WEIGHTS.

    Without further options, a run gives exactly the accuracy that it recorded: on its own
    validation images, computed as in training.
    """
    from netdsl.allocator import keep_memory
    from netdsl.train.inference import make_fast

    keep_memory()
    chosen = take_flags(options)
    trained = open_trained(path, weights)
    if trained.run is None and options["data"] is None:
        raise click.UsageError(f"{path} is a file of weights and has no images: give --data")
    settings = settings_of(trained, chosen, fast=fast)
    model: Any = trained.module()
    if fast:
        model = make_fast(model, settings)
    # What is fast has its precision in itself.
    how = replace(settings, precision="fp32") if fast else settings
    found = _score(trained, model, how, **options)
    record = _record(trained, options, found) | how_computed(model, settings)
    note = _note(trained, options, found)
    if as_json:
        click.echo(json.dumps(record | {"note": note}))
        return
    click.echo(_line(trained, options, found))
    if note:
        click.echo(note)


def _score(
    trained: Trained, model: Any, settings: Settings, *,
    data: str | None, data_dir: Path | None, split: str, on_bad_image: str,
) -> Score:  # fmt: skip
    """Evaluate on the run's own images as it read them, or on others."""
    from netdsl.cli.progress import decoding
    from netdsl.train.evaluation import place
    from netdsl.train.inference import score

    if data is not None:
        note_idle_images({"data": data, "on_bad_image": on_bad_image}, data_dir)
    if trained.run is not None and data is None and split in {"train", "val"}:
        if on_bad_image != "error":
            note_idle("--on-bad-image", f"{trained.path} reads its own images as it did before")
        return _score_own(trained, model, settings, data_dir, split)
    picked = _picked(trained, data, data_dir, split)
    picked, left = picked.known_to(trained.about)
    if left:
        click.echo(left, err=True)
    place(model, settings)
    with decoding(picked.where) as told:
        found = score(
            model, trained.about, picked, settings, skip=on_bad_image == "skip", told=told
        )
    tell_left_out(found.bad, found.rescaled, len(picked), trained.about)
    return found


def _score_own(
    trained: Trained, model: Any, settings: Settings, data_dir: Path | None, split: str
) -> Score:
    from netdsl import train
    from netdsl.train.inference import Score

    run = trained.run
    assert run is not None, "weights alone have no images"
    _, images = reopen_unchanged(run, data_dir)
    seen = images if split == "val" else replace(images, val=images.train)
    return Score(train.evaluate(model, seen, settings))


def _picked(trained: Trained, data: str | None, data_dir: Path | None, split: str) -> Picked:
    from netdsl.train import DATA_SETS
    from netdsl.train.inference import pick_split

    if data is None:
        assert trained.run is not None, "weights alone have no images"
        data = images_here(trained.run, data_dir)["data"]
        kept = asked_of(trained.run).get("data_dir")
        note_idle_place(data, data_dir)
        data_dir = data_dir or (Path(kept) if kept else None)
        if data not in DATA_SETS:  # a folder, and another may have its name where we are now
            reopen_unchanged(trained.run, data_dir)
    bring_missing(data, data_dir)
    free = (trained.about.shape, len(trained.about.classes))
    return pick_split(data, split, data_dir=data_dir, holdout=holdout_of(trained), free=free)


def _record(trained: Trained, options: dict[str, Any], found: Score) -> dict[str, object]:
    """Return what `--json` prints; keys are only ever added to it."""
    result = found.evaluation
    return {
        "run": str(trained.path), "weights": trained.which, "loss": result.loss,
        "accuracy": result.accuracy, "top5": result.top5, "images": result.n,
        "data": options["data"], "split": options["split"], "rescaled": found.rescaled,
        "bad": dict(found.bad),
    }  # fmt: skip


def _note(trained: Trained, options: dict[str, Any], found: Score) -> str | None:
    """Say that a run learnt from images that it is evaluated on, or was chosen by them, if so."""
    if trained.run is None:
        return None
    if options["split"] == "all" and (learnt := _learnt(trained.run, options["data"], found)):
        of = counted(found.evaluation.n, "image")
        return f"{learnt:,} of these {of} were trained on, and look too good for that reason"
    own = options["data"] is None and options["split"] == "val"
    return how_chosen(trained.run, trained.which) if own else None


def _learnt(run: RunFolder, data: str | None, found: Score) -> int:
    """Return how many of all images of a data set a run was trained on: none of another one."""
    asked = asked_of(run)
    if not asked.get("data"):
        return 0
    own = asked.get("folder") or asked["data"]["data"]
    if data is not None and (folder_of({"data": data}) or data) != own:
        return 0
    return min(found.training, asked["data"].get("limit") or found.training)


def _line(trained: Trained, options: dict[str, Any], found: Score) -> str:
    from netdsl.train.evaluation import tells_top5

    result = found.evaluation
    which = f"{trained.path}: {trained.which} weights" if trained.run else str(trained.path)
    images = counted(result.n, f"{WORDS[options['split']]} image")
    of = f" of {options['data']}" if options["data"] else ""
    top5 = f"top-5 {result.top5:.2%}, " * tells_top5(len(trained.about.classes))
    return f"{which}, {result.accuracy:.2%} of {images}{of}, {top5}loss {result.loss:.4f}"
