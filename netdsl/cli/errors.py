"""`netdsl errors`: what a trained network gets wrong, as tables, figures and a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netdsl.amounts import counted
from netdsl.cli.asked import DATA_NOW, images_here
from netdsl.cli.kinds import PLACE

if TYPE_CHECKING:
    from netdsl.experiment.analysis import Errors
    from netdsl.train import Settings

SHOWN = 5  # confused pairs


@click.command("errors")
@click.argument("run", type=PLACE)
@click.option("-o", "--output", type=PLACE, metavar="DIR",
              help="Where to; RUN/errors unless given.")  # fmt: skip
@click.option("--weights", type=click.Choice(["best", "last"]), default="best", show_default=True,
              help="Which weights of the run.")  # fmt: skip
@DATA_NOW
def command(run: Path, output: Path | None, weights: str, data_dir: Path | None) -> None:
    """Look into what the network of a RUN folder gets wrong of its validation images.

    Writes the confusion matrix, accuracy by class, the most confused pairs, the most confident
    errors and the calibration as figures and CSV, errors.json, and errors.html with all of it.
    """
    from netdsl import train
    from netdsl.cli.resume import reopen_unchanged
    from netdsl.cli.trained import how_chosen
    from netdsl.experiment.analysis import About, find_errors, look, write_errors
    from netdsl.experiment.analysis.names import named
    from netdsl.trained import weights_of

    folder = train.RunFolder.open(run)
    file = weights_of(folder, weights)
    network, images = reopen_unchanged(folder, data_dir)
    model = network.module()
    train.load_weights(model, file)
    classes = named(images.classes, Path(images_here(folder, data_dir)["data"]))
    found = find_errors(look(model, images, _here(folder.settings)), classes)
    about = About(str(run), network.title, images.name, weights, how_chosen(folder, weights))
    page = write_errors(found, images, about, output or run / "errors")
    for line in summary(found, about.weights):
        click.echo(line)
    if about.note:
        click.echo(about.note)
    click.echo(f"all of it in {page}")


def summary(found: Errors, weights: str) -> Iterator[str]:
    """Yield what a person wants to know first."""
    from netdsl.train.evaluation import tells_top5
    from netdsl.train.synonyms import short_names

    names = short_names(found.classes)
    top5 = f"top-5 {found.top5:.2%}, " if tells_top5(len(names)) else ""
    yield (
        f"{weights} weights: {found.accuracy:.2%} of {counted(found.images, 'validation image')}, "
        f"{top5}calibration error {100 * found.calibration.error:.1f} points"
    )
    for pair in found.confused[:SHOWN]:
        what = f"{names[pair.true]} taken for {names[pair.predicted]}"
        yield f"  {pair.images:>5,} ({pair.part:.0%} of the class) {what}"


def _here(settings: Settings) -> Settings:
    """Return the settings with a device that this machine has: the run may come from another."""
    from netdsl.train.machine import is_available
    from netdsl.train.resolve import on_device

    return settings if is_available(settings.device) else on_device(settings, "cpu")
