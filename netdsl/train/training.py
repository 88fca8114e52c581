"""A network that is being trained: what it learns from, and how far it is."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn
from torch.optim import Optimizer

from netdsl.train.averaging import Average
from netdsl.train.batches import Feed
from netdsl.train.compiling import Compiled
from netdsl.train.distributed import ALONE, World
from netdsl.train.metrics import Row, best_of
from netdsl.train.origin import Origin
from netdsl.train.pace import Pace
from netdsl.train.progress import Progress
from netdsl.train.run import RunFolder
from netdsl.train.schedule import rate
from netdsl.train.settings import Settings
from netdsl.train.signals import Stop
from netdsl.train.tally import Tally


@dataclass(frozen=True, slots=True, eq=False)
class Feeds:
    """The images of a training, of its validation, and the training images that are evaluated."""

    train: Feed
    val: Feed
    sample: Feed


@dataclass(slots=True)
class Training:
    """All of a training that is under way; `checkpoint` stores what of it changes."""

    model: nn.Module
    replica: nn.Module  # what a step runs: the network, or what shares its gradients with others
    optimiser: Optimizer
    average: Average | None
    feeds: Feeds
    settings: Settings
    run: RunFolder
    origin: Origin
    about: Mapping[str, object]  # the network and its images, for whoever finds the weights alone
    report: Progress
    stop: Stop
    steps: int  # of an epoch
    classes: int
    compiled: Compiled | None = None  # what full batches go through in place of `replica`
    world: World = ALONE
    watched: frozenset[str] = frozenset()  # the weights that have to stay finite
    save_every: float = math.inf  # seconds
    done: int = 0  # steps, over all epochs
    rows: list[Row] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    seconds: float = 0.0  # that the training took before `began`
    began: float = field(default_factory=time.perf_counter)
    begun_at: int = 0  # the step that came first since `began`
    reported: float = 0.0
    doubtful: bool = False  # something was read that is not finite
    saved: float = field(default_factory=time.perf_counter)
    pace: Pace = field(default_factory=Pace)

    @property
    def epoch(self) -> int:
        """The epoch under way, counted from 1."""
        return len(self.rows) + 1

    @property
    def step(self) -> int:
        """The steps of this epoch that are done."""
        return self.done - len(self.rows) * self.steps

    @property
    def batch(self) -> int:
        """The images of the next step, of all processes together."""
        left = len(self.feeds.train.labels) - self.step * self.settings.batch_size
        return min(self.settings.batch_size, left)

    @property
    def where(self) -> str:
        """The latest step, in words."""
        return f"step {self.step} of {self.steps} in epoch {self.epoch}"

    @property
    def lr(self) -> float:
        """The learning rate of the latest step."""
        return rate(max(0, self.done - 1), self.steps, self.settings)

    def learner(self, images: int) -> nn.Module:
        """Return what a batch of that many images goes through in training."""
        full = images == self.settings.batch_size
        return self.compiled if full and self.compiled is not None else self.replica

    @property
    def evaluated(self) -> nn.Module:
        """The network that is evaluated and stored: the averaged one where there is one."""
        return self.model if self.average is None else self.average.model

    @property
    def best(self) -> Row:
        """The best epoch so far."""
        return best_of(self.rows)

    @property
    def is_over(self) -> bool:
        """Say whether all epochs are done, or too many without a better accuracy."""
        if not self.rows:
            return False
        if len(self.rows) >= self.settings.epochs:
            return True
        return 0 < self.settings.patience <= len(self.rows) - self.best.epoch

    @property
    def forecast(self) -> float | None:
        """The seconds that all epochs will take, by the first steps; None where none were timed."""
        evaluated = len(self.feeds.val.labels) + len(self.feeds.sample.labels)
        epoch = self.pace.epoch(self.steps, self.settings.batch_size, evaluated)
        return None if epoch is None else epoch * self.settings.epochs

    @property
    def elapsed(self) -> float:
        """The seconds that the training took so far, in all its parts."""
        return self.seconds + time.perf_counter() - self.began
