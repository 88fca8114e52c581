"""All that decides what a run comes to, to the key that names its folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from netdsl.network import Network
from netdsl.train import DataSet, Settings

# NOTE: these are the machine's unless somebody chose them: the same run on another machine has the
# same key, so that a cluster of unequal machines can share an experiment.
_OF_THE_MACHINE = frozenset({"device", "threads", "precision", "compile"})
_LENGTH = 16  # hexadecimal digits: 64 bits


@dataclass(frozen=True, slots=True)
class Stage:
    """What a line trains, resolved: one for most recipes, several for a training by stages.

    `asked` is what the run is remembered by, `chosen` names the settings that somebody chose;
    `folder` is where it lies below the run's own, empty where there is but one stage.
    """

    network: Network
    images: DataSet
    settings: Settings
    asked: Mapping[str, Any]
    chosen: frozenset[str]
    folder: str = ""


Resolved = tuple[Stage, ...]


def key_of(stages: Resolved, seed: int) -> str:
    """Return the key of a run: canonical source, settings, images, first weights, seed, version."""
    record = {
        "format": 1,
        "version": version("netdsl"),
        "seed": seed,
        "stages": [_decisive(stage) for stage in stages],
    }
    text = json.dumps(record, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def _decisive(stage: Stage) -> Mapping[str, object]:
    """Return what of a stage decides, all but the seed."""
    left = {"seed", *(_OF_THE_MACHINE - stage.chosen)}
    # NOTE: the request too, not the pixels alone: a resume compares it, and would refuse.
    request = {k: v for k, v in stage.asked["data"].items() if k != "data"}
    return {
        "network": stage.network.standalone(),
        "overrides": dict(sorted(stage.asked["overrides"].items())),
        "scale": stage.asked["scale"],
        "settings": {k: v for k, v in stage.settings.record().items() if k not in left},
        "data": {**request, "name": stage.images.name, "images": stage.images.fingerprint},
        "weights": _weights(stage.asked),
        "frozen": stage.asked["freeze"],
    }


def _weights(asked: Mapping[str, Any]) -> object:
    """Return the name of the weights, and what the file holds where it is one."""
    init, digest = asked["init"], asked["init_sha256"]
    return init if digest is None else [init, digest]
