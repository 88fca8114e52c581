"""What TensorBoard is shown of a training."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from torch import nn

from netdsl.train import (
    DataSet,
    ExitCode,
    Row,
    RunFolder,
    Settings,
    Several,
    Silent,
    TensorBoard,
    TrainError,
    train,
)

MakeNetwork = Callable[[DataSet], nn.Module]


class _Break(Exception):
    pass


class BreaksBehindTwo(Silent):
    """Ends a training behind its second epoch."""

    def epoch(self, row: Row) -> None:
        if row.epoch == 2:
            raise _Break


def _scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(folder)).Reload()
    return [(event.step, event.value) for event in events.Scalars(tag)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_epoch_is_shown_once_though_the_training_was_cut(
    make_network: MakeNetwork, make_run: Callable[..., RunFolder], digits: DataSet,
    settings: Settings, tmp_path: Path,
) -> None:  # fmt: skip
    pytest.importorskip("tensorboard")
    run, folder = make_run(settings), tmp_path / "events"
    first = Several((TensorBoard(folder), BreaksBehindTwo()))
    with pytest.raises(_Break):
        train(make_network(digits), digits, settings, run, first)
    train(make_network(digits), digits, settings, run, TensorBoard(folder))
    for tag, name in (("train/loss", "train_loss"), ("val/accuracy", "val_accuracy")):
        expected = [(7 * row.epoch, pytest.approx(getattr(row, name))) for row in run.rows]
        assert _scalars(folder, tag) == expected


def test_tensorboard_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard.writer", None)
    with pytest.raises(TrainError) as caught:
        TensorBoard(tmp_path)
    assert str(caught.value) == "tensorboard is not installed"
    assert caught.value.help == "pip install 'netdsl[tensorboard]'"
    assert caught.value.exit_code == ExitCode.USAGE
