"""Results to figures of accuracy against depth or parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from netdsl.experiment.report.dodge import sideways
from netdsl.experiment.report.families import Family, families_of
from netdsl.experiment.report.point_labels import Label, write_labels
from netdsl.experiment.report.results import Result, Results
from netdsl.experiment.report.spread import Spread
from netdsl.experiment.report.style import grid, safe

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

_MEASURES = (("val", "validation"), ("train", "training"))

Take = Callable[[Result], float]


class _Point(NamedTuple):
    x: float
    value: Spread
    place: Transform


def draw_against(results: Results, take: Take, what: str, *, logarithmic: bool) -> Figure:
    """Return accuracy over a number of each network, with bars of one deviation.

    Filled points are validation, hollow ones training; what stands at one number is moved apart.
    A family of several depths has a line, and its depths are written where the axis is another.
    Networks of one group have one label.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.2, 4.2), layout="constrained")
    axes = figure.subplots()
    rows = [row for row in results.rows if row.finished]
    families = families_of(rows)
    scale = math.log if logarithmic else float
    places = _places(figure, axes, families, {row.number: scale(take(row)) for row in rows})
    for family in families:
        for which, (measure, said) in enumerate(_MEASURES):
            points = [
                _Point(take(row), value, places[row.number, which])
                for row in sorted(family.rows, key=take)
                if (value := row.measure(measure)) is not None
            ]
            title = f"{family.name}, {said}" if family.name else said
            _draw(axes, points, family, filled=measure == "val", title=title)
    if logarithmic:
        _logarithmic(axes, [take(row) for row in rows])
    else:
        axes.locator_params("x", integer=True, min_n_ticks=1)
    axes.set(xlabel=what, ylabel="accuracy in %", xmargin=0.12, ymargin=0.14)
    grid(axes)
    figure.legend(
        loc="outside upper center", ncols=max(2, len(families)) if len(families) < 4 else 2
    )
    told = all(f.tells_depth and take(row) == row.job.depth for f in families for row in f.rows)
    if not told:
        write_labels(figure, axes, _labels(families, take, places))
    return figure


def _places(
    figure: Figure, axes: Axes, families: Sequence[Family], at: dict[int, float]
) -> dict[tuple[int, int], Transform]:
    """Return how each measure of each row comes to the figure: beside those at its number."""
    from matplotlib.transforms import ScaledTranslation

    moved = sideways(families, at, len(_MEASURES))
    inch = figure.dpi_scale_trans
    return {
        key: axes.transData + ScaledTranslation(right / 72, 0, inch) for key, right in moved.items()
    }


def _draw(
    axes: Axes, points: Sequence[_Point], family: Family, *, filled: bool, title: str
) -> None:
    look = family.look
    for number, (x, value, place) in enumerate(points):
        axes.errorbar(
            [x], [100 * value.mean], yerr=[[100 * end] for (end,) in value.reach(1)],
            linestyle="none", color=look.colour, marker=look.marker, markersize=6,
            markerfacecolor=look.colour if filled else "white", capsize=3, linewidth=1.5,
            label=None if number else safe(title), transform=place,
        )  # fmt: skip
        # NOTE: matplotlib leaves out of the limits what is not drawn with the axes' own transform.
        axes.update_datalim([(x, 100 * end) for end in value.band(1)])
    if family.joined:
        axes.plot(
            [point.x for point in points], [100 * point.value.mean for point in points],
            "-" if filled else ":", color=look.colour, linewidth=1.5, zorder=1.9,
            transform=points[0].place,
        )  # fmt: skip


def _logarithmic(axes: Axes, numbers: Sequence[float]) -> None:
    """Make the x axis logarithmic, with ticks that a person would choose."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    wide = max(numbers) > 100 * min(numbers)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=" "))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _labels(
    families: Sequence[Family], take: Take, places: dict[tuple[int, int], Transform]
) -> list[Label]:
    """Return what is written at which points: at the better twin of a group."""
    best: dict[str, Label] = {}
    for family in families:
        for row in family.rows:
            value = row.measure("val")
            assert value is not None, "only rows with finished runs are drawn"
            found = best.get(row.job.group)
            if found is None or 100 * value.mean > found.y:
                text = found.text if found else row.job.label
                text = str(row.job.depth) if family.tells_depth else text
                place = places[row.number, 0]
                best[row.job.group] = Label(text, take(row), 100 * value.mean, place)
    return list(best.values())
