"""What an experiment shows: a table of runs, a line a finished run, a bar in a terminal."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from netdsl.amounts import counted, duration, listed, part
from netdsl.cli.notes import note

if TYPE_CHECKING:
    from netdsl.experiment.plan import Job, Plan
    from netdsl.experiment.planning import PlannedRow
    from netdsl.experiment.state import State
    from netdsl.train import TrainError


@contextmanager
def told(jobs: Sequence[Job]) -> Iterator[Lines]:
    """Return what shows an experiment here."""
    console = Console()
    listener = Bar(jobs, console) if console.is_terminal else Lines(jobs)
    try:
        yield listener
    finally:
        listener.close()


class Lines:
    """One line a run that ends, for a log."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.total = len({job.key for job in jobs})

    def begun(self, job: Job) -> None:
        """Say nothing."""

    def ended(self, job: Job, state: State, done: int, left: float | None) -> None:
        """Say what became of a run, and how long the rest will take."""
        rest = f", {duration(left)} left" if left and done < self.total else ""
        self.say(f"{done}/{self.total}  {job.name}: {outcome(job, state)}{rest}")

    def elsewhere(self, jobs: Sequence[Job]) -> None:
        """Say that others are at work."""
        self.say(f"waiting for another process: {listed(job.name for job in jobs)}")

    def tick(self, running: Sequence[Job], done: int) -> None:
        """Say nothing."""

    def say(self, line: str) -> None:
        """Print a line."""
        click.echo(line)

    def close(self) -> None:
        """Leave things as they were."""


class Bar(Lines):
    """A bar over all runs with those under way, and a line above it for each that ends."""

    def __init__(self, jobs: Sequence[Job], console: Console) -> None:
        super().__init__(jobs)
        columns = (TextColumn("{task.completed}/{task.total} runs"), BarColumn())
        now = TextColumn("{task.fields[now]}", markup=False)  # labels may hold brackets
        self.progress = Progress(*columns, now, console=console, transient=True)
        self.task = self.progress.add_task("", total=self.total, now="")
        self.end: float | None = None
        self.progress.start()

    def ended(self, job: Job, state: State, done: int, left: float | None) -> None:
        """Leave a line above the bar."""
        self.end = None if left is None else time.monotonic() + left
        super().ended(job, state, done, left)

    def tick(self, running: Sequence[Job], done: int) -> None:
        """Move the bar."""
        left = "" if self.end is None else f"  {duration(max(0, self.end - time.monotonic()))} left"
        now = listed(job.name for job in running) or "waiting"
        self.progress.update(self.task, completed=done, now=f"{now}{left}")

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self.progress.console.print(line, highlight=False, markup=False)

    def close(self) -> None:
        """Take the bar away."""
        self.progress.stop()


def outcome(job: Job, state: State) -> str:
    """Say what became of a run, in a few words."""
    best = "" if state.best is None else f", best {state.best:.2%}"
    epochs = f"{state.epochs} of {counted(job.epochs, 'epoch')}{best}"
    if state.failure is not None and state.phase == "failed":
        again = f" ({state.failure.attempts} times)" if state.failure.attempts > 1 else ""
        retry = "; --retry tries it again" if state.failure.is_final else ""
        return f"failed{again}: {state.failure.reason}{retry}"
    is_idle = state.phase in ("waiting", "cut")
    why = f" ({state.failure.reason})" if state.failure is not None and is_idle else ""
    return f"waiting{why}" if state.phase == "waiting" else f"{state.phase}, {epochs}{why}"


def show_states(plan: Plan, folder: Path, jobs: Sequence[Job]) -> None:
    """Print a line a run, and how many there are of each kind; rows may share runs.

    Raises `TrainError` behind that with all whose files are damaged.
    """
    from netdsl.train.errors import together

    table = Table(box=None, pad_edge=False, header_style="")
    for title, justify in (("network", "left"), ("seed", "right"), ("depth", "right"),
                           ("params", "right"), ("MACs", "right"), ("key", "left"),
                           ("state", "left")):  # fmt: skip
        table.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    phases, faults = {}, []
    for job in jobs:
        phases[job.key], said, fault = _looked(folder, job)
        faults += [fault] if fault else []
        numbers = (str(job.seed), str(job.depth), f"{job.params:,}", f"{job.macs:,}")
        table.add_row(job.row_name, *numbers, job.key, said)
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 1000  # a log has no edge
    console.print(table)
    counts = Counter(phases.values())
    known = ", ".join(f"{count} {phase}" for phase, count in counts.items())
    click.echo(f"{plan.name}: {counted(len(phases), 'run')}, {known}; in {folder}")
    if faults:
        raise together(faults)


def _looked(folder: Path, job: Job) -> tuple[str, str, TrainError | None]:
    """Return the phase of a run and what became of it, in words, and what is damaged of it."""
    from netdsl.experiment.state import look
    from netdsl.train.errors import TrainError

    try:
        state = look(folder, job)
    except TrainError as error:
        return "damaged", "damaged", error
    return str(state.phase), outcome(job, state), None


def show_forecast(
    rows: Sequence[PlannedRow], folder: Path, jobs: Sequence[Job], at_once: int
) -> None:
    """Measure each network of what is not finished, and print what all of it will take."""
    from netdsl.cli.progress import disturbed
    from netdsl.experiment.forecasting import forecast_rows
    from netdsl.experiment.shares import share_out

    threads = share_out(at_once)[0].threads
    found = []
    for one in forecast_rows(rows, folder, jobs, threads):
        found.append(one)
        click.echo(
            f"{one.row}: {duration(one.seconds)} a run, {one.peak_memory / 1e9:.2f} GB, "
            f"{counted(one.runs, 'run')} to go"
        )
    if not found:
        return
    at_once = min(at_once, sum(one.runs for one in found))
    together = max(
        sum(one.seconds * one.runs for one in found) / at_once, *(one.seconds for one in found)
    )
    memory = at_once * max(one.peak_memory for one in found)
    click.echo(f"all of it: {duration(together)}, {memory / 1e9:.2f} GB with {at_once} at once")
    if waited := max(one.waited for one in found):
        note(disturbed(waited))


def note_boxed(folder: Path) -> None:
    """Say which letters of labels the figures of a report do not show."""
    from netdsl.experiment.plan import read_plan
    from netdsl.experiment.report.letters import boxed

    plan = read_plan(folder)
    titles = [plan.title, *(figure.title for figure in plan.figures)]
    if letters := boxed([*titles, *(job.label for job in plan.jobs)]):
        note(f"PNG figures have boxes in place of {letters}, which their font lacks; SVG has none")


def closing(folder: Path, jobs: Sequence[Job]) -> Iterator[str]:
    """Yield how many runs are finished, which are not and why.

    Raises `TrainError` behind that with all whose files are damaged.
    """
    from netdsl.experiment.plan import distinct
    from netdsl.experiment.state import is_finished
    from netdsl.train.errors import together

    jobs, faults = distinct(jobs), []
    left = [job for job in jobs if not is_finished(folder, job)]
    for job in left:
        _, said, fault = _looked(folder, job)
        faults += [fault] if fault else []
        yield f"{job.name}: {said}"
    yield f"{part(len(jobs) - len(left), len(jobs), 'run')} finished; all of it in {folder}"
    if faults:
        raise together(faults)
