"""`netdsl experiment`: a table of networks and seeds, planned, run, looked at, reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from netdsl.amounts import counted
from netdsl.cli.experiment_options import (
    FILE,
    chosen_folder,
    definition_options,
    found_definition,
    only_option,
    run_options,
)
from netdsl.cli.kinds import PLACE
from netdsl.cli.once import OnceGroup


@click.group("experiment", cls=OnceGroup)
def command() -> None:
    """Compare networks: every row of a table, with several seeds, from one file.

    FOLDER is that of an experiment, which holds what its runs were planned from.
    """


@command.command("plan")
@FILE
@definition_options
@only_option
@click.option("--measure/--no-measure", default=True, show_default=True, help="Take a few steps of "
              "each network, and say how long all will take and how much memory.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True,
              help="How many runs at once, for the forecast.")  # fmt: skip
def plan(file: Path, measure: bool, jobs: int, only: tuple[str, ...], **options: Any) -> None:
    """List the runs of an experiment, what has become of them, and what they will take; begin none.

    The folder of the experiment is left as it is. The images are read as for a run: named ones that
    are not here are downloaded, and decoded ones are kept.
    """
    from netdsl.cli.experiment_run import note_absent_weights, planned_experiment
    from netdsl.cli.experiment_shown import show_forecast, show_states
    from netdsl.experiment.plan import choose

    definition, folder = found_definition(file, **options)
    made, rows = planned_experiment(definition, folder)
    jobs_chosen = choose(made, only)
    note_absent_weights(rows, folder, jobs_chosen, refuse=False)
    show_states(made, folder, jobs_chosen)
    if measure:
        show_forecast(rows, folder, jobs_chosen, jobs)


@command.command("run")
@FILE
@definition_options
@run_options
def run(
    file: Path, budget: str | None, dir: Path | None, data_dir: Path | None, **options: Any
) -> None:
    """Run what an experiment asks for: begin, go on, try again; what is finished is left alone.

    Any number of processes may run the same experiment. Ctrl-C lets the runs finish their step
    and save.
    """
    from netdsl.cli.experiment_run import run_experiment

    definition, folder = found_definition(file, budget=budget, dir=dir, data_dir=data_dir)
    run_experiment(definition, folder, **options)


@command.command("status")
@FILE
@click.option("--dir", type=PLACE, help="The folder of the experiment.")
def status(file: Path, dir: Path | None) -> None:
    """Say how far the runs of an experiment are."""
    from netdsl.cli.experiment_shown import show_states
    from netdsl.experiment.plan import read_plan

    folder = chosen_folder(file, dir)
    plan = read_plan(folder)
    show_states(plan, folder, plan.jobs)


@command.command("report")
@FILE
@click.option("--dir", type=PLACE, help="The folder of the experiment.")
def report(file: Path, dir: Path | None) -> None:
    """Show the tables, and write them, figures and a page, from the runs that there are."""
    from netdsl.cli.experiment_shown import note_boxed
    from netdsl.experiment.plan import read_plan
    from netdsl.experiment.report import show_report
    from netdsl.experiment.report_writing import renew_report

    folder = chosen_folder(file, dir)
    read_plan(folder)
    page = renew_report(folder)
    note_boxed(folder)
    click.echo(show_report(folder))
    click.echo(page)


@command.command("export")
@FILE
@click.option("-o", "--output", type=PLACE, required=True, help="Where to.")
@click.option("--dir", type=PLACE, help="The folder of the experiment.")
def export(file: Path, output: Path, dir: Path | None) -> None:
    """Copy what the report of an experiment is made of, and the report.

    It holds no weights and no paths from here, and is small enough to be kept in a repository;
    `netdsl experiment report` reads it like any other.
    """
    from netdsl.experiment.export import export as write

    count = write(chosen_folder(file, dir), output)
    click.echo(f"{counted(count, 'run')} in {output}")
