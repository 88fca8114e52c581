"""Results to every figure of a report, each with the numbers that it shows as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netdsl.experiment.report.bars import draw_differences, draw_gap
from netdsl.experiment.report.epochs import (
    ACCURACY,
    LOSS,
    Curve,
    draw_overview,
    draw_panels,
    draw_together,
    has_overview,
    over_epochs,
)
from netdsl.experiment.report.notes import curve_notes, loss_notes
from netdsl.experiment.report.results import Result, Results, only
from netdsl.experiment.report.scatter import draw_against
from netdsl.experiment.report.spread import Spread
from netdsl.experiment.report.style import save, style
from netdsl.experiment.report.table import Raw, raw_text
from netdsl.experiment.wanted import Wanted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Numbers = Sequence[Sequence[Raw]]
_HALF = 600  # points that half of a wide page has room for
_PHONE = 450  # points: what is wider cannot be read where it is made as narrow as a phone


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure in its formats; `csv` has the numbers, `caption` says what is seen."""

    name: str
    caption: str
    files: dict[str, bytes]
    csv: str

    @property
    def is_wide(self) -> bool:
        """Say whether it needs the whole width of a page."""
        return self._width > _HALF

    @property
    def is_small_print(self) -> bool:
        """Say whether a phone should show a part of it rather than all of it."""
        return self._width > _PHONE

    @property
    def _width(self) -> float:
        width = re.search(rb'<svg[^>]*? width="([0-9.]+)pt"', self.files["svg"])
        return float(width[1]) if width else 0.0


@dataclass(frozen=True, slots=True)
class _Kind:
    """A figure that can be drawn, when it says something, and what it shows."""

    name: str
    caption: str
    says: Callable[[Results], bool]
    draw: Callable[[Results], Figure]
    numbers: Callable[[Results], Numbers]
    notes: Callable[[Results], Sequence[str]] = lambda results: ()


def draw_figures(results: Results) -> tuple[Drawn, ...]:
    """Return the figures that say something of these results; none without a finished run."""
    if not results.count("finished"):
        return ()
    own = tuple(_drawn(kind, results) for kind in _KINDS if kind.says(results))
    return (*own, *(found for one in results.plan.figures if (found := _wanted(one, results))))


def _wanted(wanted: Wanted, results: Results) -> Drawn | None:
    """Return a figure that the experiment asks for, or None as long as it would be empty."""
    part = only(results, wanted.rows)
    (kind,) = (kind for kind in _KINDS if kind.name == wanted.kind)
    if not part.count("finished") or (kind.name == "differences" and not _is_compared(part)):
        return None
    draw = _TOGETHER.get(kind.name, kind.draw)
    title = f"{wanted.title.removesuffix('.')}. " if wanted.title else ""
    drawn = _drawn(replace(kind, caption=title + kind.caption, draw=draw), part)
    return replace(drawn, name=wanted.name)


def _drawn(kind: _Kind, results: Results) -> Drawn:
    with style():
        files = save(kind.draw(results))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([raw_text(cell) for cell in row] for row in kind.numbers(results))
    return Drawn(kind.name, _caption(kind, results), files, text.getvalue())


def _caption(kind: _Kind, results: Results) -> str:
    """Return what is seen, and behind it how that is to be read where it does not show itself."""
    said = kind.notes(results)
    return " ".join([f"{kind.caption.removesuffix('.')}.", *said]) if said else kind.caption


def _epochs(curves: tuple[Curve, ...]) -> Callable[[Results], Numbers]:
    def numbers(results: Results) -> Numbers:
        head = ("network", "shortcuts", "what", "epoch", "mean", "sd", "n")
        return [head, *_epoch_rows(results, curves)]

    return numbers


def _epoch_rows(results: Results, curves: tuple[Curve, ...]) -> Iterable[Sequence[Raw]]:
    for row in results.rows:
        for curve in curves:
            for epoch, value in over_epochs(row, curve):
                yield (*_who(row), curve.name, epoch, value.mean, value.deviation, value.n)


def _networks(results: Results) -> Numbers:
    head = ["network", "shortcuts", "depth", "params"]
    for name in ("train", "val", "gap"):
        head += [name, f"{name}_sd"]
    rows = [
        [*_who(row), row.job.depth, row.job.params,
         *(number for name in ("train", "val", "gap") for number in _pair(row.measure(name)))]
        for row in results.rows if row.finished
    ]  # fmt: skip
    return [head, *rows]


def _differences(results: Results) -> Numbers:
    rows = []
    for found in results.differences:
        value = found.measure("val")
        ends = (value.interval if value else None) or (None, None)
        rows.append([found.name, *_pair(value), *ends, len(found.pairs)])
    return [["network", "difference", "sd", "low", "high", "pairs"], *rows]


def _who(row: Result) -> tuple[str, str]:
    return row.job.title, row.job.shortcuts


def _pair(value: Spread | None) -> tuple[float | None, float | None]:
    return (None, None) if value is None else (value.mean, value.deviation)


def _several(take: Callable[[Result], float]) -> Callable[[Results], bool]:
    def says(results: Results) -> bool:
        numbers = {take(row) for row in results.rows if row.finished}
        return len(numbers) > 1 and not results.plan.is_ablation

    return says


def _depth(row: Result) -> float:
    return row.job.depth


def _params(row: Result) -> float:
    return row.job.params


def _is_compared(results: Results) -> bool:
    return any(found.pairs for found in results.differences)


_BAND = "Lines are means over seeds, bands one standard deviation."
_KINDS = (
    _Kind(
        "accuracy", f"Accuracy per epoch. {_BAND}", lambda results: bool(results.panels),
        lambda results: draw_panels(results, ACCURACY, "accuracy in %"), _epochs(ACCURACY),
        curve_notes,
    ),
    _Kind(
        "loss", f"Loss per epoch. {_BAND} Training as it ran, on changing weights and augmented "
        "images.", lambda results: bool(results.panels),
        lambda results: draw_panels(results, LOSS, "loss"), _epochs(LOSS), loss_notes,
    ),
    _Kind(
        "overview", f"Validation accuracy of all networks per epoch. {_BAND}", has_overview,
        draw_overview, _epochs(ACCURACY[:1]), curve_notes,
    ),
    _Kind(
        "differences", "What was gained in validation, and the 95 % interval over seeds.",
        _is_compared, draw_differences, _differences,
    ),
    _Kind(
        "depth", "Accuracy of the last epoch against depth; bars are one standard deviation.",
        _several(_depth),
        lambda results: draw_against(results, _depth, "depth", logarithmic=False), _networks,
    ),
    _Kind(
        "params", "Accuracy of the last epoch against parameters; bars are one standard deviation.",
        _several(_params),
        lambda results: draw_against(results, _params, "parameters", logarithmic=True), _networks,
    ),
    _Kind(
        "gap", "Training and validation accuracy of the last epoch, and the gap between them.",
        lambda results: True, draw_gap, _networks,
    ),
)  # fmt: skip
# What is asked for is drawn in one panel: it was chosen because it belongs together.
_TOGETHER: dict[str, Callable[[Results], Figure]] = {
    "accuracy": lambda results: draw_together(results, ACCURACY, "accuracy in %"),
    "loss": lambda results: draw_together(results, LOSS, "loss"),
}
CAPTIONS = {kind.name: kind.caption for kind in _KINDS}
