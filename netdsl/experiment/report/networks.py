"""Run folders to the networks in them: source, drawing, settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from netdsl.errors import NetDSLError
from netdsl.experiment.report.outcome import Outcome
from netdsl.experiment.report.rebuilt import rebuilt
from netdsl.experiment.report.results import Result, Results
from netdsl.experiment.report.words import pairs
from netdsl.experiment.stages import stages_of
from netdsl.network import Network
from netdsl.train.errors import TrainError
from netdsl.train.run import RunFolder
from netdsl.trained import asked_of


@dataclass(frozen=True, slots=True)
class Shown:
    """A network, and its twin where that is compared: `fault` says why there is no drawing.

    `number` is that of the first row of the experiment that it is of.
    """

    number: int
    title: str
    source: str
    overrides: str
    svg: str
    fault: str = ""


def shown_networks(results: Results) -> tuple[Shown, ...]:
    """Return what is drawn: a network for each that is compared, twins in one drawing."""
    return tuple(_shown(title, rows) for title, rows in drawn_together(results))


def drawn_together(results: Results) -> tuple[tuple[str, tuple[Result, ...]], ...]:
    """Return the rows of each drawing, with its title: twins, or a network of an ablation."""
    if results.plan.is_ablation:
        return tuple((row.name, (row,)) for row in results.rows)
    return results.panels


def settings_of(run: Outcome) -> dict[str, object]:
    """Return the settings of a run, and what it was made of; nothing of one that has not begun."""
    try:
        folder = RunFolder.open(run.path)
        origin = dict(folder.origin)
    except TrainError:
        return {}
    origin.pop("network")
    return {name: value for name, value in origin.items() if (name, value) != ("commit", None)}


def stages_settings(run: Outcome) -> tuple[dict[str, object], ...]:
    """Return the settings of each stage of a run, the last one of all others."""
    job = run.job
    folder = run.path.parents[len(Path(job.folder).parts) - 1]
    return tuple(settings_of(replace(run, path=stage)) for stage in stages_of(folder, job))


def asked_at(run: Outcome) -> Mapping[str, object]:
    """Return what was asked of a run; nothing of one that has not begun."""
    folder = RunFolder(run.path)
    return asked_of(folder) if folder.is_begun else {}


def commits_of(runs: Iterable[Outcome]) -> tuple[str, ...]:
    """Return the commits of netdsl's source that runs were made with, where they are known."""
    found = (settings_of(run).get("commit") for run in runs)
    return tuple(dict.fromkeys(str(commit) for commit in found if commit is not None))


def _shown(title: str, rows: tuple[Result, ...]) -> Shown:
    row = next((row for row in rows if not row.job.plain), rows[0])
    runs = [run for run in row.runs if RunFolder(run.path).is_begun]
    if not runs:
        return Shown(rows[0].number, title, "", "", "", "no run of it has begun")
    folder = RunFolder.open(runs[0].path)
    text, said = folder.network, asked_of(folder).get("overrides", {})
    try:
        svg = _drawing(rebuilt(folder), twins=len(rows) == 2)
    except NetDSLError as error:
        message = error.diagnostics[0].message
        fault = f"it could not be drawn: {message}"
        return Shown(rows[0].number, title, text, pairs(said), "", fault)
    return Shown(rows[0].number, title, text, pairs(said), svg)


@cache
def _drawing(network: Network, *, twins: bool) -> str:
    """Return the drawing of a network; kept, for a report is written after every run."""
    from netdsl.backends.drawing import to_svg

    graphs = [(network.name, network.checked)]
    if twins:
        graphs.append((f"{network.name}, plain", network.plain().checked))
    return to_svg(graphs)
