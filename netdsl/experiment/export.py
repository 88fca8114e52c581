"""The folder of an experiment to one beside a text: every number of it, no weights, no paths.

What is kept is what a report is made of, so `netdsl experiment report` writes it anew from there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from netdsl.experiment.plan import FILE
from netdsl.train import ExitCode, TrainError
from netdsl.train.files import read_file, write_file

_KEPT = frozenset({"network.arch", "metrics.csv", "speed.csv", "summary.json", "failed.json"})
_REWRITTEN = "settings.json"  # it names folders of the machine
_PLACES = ("--data-dir",)  # options that name a place on the machine and nothing else


def export(folder: Path, target: Path) -> Path:
    """Copy plan and run folders, less weights, logs and the places of this machine; return it."""
    plan: dict[str, Any] = json.loads(read_file(folder / FILE))
    if not any((folder / job["folder"] / "summary.json").is_file() for job in plan["jobs"]):
        help = "`netdsl experiment run` finishes them"
        raise TrainError(f"{folder} has no finished run", help, ExitCode.USAGE)
    if target.resolve() == folder.resolve():
        raise TrainError(f"{target} is the experiment itself", None, ExitCode.USAGE)
    root = str(folder.resolve())
    plan["jobs"] = [_job(job, root) for job in plan["jobs"]]
    _write(target / FILE, _json(_without_places(plan, root)))
    for key in dict.fromkeys(str(job["key"]) for job in plan["jobs"]):
        for path in sorted((folder / "runs" / key).glob("**/*")):
            _keep(path, target / path.relative_to(folder), root)
    return target


def _keep(path: Path, target: Path, root: str) -> None:
    if path.name in _KEPT:
        _write(target, read_file(path))
    elif path.name == _REWRITTEN:
        record = json.loads(read_file(path))
        record["asked"] = _without_places({**record["asked"], "data_dir": None}, root)
        _write(target, _json(record))


def _job(job: dict[str, Any], root: str) -> dict[str, Any]:
    return {**job, "command": list(_without_options(job["command"], _PLACES))}


def _without_options(command: Iterable[str], names: Iterable[str]) -> Iterable[str]:
    words = iter(command)
    for word in words:
        if word in names:
            next(words)
        else:
            yield word


def _without_places(value: Any, root: str) -> Any:
    """Return JSON whose absolute paths are from the folder, or mere names where they lead out."""
    if isinstance(value, dict):
        return {key: _without_places(item, root) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_places(item, root) for item in value]
    if isinstance(value, str) and Path(value).is_absolute():
        path = Path(value)
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return value


def _json(record: object) -> bytes:
    return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode()


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fact = f"cannot make {path.parent}: {error.strerror}"
        raise TrainError(fact, None, ExitCode.IO) from error
    write_file(path, content)
