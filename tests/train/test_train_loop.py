"""The training loop: against one written by hand, twice, listened to, evaluated."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest
import safetensors.torch
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import OneCycleLR

from netdsl.train import (
    DataSet,
    Row,
    RunFolder,
    Settings,
    Start,
    Step,
    evaluate,
    load,
    load_weights,
    resolve,
    train,
)
from netdsl.train.machine import threads
from netdsl.train.transforms import PadCrop, random_order

MakeNetwork = Callable[[DataSet], nn.Module]
MakeRun = Callable[..., RunFolder]


class Notes:
    """Writes down all that it hears."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.started = self.step = self.epoch = self.finished = self.heard.append


def _by_hand(model: nn.Module, data: DataSet, settings: Settings) -> list[float]:
    """Train as the papers' scripts do, in fp32; return the mean loss of each epoch."""
    model.to(memory_format=torch.channels_last).train()
    n, size = len(data.train), settings.batch_size
    images = data.train.images.float() - torch.tensor(data.mean).view(1, -1, 1, 1) * 255
    images = images * (1 / (torch.tensor(data.std).view(1, -1, 1, 1) * 255))
    optimiser = torch.optim.SGD(
        model.parameters(), settings.lr, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    steps = settings.epochs * -(-n // size)
    schedule = OneCycleLR(optimiser, settings.lr, total_steps=steps, cycle_momentum=False)
    means = []
    for epoch in range(1, settings.epochs + 1):
        total = 0.0
        for batch in random_order(settings.seed, epoch, 0, n).split(size):
            x = images[batch].contiguous(memory_format=torch.channels_last)
            optimiser.zero_grad()
            loss = cross_entropy(model(x), data.train.labels[batch])
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(batch)
        means.append(total / n)
    return means


def test_losses_equal_those_of_a_loop_written_by_hand(
    make_network: MakeNetwork, make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    settings, run = replace(settings, augment=False, seed=5), make_run(settings)
    train(make_network(digits), digits, settings, run)
    with threads(settings.threads):
        expected = _by_hand(make_network(digits), digits, settings)
    assert [row.train_loss for row in run.rows] == expected


def test_training_again_gives_the_same_numbers_and_weights(
    make_network: MakeNetwork, make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    first, second = make_run(settings, "first"), make_run(settings, "second")
    for run in (first, second):
        train(make_network(digits), digits, settings, run)
    assert first.last.read_bytes() == second.last.read_bytes()
    assert [_timeless(row) for row in first.rows] == [_timeless(row) for row in second.rows]


def _timeless(row: Row) -> Row:
    return replace(row, images_per_second=0.0, seconds=0.0)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_stored_weights_give_the_accuracy_that_was_recorded(
    precision: str,
    make_network: MakeNetwork,
    make_run: MakeRun,
    digits: DataSet,
    settings: Settings,
) -> None:
    settings = replace(settings, precision=precision, epochs=3)
    run = make_run(settings)
    summary = train(make_network(digits), digits, settings, run)
    for path, row in ((run.best, summary.best), (run.last, summary.last)):
        model = make_network(digits)
        load_weights(model, path)
        found = evaluate(model, digits, run.settings)
        assert (found.accuracy, found.loss) == (row.val_accuracy, row.val_loss)
        assert found.n == len(digits.val)


def test_evaluating_leaves_a_network_as_it_was(
    make_network: MakeNetwork, digits: DataSet, settings: Settings
) -> None:
    model = make_network(digits).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    evaluate(model, digits, settings)
    assert model.training
    assert all(torch.equal(before[name], now) for name, now in model.state_dict().items())


def test_an_untrained_network_is_evaluated_on_every_image(
    digits: DataSet, settings: Settings
) -> None:
    always_three = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    nn.init.zeros_(always_three[1].weight)
    with torch.no_grad():
        always_three[1].bias.copy_(torch.eye(10)[3])
    found = evaluate(always_three, digits, replace(settings, batch_size=7))
    assert found.accuracy == (digits.val.labels == 3).sum().item() / len(digits.val)


def test_progress_hears_all_in_order(
    make_network: MakeNetwork, make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    notes, model = Notes(), make_network(digits)
    summary = train(model, digits, settings, make_run(settings), notes)
    parameters = sum(weight.numel() for weight in model.parameters())
    assert notes.heard[0] == Start("digits", 200, 50, parameters, settings)
    rows = [heard for heard in notes.heard if isinstance(heard, Row)]
    assert notes.heard[-2:] == [rows[-1], summary]
    last = [heard for heard in notes.heard if isinstance(heard, Step)][-1]
    assert (last.epoch, last.step, last.steps, last.seconds_left) == (2, 7, 7, 0.0)
    assert (last.loss, last.accuracy) == (rows[-1].train_loss, rows[-1].train_accuracy)


def test_the_folder_of_a_run_holds_its_files(
    make_network: MakeNetwork, make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    run = make_run(settings)
    summary = train(make_network(digits), digits, settings, run)
    assert sorted(path.name for path in run.path.iterdir()) == [
        "best.safetensors",
        "curves.png",
        "curves.svg",
        "last.safetensors",
        "metrics.csv",
        "network.arch",
        "settings.json",
        "summary.json",
    ]
    assert json.loads((run.path / "summary.json").read_text()) == asdict(summary)
    assert (summary.last, summary.device, summary.torch) == (run.rows[-1], "cpu", torch.__version__)


def test_the_best_epoch_is_that_of_the_highest_accuracy(
    make_network: MakeNetwork, make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    settings = replace(settings, epochs=6)
    run = make_run(settings)
    summary = train(make_network(digits), digits, settings, run)
    highest = max(row.val_accuracy for row in run.rows)
    assert summary.best.val_accuracy == highest
    with safetensors.safe_open(run.best, "pt") as file:
        progress = json.loads(file.metadata()["training"])
    assert progress == {"epochs": summary.best.epoch, "steps": 7 * summary.best.epoch}


def test_the_number_of_threads_is_given_back(
    make_network: MakeNetwork, digits: DataSet, settings: Settings
) -> None:
    before = torch.get_num_threads()
    evaluate(make_network(digits), digits, replace(settings, threads=before + 1))
    assert torch.get_num_threads() == before


def test_digits_are_learnt_by_their_defaults(make_network: MakeNetwork, make_run: MakeRun) -> None:
    data = load("digits")
    settings = resolve(data.defaults, {"device": "cpu", "threads": 1})
    summary = train(make_network(data), data, settings, make_run(settings))
    assert summary.best.val_accuracy > 0.97


def test_augmentation_can_be_switched_off(
    make_network: MakeNetwork, make_run: MakeRun, digits: DataSet, settings: Settings
) -> None:
    shifted = replace(digits, augment=(PadCrop(1),))
    runs = {name: make_run(settings, name) for name in ("none", "off", "on")}
    train(make_network(digits), digits, settings, runs["none"])
    train(make_network(digits), shifted, replace(settings, augment=False), runs["off"])
    train(make_network(digits), shifted, settings, runs["on"])
    losses = {name: run.rows[-1].train_loss for name, run in runs.items()}
    assert losses["none"] == losses["off"] != losses["on"]
