"""An experiment to what its report is made of: no weights, no paths of this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netdsl.experiment import report
from netdsl.experiment.plan import FILE, distinct, read_plan
from netdsl.experiment.stages import stages_of
from netdsl.experiment.state import is_finished, refuse_foreign
from netdsl.train import ExitCode, TrainError
from netdsl.train.files import read_file, write_file

_FAILED = "failed.json"
_PATH = re.compile(r"(?<![\w.:/])/[^\s'\":/][^\s'\":]*")  # in a sentence; no part of an address
_TABLES = ("network.arch", "metrics.csv", "speed.csv", "summary.json", _FAILED)
_SETTINGS = "settings.json"


def export(folder: Path, out: Path) -> int:
    """Write plan, runs and report of an experiment into another folder.

    Returns how many runs are finished.

    Paths are made to hold from where the caller stands; one that leads elsewhere keeps its last
    name, and the place of the data is left out.
    """
    jobs = read_plan(folder).jobs
    if out.resolve().is_relative_to(folder.resolve()):
        raise TrainError(
            f"{out} is the experiment itself, or in it", "name another folder", ExitCode.USAGE
        )
    record = json.loads(read_file(folder / FILE))
    _refuse_another(out, record["name"])
    places = _Places(folder.resolve(), out, Path.cwd().resolve())
    record |= {
        "jobs": [_job(job, places) for job in record["jobs"]],
        "figures": [
            {**figure, "rows": [_sentence(row, places) for row in figure["rows"]]}
            for figure in record.get("figures", ())
        ],
        "data": ", ".join(places.told(name) for name in record["data"].split(", ")),
        "recipe": ", ".join(places.told(name) for name in record["recipe"].split(", ")),
    }
    for job in distinct(jobs):
        for run in stages_of(folder, job):
            _copy(run, out / run.relative_to(folder), places)
    _write(out / FILE, record)
    report.write_report(out)
    return sum(is_finished(out, job) for job in jobs)


def _refuse_another(out: Path, name: str) -> None:
    """Raise where a folder holds anything but what was once exported of this experiment."""
    refuse_foreign(out)
    if (out / FILE).is_file() and read_plan(out).name != name:
        fact = f"{out} holds the experiment {read_plan(out).name}"
        raise TrainError(fact, "name another folder", ExitCode.IO)
    locks = (out / "locks").glob("*")  # writing the report makes one too
    if any(path.stem != "report" for path in locks):
        fact = f"{out} is an experiment that is run there"
        raise TrainError(fact, "name another folder", ExitCode.IO)


@dataclass(frozen=True, slots=True)
class _Places:
    """From where paths are written anew: the experiment, its copy, and where the caller stands."""

    folder: Path
    out: Path
    here: Path

    def told(self, text: str) -> str:
        """Return a path as the copy has it, and any other text as it is."""
        path = Path(text)
        if not path.is_absolute():
            return text
        if path.is_relative_to(self.folder):
            return (self.out / path.relative_to(self.folder)).as_posix()
        if path.is_relative_to(self.here):
            return path.relative_to(self.here).as_posix()
        return path.name


def _job(job: dict[str, Any], places: _Places) -> dict[str, Any]:
    told = {key: places.told(job[key]) for key in ("arch", "recipe")}
    told |= {"group": _group(job["group"], places), "label": _sentence(job["label"], places)}
    return {**job, **told, "command": _command(job["command"], places)}


def _group(text: str, places: _Places) -> str:
    """Return the name of a group, `net.arch|weights=FILE`, with its paths as the copy has them."""
    pairs = [part.rpartition("=") for part in text.split("|")]
    return "|".join(f"{name}{sign}{places.told(value)}" for name, sign, value in pairs)


def _sentence(text: str, places: _Places) -> str:
    return _PATH.sub(lambda found: places.told(found[0]), text)


def _command(words: Sequence[str], places: _Places) -> list[str]:
    """Return a command without the place of the data, which is each machine's own."""
    kept = [
        word for before, word in zip(("", *words), words, strict=False)
        if "--data-dir" not in (before, word)
    ]  # fmt: skip
    return [places.told(word) for word in kept]


def _copy(run: Path, out: Path, places: _Places) -> None:
    """Copy of a run what is neither weights nor pictures."""
    finished = (run / "summary.json").is_file()  # how it once failed says nothing any more
    for name in _TABLES:
        if (run / name).is_file() and not (finished and name == _FAILED):
            out.mkdir(parents=True, exist_ok=True)
            content = read_file(run / name)
            if name == _FAILED:
                content = _without_paths(_record(run / name, "reason"), places)
            write_file(out / name, content)
    if (run / _SETTINGS).is_file():
        record = _record(run / _SETTINGS, "asked")
        _write(out / _SETTINGS, {**record, "asked": _asked(record["asked"], places)})


def _record(path: Path, key: str) -> dict[str, Any]:
    """Return what a file holds, which has to have a key."""
    try:
        record = dict(json.loads(read_file(path)))
        record[key]
    except (KeyError, TypeError, ValueError) as error:
        raise TrainError(f"{path} is damaged: it has no {key}", "remove it") from error
    return record


def _without_paths(record: dict[str, Any], places: _Places) -> bytes:
    """Return why a run failed with every path in it as the copy has it."""
    told = {**record, "reason": _sentence(record["reason"], places)}
    return (json.dumps(told, ensure_ascii=False) + "\n").encode()


def _asked(value: Any, places: _Places) -> Any:
    if isinstance(value, dict):
        return {
            key: None if key == "data_dir" else _asked(one, places) for key, one in value.items()
        }
    if isinstance(value, list):
        return [_asked(one, places) for one in value]
    return places.told(value) if isinstance(value, str) else value


def _write(path: Path, record: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_file(path, text.encode())
