"""Trainings that do not end well: interrupted, diverged, out of memory, the wrong network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

import netdsl
from netdsl.train import (
    DataSet,
    ExitCode,
    Row,
    RunFolder,
    Settings,
    Silent,
    Step,
    TrainError,
    evaluate,
    predict,
    train,
)
from netdsl.train.checkpoint import read_checkpoint

MakeNetwork = Callable[[DataSet], nn.Module]
MakeRun = Callable[..., RunFolder]


def test_a_loss_that_is_no_number_stops_before_the_weights_change(
    make_network: MakeNetwork, make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    settings = replace(settings, epochs=3)
    run, model = make_run(settings), make_network(digits)
    with pytest.raises(TrainError) as caught:
        train(model, digits, settings, run, _Spoils(model))
    assert str(caught.value) == (
        "the loss became nan in step 1 of 7 in epoch 2, at learning rate 0.04837, gradient norm nan"
    )
    assert caught.value.exit_code == ExitCode.DIVERGED
    assert caught.value.help == "a lower learning rate or a clipped gradient helps in most cases"
    stored = safetensors.torch.load_file(run.last)
    assert all(tensor.isfinite().all() for tensor in stored.values())


class _Spoils(Silent):
    """Puts a NaN into a network after its first epoch."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def epoch(self, row: Row) -> None:
        _spoil(self.model)


class _SpoilsLate(_Spoils):
    """Puts a NaN into a network after the last step of an epoch."""

    def step(self, step: Step) -> None:
        _spoil(self.model)

    def epoch(self, row: Row) -> None: ...


def _spoil(model: nn.Module) -> None:
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] = float("nan")


def test_weights_that_are_no_numbers_are_never_stored(
    make_network: MakeNetwork, make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    settings = replace(settings, epochs=1, batch_size=200)
    run, model = make_run(settings), make_network(digits)
    with pytest.raises(TrainError) as caught:
        train(model, digits, settings, run, _SpoilsLate(model))
    fact = (
        "a weight became NaN or infinite by step 1 of 1 in epoch 1, at learning rate 2e-07, "
        "gradient norm 2.676"
    )
    assert (str(caught.value), caught.value.exit_code) == (fact, ExitCode.DIVERGED)
    assert not run.last.exists()


class Masked(nn.Module):
    """A network with a mask that is infinite where nothing is to be seen."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.register_buffer("mask", torch.full((8, 8), float("-inf")).triu(1))
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(((x @ x.mT) + self.mask).softmax(-1).flatten(1))


@pytest.mark.parametrize("average", [0.0, 0.5])
def test_what_was_infinite_from_the_start_is_no_fault(
    average: float, make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    run = make_run(settings := replace(settings, average=average))
    train(Masked(), digits, settings, run, save_minutes=0)
    assert safetensors.torch.load_file(run.last)["mask"].isinf().any()


class Noted(nn.Linear):
    """A layer that keeps a note beside its weights."""

    def get_extra_state(self) -> object:
        return {"note": 1}


def test_a_network_that_no_file_can_hold_is_refused_before_the_first_step(
    make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    model = nn.Sequential(nn.Flatten(), Noted(64, 10))
    with pytest.raises(TrainError, match=r"^1\._extra_state of the network is of type dict, "):
        train(model, digits, settings, make_run(settings))


@pytest.mark.parametrize(
    ("mask", "kind"),
    [
        (torch.zeros(3, dtype=torch.complex128), "complex128"),
        (torch.eye(3).to_sparse(), "sparse_coo"),
    ],
)
def test_a_kind_of_numbers_that_no_file_can_hold_is_refused_before_the_first_step(
    mask: Tensor, kind: str, make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    model.register_buffer("mask", mask)
    with pytest.raises(TrainError) as caught:
        train(model, digits, settings, make_run(settings))
    fact = f"mask of the network is {kind}, which a file of weights does not hold"
    assert (str(caught.value), caught.value.exit_code) == (fact, ExitCode.USAGE)
    assert caught.value.help == "convert it, or register it as a buffer with persistent=False"


def test_no_checkpoint_is_written_of_weights_that_are_no_numbers(
    make_network: MakeNetwork, make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    settings = replace(settings, epochs=1, batch_size=200)
    run, model = make_run(settings), make_network(digits)
    with pytest.raises(TrainError, match=r"^a weight became NaN or infinite by step 1 of 1 "):
        train(model, digits, settings, run, _SpoilsLate(model), save_minutes=0)
    assert not run.checkpoint.exists()


def test_a_validation_loss_that_is_no_number_stops_the_training(
    make_network: MakeNetwork, make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    settings = replace(settings, epochs=1, lr=3e38, batch_size=200)
    run = make_run(settings)
    with pytest.raises(TrainError) as caught:
        train(make_network(digits), digits, settings, run)
    fact = (
        "the validation loss became nan in epoch 1, at learning rate 1.2e+33, gradient norm 2.676"
    )
    assert (str(caught.value), caught.value.exit_code) == (fact, ExitCode.DIVERGED)
    assert not run.last.exists()


@pytest.mark.parametrize(
    ("fault", "message", "stored"),
    [
        (
            {"std": (1e-45,)},
            "the loss became nan in step 1 of 7 in epoch 1, at learning rate 0.01",
            (),
        ),
        (
            {"lr": 1e20},
            "the loss became nan in step 2 of 7 in epoch 1, at learning rate 1e+20",
            ("resume.pt",),  # of step 1
        ),
    ],
)
def test_numbers_that_left_the_finite_are_told_of_and_never_stored(
    fault: dict[str, Any],
    message: str,
    stored: tuple[str, ...],
    make_network: MakeNetwork,
    make_run: MakeRun,
    digits: DataSet,
    settings: Settings,
) -> None:
    data = replace(digits, std=fault.get("std", digits.std))
    settings = replace(settings, lr=fault.get("lr", 0.01), schedule="constant", warmup=0.0)
    run = make_run(settings)
    with pytest.raises(TrainError) as caught:
        train(make_network(digits), data, settings, run, save_minutes=0)
    assert str(caught.value) == f"{message}, gradient norm nan"
    assert caught.value.exit_code == ExitCode.DIVERGED
    assert {path.name for path in run.path.iterdir()} == {"network.arch", "settings.json", *stored}
    for name in stored:
        weights = read_checkpoint(run.path / name)["model"].values()
        assert all(tensor.isfinite().all() for tensor in weights)


def test_a_gradient_that_is_infinite_stops_before_the_weights_change(
    make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    model[1].weight.register_hook(lambda gradient: gradient * 1e38 * 1e38)
    before = model[1].bias.clone()
    with pytest.raises(TrainError) as caught:
        train(model, digits, settings, make_run(settings))
    assert str(caught.value).startswith(
        "a gradient became NaN or infinite in step 1 of 7 in epoch 1, at learning rate 0.002, "
    )
    assert torch.equal(model[1].bias, before)


def test_a_training_that_diverges_leaves_the_last_checkpoint_as_it_was(
    make_network: MakeNetwork, make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    run, model = make_run(settings), make_network(digits)
    spoils = _SpoilsLater(model, run)
    with pytest.raises(TrainError, match=r"^the loss became nan in step 1 of 7 in epoch 2"):
        train(model, digits, settings, run, spoils)
    assert run.checkpoint.read_bytes() == spoils.checkpoint
    assert len(run.rows) == 1


class _SpoilsLater(Silent):
    """Puts a NaN into a network after its first epoch, and keeps the checkpoint."""

    def __init__(self, model: nn.Module, run: RunFolder) -> None:
        self.model, self.run = model, run

    def epoch(self, row: Row) -> None:
        self.checkpoint = self.run.checkpoint.read_bytes()
        _spoil(self.model)


def test_a_network_of_other_classes_is_refused(
    make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 7))
    with pytest.raises(TrainError) as caught:
        train(model, digits, settings, make_run(settings))
    assert str(caught.value) == "the network gives 7 numbers an image, but digits has 10 classes"


def test_a_network_for_other_images_is_refused(
    make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    model = nn.Conv2d(3, 8, 3)
    with pytest.raises(TrainError) as caught:
        train(model, digits, settings, make_run(settings))
    assert str(caught.value).startswith("the network does not take the 1×8×8 images of digits: ")
    assert "\n" not in str(caught.value)


def test_a_network_whose_text_is_for_other_images_is_refused_though_it_would_take_these(
    make_run: MakeRun, digits: DataSet, settings: Settings, tmp_path: Path
) -> None:
    net = netdsl.parse("input 1x16x16  Conv 8  GAP  FC 10")
    for model in (net.module(), nn.DataParallel(net.module())):
        with pytest.raises(TrainError) as caught:
            train(model, digits, settings, make_run(settings))
        fact = "the network is for 1×16×16 images, and those of digits are 1×8×8"
        help = "train `net.override(input=(1, 8, 8)).module()`, and keep its text"
        assert (str(caught.value), caught.value.help) == (fact, help)
    other = net.override(input=(1, 8, 8))
    train(
        other.module(),
        digits,
        settings,
        RunFolder.create(str(other), settings, {}, path=tmp_path / "other"),
    )


def test_a_run_is_made_of_the_text_of_a_network(settings: Settings, tmp_path: Path) -> None:
    network: Any = netdsl.parse("input 1x8x8  Conv 8  GAP  FC 10")
    with pytest.raises(TrainError) as caught:
        RunFolder.create(network, settings, {}, path=tmp_path / "run")
    assert str(caught.value) == "a run keeps the text of its network, not a Network"
    assert caught.value.help == "give `net.standalone()`"
    assert not (tmp_path / "run").exists()


class Viewing(nn.Module):
    """A network that takes a view of what a convolution gives."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(1, 4, 3)
        self.head = nn.Linear(144, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).view(x.size(0), -1))


def test_a_network_that_takes_images_in_the_other_memory_format_is_told_the_setting(
    make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    settings = replace(settings, epochs=1)
    for act in (
        lambda: train(Viewing(), digits, settings, make_run(settings)),
        lambda: evaluate(Viewing(), digits, settings),
    ):
        with pytest.raises(TrainError) as caught:
            act()
        assert str(caught.value).startswith(
            "the network does not take the 1×8×8 images of digits in memory with their channels "
            "last: view size is not compatible with input tensor's size and stride "
        )
        help = "try channels_last=false, or let it reshape where it takes a view"
        assert caught.value.help == help
    fitting = replace(settings, channels_last=False)
    train(Viewing(), digits, fitting, make_run(fitting, "fitting"))


def test_images_that_do_not_fit_in_any_memory_format_are_refused_for_that_alone(
    digits: DataSet, settings: Settings
) -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(64, 10))
    with pytest.raises(TrainError, match="images of digits: mat1 and mat2 shapes") as caught:
        evaluate(model, digits, settings)
    assert caught.value.help is None
    assert model[0].weight.stride() == (9, 1, 3, 1)


def test_a_convolution_over_volumes_trains_beside_others(
    make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    losses = []
    for channels_last in (True, False):
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, padding=1), nn.Unflatten(1, (1, 4)),
            nn.Conv3d(1, 2, 3), nn.Flatten(), nn.Linear(64, 10),
        )  # fmt: skip
        chosen = replace(settings, epochs=2, channels_last=channels_last)
        run = make_run(chosen, f"run-{channels_last}")
        train(model, digits, chosen, run)
        assert model[1].weight.is_contiguous(memory_format=torch.channels_last) == channels_last
        losses.append([loss for row in run.rows for loss in (row.train_loss, row.val_loss)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert losses[0][-2] < losses[0][0]  # it learns


class Two(nn.Linear):
    """A network with a second head."""

    def forward(self, x: Tensor) -> Any:
        logits = super().forward(x.flatten(1))
        return logits, logits


def test_a_network_that_gives_no_tensor_is_refused(
    make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    channels = {"mean": digits.mean, "std": digits.std}
    for act in (
        lambda: train(Two(64, 10), digits, settings, make_run(settings)),
        lambda: evaluate(Two(64, 10), digits, settings),
        lambda: predict(Two(64, 10), digits.val.images, settings=settings, **channels),
    ):
        with pytest.raises(TrainError) as caught:
            act()
        fact = "the network gives a tuple, but must give a tensor, its logits"
        assert str(caught.value) == fact


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"
        ),
    ],
)
def test_running_out_of_memory_names_a_batch_size(
    error: Exception, make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    model[1].weight.register_hook(_raiser(error))
    with pytest.raises(TrainError) as caught:
        train(model, digits, settings, make_run(settings))
    assert str(caught.value) == "out of memory on cpu with batches of 32 images"
    assert (caught.value.help, caught.value.exit_code) == ("try batch_size 16", ExitCode.MEMORY)


def _raiser(error: Exception) -> Callable[..., None]:
    def hook(gradient: Tensor) -> None:
        raise error

    return hook
