"""Results to figures of accuracy against depth or parameters, labels beside their points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from netdsl.experiment.report.results import Result, Results
from netdsl.experiment.report.style import INK, PLAIN, RESIDUAL, grid, look_of, safe

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

# Where a label may stand: shift in points, and which of its sides is at the point.
_PLACES = (
    (0, 9, "center", "bottom"), (0, -9, "center", "top"), (9, 0, "left", "center"),
    (-9, 0, "right", "center"), (8, 8, "left", "bottom"), (-8, 8, "right", "bottom"),
    (8, -8, "left", "top"), (-8, -8, "right", "top"), (0, 22, "center", "bottom"),
    (0, -22, "center", "top"), (14, 20, "left", "bottom"), (-14, 20, "right", "bottom"),
    (14, -20, "left", "top"), (-14, -20, "right", "top"), (0, 36, "center", "bottom"),
    (0, -36, "center", "top"), (0, -52, "center", "top"), (0, 52, "center", "bottom"),
    (0, -68, "center", "top"), (0, 68, "center", "bottom"), (0, -90, "center", "top"),
)  # fmt: skip
_MARKER = 5  # pixels from the middle of a point that it covers
_PIECES = 200  # of a line, each of which a label must not cover


def draw_against(
    results: Results, take: Callable[[Result], float], what: str, *, logarithmic: bool
) -> Figure:
    """Return validation accuracy over a number of each network, with bars of one deviation.

    Filled points are validation, hollow ones training. Networks of one group have one label.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.2, 4.2), layout="constrained")
    axes = figure.subplots()
    rows = sorted((row for row in results.rows if row.finished), key=take)
    for look in (RESIDUAL, PLAIN):
        if side := [row for row in rows if look_of(row) is look]:
            _series(axes, side, take, len(side) < len(rows))
    if logarithmic:
        _logarithmic(axes, [take(row) for row in rows])
    else:
        axes.locator_params("x", integer=True)
    axes.set(xlabel=what, ylabel="accuracy in %", xmargin=0.12, ymargin=0.14)
    grid(axes)
    figure.legend(loc="outside upper center", ncols=2)
    _label(figure, axes, _labels(rows, take))
    return figure


def _series(
    axes: Axes, rows: Sequence[Result], take: Callable[[Result], float], named: bool
) -> None:
    import numpy as np

    look = look_of(rows[0])
    prefix = f"{look.name}, " if named else ""
    for name, dashes, filled in (("val", "-", look.colour), ("train", ":", "white")):
        found = [(take(row), value) for row in rows if (value := row.measure(name)) is not None]
        # NOTE: a line says that one network grew into the other; those of one name do.
        line = dashes if _is_family(rows) else "none"
        axes.errorbar(
            [x for x, _ in found], [100 * value.mean for _, value in found],
            yerr=100 * np.hstack([value.reach(1) for _, value in found]),
            linestyle=line, color=look.colour, marker=look.marker, markersize=6,
            markerfacecolor=filled, capsize=3, linewidth=1.5,
            label=prefix + {"val": "validation", "train": "training"}[name],
        )  # fmt: skip


def _is_family(rows: Sequence[Result]) -> bool:
    return len({row.job.arch for row in rows}) == 1


def _logarithmic(axes: Axes, numbers: Sequence[float]) -> None:
    """Make the x axis logarithmic, with ticks that a person would choose."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    wide = max(numbers) > 100 * min(numbers)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=" "))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _labels(
    rows: Sequence[Result], take: Callable[[Result], float]
) -> list[tuple[str, float, float]]:
    """Return what is written at which points: at the better twin of a group."""
    best: dict[str, tuple[str, float, float]] = {}
    for row in rows:
        value = row.measure("val")
        assert value is not None, "only rows with finished runs are drawn"
        found = best.get(row.job.group)
        if found is None or 100 * value.mean > found[2]:
            title = found[0] if found else row.job.label
            best[row.job.group] = (title, take(row), 100 * value.mean)
    return list(best.values())


def _label(figure: Figure, axes: Axes, labels: Sequence[tuple[str, float, float]]) -> None:
    """Write each label where it covers nothing; leave it away where there is no such place."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    canvas: Any = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # what was measured must stay where it is
    taken = _points(axes)
    for text, x, y in labels:
        for place in _PLACES:
            note = _note(axes, safe(text), (x, y), place)
            note.update_positions(renderer)
            box = Text.get_window_extent(note, renderer).padded(1)  # without the line to its point
            if _is_inside(box, axes.bbox) and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            note.remove()


def _note(axes: Axes, text: str, at: tuple[float, float], place: tuple[Any, ...]) -> Any:
    right, up, side, end = place
    return axes.annotate(
        text, at, xytext=(right, up), textcoords="offset points", ha=side, va=end, fontsize=8.5,
        color=INK, arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.6,
                               "shrinkA": 0, "shrinkB": 4} if abs(up) > 15 else None,
    )  # fmt: skip


def _points(axes: Axes) -> list[Bbox]:
    """Return the boxes of all markers, bars and pieces of lines, in pixels."""
    import numpy as np
    from matplotlib.transforms import Bbox

    boxes = []
    for bars in axes.containers:
        line, _, (marks,) = bars
        places = axes.transData.transform(line.get_xydata())
        for place, segment in zip(places, marks.get_segments(), strict=True):
            ends = np.vstack([place, axes.transData.transform(segment)])
            boxes.append(Bbox([ends.min(0) - _MARKER, ends.max(0) + _MARKER]))
        if line.get_linestyle() != "None":
            for here, there in pairwise(places):
                steps = np.linspace(here, there, _PIECES)
                boxes += [Bbox([step - 1, step + 1]) for step in steps]
    return boxes


def _is_inside(box: Bbox, frame: Bbox) -> bool:
    return bool(
        box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1
    )
