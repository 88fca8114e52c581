"""Settings: chosen, then of the data set, then of the machine."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from torch import nn

from netdsl.train import ExitCode, Settings, TrainError, resolve
from netdsl.train.machine import has_bf16, name_device, pick_device, pick_precision
from netdsl.train.optimiser import make_optimiser
from netdsl.train.schedule import rate
from netdsl.train.settings import ABOUT, TYPES, restore


def test_later_choices_win_and_none_leaves_the_choice_to_earlier_ones() -> None:
    chosen = resolve({"epochs": 5, "lr": 0.1}, {"epochs": 7, "lr": None})
    assert (chosen.epochs, chosen.lr, chosen.batch_size) == (7, 0.1, 128)


def test_threads_are_the_cores_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {1, 5, 6}, raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert resolve().threads == 3


@pytest.mark.parametrize(("said", "threads"), [("2", 2), ("8", 3), ("0", 1), ("4,2", 3), ("", 3)])
def test_threads_are_as_many_as_somebody_said(
    said: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {1, 5, 6}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert resolve().threads == threads
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")  # torchrun says 1 where nobody said anything
    assert resolve().threads == 3


@pytest.mark.parametrize(
    ("vendor", "flags", "precision"),
    [
        ("GenuineIntel", "avx512_bf16 amx_bf16", "bf16"),
        ("GenuineIntel", "fpu avx512_bf16", "fp32"),
        ("AuthenticAMD", "fpu avx512_bf16", "bf16"),
        ("AuthenticAMD", "avx2", "fp32"),
        ("Another", "avx512_bf16 amx_bf16", "fp32"),
    ],
)
def test_precision_follows_the_instructions_of_the_cpu(
    vendor: str, flags: str, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpuinfo = f"vendor_id\t: {vendor}\nflags\t\t: {flags}\n"
    monkeypatch.setattr("netdsl.train.machine._cpuinfo", lambda: cpuinfo)
    assert resolve({"device": "cpu"}).precision == precision
    assert resolve({"device": "cpu", "precision": "fp32"}).precision == "fp32"


def test_a_device_is_called_what_its_maker_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "NVIDIA H200")
    monkeypatch.setattr("platform.processor", str)
    assert name_device("cuda") == "NVIDIA H200"
    assert name_device("mps") == "mps"
    epyc = "processor\t: 0\nmodel name\t: AMD EPYC\n"
    for cpuinfo, used, name in (
        (epyc, "AVX512", "AMD EPYC, AVX512"), (epyc, "DEFAULT", "AMD EPYC"),
        ("", "AVX2", "cpu, AVX2"), ("", "DEFAULT", "cpu"),
    ):  # fmt: skip
        monkeypatch.setattr("netdsl.train.machine._cpuinfo", lambda said=cpuinfo: said)
        monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda said=used: said)
        assert name_device("cpu") == name


def test_precision_follows_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    supported = {True: "bf16", False: "fp32"}
    for answer, precision in supported.items():
        monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda answer=answer, **_: answer)
        assert pick_precision("cuda") == precision


def test_a_machine_that_tells_nothing_has_no_bf16() -> None:
    assert not has_bf16("")


def test_settings_come_back_from_their_record() -> None:
    settings = resolve({"epochs": 3, "seed": 11})
    assert restore(settings.record()) == settings


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": 0}, "epochs is 0, but at least 1 is needed"),
        ({"batch_size": 1}, "batch_size is 1, but batch norm needs at least 2 images"),
        ({"lr": -0.5}, "lr is -0.5, but must be above 0"),
        ({"lr": float("nan")}, "lr is nan, but must be above 0"),
        ({"momentum": -0.1}, "momentum is -0.1, but must be 0 or more and below 1"),
        ({"momentum": 1.0}, "momentum is 1, but must be 0 or more and below 1"),
        (
            {"momentum": 0.0, "nesterov": True},
            "nesterov is true, but there is no momentum to look ahead along",
        ),
        ({"weight_decay": -1.0}, "weight_decay is -1, but must be 0 or more"),
        ({"optimiser": "adm"}, "optimiser is adm, not one of sgd, adam, adamw"),
        ({"warmup": -0.1}, "warmup is -0.1, but must be 0 or more"),
        (
            {"warmup": 5.0, "epochs": 5},
            "warmup is 5, but must be less than the 5 epochs of the training",
        ),
        (
            {"schedule": "step"},
            "milestones is none, but a step schedule needs some, as in milestones=30,60",
        ),
        ({"milestones": [30, 10]}, "milestones is 30, 10, but must ascend"),
        ({"milestones": [10, 10]}, "milestones is 10, 10, but must ascend"),
        ({"milestones": [0]}, "milestones is 0, but must all be above 0"),
        ({"schedule": "poly"}, "schedule is poly, not one of one_cycle, step, cosine, constant"),
        ({"unit": "steps"}, "unit is steps, not one of epochs, iterations"),
        ({"gamma": 0.0}, "gamma is 0, but must be above 0"),
        ({"clip": -1.0}, "clip is -1, but must be 0 or more"),
        ({"label_smoothing": 1.0}, "label_smoothing is 1, but must be 0 or more and below 1"),
        ({"mixup": -1.0}, "mixup is -1, but must be 0 or more"),
        ({"cutmix": float("inf")}, "cutmix is inf, but must be 0 or more"),
        ({"average": 1.0}, "average is 1, but must be 0 or more and below 1"),
        ({"patience": -1}, "patience is -1, but must be 0 or more"),
        ({"normalise": "batch"}, "normalise is batch, not one of channel, global, pixel, none"),
        ({"augment": ["flop"]}, "'flop' is not a transform"),
        ({"seed": -1}, "seed is -1, but must be 0 or more and below 2^63"),
        ({"seed": 2**63}, f"seed is {2**63}, but must be 0 or more and below 2^63"),
        ({"precision": "fp64"}, "precision is fp64, not one of bf16, fp32"),
        ({"threads": 0}, "threads is 0, but at least 1 is needed"),
        ({"device": "tpu"}, "device is tpu, not one of cpu, cuda, mps"),
        ({"speed": 3}, "'speed' is not a setting"),
    ],
)
def test_a_setting_out_of_range_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(TrainError) as caught:
        restore(wrong)
    assert (str(caught.value), caught.value.exit_code) == (message, ExitCode.USAGE)


KINDS = [
    ({"epochs": 2.5}, "epochs is 2.5, but must be a whole number"),
    ({"epochs": True}, "epochs is True, but must be a whole number"),
    ({"lr": "0.1"}, "lr is '0.1', but must be a number"),
    ({"lr": False}, "lr is False, but must be a number"),
    ({"nesterov": 1}, "nesterov is 1, but must be true or false"),
    ({"optimiser": 3}, "optimiser is 3, but must be a text"),
    ({"augment": "flip"}, "augment is 'flip', but must be a list of texts"),
    ({"milestones": 30}, "milestones is 30, but must be a list of numbers"),
    ({"milestones": ("30",)}, "milestones is ('30',), but must be a list of numbers"),
    ({"compile": "yes"}, "compile is 'yes', but must be true or false"),
]


@pytest.mark.parametrize(("wrong", "message"), KINDS)
def test_a_setting_of_another_kind_is_refused(wrong: Any, message: str) -> None:
    for make in (resolve, restore, lambda said: Settings(**said)):
        with pytest.raises(TrainError) as caught:
            make(wrong)
        assert (str(caught.value), caught.value.exit_code) == (message, ExitCode.USAGE)


def test_numbers_of_other_libraries_are_those_of_python() -> None:
    said: Any = {
        "epochs": np.int64(3), "lr": np.float32(0.1), "clip": np.float64(1.5), "gamma": Fraction(1, 4),
        "schedule": "step", "milestones": tuple(np.arange(1, 3)),
    }  # fmt: skip
    same = {"epochs": 3, "lr": 0.1, "clip": 1.5, "gamma": 0.25, "milestones": [1, 2]}
    for settings in (resolve(said), Settings(**said)):
        record = json.loads(json.dumps(settings.record()))
        assert {name: record[name] for name in same} == same
    assert resolve({"iterations": np.int64(9), "batch_size": np.int64(4)}, images=8).epochs == 5


OPEN = ("compile", "nesterov", "warmup")  # the training, the momentum and the schedule decide


@pytest.mark.parametrize("name", [f.name for f in fields(Settings) if f.name not in OPEN])
def test_only_what_something_else_decides_is_left_open(name: str) -> None:
    with pytest.raises(TrainError, match=f"^{name} is None, but must be "):
        Settings(**{name: None})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"iterations": 5}, "iterations are given, and not of how many images"),
        ({"iterations": "5"}, "iterations is '5', but must be a whole number"),
        ({"iterations": 5, "batch_size": "9"}, "batch_size is '9', but must be a whole number"),
    ],
)
def test_iterations_need_the_number_of_images(wrong: Any, message: str) -> None:
    with pytest.raises(TrainError) as caught:
        resolve(wrong)
    assert (str(caught.value), caught.value.exit_code) == (message, ExitCode.USAGE)


@pytest.mark.parametrize(
    ("said", "help"),
    [
        ({"schedule": "onecycle"}, "did you mean one_cycle?"),
        ({"optimiser": "Adam"}, "did you mean adam?"),
        ({"optimiser": "SGD"}, "did you mean sgd?"),
        ({"unit": "epoch"}, "did you mean epochs?"),
        ({"normalise": "channels"}, "did you mean channel?"),
        ({"schedule": "poly"}, None),
        ({"lr": -1.0}, None),
    ],
)
def test_a_word_that_is_nearly_one_is_told_which(said: Any, help: str | None) -> None:
    with pytest.raises(TrainError) as caught:
        restore(said)
    assert caught.value.help == help


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    with pytest.raises(TrainError, match=r"^device 'cuda' is not available\n") as caught:
        pick_device("cuda")
    assert caught.value.help == "this machine has cpu"


def test_settings_hold_still() -> None:
    with pytest.raises(AttributeError):
        Settings().lr = 1.0  # type: ignore[misc]


def test_epochs_and_iterations_say_one_thing_and_the_later_wins() -> None:
    chosen = ({"epochs": 9}, {"iterations": 1001, "batch_size": 100})
    assert resolve(*chosen, images=50_000).epochs == 3
    assert resolve(*chosen, {"epochs": 4}, images=50_000).epochs == 4


def test_epochs_beside_iterations_are_refused() -> None:
    fact = "epochs and iterations are both given, and each says how long to train"
    with pytest.raises(TrainError, match=f"^{fact}\n") as caught:
        resolve({"epochs": 30, "iterations": 1000}, images=50_000)
    assert caught.value.help == "leave one of them out"
    assert resolve({"epochs": None, "iterations": 1000}, images=50_000).epochs == 3


def test_only_a_cycle_climbs_unless_something_else_is_said() -> None:
    for schedule, usual in (("one_cycle", 0.3), ("cosine", 0.0)):
        for settings in (resolve({"schedule": schedule}), Settings(schedule=schedule)):
            assert (settings.settled_warmup, settings.record()["warmup"]) == (usual, usual)
    assert resolve({"schedule": "cosine", "warmup": 2}).record()["warmup"] == 2


@pytest.mark.parametrize("first", [Settings(), resolve({"device": "cpu"})])
def test_what_nobody_chose_follows_what_is_replaced(first: Settings) -> None:
    changed = replace(first, schedule="cosine", momentum=0.0)
    assert rate(0, 100, changed) == changed.lr
    assert not make_optimiser(nn.Linear(2, 2), changed).param_groups[0]["nesterov"]
    assert (changed.record()["warmup"], changed.record()["nesterov"]) == (0.0, False)
    back = replace(changed, schedule="one_cycle", momentum=0.9)
    assert (back.record()["warmup"], back.record()["nesterov"]) == (0.3, True)


def test_what_somebody_chose_stays_where_other_things_are_replaced() -> None:
    chosen = replace(Settings(warmup=0.3, nesterov=False), schedule="cosine", momentum=0.5)
    assert (chosen.record()["warmup"], chosen.record()["nesterov"]) == (0.3, False)


def test_settings_are_equal_that_train_alike() -> None:
    chosen = Settings(warmup=0.3, nesterov=True)
    assert (chosen == Settings(), hash(chosen)) == (True, hash(Settings()))
    assert Settings(warmup=0.2) != Settings() != Settings(compile=True)


def test_every_setting_is_explained() -> None:
    said = [name for name in ABOUT if name != "iterations"]
    assert said == [field.name for field in fields(Settings)]
    assert ABOUT.keys() == TYPES.keys()


def test_lists_come_back_from_json_as_they_were() -> None:
    settings = resolve({"augment": ("flip",), "schedule": "step", "milestones": (1.5, 2.0)})
    assert restore(json.loads(json.dumps(settings.record()))) == settings


@pytest.mark.parametrize("batch", [0, -1])
def test_iterations_leave_a_batch_size_out_of_bounds_to_its_rule(batch: int) -> None:
    with pytest.raises(TrainError, match=f"^batch_size is {batch}, but batch norm needs"):
        resolve({"iterations": 10, "batch_size": batch}, images=100)


def test_iterations_of_no_full_batch_are_epochs() -> None:
    assert resolve({"iterations": 10}, images=1).epochs == 10
