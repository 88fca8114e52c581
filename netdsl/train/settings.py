"""Choices and this machine to settings: every number that a training depends on, resolved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TypedDict

from netdsl.train import machine
from netdsl.train.errors import ExitCode, TrainError

PRECISIONS = ("bf16", "fp32")


class Choices(TypedDict, total=False):
    """Settings that somebody chose; what is missing or None is left to `resolve`."""

    epochs: int | None
    batch_size: int | None
    lr: float | None
    momentum: float | None
    weight_decay: float | None
    warmup: float | None
    augment: bool | None
    seed: int | None
    device: str | None
    precision: str | None
    channels_last: bool | None
    threads: int | None


@dataclass(frozen=True, slots=True)
class Settings:
    """All that decides how a network is trained: stored with the run, never guessed again.

    SGD with Nesterov momentum; `lr` is the peak of the one-cycle learning rate and `warmup` the
    part of the training that climbs to it. `augment` false leaves the images as they are.
    """

    epochs: int = 30
    batch_size: int = 128
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup: float = 0.3
    augment: bool = True
    seed: int = 0
    device: str = "cpu"
    precision: str = "fp32"
    channels_last: bool = True
    threads: int = 1

    def __post_init__(self) -> None:
        for name, holds, rule in _rules(self):
            if not holds:
                value = getattr(self, name)
                raise TrainError(f"{name} is {value}, {rule}", exit_code=ExitCode.USAGE)

    def record(self) -> dict[str, object]:
        """Return the settings as JSON can hold them."""
        return asdict(self)


def resolve(*layers: Choices) -> Settings:
    """Return the settings that the layers choose, later ones first, then this machine.

    >>> resolve({"epochs": 30, "lr": 0.1}, {"lr": 0.02, "epochs": None}).epochs
    30
    """
    chosen: dict[str, object] = {}
    for layer in layers:
        chosen |= {name: value for name, value in layer.items() if value is not None}
    device = machine.pick_device(_text(chosen.get("device")))
    defaults: dict[str, object] = {
        "device": device,
        "precision": machine.pick_precision(device),
        "threads": machine.count_cores(),
    }
    return restore(defaults | chosen)


def restore(record: Mapping[str, object]) -> Settings:
    """Return the settings that `Settings.record` gave; a name that is not one is an error."""
    unknown = sorted(record.keys() - {field.name for field in fields(Settings)})
    if unknown:
        raise TrainError(f"{unknown[0]!r} is not a setting", exit_code=ExitCode.USAGE)
    return Settings(**record)  # type: ignore[arg-type]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _rules(s: Settings) -> tuple[tuple[str, bool, str], ...]:
    return (
        ("epochs", s.epochs >= 1, "but at least 1 is needed"),
        ("batch_size", s.batch_size >= 2, "but batch norm needs at least 2 images"),
        ("lr", 0 < s.lr < math.inf, "but must be above 0"),
        ("momentum", 0 < s.momentum < 1, "but must lie between 0 and 1"),
        ("weight_decay", 0 <= s.weight_decay < math.inf, "but must be 0 or more"),
        ("warmup", 0 <= s.warmup < 1, "but must be 0 or more and below 1"),
        ("seed", s.seed >= 0, "but must be 0 or more"),
        ("device", s.device in machine.DEVICES, f"not one of {', '.join(machine.DEVICES)}"),
        ("precision", s.precision in PRECISIONS, f"not one of {', '.join(PRECISIONS)}"),
        ("threads", s.threads >= 1, "but at least 1 is needed"),
    )
