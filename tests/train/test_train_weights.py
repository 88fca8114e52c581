"""Weights on the disk: whole or not there, and only into a network that fits."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from netdsl.train import ExitCode, TrainError, load_weights
from netdsl.train.files import write_file
from netdsl.train.weights import is_finite, read_about, save_weights, watch
from netdsl.transfer.source import read_state

# Of each file all numbers are equal. A save is killed at forty moments, from its begin on.
KILLS = """
import itertools, os, signal, sys, time
import torch
from torch import nn
from netdsl.train import load_weights, save_weights

torch.set_num_threads(1)  # threads do not survive a fork
path, model = sys.argv[1], nn.Linear(1000, 500)

def fill(number):
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(number)

def save(number):
    fill(number)
    save_weights(model, path, {})

began = time.perf_counter()
save(0)
took = time.perf_counter() - began
found = set()
for kill in range(40):
    if (process := os.fork()) == 0:
        for number in itertools.count(1):
            save(number)
    time.sleep(took * kill / 10)
    os.kill(process, signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(process, 0)[1]), "a save has failed"
    fill(float("nan"))
    load_weights(model, path)
    (number,) = set(torch.cat([weight.flatten() for weight in model.parameters()]).tolist())
    found.add(number)
assert len(found) > 1, "nothing was saved before a kill"
"""


def _network() -> nn.Sequential:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Linear(5, 3))
    return model.to(memory_format=torch.channels_last)


def _other() -> nn.Sequential:
    """Return a network like it of which every tensor holds other numbers."""
    model = _network()
    for tensor in model.state_dict().values():
        tensor.fill_(7)
    return model


def _assert_same(model: nn.Module, other: nn.Module) -> None:
    expected, found = model.state_dict(), other.state_dict()
    assert expected.keys() == found.keys()
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


def test_a_file_of_weights_is_named_by_a_text_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = _other()
    save_weights(_network(), "a.safetensors", {})
    load_weights(other, "a.safetensors")
    _assert_same(_network(), other)


def test_weights_come_back(tmp_path: Path) -> None:
    model, other = _network(), _other()
    kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert not any(torch.equal(kept[name], found) for name, found in other.state_dict().items())
    save_weights(model, tmp_path / "a.safetensors", {"epochs": 3})
    load_weights(other, tmp_path / "a.safetensors")
    _assert_same(model, other)
    assert all(torch.equal(kept[name], found) for name, found in model.state_dict().items())
    with safetensors.safe_open(tmp_path / "a.safetensors", "pt") as file:
        assert file.metadata() == {"netdsl": '{"epochs": 3}'}
    assert read_about(tmp_path / "a.safetensors") == {"epochs": 3}


def _sharing() -> nn.Sequential:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    return model


def _compiled(model: nn.Module) -> nn.Module:
    return torch.compile(model, backend="eager")  # type: ignore[return-value]


@pytest.mark.parametrize("wrap", [_compiled, nn.DataParallel])
def test_weights_have_the_names_of_the_network_whatever_wraps_it(
    wrap: Callable[[nn.Module], nn.Module], tmp_path: Path
) -> None:
    saved, bare, inside = _network(), _other(), _other()
    save_weights(wrap(saved), tmp_path / "w.safetensors", {})
    for model in (bare, wrap(inside)):
        load_weights(model, tmp_path / "w.safetensors")
    _assert_same(saved, bare)
    _assert_same(saved, inside)


def test_weights_that_two_layers_share_can_be_stored(tmp_path: Path) -> None:
    model, other = _sharing(), _sharing()
    save_weights(model, tmp_path / "a.safetensors", {})
    load_weights(other, tmp_path / "a.safetensors")
    _assert_same(model, other)
    assert other[0].weight is other[1].weight


@pytest.mark.parametrize(
    ("other", "fault"),
    [
        (nn.Sequential(nn.Conv2d(2, 4, 3)), "the network lacks 1.bias and 6 more"),
        (nn.Sequential(*_network(), nn.Linear(2, 2)), "it lacks 3.weight and 1 more"),
        (
            nn.Sequential(nn.Conv2d(2, 4, 5), *_network()[1:]),
            "0.weight is 4×2×3×3, but 4×2×5×5 in the network",
        ),
    ],
)
def test_weights_of_another_network_are_refused(
    other: nn.Module, fault: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.safetensors"
    save_weights(_network(), path, {})
    with pytest.raises(TrainError) as caught:
        load_weights(other, path)
    assert str(caught.value) == f"{path} does not fit the network: {fault}"


TEN_GIGABYTES = (10**10).to_bytes(8, "little")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x04K\x01.", b"\xff" * 100, TEN_GIGABYTES + b"{}", TEN_GIGABYTES + b" " * 2**20],
    ids=["empty", "a pickle", "noise", "a header of 10 GB", "a header of 10 GB that begins"],
)
def test_a_file_of_something_else_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(TrainError) as caught:
        load_weights(_network(), path)
    assert str(caught.value).startswith(f"{path} is not a file of weights: ")


@pytest.mark.parametrize("about", ["5", "[1]", '"a"', "{"])
def test_what_stands_beside_weights_is_an_object(about: str, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    safetensors.torch.save_file({"w": torch.zeros(2)}, path, {"netdsl": about})
    with pytest.raises(TrainError) as caught:
        read_about(path)
    fact = f"{path} is damaged: what stands beside its weights is no JSON object"
    assert str(caught.value) == fact


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        load_weights(_network(), tmp_path / "a.safetensors")
    assert str(caught.value) == f"cannot read {tmp_path}/a.safetensors: No such file or directory"
    assert caught.value.exit_code == ExitCode.IO


def test_a_weight_that_is_no_number_is_found() -> None:
    model = _network()
    watched = watch(model)
    assert is_finite(model, watched)
    model[1].running_var[2] = float("inf")
    assert not is_finite(model, watched)
    assert is_finite(model, watch(model))
    model[0].bias.data[0] = float("inf")
    assert not is_finite(model, watch(model))


class Noted(nn.Linear):
    """A layer that keeps a note beside its weights."""

    def get_extra_state(self) -> object:
        return {"note": 1}

    def set_extra_state(self, state: object) -> None: ...


def test_what_is_no_tensor_is_no_weight(tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        save_weights(nn.Sequential(Noted(2, 2)), tmp_path / "a.safetensors", {})
    assert str(caught.value) == (
        "0._extra_state of the network is of type dict, but a file of weights holds tensors alone"
    )
    assert caught.value.help == "let get_extra_state return a tensor, or leave it out"
    assert caught.value.exit_code == ExitCode.USAGE


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "a"
    write_file(path, b"old")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TrainError) as caught:
        write_file(path, b"new")
    assert str(caught.value) == f"cannot write {path}: No space left on device"
    assert caught.value.exit_code == ExitCode.IO
    assert (path.read_bytes(), [*tmp_path.iterdir()]) == (b"old", [path])


def test_a_file_has_the_mode_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_weights_can_be_read_after_a_kill_at_any_moment(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", KILLS, str(tmp_path / "a.safetensors")]
    done = subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_error_in_writing_names_the_file_that_was_to_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file" / "a.csv", tmp_path / ("long" * 100)):
        with pytest.raises(TrainError) as error:
            write_file(path, b"")
        assert str(error.value).startswith(f"cannot write {path}: ")


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are of any bytes")
def test_weights_are_read_by_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    path, model = tmp_path / os.fsdecode(b"caf\xe9.safetensors"), _network()
    save_weights(model, path, {"epochs": 3})
    assert read_about(path) == {"epochs": 3}
    assert read_state(path).keys() == model.state_dict().keys()
    path.write_bytes(safetensors.torch.save({"a": torch.zeros(2)}))
    assert read_about(path) == {}
    path.write_bytes(b"\xff" * 100)
    with pytest.raises(TrainError) as caught:
        read_about(path)
    assert str(caught.value).startswith(f"{path} is not a file of weights: ")
