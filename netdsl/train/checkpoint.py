"""A training under way to `resume.pt` and back, exactly."""

from __future__ import annotations

import io
import pickle
import time
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.optim import Optimizer
from torch.serialization import get_crc32_options, set_crc32_options

from netdsl.first_line import first_line
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.faults import diverged
from netdsl.train.files import DAMAGED_ZIP, read_file, write_file
from netdsl.train.metrics import Row
from netdsl.train.origin import refuse_changes
from netdsl.train.pace import Pace
from netdsl.train.random_state import random_state, restore_random_state
from netdsl.train.tally import Tally
from netdsl.train.training import Training
from netdsl.train.weights import is_finite, write_weights

_FORMAT = 2


def pause(job: Training) -> None:
    """Between two steps: store and end where somebody wants that, store where it is time to.

    All processes of a training do what one of them has a reason for.
    """
    reasons = _reasons(job)
    if reasons.doubt:
        check_finite(job)
    if reasons.code is not None:
        save(job)
        raise TrainError(
            f"stopped after {job.where}; {job.run.path} holds all that a resume needs",
            None,
            reasons.code,
        )
    if reasons.due:
        save(job)


def save(job: Training) -> None:
    """Store a training, unless a number of it is NaN or infinite."""
    check_finite(job)
    own = {"random": random_state(job.model, job.settings), "tally": job.tally.state()}
    state = _state(job, job.world.each(lambda: own))
    job.world.lead(lambda: _write(state, job.run.checkpoint))
    job.saved = time.perf_counter()


def restore(job: Training) -> tuple[str, ...]:
    """Continue from what `save` stored; return what has changed that may.

    One process reads the file, the others need not see its folder.
    """
    path = job.run.checkpoint
    state = job.world.lead(lambda: read_checkpoint(path))
    changes = refuse_changes(state["origin"], job.origin, str(job.run.path))
    _refuse_other_steps(job, state)
    try:
        _put_back(job, state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        fact = f"{path} does not fit: {first_line(error)}"
        raise TrainError(fact, None, ExitCode.IO) from error
    return changes


def read_checkpoint(path: Path) -> Mapping[str, Any]:
    """Return what a file holds that `save` wrote; no code in it is run."""
    content = read_file(path)
    if not zipfile.is_zipfile(io.BytesIO(content)):  # torch reads older kinds too, with warnings
        raise TrainError(f"{path} is not a checkpoint", None, ExitCode.IO)
    _refuse_damage(path, content)
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise TrainError(f"{path} is not a checkpoint", None, ExitCode.IO) from error
    if not isinstance(state, dict) or state.get("format") != _FORMAT:
        raise TrainError(f"{path} is not a checkpoint of this version", None, ExitCode.IO)
    return state


def _refuse_damage(path: Path, content: bytes) -> None:
    """Raise where a checkpoint is not what was written: torch looks at no checksum."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            damaged = archive.testzip() is not None
    except DAMAGED_ZIP:
        damaged = True
    if damaged:
        help = "bring back a copy of it, or delete it: the run then begins anew"
        raise TrainError(f"{path} is damaged: its checksums are others", help)


def check_finite(job: Training) -> None:
    """Raise if a loss, a gradient norm or a weight is NaN or infinite."""
    norm = job.tally.read(job.world).check(job.where, job.lr).last_norm
    finite = all(is_finite(model, job.watched) for model in (job.model, job.evaluated))
    if not all(job.world.each(lambda: finite)):
        raise diverged(f"a weight became NaN or infinite by {job.where}", job.lr, norm)


@dataclass(frozen=True, slots=True)
class _Reasons:
    """Why to end or to store between two steps, for any process of the training."""

    code: ExitCode | None  # somebody wants it to end
    due: bool  # it is time for a checkpoint
    doubt: bool  # a number may be NaN or infinite


def _reasons(job: Training) -> _Reasons:
    codes = (ExitCode.TERMINATED, ExitCode.INTERRUPTED)
    wanted = [float(job.stop.code is code) for code in codes]
    due = time.perf_counter() - job.saved > job.save_every
    *votes, stored, doubted = job.world.total(*wanted, float(due), float(job.doubtful))
    code = next((code for code, count in zip(codes, votes, strict=True) if count), None)
    return _Reasons(code, due=stored > 0, doubt=doubted > 0)


def _write(state: Mapping[str, Any], path: Path) -> None:
    content, has_checksums = io.BytesIO(), get_crc32_options()
    set_crc32_options(True)  # which `read_checkpoint` looks at, whatever this process has chosen
    try:
        torch.save(dict(state), content)
    finally:
        set_crc32_options(has_checksums)
    write_file(path, content.getbuffer())


def _state(job: Training, ranks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "origin": dict(job.origin),
        "steps": job.steps,
        "done": job.done,
        "rows": [asdict(row) for row in job.rows],
        "ranks": ranks,
        "seconds": job.elapsed,
        "pace": {"seconds": job.pace.step},
        "model": dict(job.model.state_dict()),
        "optimiser": job.optimiser.state_dict(),
        "average": None if job.average is None else dict(job.average.state_dict()),
        "best": job.best_weights,
    }


def _refuse_other_steps(job: Training, state: Mapping[str, Any]) -> None:
    """Raise where the processes leave out a last batch that others took, or the other way round."""
    if state["steps"] != job.steps:
        raise TrainError(
            f"{job.run.path} cannot go on: with {job.world.size} processes an epoch has "
            f"{job.steps:,} steps, with {len(state['ranks'])} it had {state['steps']:,}",
            f"go on with {len(state['ranks'])} processes, or begin another run",
            ExitCode.USAGE,
        )


def _put_back(job: Training, state: Mapping[str, Any]) -> None:
    job.model.load_state_dict(state["model"])
    _load_optimiser(job.optimiser, state["optimiser"])
    if job.average is not None:
        job.average.load_state_dict(state["average"])
    job.done = job.begun_at = state["done"]
    job.rows = [Row(**row) for row in state["rows"]]
    job.tally = Tally.restore([rank["tally"] for rank in state["ranks"]], job.world)
    job.seconds = state["seconds"]
    job.pace = Pace(state["pace"]["seconds"])
    job.best_weights = state["best"]
    job.world.lead(lambda: _write_results(job))
    _draw_on(job, [rank["random"] for rank in state["ranks"]])


def _write_results(job: Training) -> None:
    if job.rows:
        write_weights(job.best_weights, job.run.best, about_best(job))
    job.run.write_rows(job.rows)


def _draw_on(job: Training, states: list[Mapping[str, Any]]) -> None:
    """Draw random numbers on from where each process was; others than now draw new ones."""
    if len(states) == job.world.size:
        restore_random_state(job.model, job.settings, states[job.world.rank])
        return
    restore_random_state(job.model, job.settings, states[0])
    torch.manual_seed(hash((job.settings.seed, job.done, job.world.rank)) % 2**63)


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
