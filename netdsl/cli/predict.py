"""`netdsl predict`: a trained network and images to the classes that it takes them for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from netdsl.amounts import counted, duration
from netdsl.cli.idle import note_idle, note_idle_beside, note_idle_images
from netdsl.cli.images import BAD_IMAGE, bring_missing
from netdsl.cli.kinds import PLACE, TEXT, OutputPath
from netdsl.cli.trained import (
    holdout_of,
    how_computed,
    open_trained,
    settings_of,
    take_flags,
    tell_left_out,
    trained_options,
)
from netdsl.trained import Trained

if TYPE_CHECKING:
    from netdsl.train.inference import About, Answer, Answers, Picked

_SPLIT = "test"  # of a data set, unless another is asked for
_FEW = 10  # images that are shown with all their classes; of more, a line each


@click.command("predict")
@click.argument("path", metavar="RUN|WEIGHTS", type=PLACE)
@click.argument("paths", metavar="[IMAGE|FOLDER]...", nargs=-1, type=PLACE)
@trained_options
@click.option(
    "--data", type=TEXT, metavar="NAME|FOLDER", help="The images of a data set, in place of files."
)
@click.option("--data-dir", type=PLACE, help="Where the data set lies.")
@click.option("--split", type=click.Choice(["train", "val", "test", "all"]), default=_SPLIT,
              show_default=True, help="Which images of the data set.")  # fmt: skip
@click.option("--top", type=click.IntRange(1), default=5, show_default=True,
              help="How many classes of an image to tell.")  # fmt: skip
@click.option("-o", "--output", type=OutputPath(".csv", ".json"), metavar="FILE",
              help="Write them into a .csv or a .json.")  # fmt: skip
@click.option("--submission", type=PLACE, metavar="FILE",
              help="Write `test_0.JPEG n04067472`, a line an image.")  # fmt: skip
@BAD_IMAGE
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(path: Path, paths: tuple[Path, ...], weights: str | None, **options: Any) -> None:
    """Tell what the network of a RUN folder, or of a file of WEIGHTS, takes images for.

    Images are files, all below a folder, or a split of a data set. They are cut and rescaled to
    what the network takes, if they have another size. The network computes with its batch norms
    folded, in bf16 where the machine is faster in it, unless --precision says otherwise.
    """
    from netdsl.train.inference import answer, make_fast, refuse_unfit_submission

    _refuse_early(paths, options)
    chosen = take_flags(options)
    trained = open_trained(path, weights)
    picked = _picked(trained, paths, options)
    if options["submission"]:
        refuse_unfit_submission(trained.about, picked)
    settings = settings_of(trained, chosen, fast=True)
    model = make_fast(trained.module(), settings)
    from netdsl.cli.progress import decoding

    began = time.perf_counter()
    with decoding(picked.where) as told:
        found = answer(
            model, trained.about, picked, settings,
            top=options["top"], skip=options["on_bad_image"] == "skip", told=told,
        )  # fmt: skip
    seconds = time.perf_counter() - began
    tell_left_out(found.bad, found.rescaled, len(picked), trained.about)
    how = how_computed(model, settings)
    _give(trained, picked, found, options, how | {"seconds": seconds})


def _refuse_early(paths: tuple[Path, ...], options: dict[str, Any]) -> None:
    """Refuse what could only fail at the end."""
    from netdsl.train import ExitCode, TrainError

    if paths and options["data"]:
        raise click.UsageError("--data is in place of images and folders: leave either away")
    if not paths and not options["data"]:
        raise click.UsageError("say what to look at: images and folders, or --data")
    if options["submission"] and not options["output"] and not options["as_json"]:
        note_idle_beside(("top",), "a line of --submission has one class")
    for file in (options["output"], options["submission"]):
        if file is not None and not file.parent.is_dir():
            fact = f"cannot write {file}: there is no folder {file.parent}"
            raise TrainError(fact, None, ExitCode.IO)


def _picked(trained: Trained, paths: tuple[Path, ...], options: dict[str, Any]) -> Picked:
    from netdsl.train.inference import find_files, pick_split

    if paths:
        _note_idle_of_files(options)
        return find_files(paths)
    note_idle_images(options, options["data_dir"])
    bring_missing(options["data"], options["data_dir"])
    free = (trained.about.shape, len(trained.about.classes))
    return pick_split(
        options["data"],
        options["split"],
        data_dir=options["data_dir"],
        holdout=holdout_of(trained),
        free=free,
    )


def _note_idle_of_files(options: dict[str, Any]) -> None:
    """Say which options of a data set are given where images are files."""
    for option, is_given in (
        ("--split", options["split"] != _SPLIT),
        ("--data-dir", options["data_dir"] is not None),
    ):
        if is_given:
            note_idle(option, "the images are files, and of no data set")


def _give(
    trained: Trained, picked: Picked, found: Answers, options: dict[str, Any],
    how: dict[str, object],
) -> None:  # fmt: skip
    """Write the files that are wanted, then print what is left to print."""
    from netdsl.train.files import write_file
    from netdsl.train.inference import submission_ids, to_csv, to_json, to_submission

    about, output, submission = trained.about, options["output"], options["submission"]
    record = {"run": str(trained.path), "weights": trained.which, **how}
    if output is not None:
        as_csv = output.suffix.lower() == ".csv"
        write_file(output, to_csv(found, about) if as_csv else to_json(found, about, record))
    if submission is not None:
        write_file(submission, to_submission(found, submission_ids(about, picked)))
    if options["as_json"]:
        click.echo(to_json(found, about, record).decode(), nl=False)
    elif output or submission:
        click.echo(_summary(found, [output, submission], how))
    else:
        for line in _lines(found, about):
            click.echo(line)


def _summary(found: Answers, files: list[Path | None], how: dict[str, object]) -> str:
    written = ", ".join(str(file) for file in files if file)
    norms = counted(cast(int, how["norms"]), "batch norm")
    folded = f"{how['folded']} of {norms} folded"
    if how["not_folded"]:
        folded += f" ({how['not_folded']})"
    return (
        f"{counted(len(found.answers), 'image')} in {duration(cast(float, how['seconds']))}, "
        f"{how['precision']} on {how['device']}, {folded}: {written}"
    )


def _lines(found: Answers, about: About) -> Iterator[str]:
    """Yield the classes of few images below one another, the likeliest of each of many."""
    if len(found.answers) > _FEW:
        width = max(len(answer.file) for answer in found.answers)
        for answer in found.answers:
            yield f"{answer.file:<{width}}  {next(_classes(answer, about))}"
        return
    for answer in found.answers:
        yield answer.file
        yield from (f"  {line}" for line in _classes(answer, about))


def _classes(answer: Answer, about: About) -> Iterator[str]:
    """Yield the classes of an image, those with ids by the first of their synonyms and the id."""
    from netdsl.train.synonyms import short_names

    short = short_names(about.classes)
    ids = [one if one != name else "" for one, name in zip(about.ids, about.classes, strict=True)]
    names = [short[label] if ids[label] else about.classes[label] for label in answer.classes]
    width = max(map(len, names))
    for name, label, chance in zip(names, answer.classes, answer.probabilities, strict=True):
        yield f"{chance:6.1%}  {name:<{width}}  {ids[label]}".rstrip()
