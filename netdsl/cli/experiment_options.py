"""What the commands that run experiments have in common: options, and which folder is meant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netdsl.cli.kinds import PLACE, TEXT, PlacePath
from netdsl.cli.notes import note
from netdsl.experiment.folder import DEFINITION, PLAN

if TYPE_CHECKING:
    from netdsl.experiment.definition import Definition

FILE = click.argument("file", metavar="FILE|FOLDER", type=PlacePath(exists=True))
DEFINING = (
    click.option("--budget", type=TEXT, metavar="NAME,KEY=VALUE,…", help="Make it smaller: "
                 "a budget of the file, epochs=5,classes=20,limit=2000,seeds=1, or any setting; "
                 "a list goes on up to the next KEY=VALUE."),
    click.option("--data-dir", type=PLACE, help="Where the data set lies."),
    click.option("--dir", type=PLACE, help="The folder of the experiment; "
                 "experiments/NAME unless given."),
)  # fmt: skip
ONLY = click.option(
    "--only",
    multiple=True,
    metavar="LABEL",
    help="Only the network of that label, and its twin; may be repeated.",
)
RUN = (
    ONLY,
    click.option("--jobs", type=click.IntRange(1), help="How many runs at once; one, or one a GPU, "
                 "unless given."),
    click.option("--threads", type=click.IntRange(1),
                 help="Of each run; the cores shared out, unless given."),
    click.option("--retry", is_flag=True, help="Try again what has failed too often."),
    click.option("--print-jobs", is_flag=True, help="Print one shell line a run, for Slurm or GNU "
                 "parallel, and run nothing; the plan is written anew."),
    click.option("--ray", type=TEXT, metavar="ADDRESS",
                 help="Let a Ray cluster run them; auto finds one."),
)  # fmt: skip
OF_RUNNING = ("only", "jobs", "threads", "retry", "print_jobs", "ray")


def definition_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say what is compared, and where its folder is."""
    for option in reversed(DEFINING):
        command = option(command)
    return command


def only_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option that chooses rows."""
    return ONLY(command)


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of running."""
    for option in reversed(RUN):
        command = option(command)
    return command


def found_definition(
    file: Path, *, budget: str | None, dir: Path | None, data_dir: Path | None
) -> tuple[Definition, Path]:
    """Return what a file, or the one in an experiment's folder, defines, and the folder."""
    from netdsl.experiment.definition import read_definition

    path = file / DEFINITION if file.is_dir() else file
    definition = read_definition(path)
    return narrowed(definition, budget, data_dir), dir or _folder_of(file, definition)


def experiment_folder(name: str) -> Path:
    """Return where an experiment of that name lies, unless somebody says where."""
    return Path("experiments", name)


def _folder_of(file: Path, definition: Definition) -> Path:
    """Return where the experiment of a file lies, which is around the file where netdsl wrote it.

    `file` may be the folder itself.
    """
    if file.is_dir():
        return file
    inside = file.name == DEFINITION and (file.parent / PLAN).exists()
    return file.parent if inside else experiment_folder(definition.name)


def narrowed(definition: Definition, budget: str | None, data_dir: Path | None) -> Definition:
    """Return the definition within a budget, its images in another place."""
    from netdsl.experiment.definition import within

    if data_dir is not None:
        place = str(data_dir.resolve())
        networks = tuple(replace(v, data_dir=place) for v in definition.networks)
        definition = replace(definition, networks=networks)
    return within(definition, budget or "")


def chosen_folder(file: Path, dir: Path | None) -> Path:
    """Return the folder of an experiment that was begun; note if FILE has changed since.

    Or if a network or a recipe in a file that it names has.
    """
    from netdsl.experiment.definition import read_definition
    from netdsl.experiment.plan import read_plan
    from netdsl.experiment.sources import digest_of_sources

    if file.is_dir():
        return dir or file
    definition = read_definition(file)
    dir = dir or _folder_of(file, definition)
    planned, what = read_plan(dir), ""
    if planned.definition and planned.definition != definition.digest:
        what = f"{file} has"
    elif planned.sources and planned.sources != digest_of_sources(definition):
        what = f"networks or recipes that {file} names have"
    if what:
        note(
            f"{what} changed since the runs in {dir} were planned; they are told as they "
            f"were: `netdsl experiment plan {file}` lists those it asks for now"
        )
    return dir
