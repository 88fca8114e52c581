"""Choices and this machine to settings: what nobody chose is decided here, once."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, TypedDict, cast

from netdsl.train import machine
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.settings import BATCH, Settings, refuse_other_kinds, restore
from netdsl.train.steps import count_steps

_LENGTHS = frozenset({"epochs", "iterations"})


class Choices(TypedDict, total=False):
    """Settings that somebody chose; what is missing or None is left to `resolve`.

    `iterations` is another way to say `epochs`: as many as hold that many steps.
    """

    epochs: int | None
    iterations: int | None
    batch_size: int | None
    optimiser: str | None
    lr: float | None
    momentum: float | None
    nesterov: bool | None
    weight_decay: float | None
    decay_norms: bool | None
    schedule: str | None
    warmup: float | None
    milestones: tuple[float, ...] | None
    gamma: float | None
    unit: str | None
    clip: float | None
    label_smoothing: float | None
    mixup: float | None
    cutmix: float | None
    average: float | None
    patience: int | None
    normalise: str | None
    augment: tuple[str, ...] | None
    sample: int | None
    seed: int | None
    device: str | None
    precision: str | None
    channels_last: bool | None
    threads: int | None
    sync_bn: bool | None
    exact: bool | None
    deterministic: bool | None
    compile: bool | None


def resolve(*layers: Choices, images: int | None = None, processes: int = 1) -> Settings:
    """Return the settings that the layers choose, later ones first, then this machine.

    `images` is how many there are to train on, by so many processes, which `iterations` need. A
    layer that chooses both `epochs` and `iterations` is an error.

    >>> resolve({"epochs": 30, "lr": 0.1}, {"lr": 0.02, "epochs": None}).epochs
    30
    >>> resolve({"iterations": 1000, "batch_size": 100}, images=50_000).epochs
    2
    """
    said = Choices()
    for layer in layers:
        refuse_two_lengths({name for name, value in layer.items() if value is not None})
        said = over(said, layer)
    chosen: dict[str, Any] = dict(said)
    refuse_other_kinds(chosen)
    if "iterations" in chosen:
        chosen["epochs"] = _epochs(chosen.pop("iterations"), chosen, images, processes)
    device = machine.pick_device(chosen.get("device"))
    defaults: dict[str, object] = {
        "device": device,
        "precision": machine.pick_precision(device),
        "threads": machine.count_cores(),
    }
    return restore(defaults | chosen)


def on_device(settings: Settings, device: str) -> Settings:
    """Return the settings for another device; batch norm over processes goes with GPUs alone.

    >>> on_device(Settings(device="cuda", sync_bn=True), "cpu").sync_bn
    False
    """
    return replace(settings, device=device, sync_bn=settings.sync_bn and device == "cuda")


def over(below: Choices, above: Choices) -> Choices:
    """Return the choices of both, those above first; `epochs` and `iterations` say one thing.

    >>> over({"epochs": 30, "lr": 0.1}, {"iterations": 500, "lr": None})
    {'lr': 0.1, 'iterations': 500}
    """
    said = {name: value for name, value in above.items() if value is not None}
    hidden = _LENGTHS - said.keys() if not _LENGTHS.isdisjoint(said) else frozenset()
    kept = {k: v for k, v in below.items() if v is not None and k not in hidden}
    return cast(Choices, kept | said)


def refuse_two_lengths(names: Collection[str], where: str = "") -> None:
    """Raise where both `epochs` and `iterations` are chosen; `where` is put before."""
    if _LENGTHS.issubset(names):
        fact = f"{where}epochs and iterations are both given, and each says how long to train"
        raise TrainError(fact, "leave one of them out", ExitCode.USAGE)


def _epochs(iterations: int, chosen: Mapping[str, Any], images: int | None, processes: int) -> int:
    if images is None:
        fact = "iterations are given, and not of how many images"
        raise TrainError(fact, "as in resolve(…, images=len(data.train))", ExitCode.USAGE)
    # What is out of bounds is for the rules to refuse.
    batch = max(1, chosen.get("batch_size", BATCH))
    return math.ceil(iterations / max(1, count_steps(images, batch, processes)))
