"""`netdsl data`: data sets brought here, described, shown."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netdsl.amounts import counted, sized
from netdsl.cli.idle import note_idle, note_idle_images
from netdsl.cli.images import BAD_IMAGE, DATA_DIR, HOLDOUT
from netdsl.cli.kinds import TEXT, Number, OutputPath
from netdsl.cli.notes import note
from netdsl.cli.once import OnceGroup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netdsl.train import DataSet, Settings
    from netdsl.train.data import Entry, Info, Kept, Listing


@click.group("data", cls=OnceGroup)
def command() -> None:
    """Bring data sets here, say what is in them, show them augmented, clear what is kept."""


@command.command("get")
@click.argument("name", type=TEXT, required=False)
@click.option("--from", "source", type=TEXT, metavar="FILE|URL",
              help="The archive, if you have it already, or another address of it.")  # fmt: skip
@DATA_DIR
def get(name: str | None, source: str | None, data_dir: Path | None) -> None:
    """Download the data set NAME, check it, unpack it; without NAME, say which ones there are.

    A download that was cut is continued. NETDSL_MIRROR may name an address below which all
    archives lie.
    """
    from netdsl.cli.progress import bringing
    from netdsl.train.data import bring, data_folder

    place = data_dir or data_folder()
    if name is None:
        if source is not None:
            raise click.UsageError("--from is the archive of one data set: say which, by its NAME")
        for line in _table(place):
            click.echo(line)
        _tell_decoded()
        return
    entry = _entry(name)
    is_there = entry.find(place) is not None
    if source is not None and entry.archive is not None and is_there:
        note_idle("--from", f"{name} is there already")
    archive = None if source or place.is_file() or is_there else entry.archive
    if archive is not None:
        size = f"{archive.size / 1e6:,.0f} MB"
        click.echo(f"downloading {archive.name}, {size}, to {place}", err=True)
    with bringing(name) as told:
        found = bring(entry, place, source, told)
    click.echo(f"{name} is in {found}\n{entry.source}")


@command.command("clear")
@click.option("--unused", "days", type=click.FloatRange(0), default=0.0, metavar="DAYS",
              help="Only those that no command has read for so long.")  # fmt: skip
def clear(days: float) -> None:
    """Remove decoded images, which are made anew when they are needed; data sets stay.

    A training that reads them goes on.
    """
    from netdsl.train import ExitCode, TrainError
    from netdsl.train.data import kept_images, remove

    gone, left = [], 0
    for kept in kept_images():
        if kept.days < days:
            left += 1
            continue
        try:
            is_gone = remove(kept)
        except OSError as error:
            fact = f"cannot remove {kept.folder}: {error.strerror or error}"
            raise TrainError(fact, None, ExitCode.IO) from error
        if is_gone:
            gone.append(kept)
        else:
            note(f"{kept.folder} is being made, and stays")
    stays = f"; {counted(left, 'folder')} used since then" if left else ""
    click.echo(f"removed {_folders(gone)}{stays}")


def _tell_decoded() -> None:
    """Say how much is kept of decoded images, if anything, and how to be rid of it."""
    from netdsl.train.data import kept_images

    if kept := kept_images():
        place = kept[0].folder.parent
        click.echo(f"{_folders(kept)}: {place}; `netdsl data clear` removes them")


def _folders(kept: Sequence[Kept]) -> str:
    size = sum(one.size for one in kept)
    return f"{counted(len(kept), 'folder')} of decoded images, {size / 1e6:,.1f} MB"


@command.command("info")
@click.argument("name", type=TEXT, metavar="NAME|FOLDER")
@DATA_DIR
@click.option(
    "--holdout",
    type=Number(0, 1, min_open=True, max_open=True),
    default=HOLDOUT,
    show_default=True,
    help="The part of a folder without val that is held out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")  # fmt: skip
def info(name: str, data_dir: Path | None, holdout: float, as_json: bool) -> None:
    """Read every image and say how many there are, of what kind, and which are broken."""
    from netdsl.cli.progress import decoding
    from netdsl.train.data import describe, list_images

    note_idle_images({"data": name, "holdout": holdout}, data_dir)
    listing: Listing = list_images(name, data_dir, holdout)
    with decoding(name) as told:
        found = describe(listing, told)
    lines = [json.dumps(record(found), indent=2)] if as_json else list(_report(name, found))
    for line in lines:
        click.echo(line)


@command.command("show")
@click.argument("name", type=TEXT, metavar="NAME|FOLDER")
@click.option("--recipe", type=TEXT, metavar="RECIPE", help="Augment as a recipe does.")
@click.option(
    "--augment",
    multiple=True,
    metavar="TRANSFORM",
    help='Such as "pad_crop padding=4"; may be repeated; none; what suits the data unless given.',
)
@click.option(
    "-o",
    "--output",
    type=OutputPath(".png"),
    default=Path("sample.png"),
    show_default=True,
    help="Where to write the sheet.",
)
@click.option("--rows", type=click.IntRange(1, 100), default=8, show_default=True)
@click.option("--columns", type=click.IntRange(1, 100), default=8, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--input", "shape", type=TEXT, metavar="CxHxW", help="Cut and rescale the images to this shape."
)
@BAD_IMAGE
@DATA_DIR  # fmt: skip
def show(  # noqa: PLR0913
    name: str, *, recipe: str | None, augment: tuple[str, ...], output: Path, rows: int,
    columns: int, seed: int, shape: str | None, on_bad_image: str, data_dir: Path | None,
) -> None:  # fmt: skip
    """Draw training images as they are and as a training sees them, with their classes."""
    from netdsl.cli.images import load_images
    from netdsl.cli.network import parsed_shape
    from netdsl.train.data import draw_sheet
    from netdsl.train.data.sheet import what_is_done
    from netdsl.train.files import write_file

    if recipe is not None and augment:
        raise click.UsageError("--augment stands in place of what --recipe says: leave one away")
    wanted = None if shape is None else list(parsed_shape(shape))
    where = {
        "data": name, "limit": None, "limit_classes": None, "shape": wanted,
        "on_bad_image": on_bad_image,
    }  # fmt: skip
    note_idle_images(where, data_dir)
    images = load_images(where, data_dir)
    settings = _changes(images, recipe, augment, seed)
    write_file(output, draw_sheet(images, settings, rows=rows, columns=columns))
    click.echo(f"{output}: {what_is_done(settings) or 'no augmentation'}")


def _changes(images: DataSet, recipe: str | None, augment: tuple[str, ...], seed: int) -> Settings:
    """Return settings that change training images as the recipe does, or the transforms given."""
    from netdsl import train
    from netdsl.train.recipe import read_recipe

    own: train.Choices = {"augment": images.augment}
    said: Any = {} if recipe is None else read_recipe(recipe).train
    kept: Any = {key: said[key] for key in ("augment", "mixup", "cutmix") if key in said}
    given: Any = {"augment": () if augment == ("none",) else augment} if augment else {}
    return train.resolve(own, kept, given, {"seed": seed})


def record(found: Info) -> dict[str, object]:
    """Return what `--json` prints; keys are only ever added to it."""
    splits = {
        name: asdict(split) | {
            "sizes": {f"{height}x{width}": n for (height, width), n in split.sizes.items()}
        }
        for name, split in found.splits.items()
    }  # fmt: skip
    return {
        "classes": found.classes, "splits": splits, "mean": found.mean, "std": found.std,
        "others": found.others,
    }  # fmt: skip


def _entry(name: str) -> Entry:
    from netdsl.suggest import did_you_mean
    from netdsl.train import DATA_SETS, ExitCode, TrainError

    if name not in DATA_SETS:
        hint = did_you_mean(name, DATA_SETS, "data sets")
        raise TrainError(f"no data set is called {name}", hint, ExitCode.USAGE)
    return DATA_SETS[name]


def _table(place: Path) -> Iterator[str]:
    """Yield each data set with its shape, its classes and where it is."""
    from netdsl.train import DATA_SETS

    for name, entry in DATA_SETS.items():
        shape = sized(entry.shape)
        if entry.archive is None:
            where = "any shape and classes, made when asked for" if entry.free else "comes along"
        else:
            size = f"{entry.archive.size / 1e6:,.0f} MB to download"
            where = str(entry.find(place) or size)
        yield f"{name:<15}{shape:<9}{entry.classes:>4} classes  {where}"


def _report(name: str, found: Info) -> Iterator[str]:
    """Yield what was found as a person reads it."""
    from netdsl.train import DATA_SETS
    from netdsl.train.data.dataset import passed_over

    published = DATA_SETS[name].validation if name in DATA_SETS else ""
    yield f"{name}: {len(found.classes)} classes"
    for called, split in found.splits.items():
        counts = list(split.by_class.values())
        each = f", {_range(counts)} a class" if counts else ", without labels"
        yield f"{called:<6}{split.images:>8,} images{each}"
        yield f"      sizes {_counts({f'{h}x{w}': n for (h, w), n in split.sizes.items()})}"
        yield f"      modes {_counts(split.modes)}"
        if called == "val" and published:
            yield f"      {published}: what is selected by them is selected on the test set"
        if split.broken:
            yield f"      {len(split.broken):,} cannot be read; the first: {split.broken[0]}"
    if found.others:
        yield passed_over(found.others)
    yield f"mean  {_numbers(found.mean)}  of the training images, in 0 … 1"
    yield f"std   {_numbers(found.std)}  of all their pixels at once"
    if len(found.classes) <= 20:
        yield from _classes(found)


def _classes(found: Info) -> Iterator[str]:
    for label in found.classes:
        counts = [split.by_class[label] for split in found.splits.values() if split.by_class]
        yield f"  {label:<20}" + "".join(f"{count:>8,}" for count in counts)


def _range(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _counts(counts: Any) -> str:
    shown = [f"{n:,} of {what}" for what, n in list(counts.items())[:5]]
    left = len(counts) - len(shown)
    return ", ".join(shown) + (f" and {left:,} other" if left else "")


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.4f}" for value in values)
