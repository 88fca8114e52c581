"""A definition to its finished runs, as the command line asks for them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netdsl.amounts import listed
from netdsl.cli.exit_code import exit_code_of
from netdsl.cli.images import reading_once
from netdsl.cli.notes import each_once, note
from netdsl.cli.resolve_line import resolve_line

if TYPE_CHECKING:
    from netdsl.experiment.definition import Definition
    from netdsl.experiment.plan import Job, Plan
    from netdsl.experiment.planning import PlannedRow


def planned_experiment(definition: Definition, folder: Path) -> tuple[Plan, tuple[PlannedRow, ...]]:
    """Return the runs of an experiment and its rows."""
    from netdsl.experiment.plan import same_runs, tell_stochastic_depth
    from netdsl.experiment.planning import make_plan

    with reading_once(), each_once():
        plan, rows = make_plan(definition, folder, resolve_line)
    for labels in same_runs(plan.jobs):
        note(f"{listed(labels, ' and ')} are the same network and training: they share their runs")
    if fact := tell_stochastic_depth(plan):
        note(fact)
    return plan, rows


def note_absent_weights(
    rows: Sequence[PlannedRow], folder: Path, jobs: Sequence[Job], *, refuse: bool
) -> None:
    """Say which weights runs to come need that are not here; raise, if asked, where none can be."""
    from netdsl.experiment.planning import absent_weights
    from netdsl.experiment.state import is_finished
    from netdsl.train import ExitCode, TrainError

    for absent in absent_weights(rows, [job for job in jobs if not is_finished(folder, job)]):
        if refuse and absent.why:
            raise TrainError(str(absent), absent.help, ExitCode.USAGE)
        note(str(absent))


def run_experiment(  # noqa: PLR0913
    definition: Definition, folder: Path, *, only: tuple[str, ...], jobs: int | None,
    threads: int | None, retry: bool, print_jobs: bool, ray: str | None,
    write: Callable[[], None] = lambda: None,
) -> None:  # fmt: skip
    """Write the plan, run what is due, and exit with the code of the first run that failed.

    Where none has, with that of the error for which the report could not be written. `write` is
    called once the plan stands, before anything is written: it writes what was planned from.
    """
    from netdsl.experiment.attempt import line_of
    from netdsl.experiment.plan import choose, distinct, write_plan
    from netdsl.experiment.state import left_behind, refuse_foreign

    if print_jobs and (jobs or retry or ray):
        raise click.UsageError("--print-jobs runs nothing: leave --jobs, --retry and --ray away")
    refuse_foreign(folder, definition.name)
    plan, rows = planned_experiment(definition, folder)
    chosen = choose(plan, only)
    note_absent_weights(rows, folder, chosen, refuse=True)
    if left := left_behind(folder, plan):
        names = listed(dict.fromkeys(job.name for job in left))
        note(f"{folder} keeps finished runs that this plan does not have: {names}")
    write()
    write_plan(plan, folder)
    if print_jobs:
        for job in distinct(chosen):
            click.echo(shlex.join(line_of(folder, job, threads)))
        return
    report = Reporting(folder)
    signal = _work(folder, chosen, report, jobs, threads, retry, ray)
    _exit(folder, chosen, signal, report.exit_code)


def _work(
    folder: Path, chosen: tuple[Job, ...], report: Reporting, jobs: int | None,
    threads: int | None, retry: bool, ray: str | None,
) -> int:  # fmt: skip
    """Run what is due; return the exit code of a signal that ended it, else 0."""
    from netdsl.cli.experiment_shown import told
    from netdsl.experiment.folder import REPORT
    from netdsl.experiment.run import begin, work_off
    from netdsl.experiment.shares import gpus, share_out
    from netdsl.experiment.stopping import listen

    at_once = jobs or (1 if ray else max(1, len(gpus())))
    with listen() as wish, told(chosen) as listener:
        shares = share_out(at_once, threads)
        work = begin(folder, chosen, shares, listener, report, wish, retry=retry)
        if ray is None:
            work_off(work)
        else:
            from netdsl.experiment.on_ray import work_off_on_ray

            work_off_on_ray(work, ray)
    # Runs failed behind the last that finished; or nothing was left to run, of another definition.
    is_old = work.has_failed and (folder / REPORT).exists()
    if is_old or (work.seen and not report.times):
        report()
    return wish.exit_code if wish.count else 0


class Reporting:
    """Writes the report anew when called; what goes wrong is said once, and stops nothing.

    `exit_code` tells of the last time: 0, or that of the error.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.times = 0
        self.said: set[str] = set()
        self.exit_code = 0

    def __call__(self) -> None:
        """Write the report."""
        from netdsl.experiment.report_writing import renew_report

        self.times += 1
        self.exit_code = 0
        try:
            renew_report(self.folder)
        except Exception as error:  # a report must not cost a run
            fact = f"the report could not be written: {type(error).__name__}: {error}"
            if help := getattr(error, "help", None):
                fact = f"{fact}\n  = help: {help}"
            if fact not in self.said:
                click.echo(fact, err=True)
            self.said.add(fact)
            self.exit_code = exit_code_of(error)


def _show(folder: Path) -> None:
    """Print the tables of the report; what is damaged was said when it could not be written."""
    from netdsl.cli.experiment_shown import note_boxed
    from netdsl.experiment.report import show_report
    from netdsl.train import TrainError

    with suppress(TrainError):
        note_boxed(folder)
        click.echo(f"\n{show_report(folder)}")


def _exit(folder: Path, jobs: tuple[Job, ...], signal: int, report: int) -> None:
    """Show what came of it, where all of it lies, what is left; end with what tells of it."""
    from netdsl.cli.experiment_shown import closing
    from netdsl.experiment.state import is_finished, read_failure

    if any(is_finished(folder, job) for job in jobs):
        _show(folder)
    for line in closing(folder, jobs):
        click.echo(line)
    if signal:
        click.echo("stopped; the same command goes on", err=True)
        sys.exit(signal)
    failed = [read_failure(folder, job) for job in jobs if not is_finished(folder, job)]
    codes = [failure.exit_code for failure in failed if failure]
    if failed:
        sys.exit(codes[0] if codes and codes[0] else 1)
    if report:
        sys.exit(report)
