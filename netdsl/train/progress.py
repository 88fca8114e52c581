"""What a training tells while it runs, and to whom: the command line shows it, a library not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, final

from netdsl.train.metrics import Row
from netdsl.train.settings import Settings


@dataclass(frozen=True, slots=True)
class Start:
    """What is going to be trained, by epochs of `steps`.

    `done` steps were taken before: the training goes on. `changes` are what differs since then
    that may: the results are not equal to the last bit. `processes` train together.
    """

    data: str
    train_images: int
    val_images: int
    parameters: int
    settings: Settings
    steps: int
    processes: int = 1
    done: int = 0
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """How far an epoch is; loss and accuracy are means over its images so far, of this process.

    `seconds_left` is a guess for the whole training.
    """

    epoch: int
    step: int
    steps: int
    loss: float
    accuracy: float
    images_per_second: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What a training came to: `best` is the epoch whose weights are kept as the best.

    `forecast_seconds` is what its first steps promised, beside the seconds that it took;
    `device_name` is what the maker of the device calls it, and `classes` how many there were.
    """

    best: Row
    last: Row
    seconds: float
    parameters: int
    device: str
    torch: str
    settings: Settings
    forecast_seconds: float | None = None
    processes: int = 1
    device_name: str = ""
    classes: int = 0


class Progress(Protocol):
    """Whoever listens to a training. `Silent` has all of it to begin with."""

    def started(self, start: Start) -> None:
        """Hear what is going to be trained."""

    def note(self, fact: str) -> None:
        """Hear what takes a while, what was decided, or what is wrong with how it goes."""

    def step(self, step: Step) -> None:
        """Hear how far it is: a few times a second, and at the end of every epoch."""

    def epoch(self, row: Row) -> None:
        """Hear what an epoch came to; its weights and its row are stored."""

    def stopping(self) -> None:
        """Hear that somebody wants the training to end; it comes in the midst of anything."""

    def finished(self, summary: Summary) -> None:
        """Hear what the training came to; every file is written."""


class Silent:
    """Listens and says nothing; a subclass hears what it is about, and leaves the rest."""

    def started(self, start: Start) -> None: ...

    def note(self, fact: str) -> None: ...

    def step(self, step: Step) -> None: ...

    def epoch(self, row: Row) -> None: ...

    def stopping(self) -> None: ...

    def finished(self, summary: Summary) -> None: ...


@final
@dataclass(frozen=True, slots=True)
class Several:
    """Tells several listeners all that it hears."""

    listeners: tuple[Progress, ...]

    def started(self, start: Start) -> None:
        for listener in self.listeners:
            listener.started(start)

    def note(self, fact: str) -> None:
        for listener in self.listeners:
            listener.note(fact)

    def step(self, step: Step) -> None:
        for listener in self.listeners:
            listener.step(step)

    def epoch(self, row: Row) -> None:
        for listener in self.listeners:
            listener.epoch(row)

    def stopping(self) -> None:
        for listener in self.listeners:
            listener.stopping()

    def finished(self, summary: Summary) -> None:
        for listener in self.listeners:
            listener.finished(summary)


SILENT = Silent()
