"""A training to the event files that TensorBoard shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, final

from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.metrics import Row
from netdsl.train.progress import Start, Step, Summary

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter

TAGS = {
    "train/loss": "train_loss",
    "train/accuracy": "train_accuracy",
    "train/sample_accuracy": "sample_accuracy",
    "train/lr": "lr",
    "train/gradient_norm": "gradient_norm",
    "val/loss": "val_loss",
    "val/accuracy": "val_accuracy",
    "val/top5": "val_top5",
    "speed/images_per_second": "images_per_second",
}


@final
class TensorBoard:
    """Listens, and writes the measures of every epoch, over the steps that were taken.

    What lies past the step at which a resume goes on is hidden, so that nothing is seen twice.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._open = folder, _writer()
        self._writer: SummaryWriter | None = None
        self._steps = 0

    def started(self, start: Start) -> None:
        """Begin a file."""
        self._steps = start.steps
        self._writer = self._open(str(self._folder), purge_step=start.done + 1)

    def note(self, fact: str) -> None: ...

    def step(self, step: Step) -> None: ...

    def epoch(self, row: Row) -> None:
        """Write what an epoch came to."""
        assert self._writer is not None, "an epoch before the start"
        for tag, name in TAGS.items():
            self._writer.add_scalar(tag, getattr(row, name), row.epoch * self._steps)
        self._writer.flush()

    def stopping(self) -> None: ...

    def finished(self, summary: Summary) -> None:
        """End the file."""
        self.close()

    def close(self) -> None:
        """End the file, however the training ended; a second time does nothing."""
        if self._writer is not None:
            self._writer.close()


def _writer() -> type[SummaryWriter]:
    try:
        from torch.utils.tensorboard.writer import SummaryWriter
    except ImportError as error:
        raise TrainError(
            "tensorboard is not installed", "pip install 'netdsl[tensorboard]'", ExitCode.USAGE
        ) from error
    return SummaryWriter
