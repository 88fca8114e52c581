"""Results to where each of their numbers comes from: runs, settings, commands."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from netdsl.amounts import counted
from netdsl.experiment.report.networks import commits_of, drawn_together, settings_of
from netdsl.experiment.report.outcome import Outcome
from netdsl.experiment.report.results import Result, Results
from netdsl.experiment.report.words import NOTHING, percent, plain, recipe

_OWN = {"seed"}  # what the runs of a row are meant to differ in


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """Where the numbers of one run come from."""

    seed: int
    state: str
    folder: str
    key: str
    train: str
    val: str
    gap: str
    best: str
    command: str
    reproduce: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the numbers of a row come from; `settings` are those that not all rows share.

    `network` is the number of the drawing that shows it.
    """

    number: int
    network: int
    name: str
    commits: tuple[str, ...]
    recipe: str
    settings: dict[str, str]
    runs: tuple[RunOrigin, ...]


def origins_of(results: Results) -> tuple[Origin, ...]:
    """Return the origin of each row."""
    settings = [_settings(row) for row in results.rows]
    shared = _shared(settings)
    drawn = {row.number: rows[0].number for _, rows in drawn_together(results) for row in rows}
    return tuple(
        Origin(
            row.number, drawn[row.number], row.name, commits_of(row.runs),
            recipe(row.job.recipe or "none"),
            {name: text for name, text in found.items() if name not in shared},
            tuple(_run_origin(run) for run in row.runs),
        )
        for row, found in zip(results.rows, settings, strict=True)
    )  # fmt: skip


def shared_settings(results: Results) -> dict[str, str]:
    """Return the settings that all rows have in common."""
    return _shared([_settings(row) for row in results.rows])


def _shared(settings: list[dict[str, str]]) -> dict[str, str]:
    known = [found for found in settings if found]
    if not known:
        return {}
    first, *others = known
    return {
        name: text for name, text in first.items()
        if all(found.get(name) == text for found in others)
    }  # fmt: skip


def _settings(row: Result) -> dict[str, str]:
    """Return the settings of a row; where its runs differ, those of each."""
    found = [settings for run in row.runs if (settings := settings_of(run))]
    names = dict.fromkeys(name for settings in found for name in settings if name not in _OWN)
    return {
        name: " or ".join(dict.fromkeys(plain(settings.get(name)) for settings in found))
        for name in names
    }


def _run_origin(run: Outcome) -> RunOrigin:
    job, row = run.job, Result(0, (run,))
    best = f"{percent(row.measure('best_val'))}, epoch {run.best}" if run.best else NOTHING
    train, val, gap = (percent(row.measure(name)) for name in ("train", "val", "gap"))
    state = str(run.failure) if run.failure else run.state
    if run.state == "unfinished":
        state = f"unfinished, {counted(len(run.epochs), 'epoch')} so far"
    return RunOrigin(
        job.seed, state, job.folder, job.key,
        train, val, gap, best,
        shlex.join(job.command), f"netdsl reproduce {shlex.quote(job.run_dir)}",
    )  # fmt: skip
