"""Run folders to the networks in them: source, drawing, settings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from netdsl.api import build, make_overrides
from netdsl.errors import NetDSLError
from netdsl.experiment.report.outcome import Outcome
from netdsl.experiment.report.results import Result, Results
from netdsl.experiment.report.words import pairs
from netdsl.shelf import read_bytes
from netdsl.train.errors import TrainError
from netdsl.train.run import RunFolder


@dataclass(frozen=True, slots=True)
class Shown:
    """A network, and its twin where that is compared: `fault` says why there is no drawing."""

    title: str
    source: str
    overrides: str
    svg: str
    fault: str = ""


def shown_networks(results: Results) -> tuple[Shown, ...]:
    """Return what is drawn: a network for each that is compared, twins in one drawing."""
    if results.plan.is_ablation:
        return tuple(_shown(row.name, (row,)) for row in results.rows)
    return tuple(_shown(title, rows) for title, rows in results.panels)


def settings_of(run: Outcome) -> dict[str, object]:
    """Return the settings of a run, and what it was made of; nothing of one that has not begun."""
    try:
        folder = RunFolder.open(run.path)
        origin = dict(folder.origin)
    except TrainError:
        return {}
    origin.pop("network")
    return origin


def _shown(title: str, rows: tuple[Result, ...]) -> Shown:
    row = next((row for row in rows if not row.job.plain), rows[0])
    runs = [run for run in row.runs if (run.path / "settings.json").is_file()]
    if not runs:
        return Shown(title, "", "", "", "no run of it has begun")
    folder = RunFolder.open(runs[0].path)
    text, asked = folder.network, dict(folder.asked)
    said: Any = asked.get("overrides") or {}
    try:
        svg = _drawing(text, json.dumps(said), asked.get("scale"), twins=len(rows) == 2)
    except NetDSLError as error:
        message = error.diagnostics[0].message
        return Shown(title, text, pairs(said), "", f"it could not be drawn: {message}")
    return Shown(title, text, pairs(said), svg)


@cache
def _drawing(text: str, said: str, scale: Any, *, twins: bool) -> str:
    """Return the drawing of a network; kept, for a report is written after every run."""
    from netdsl.backends.drawing import to_svg

    names = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(said).items()}
    source = read_bytes(text.encode(), "network.arch")
    network = build(*source.with_overrides(make_overrides(None, None, None, scale, names)))
    graphs = [(network.name, network.checked)]
    if twins:
        graphs.append((f"{network.name}, plain", network.plain().checked))
    return to_svg(graphs)
