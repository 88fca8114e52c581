"""What may change between a training and its resume, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.serialization import get_crc32_options, set_crc32_options

from netdsl.train import (
    DataSet,
    ExitCode,
    Row,
    RunFolder,
    Settings,
    Silent,
    Start,
    TrainError,
    train,
)
from netdsl.train.checkpoint import read_checkpoint
from netdsl.train.files import only_process
from netdsl.train.origin import refuse_changes

MakeNetwork = Callable[[DataSet], nn.Module]


class _Break(Exception):
    pass


class Breaks(Silent):
    """Ends a training behind its first epoch, as a power cut would."""

    def epoch(self, row: Row) -> None:
        raise _Break


class Starts(Silent):
    """Keeps what it hears of the start."""

    def started(self, start: Start) -> None:
        self.start = start


@pytest.fixture
def cut(
    make_network: MakeNetwork, make_run: Callable[..., RunFolder], digits: DataSet,
    settings: Settings,
) -> RunFolder:  # fmt: skip
    run = make_run(settings)
    with pytest.raises(_Break):
        train(make_network(digits), digits, settings, run, Breaks())
    return run


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"batch_size": 64}, "batch_size was 32 and is 64"),
        ({"lr": 0.1, "epochs": 5}, "epochs was 2 and is 5; lr was 0.05 and is 0.1"),
        ({"augment": ("flip",)}, "augment was none and is flip"),
        ({"optimiser": "adam"}, "optimiser was sgd and is adam"),
    ],
)
def test_other_settings_are_refused(
    change: dict[str, Any],
    fact: str,
    cut: RunFolder,
    make_network: MakeNetwork,
    digits: DataSet,
    settings: Settings,
) -> None:
    before = cut.checkpoint.read_bytes()
    with pytest.raises(TrainError) as caught:
        train(make_network(digits), digits, replace(settings, **change), cut)
    assert str(caught.value) == f"{cut.path} cannot go on: {fact}"
    assert caught.value.help == "leave it as it was, or begin another run"
    assert caught.value.exit_code == ExitCode.USAGE
    assert cut.checkpoint.read_bytes() == before


def test_other_images_are_refused(
    cut: RunFolder, make_network: MakeNetwork, digits: DataSet, settings: Settings
) -> None:
    other = replace(digits, fingerprint="another")
    with pytest.raises(TrainError) as caught:
        train(make_network(digits), other, settings, cut)
    fact = f"{cut.path} cannot go on: the images are others than they were"
    assert str(caught.value) == fact


def test_another_source_is_refused(
    cut: RunFolder, make_network: MakeNetwork, digits: DataSet, settings: Settings
) -> None:
    (cut.path / "network.arch").write_text("Conv 9\n")
    with pytest.raises(TrainError) as caught:
        train(make_network(digits), digits, settings, cut)
    fact = f"{cut.path} cannot go on: line 1 of the network was `Conv 8` and is `Conv 9`"
    assert str(caught.value) == fact


def test_another_version_is_refused_and_another_torch_is_not() -> None:
    before = {"netdsl": "0.1.0", "torch": "2.10.0", "threads": 4, "compile": True, "lr": 0.1}
    with pytest.raises(TrainError, match=r"^run cannot go on: netdsl was 0\.1\.0 and is 0\.2\.0\n"):
        refuse_changes(before, before | {"netdsl": "0.2.0"}, "run")
    changes = refuse_changes(
        before, before | {"torch": "2.11.0", "threads": 2, "compile": False}, "run"
    )
    assert changes == (
        "torch was 2.10.0 and is 2.11.0", "threads was 4 and is 2", "compile was true and is false",
    )  # fmt: skip


def test_what_may_change_is_told_of(
    cut: RunFolder, make_network: MakeNetwork, digits: DataSet, settings: Settings
) -> None:
    starts = Starts()
    train(make_network(digits), digits, replace(settings, threads=2), cut, starts)
    assert starts.start.changes == ("threads was 1 and is 2",)
    assert (starts.start.done, starts.start.steps) == (7, 7)


def test_a_network_of_other_weights_is_refused(
    cut: RunFolder, digits: DataSet, settings: Settings
) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    with pytest.raises(TrainError) as caught:
        train(model, digits, settings, cut)
    assert str(caught.value).startswith(f"{cut.path}/resume.pt does not fit: ")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == ExitCode.IO


class Runs:
    """Runs a command when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    torch.save({"format": 1, "model": Runs(tmp_path / "ran")}, tmp_path / "resume.pt")
    with pytest.raises(TrainError) as caught:
        read_checkpoint(tmp_path / "resume.pt")
    assert str(caught.value) == f"{tmp_path}/resume.pt is not a checkpoint"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04K\x01.", b"\xff" * 100])
def test_a_file_of_something_else_is_no_checkpoint(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "resume.pt").write_bytes(content)
    with pytest.raises(TrainError) as caught:
        read_checkpoint(tmp_path / "resume.pt")
    assert str(caught.value) == f"{tmp_path}/resume.pt is not a checkpoint"
    assert caught.value.exit_code == ExitCode.IO


def test_a_checkpoint_that_is_cut_short_is_none(cut: RunFolder) -> None:
    content = cut.checkpoint.read_bytes()
    cut.checkpoint.write_bytes(content[: len(content) // 2])
    with pytest.raises(TrainError, match=r"resume\.pt is not a checkpoint$"):
        read_checkpoint(cut.checkpoint)


def test_a_checkpoint_with_a_byte_that_changed_is_damaged(cut: RunFolder) -> None:
    content = bytearray(cut.checkpoint.read_bytes())
    weight, *_ = read_checkpoint(cut.checkpoint)["model"].values()
    content[content.index(weight.numpy().tobytes()) + 2] ^= 1
    cut.checkpoint.write_bytes(content)
    with pytest.raises(TrainError) as caught:
        read_checkpoint(cut.checkpoint)
    assert str(caught.value) == f"{cut.checkpoint} is damaged: its checksums are others"
    assert caught.value.exit_code == ExitCode.DATA


def test_a_checkpoint_has_its_checksums_where_torch_was_told_to_write_none(
    make_network: MakeNetwork, make_run: Callable[..., RunFolder], digits: DataSet,
    settings: Settings,
) -> None:  # fmt: skip
    run, before = make_run(settings), get_crc32_options()
    set_crc32_options(False)
    try:
        with pytest.raises(_Break):
            train(make_network(digits), digits, settings, run, Breaks())
        assert not get_crc32_options()
    finally:
        set_crc32_options(before)
    assert read_checkpoint(run.checkpoint)["done"]


def test_a_checkpoint_of_another_version_is_none(tmp_path: Path) -> None:
    torch.save({"format": 1}, tmp_path / "resume.pt")
    with pytest.raises(TrainError, match=r"resume\.pt is not a checkpoint of this version$"):
        read_checkpoint(tmp_path / "resume.pt")


def test_two_processes_do_not_train_in_one_folder(
    cut: RunFolder, make_network: MakeNetwork, digits: DataSet, settings: Settings
) -> None:
    with only_process(cut.path), pytest.raises(TrainError) as caught:
        train(make_network(digits), digits, settings, cut)
    assert str(caught.value) == f"another process trains in {cut.path}"
    assert caught.value.exit_code == ExitCode.IO


@pytest.mark.parametrize(("text", "asked"), [("Conv 9\n", {"n": 1}), ("Conv 8\n", {"n": 2})])
def test_of_two_that_begin_a_run_in_one_folder_the_last_trains_it(
    text: str, asked: dict[str, object], make_network: MakeNetwork, digits: DataSet,
    settings: Settings, tmp_path: Path,
) -> None:  # fmt: skip
    first = RunFolder.create("Conv 8\n", settings, {"n": 1}, data=digits, path=tmp_path)
    second = RunFolder.create(text, settings, asked, data=digits, path=tmp_path)
    with pytest.raises(TrainError) as caught:
        train(make_network(digits), digits, settings, first)
    assert str(caught.value) == f"another process has begun a run in {tmp_path} meanwhile"
    assert caught.value.help == "name another folder for the run"
    assert caught.value.exit_code == ExitCode.IO
    with pytest.raises(_Break):
        train(make_network(digits), digits, settings, second, BreaksAtOnce())


def test_rows_and_weights_behind_the_checkpoint_are_cut(
    cut: RunFolder, make_network: MakeNetwork, digits: DataSet, settings: Settings
) -> None:
    metrics, best = (cut.path / "metrics.csv").read_bytes(), cut.best.read_bytes()
    with (cut.path / "metrics.csv").open("a") as file:
        file.write("2,1,1,1,1,1,1,1,1\n")
    cut.best.write_bytes(b"of an epoch that is not there")
    (cut.path / ".resume.pt.17.tmp").write_bytes(b"half")
    with pytest.raises(_Break):
        train(make_network(digits), digits, settings, cut, BreaksAtOnce())
    assert (cut.path / "metrics.csv").read_bytes() == metrics
    assert cut.best.read_bytes() == best
    assert not (cut.path / ".resume.pt.17.tmp").exists()


class BreaksAtOnce(Silent):
    """Ends a training before its first step."""

    def started(self, start: Start) -> None:
        raise _Break
