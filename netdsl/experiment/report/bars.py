"""Results to figures with a line a network: the gap, and differences with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from netdsl.experiment.report.results import Result, Results
from netdsl.experiment.report.spread import Spread
from netdsl.experiment.report.style import INK, PLAIN, RESIDUAL, grid, look_of, safe
from netdsl.experiment.report.words import interval, percent, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST = 100  # points that accuracies may differ by
_APART = 0.11  # of a line: what is validation stands above it, what is training below
_WIDTH = 30  # letters of a name on one line
_WIDTH_BELOW = 62  # of what stands below the axis


def draw_gap(results: Results) -> Figure:
    """Return training and validation accuracy of each network, and what lies between."""
    from matplotlib.lines import Line2D

    rows = [row for row in results.rows if row.finished]
    figure, axes = _lines([row.name for row in rows])
    for place, row in enumerate(rows):
        _gap_line(axes, place, row)
    axes.set(xlabel="accuracy in %")
    _above(axes, "gap, points")
    looks = [look for look in (RESIDUAL, PLAIN) if look in map(look_of, rows)]
    handles = [
        Line2D([], [], color=look.colour, marker=look.marker, markerfacecolor=face, ls="none",
               label=f"{look.name}, {name}" if len(looks) > 1 else name)
        for look in looks for name, face in (("validation", look.colour), ("training", "white"))
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


def _gap_line(axes: Axes, place: int, row: Result) -> None:
    import numpy as np

    train, val, gap = (row.measure(name) for name in ("train", "val", "gap"))
    assert train is not None, "only rows with finished runs are drawn"
    assert val is not None
    look = look_of(row)
    axes.plot([100 * val.mean, 100 * train.mean], [place] * 2, color=look.colour, lw=7,
              alpha=0.25, solid_capstyle="butt")  # fmt: skip
    for value, face, up in ((val, look.colour, _APART), (train, "white", -_APART)):
        axes.errorbar(
            100 * value.mean, place - up, xerr=100 * np.array(value.reach(1)), color=look.colour,
            marker=look.marker, markersize=6.5, markerfacecolor=face, capsize=3,
        )  # fmt: skip
    _beside(axes, place, percent(gap))


def draw_differences(results: Results) -> Figure:
    """Return a bar a difference in validation, with its 95 % interval.

    Changes are ordered by what they are worth, twins as in the plan.
    """
    measured = [(found.name, found.measure("val")) for found in results.differences]
    known = [(name, value) for name, value in measured if value is not None]
    worth = (lambda pair: -pair[1].mean) if results.plan.is_ablation else (lambda pair: 0)
    ordered = sorted(known, key=worth)
    figure, axes = _lines([name for name, _ in ordered])
    for place, (_, value) in enumerate(ordered):
        _bar(axes, place, value)
        _beside(axes, place, points(value), right=42)
        _beside(axes, place, interval(value), left=54)
    axes.axvline(0, color=INK, linewidth=1)
    _above(axes, "points", right=42)
    _above(axes, "95 % interval", left=54)
    below = f"{_subject(results)}, validation accuracy in points"
    if len(below) > _WIDTH_BELOW:
        below = f"{safe(_subject(results), _WIDTH_BELOW)},\nvalidation accuracy in points"
    axes.set(xlabel=below)
    figure.set_figheight(figure.get_figheight() + 0.2 * below.count("\n"))
    axes.margins(x=0.08)
    low, high = axes.get_xlim()
    axes.set_xlim(max(low, -_MOST), min(high, _MOST))
    for place, (_, value) in enumerate(ordered):
        _mark_beyond(axes, place, value)
    return figure


def _mark_beyond(axes: Axes, place: int, value: Spread) -> None:
    """Put an arrow where an interval goes on beyond the axis."""
    low, high = value.interval or (0.0, 0.0)
    for end, marker in ((min(0.0, low), "<"), (max(0.0, high), ">")):
        if abs(100 * end) > _MOST:
            edge = math.copysign(_MOST, end)
            axes.plot(edge, place, marker=marker, color="black", markersize=6, clip_on=False)


def _subject(results: Results) -> str:
    if not results.plan.is_ablation:
        return "residual − plain"
    return f"change − {results.differences[0].other.name}"


def _bar(axes: Axes, place: int, value: Spread) -> None:
    mean = 100 * value.mean
    look = RESIDUAL if mean >= 0 else PLAIN
    hatch = None if mean >= 0 else "////"
    axes.barh(
        place, mean, height=0.55, color=look.colour, alpha=0.75, edgecolor="white", hatch=hatch
    )
    if value.interval is not None:
        low, high = (100 * end for end in value.interval)
        axes.errorbar(mean, place, xerr=[[mean - low], [high - mean]], color="black", capsize=4)


def _lines(names: list[str]) -> tuple[Figure, Axes]:
    """Return axes with a line for each name, the first on top, and room at the right."""
    from matplotlib.figure import Figure

    texts = [safe(name, _WIDTH) for name in names]
    lines = [text.count("\n") + 1 for text in texts]
    usual = 1.5 + 0.27 * sum(lines) + 0.1 * len(texts)
    height = max(usual, 1.5 + len(texts) * _least(lines))
    figure = Figure(figsize=(7.6, height), layout="constrained")
    axes = figure.subplots()
    axes.set_yticks(range(len(texts)), texts)
    axes.set_ylim(len(texts) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    grid(axes, "x")
    return figure, axes


def _least(lines: Sequence[int]) -> float:
    """Return the inches between names of so many lines with which no two of them touch."""
    return max((0.17 * (above + below) / 2 + 0.05 for above, below in pairwise(lines)), default=0)


def _beside(axes: Axes, place: float, text: str, *, left: int = 6, right: int = 0) -> None:
    """Write beside the axes, from `left` points off them or up to `right` points."""
    axes.annotate(
        text, (1, place), xycoords=axes.get_yaxis_transform(), xytext=(right or left, 0),
        textcoords="offset points", ha="right" if right else "left", va="center", fontsize=9,
        color=INK, annotation_clip=False,
    )  # fmt: skip


def _above(axes: Axes, text: str, *, left: int = 6, right: int = 0) -> None:
    """Write the head of what stands beside the axes."""
    axes.annotate(
        text, (1, 1), xycoords="axes fraction", xytext=(right or left, 8),
        textcoords="offset points", ha="right" if right else "left", va="center", fontsize=9,
        color=INK, fontweight="bold", annotation_clip=False,
    )  # fmt: skip
