"""A training under way to `resume.pt` and back, exactly."""

from __future__ import annotations

import io
import pickle
import time
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.optim import Optimizer

from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.faults import diverged
from netdsl.train.files import read_file, write_file
from netdsl.train.metrics import Row
from netdsl.train.origin import refuse_changes
from netdsl.train.pace import Pace
from netdsl.train.random_state import random_state, restore_random_state
from netdsl.train.tally import Tally
from netdsl.train.training import Training
from netdsl.train.weights import is_finite, write_weights

_FORMAT = 1


def pause(job: Training) -> None:
    """Between two steps: store and end where somebody wants that, store where it is time to."""
    if job.stop.code is not None:
        save(job)
        raise TrainError(
            f"stopped after {job.where}; {job.run.path} holds all that a resume needs",
            None,
            job.stop.code,
        )
    if time.perf_counter() - job.saved > job.save_every:
        save(job)


def save(job: Training) -> None:
    """Store a training, unless a number of it is NaN or infinite."""
    check_finite(job)
    content = io.BytesIO()
    torch.save(_state(job), content)
    write_file(job.run.checkpoint, content.getbuffer())
    job.saved = time.perf_counter()


def restore(job: Training) -> tuple[str, ...]:
    """Continue from what `save` stored; return what has changed that may."""
    path = job.run.checkpoint
    state = read_checkpoint(path)
    changes = refuse_changes(state["origin"], job.origin, str(job.run.path))
    try:
        _put_back(job, state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise TrainError(f"{path} does not fit: {reason}", None, ExitCode.IO) from error
    return changes


def read_checkpoint(path: Path) -> Mapping[str, Any]:
    """Return what a file holds that `save` wrote; no code in it is run."""
    content = read_file(path)
    if not zipfile.is_zipfile(io.BytesIO(content)):  # torch reads older kinds too, with warnings
        raise TrainError(f"{path} is not a checkpoint", None, ExitCode.IO)
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise TrainError(f"{path} is not a checkpoint", None, ExitCode.IO) from error
    if not isinstance(state, dict) or state.get("format") != _FORMAT:
        raise TrainError(f"{path} is not a checkpoint of this version", None, ExitCode.IO)
    return state


def check_finite(job: Training) -> None:
    """Raise if a loss, a gradient norm or a weight is NaN or infinite."""
    norm = job.tally.read().check(job.where, job.lr).last_norm
    if not (is_finite(job.model) and is_finite(job.evaluated)):
        raise diverged(f"a weight became NaN or infinite by {job.where}", job.lr, norm)


def _state(job: Training) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "origin": dict(job.origin),
        "done": job.done,
        "rows": [asdict(row) for row in job.rows],
        "tally": job.tally.state(),
        "seconds": job.elapsed,
        "pace": {"seconds": job.pace.step},
        "random": random_state(job.model, job.settings),
        "model": dict(job.model.state_dict()),
        "optimiser": job.optimiser.state_dict(),
        "average": None if job.average is None else dict(job.average.state_dict()),
        "best": job.best_weights,
    }


def _put_back(job: Training, state: Mapping[str, Any]) -> None:
    job.model.load_state_dict(state["model"])
    _load_optimiser(job.optimiser, state["optimiser"])
    if job.average is not None:
        job.average.load_state_dict(state["average"])
    job.done = job.begun_at = state["done"]
    job.rows = [Row(**row) for row in state["rows"]]
    job.tally = Tally.restore(state["tally"])
    job.seconds = state["seconds"]
    job.pace = Pace(state["pace"]["seconds"])
    job.best_weights = state["best"]
    if job.rows:
        write_weights(job.best_weights, job.run.best, about_best(job))
    job.run.write_rows(job.rows)
    restore_random_state(job.model, job.settings, state["random"])


def about_best(job: Training) -> dict[str, object]:
    """Return what is written into the file of the best weights."""
    epochs = job.best.epoch
    return {**job.about, "epochs": epochs, "steps": epochs * job.steps}


def _load_optimiser(optimiser: Optimizer, state: dict[str, Any]) -> None:
    """Put an optimiser's state back, every tensor lying in memory as its weight does."""
    optimiser.load_state_dict(state)
    # NOTE: on a CPU the fused step is silently wrong where they lie differently.
    for weight, kept in optimiser.state.items():
        for name, tensor in kept.items():
            if tensor.shape == weight.shape and tensor.stride() != weight.stride():
                kept[name] = torch.empty_like(weight).copy_(tensor)
