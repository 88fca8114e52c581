"""Results of an experiment beside those that are kept: equal, within chance, or outside of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from netdsl.experiment.report.outcome import Outcome
from netdsl.experiment.report.results import Result
from netdsl.experiment.report.spread import Spread
from netdsl.experiment.report.words import percent
from netdsl.experiment.report.write import read_results

_STANDARD_ERRORS = 3  # of the difference of two means


def compared(now: Path, kept: Path) -> Iterator[str]:
    """Yield a line for each network that both have finished runs of."""
    rows = {row.name: row for row in read_results(now).rows}
    for row in read_results(kept).rows:
        if row.finished and row.name in rows and rows[row.name].finished:
            now_val, kept_val = (percent(r.measure("val")) for r in (rows[row.name], row))
            said = verdict(rows[row.name], row)
            yield f"{row.name}: {kept_val} % kept, {now_val} % now, {said}"


def verdict(now: Result, kept: Result) -> str:
    """Say how far apart two sets of runs are in validation."""
    before, after = ({r.job.seed: _learnt(r) for r in row.finished} for row in (kept, now))
    common = sorted(before.keys() & after.keys())
    if common and all(before[seed] == after[seed] for seed in common):
        whole = before.keys() == after.keys()
        return "equal" if whole else f"equal in seed {', '.join(map(str, common))}, which both have"
    a, b = now.measure("val"), kept.measure("val")
    assert a is not None
    assert b is not None
    said = f"{100 * (a.mean - b.mean):+.2f} points"
    error = _standard_error(a, b)
    if error is None:
        return f"{said}; one seed says nothing of chance"
    place = "within" if abs(a.mean - b.mean) <= _STANDARD_ERRORS * error else "outside"
    return f"{said}, {place} {_STANDARD_ERRORS} standard errors"


def _standard_error(a: Spread, b: Spread) -> float | None:
    """Return that of the difference of two means, one run deviating as much as those beside it."""
    of_a = b.deviation if a.deviation is None else a.deviation
    of_b = a.deviation if b.deviation is None else b.deviation
    if of_a is None or of_b is None:
        return None
    return math.hypot(of_a / math.sqrt(a.n), of_b / math.sqrt(b.n))


def _learnt(run: Outcome) -> list[tuple[float, float, float]]:
    return [(row.train_loss, row.val_loss, row.val_accuracy) for row in run.epochs]
