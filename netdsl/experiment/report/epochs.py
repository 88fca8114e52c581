"""Results to figures over epochs: a panel a network, its twin or the base beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from netdsl.experiment.report.results import Result, Results
from netdsl.experiment.report.spread import Spread, spread
from netdsl.experiment.report.style import (
    COLOURS,
    INK,
    MARKERS,
    PLAIN,
    RESIDUAL,
    Look,
    grid,
    look_of,
    safe,
)
from netdsl.train.metrics import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3
_LETTERS = (0, 60, 40, 28, 20, 14)  # on a line of the legend; 0 for any
_LEGEND = 0.9  # inches of a legend that a figure has room for
_USUAL = 0.8  # the part of all numbers that are usual
_FAR = 4  # times the largest usual one: where bands reach beyond, they are cut off
_MARGIN = 0.05  # of an axis that is cut off, below its smallest number
_STAGE: dict[str, Any] = {"color": "0.5", "linewidth": 1, "linestyle": ":"}  # where one begins
MOST_LINES = len(COLOURS)  # that can be told apart in one panel


@dataclass(frozen=True, slots=True)
class Curve:
    """A measure over epochs: what it is called, how it is drawn, what it is of a row.

    `most` is the largest number that can be; the smallest is 0.
    """

    name: str
    dashes: Literal["-", "--"]
    take: Callable[[Row], float]
    most: float = 100.0


ACCURACY = (
    Curve("validation", "-", lambda row: 100 * row.val_accuracy),
    Curve("training, evaluated", "--", lambda row: 100 * row.sample_accuracy),
)
LOSS = (
    Curve("validation", "-", lambda row: row.val_loss, math.inf),
    Curve("training", "--", lambda row: row.train_loss, math.inf),
)


def over_epochs(result: Result, curve: Curve) -> list[tuple[int, Spread]]:
    """Return mean and deviation over the seeds, of the epochs that all of them have."""
    lines = zip(*(run.epochs for run in result.finished), strict=False)
    found = ((rows[0].epoch, spread([curve.take(row) for row in rows])) for rows in lines)
    return [(epoch, value) for epoch, value in found if value is not None]


def draw_panels(results: Results, curves: tuple[Curve, ...], what: str) -> Figure:
    """Return a panel for each pair of networks that are compared."""
    panels = [(title, rows) for title, rows in results.panels if any(r.finished for r in rows)]
    figure, axes = _panels(len(panels))
    for one, (title, rows) in zip(axes, panels, strict=True):
        one.set_title(safe(title, 34))
        for row in rows:
            look = _look(row, results)
            for curve in curves:
                _draw(one, row, curve, look)
    _finish(figure, axes, _cut_off(axes[0], results, curves, what))
    drawn = [row for _, rows in panels for row in rows]
    names = _names(drawn, results)
    _legend(figure, names, curves, 2 if len(panels) == 1 else 4, stages=_has_stages(drawn))
    return figure


def draw_together(results: Results, curves: tuple[Curve, ...], what: str) -> Figure:
    """Return all rows in one panel, each in a colour and with a marker of its own."""
    rows = [row for row in results.rows if row.finished]
    figure, (axes,) = _panels(1)
    looks = _looks([row.name for row in rows])
    for row in rows:
        for curve in curves:
            _draw(axes, row, curve, looks[row.name])
    _finish(figure, [axes], _cut_off(axes, results, curves, what))
    _legend(figure, looks, curves, 2, stages=_has_stages(rows))
    return figure


def draw_overview(results: Results) -> Figure:
    """Return validation of all networks without shortcuts at the left, with them at the right.

    As in figure 6 of He et al. 2016; a network and its twin have one colour. Where all networks
    are of one kind there is one panel.
    """
    rows = [(title, row) for title, rows in results.panels for row in rows]
    sides = [
        (name, [(title, row) for title, row in rows if (row.job.shortcuts == "residual") is has])
        for name, has in (("plain", False), ("residual", True))
    ]
    sides = [(name, shown) for name, shown in sides if shown]
    figure, axes = _panels(len(sides))
    if len(sides) == 2:
        figure.set_size_inches(8.2, 3.9)
    looks = _looks([title for title, _ in results.panels])
    for one, (name, shown) in zip(axes, sides, strict=True):
        one.set_title(name)
        for title, row in shown:
            _draw(one, row, ACCURACY[0], looks[title])
    _finish(figure, axes, "validation accuracy in %")
    _legend(figure, looks, (), 4 if len(sides) == 2 else 2, stages=_has_stages(results.rows))
    return figure


def _looks(names: list[str]) -> dict[str, Look]:
    """Return a colour and a marker for each; where they are used up, other pairs of them follow."""
    number = len(COLOURS)  # of markers too
    return {
        name: Look(COLOURS[n % number], MARKERS[(n + n // number) % number])
        for n, name in enumerate(names)
    }


def _cut_off(axes: Axes, results: Results, curves: tuple[Curve, ...], what: str) -> str:
    """Cut the axis where a few losses are so large that all others would be a line; say so.

    It begins a little below what is left, as an axis that is not cut does. What has a largest
    number, as accuracy has, cannot run away: the few far above all others are what matters.
    """
    if any(math.isfinite(curve.most) for curve in curves):
        return what
    drawn = [
        (value.mean, *value.band(curve.most))
        for row in results.rows for curve in curves for _, value in over_epochs(row, curve)
    ]  # fmt: skip
    means = sorted(mean for mean, _, _ in drawn)
    usual = means[int(_USUAL * (len(means) - 1))]
    if max(high for _, _, high in drawn) <= _FAR * usual or usual == 0:
        return what
    end = 1.5 * usual
    low = min(low for mean, low, _ in drawn if mean <= end)
    axes.set_ylim(max(0.0, low - _MARGIN * (end - low)), end)
    return f"{what}, cut off at {end:.2g}"


def has_overview(results: Results) -> bool:
    """Say whether there are several networks with twins, and few enough to be told apart."""
    twins = [rows for _, rows in results.panels if len(rows) == 2]
    known = sum(all(row.finished for row in rows) for rows in twins)
    return not results.plan.is_ablation and known > 1 and len(results.panels) <= MOST_LINES


def _panels(number: int) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    columns = 2 if number == 4 else min(COLUMNS, number)
    rows = math.ceil(number / columns)
    size = (5.4, 3.9) if number == 1 else (3.1 * columns + 0.6, 2.6 * rows + 0.7)
    figure = Figure(figsize=size, layout="constrained")
    axes = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    for spare in axes[number:]:
        spare.set_axis_off()
    for one in axes[max(0, number - columns) : number]:
        one.xaxis.set_tick_params(labelbottom=True)
    return figure, axes[:number]


def _draw(axes: Axes, row: Result, curve: Curve, look: Look) -> None:
    values = over_epochs(row, curve)
    if not values:
        return
    epochs = [epoch for epoch, _ in values]
    means = [value.mean for _, value in values]
    for end in row.finished[0].ends:  # of a training by stages
        axes.axvline(end + 0.5, **_STAGE)
    filled = look.colour if curve.dashes == "-" else "white"
    axes.plot(
        epochs, means, curve.dashes, color=look.colour, marker=look.marker, markersize=4.5,
        markerfacecolor=filled, markevery=max(1, len(epochs) // 8), linewidth=1.6,
    )  # fmt: skip
    if all(value.deviation is not None for _, value in values):
        low, high = zip(*(value.band(curve.most) for _, value in values), strict=True)
        axes.fill_between(epochs, low, high, color=look.colour, alpha=0.18, linewidth=0)


def _finish(figure: Figure, axes: list[Axes], what: str) -> None:
    for one in axes:
        grid(one)
        one.locator_params("x", integer=True, min_n_ticks=1)
    figure.supxlabel("epoch", fontsize=10)
    figure.supylabel(what, fontsize=10)


def _has_stages(rows: Iterable[Result]) -> bool:
    """Say whether one of the rows was trained by stages."""
    return any(run.ends for row in rows for run in row.finished)


def _look(row: Result, results: Results) -> Look:
    if results.plan.is_ablation:
        return PLAIN if row.job.change is None else RESIDUAL
    return look_of(row)


def _names(rows: list[Result], results: Results) -> dict[str, Look]:
    """Return what the legend tells of the networks."""
    if results.plan.is_ablation:
        return {"changed": RESIDUAL, f"base: {results.differences[0].other.name}": PLAIN}
    if not results.plan.has_both and len({look_of(row) for row in rows}) == 1:
        return {}
    return {look.name: look for look in (RESIDUAL, PLAIN) if look in map(look_of, rows)}


def _legend(
    figure: Figure,
    names: dict[str, Look],
    curves: tuple[Curve, ...],
    columns: int,
    *,
    stages: bool,
) -> None:
    """Put a legend above the panels, its names on as many lines as the figure is narrow.

    A figure grows with a long one, so that its panels stay as they are.
    """
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color=INK, linestyle=c.dashes, label=c.name) for c in curves]
    if stages:
        lines.append(Line2D([], [], label="a stage begins", **_STAGE))
    for width in _LETTERS:
        marks = [
            Line2D([], [], color=look.colour, marker=look.marker, markersize=5, label=label)
            for look, label in ((look, safe(name, width)) for name, look in names.items())
        ]
        legend = figure.legend(handles=[*marks, *lines], loc="outside upper center", ncols=columns)
        extent = legend.get_window_extent()
        if width == _LETTERS[-1] or extent.width <= figure.bbox.width:
            more = max(0.0, extent.height / figure.dpi - _LEGEND)
            figure.set_figheight(figure.get_figheight() + more)
            return
        legend.remove()
