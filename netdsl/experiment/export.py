"""An experiment to what its report is made of: no weights, no paths of this machine."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from netdsl.experiment import report
from netdsl.experiment.folder import LOCKS, PLAN, REPORT, RUNS
from netdsl.experiment.places import Places, places_of
from netdsl.experiment.plan import distinct, read_plan
from netdsl.experiment.stages import stages_of
from netdsl.experiment.state import is_finished, refuse_foreign
from netdsl.train import ExitCode, RunFolder, TrainError
from netdsl.train.files import read_file, write_file, write_json
from netdsl.train.run import FAILED

_TABLES = ("network.arch", "metrics.csv", "speed.csv", "summary.json", FAILED)
_SETTINGS = "settings.json"
_FILES = (*_TABLES, _SETTINGS)


def export(folder: Path, out: Path) -> int:
    """Write plan, runs and report of an experiment into another folder.

    Returns how many runs are finished. Runs that the folder held and the experiment has not go.

    Paths are made to hold from where the caller stands; one that leads elsewhere keeps its last
    name, and the place of the data is left out.
    """
    jobs = read_plan(folder).jobs
    if out.resolve().is_relative_to(folder.resolve()):
        raise TrainError(
            f"{out} is the experiment itself, or in it", "name another folder", ExitCode.USAGE
        )
    record = json.loads(read_file(folder / PLAN))
    _refuse_another(out, record["name"])
    places = places_of(record, folder, out)
    record |= {
        "jobs": [_job(job, places) for job in record["jobs"]],
        "figures": [
            {**figure, "rows": [places.sentence(row) for row in figure["rows"]]}
            for figure in record.get("figures", ())
        ],
        "data": places.listed(record["data"]),
        "recipe": places.listed(record["recipe"]),
        "budget": places.record(record.get("budget") or {}),
    }
    kept = [
        path
        for job in distinct(jobs)
        for run in stages_of(folder, job)
        for path in _copy(run, out / run.relative_to(folder), places)
    ]
    _forget_others(out / RUNS, kept)
    _write(out / PLAN, record)
    report.write_report(out)
    return sum(is_finished(out, job) for job in distinct(jobs))


def _refuse_another(out: Path, name: str) -> None:
    """Raise where a folder holds anything but what was once exported of this experiment."""
    refuse_foreign(out, name)
    locks = (out / LOCKS).glob("*")  # writing the report makes one too
    if any(path.stem != REPORT for path in locks):
        fact = f"{out} is an experiment that is run there"
        raise TrainError(fact, "name another folder", ExitCode.IO)


def _job(job: dict[str, Any], places: Places) -> dict[str, Any]:
    told = {key: places.record(job[key]) for key in ("arch", "recipe", "overrides", "set")}
    told |= {"group": places.group(job["group"]), "label": places.sentence(job["label"])}
    return {**job, **told, "command": places.command(job["command"])}


def _copy(run: Path, out: Path, places: Places) -> Iterator[Path]:
    """Copy of a run what is neither weights nor pictures; yield where each file went."""
    finished = RunFolder(run).is_finished  # how it once failed says nothing any more
    for name in _TABLES:
        if (run / name).is_file() and not (finished and name == FAILED):
            out.mkdir(parents=True, exist_ok=True)
            content = read_file(run / name)
            if name == FAILED:
                content = _without_paths(_record(run / name, "reason"), places)
            write_file(out / name, content)
            yield out / name
    if (run / _SETTINGS).is_file():
        record = _record(run / _SETTINGS, "asked")
        _write(out / _SETTINGS, {**record, "asked": places.record(record["asked"])})
        yield out / _SETTINGS


def _forget_others(runs: Path, kept: Collection[Path]) -> None:
    """Remove what an earlier export has left of runs, and the folders that are empty then."""
    for path in sorted(runs.rglob("*"), reverse=True):  # what is in a folder before the folder
        if path.name in _FILES and path not in kept:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _record(path: Path, key: str) -> dict[str, Any]:
    """Return what a file holds, which has to have a key."""
    try:
        record = dict(json.loads(read_file(path)))
        record[key]
    except (KeyError, TypeError, ValueError) as error:
        raise TrainError(f"{path} is damaged: it has no {key}", "remove it") from error
    return record


def _without_paths(record: dict[str, Any], places: Places) -> bytes:
    """Return why a run failed with every path in it as the copy has it."""
    told = {**record, "reason": places.sentence(record["reason"])}
    return (json.dumps(told, ensure_ascii=False) + "\n").encode()


def _write(path: Path, record: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, record)
