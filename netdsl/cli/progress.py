"""What a training shows: a bar in a terminal, one plain line an epoch elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from netdsl.amounts import counted, duration

if TYPE_CHECKING:
    from netdsl import train
    from netdsl.train import Forecast, Row, Start, Step, Summary


def listener(folder: Path) -> Bar | Lines:
    """Return what shows a training here; `folder` is where its results go."""
    console = Console()
    return Bar(folder, console) if console.is_terminal else Lines(folder)


@contextmanager
def listen(folder: Path, tensorboard: bool) -> Iterator[train.Progress]:
    """Show a training here, and in TensorBoard where that is wanted; leave the terminal as it was.

    However the training ends: a bar hides the cursor while it is there, and TensorBoard's writer
    has a thread.
    """
    from netdsl import train

    with ExitStack() as held:
        shown = listener(folder)
        held.callback(shown.close)
        if not tensorboard:
            yield shown
            return
        events = train.TensorBoard(folder / "tensorboard")
        held.callback(events.close)
        yield train.Several((shown, events))


@contextmanager
def decoding(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show how many images are read, in a terminal and if it takes long enough to see."""
    with _bar(f"reading {name}", MofNCompleteColumn()) as update:
        yield lambda done, total: update(completed=done, total=total)


@contextmanager
def bringing(name: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show how far a download and its unpacking are, in a terminal."""
    with _bar(name, DownloadColumn(), TransferSpeedColumn()) as update:
        yield lambda what, done, total: update(
            description=f"{what} {name}", completed=done, total=total
        )


@contextmanager
def probing(total: int) -> Iterator[Callable[[], None]]:
    """Show how many of the probes are done, in a terminal."""
    with _bar("probing", total=total) as update:
        yield lambda: update(advance=1)


@contextmanager
def _bar(
    name: str, *columns: ProgressColumn, total: int | None = None
) -> Iterator[Callable[..., None]]:
    """Show a bar and the time left on stderr, in a terminal; what it gives moves the bar."""
    console = Console(stderr=True)
    what = TextColumn("{task.description}", markup=False)  # a path may hold brackets
    with Progress(
        what, BarColumn(), *columns, TimeRemainingColumn(), console=console, transient=True,
        disable=not console.is_terminal,
    ) as progress:  # fmt: skip
        yield partial(progress.update, progress.add_task(name, total=total))


class Lines:
    """One line an epoch, for a log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def started(self, start: Start) -> None:
        """Say what is trained on what, and from where it goes on."""
        click.echo(opening(start))
        if start.done:
            click.echo(
                f"going on behind step {start.done:,} of {start.steps * start.settings.epochs:,}"
            )
        for change in start.changes:
            click.echo(f"{change}: the last bits of the numbers may differ", err=True)

    def note(self, fact: str) -> None:
        """Say it beside the results."""
        click.echo(fact, err=True)

    def step(self, step: Step) -> None:
        """Say nothing."""

    def epoch(self, row: Row) -> None:
        """Say what the epoch came to."""
        click.echo(epoch_line(row))

    def stopping(self) -> None:
        """Say that it was heard; a signal may come in the midst of writing, so without a buffer."""
        os.write(2, b"stopping after this step; once more ends it at once\n")

    def finished(self, summary: Summary) -> None:
        """Say how good it is and where it lies."""
        click.echo(closing(summary, self.folder))

    def close(self) -> None:
        """Leave nothing in the terminal but lines."""


class Bar(Lines):
    """A bar with loss, accuracy, images a second and the time left; a line behind each epoch."""

    def __init__(self, folder: Path, console: Console) -> None:
        super().__init__(folder)
        self.progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"), BarColumn(bar_width=None),
            TextColumn("{task.fields[figures]}"), console=console, transient=True,
        )  # fmt: skip
        self.task = self.progress.add_task("", total=1, epoch="", figures="")
        self.epochs = 0

    def started(self, start: Start) -> None:
        """Say what is trained on what, and show the bar."""
        self.epochs = start.settings.epochs
        super().started(start)
        self.progress.start()

    def step(self, step: Step) -> None:
        """Move the bar."""
        figures = (
            f"loss {step.loss:.3f}  accuracy {step.accuracy:.1%}  "
            f"{step.images_per_second:,.0f} images/s  {duration(step.seconds_left)} left"
        )
        self.progress.update(
            self.task, completed=step.step, total=step.steps, figures=figures,
            epoch=f"{step.epoch}/{self.epochs}",
        )  # fmt: skip

    def epoch(self, row: Row) -> None:
        """Leave a line above the bar."""
        self.progress.console.print(epoch_line(row), highlight=False)

    def note(self, fact: str) -> None:
        """Say it, above the bar where there is one already."""
        if self.epochs:
            self.progress.console.print(fact, highlight=False, markup=False)
        else:
            super().note(fact)

    def finished(self, summary: Summary) -> None:
        """Take the bar away."""
        self.close()
        super().finished(summary)

    def close(self) -> None:
        """Take the bar away, if it is still there."""
        self.progress.stop()


def opening(start: Start) -> str:
    """What is trained on what, in one line."""
    s = start.settings
    params, epochs = counted(start.parameters, "parameter"), counted(s.epochs, "epoch")
    shared = f", {start.processes} processes" if start.processes > 1 else ""
    return (
        f"{params} on {start.data}: {start.train_images:,} training and "
        f"{counted(start.val_images, 'validation image')}; {epochs}, batch {s.batch_size}, "
        f"lr {s.lr:g}, seed {s.seed}, {s.precision} on {s.device}{shared}"
    )


def plan_lines(forecast: Forecast) -> Iterator[str]:
    """What a training would take, a line a measure."""
    f = forecast
    step = f.seconds_per_step
    yield (
        f"a step takes {f'{step * 1000:.1f} ms' if step < 1 else duration(step)}, "
        f"an epoch of {counted(f.steps, 'step')} {duration(f.seconds_per_epoch)}, "
        f"{counted(f.epochs, 'epoch')} {duration(f.seconds)}"
    )
    memory, disk = f"{f.peak_memory / 1e9:.2f} GB of memory", f"{f.disk / 1e6:,.1f} MB on the disk"
    yield f"{memory} at the most, {disk} meanwhile"


def disturbed(waited: float) -> str:
    """What a forecast is worth that was measured beside other processes."""
    return (
        f"other processes had the cores for {waited:.0%} of the time that this was measured in: "
        "alone, a training is faster"
    )


def epoch_line(row: Row) -> str:
    """What an epoch came to, in one line."""
    return (
        f"epoch {row.epoch:>3}  "
        f"train loss {row.train_loss:.3f} accuracy {row.train_accuracy:6.2%}  "
        f"(as is {row.sample_accuracy:6.2%})  "
        f"val loss {row.val_loss:.3f} accuracy {row.val_accuracy:6.2%}  "
        f"{row.images_per_second:,.0f} images/s  {duration(row.seconds)}"
    )


def closing(summary: Summary, folder: Path) -> str:
    """How good the network is and where it lies."""
    best = summary.best
    return (
        f"best {best.val_accuracy:.2%} in epoch {best.epoch}, last "
        f"{summary.last.val_accuracy:.2%}, {duration(summary.seconds)}; all of it in {folder}"
    )
