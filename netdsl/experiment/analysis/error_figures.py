"""An error analysis to its figures: confusion matrix, accuracy by class, reliability diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netdsl.experiment.analysis.calibration import Calibration
from netdsl.experiment.analysis.confusion import ClassResult
from netdsl.experiment.analysis.errors import Errors
from netdsl.experiment.analysis.figure import BLUE, ORANGE, drawing
from netdsl.experiment.analysis.names import cut
from netdsl.train.figure_bytes import figure_bytes
from netdsl.train.synonyms import short_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NUMBERED = 20  # classes: their matrix has room for numbers
BARS = 40  # classes: each has a bar; of more, the worst and the best
_NAMES = 60  # along an axis
_LETTERS = 20


def draw_confusion(found: Errors) -> dict[str, bytes]:
    """Draw which class is taken for which: counts where there is room, else shades alone.

    Up to ten classes stand in their own order, more of them by similarity.
    """
    from matplotlib.colors import PowerNorm
    from matplotlib.figure import Figure

    order = list(shown_order(found))
    counts = found.confusion[np.ix_(order, order)]
    parts = 100 * counts / np.maximum(1, counts.sum(1, keepdims=True))
    few = len(order) <= NUMBERED
    side = max(4.5, 2.2 + 0.4 * len(order)) if few else 10.0
    with drawing():
        figure = Figure(figsize=(side + 0.6, side - 0.3), layout="compressed")
        axes = figure.subplots()
        norm = PowerNorm(0.5, 0, 100)
        image = axes.imshow(parts, cmap="Blues", norm=norm, interpolation="none")
        bar = figure.colorbar(image, ax=axes, shrink=0.6, ticks=[0, 5, 20, 50, 100])
        bar.set_label("% of the images of a class")
        _name_axes(axes, found, order)
        if few:
            _write_counts(axes, counts, parts)
        return figure_bytes(figure)


def shown_order(found: Errors) -> tuple[int, ...]:
    """Return the order in which the matrix is drawn."""
    own = tuple(range(len(found.classes)))
    return own if len(own) <= 10 else found.order


def draw_classes(found: Errors) -> dict[str, bytes]:
    """Draw the accuracy of each class with its 95 % interval, from the worst to the best."""
    from matplotlib.figure import Figure

    results, left_out = _extremes(found.by_class)
    names = short_names(found.classes)
    with drawing():
        figure = Figure(figsize=(5.2, 1.1 + 0.21 * (len(results) + bool(left_out))))
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        places = [i + (1 if left_out and i >= BARS // 2 else 0) for i in range(len(results))]
        _draw_bars(axes, results, places)
        axes.set_yticks(places, [cut(names[r.label], 28) for r in results])
        axes.axvline(100 * found.accuracy, color="0.35", linewidth=1, linestyle="--", zorder=3)
        if left_out:
            axes.text(
                50, BARS // 2, f"{left_out} classes between", ha="center", va="center", zorder=4,
                color="0.3", bbox={"facecolor": "white", "edgecolor": "none"},
            )  # fmt: skip
        axes.set(xlim=(0, 100), ylim=(places[-1] + 0.6, -0.6))
        axes.set_xlabel(f"% right, 95 % intervals; dashed: all images, {found.accuracy:.1%}")
        axes.grid(axis="x", color="0.9")
        axes.set_axisbelow(True)
        return figure_bytes(figure)


def draw_calibration(calibration: Calibration) -> dict[str, bytes]:
    """Draw how often the network is right where it is so sure, and how often it is so sure."""
    from matplotlib.figure import Figure

    bins = [bin for bin in calibration.bins if bin.images]
    images = sum(bin.images for bin in bins)
    with drawing():
        figure = Figure(figsize=(4.6, 5.6), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot([0, 100], [0, 100], "--", color="0.35", linewidth=1, label="calibrated")
        upper.bar(*_heights([(b.low, b.high, 100 * (b.accuracy or 0)) for b in bins]),
                  color="#9ecae1", edgecolor="black", linewidth=0.6, align="edge")  # fmt: skip
        means = [(100 * (b.confidence or 0), 100 * (b.accuracy or 0)) for b in bins]
        upper.plot(*zip(*means, strict=True), "o-", color=ORANGE, markersize=4, linewidth=1,
                   label="mean of a bin")  # fmt: skip
        upper.set(ylabel="% right", xlim=(0, 100), ylim=(0, 100))
        upper.set_title(f"ECE {100 * calibration.error:.1f} points", fontsize=10)
        upper.legend(loc="upper left")
        lower.bar(*_heights([(b.low, b.high, 100 * b.images / images) for b in bins]),
                  color="0.75", edgecolor="black", linewidth=0.6, align="edge")  # fmt: skip
        lower.set(xlabel="confidence in %", ylabel="% of images")
        for axes in (upper, lower):
            axes.grid(color="0.9")
            axes.set_axisbelow(True)
        return figure_bytes(figure)


def _heights(
    bars: list[tuple[float, float, float]],
) -> tuple[list[float], list[float], list[float]]:
    """Return left ends, heights and widths, in percent."""
    return (
        [100 * low for low, _, _ in bars],
        [height for _, _, height in bars],
        [100 * (high - low) for low, high, _ in bars],
    )


def _name_axes(axes: Axes, found: Errors, order: list[int]) -> None:
    step = -(-len(order) // _NAMES)
    places = list(range(0, len(order), step))
    names = short_names(found.classes)
    shown = [cut(names[order[place]], _LETTERS) for place in places]
    size = 9 if len(order) <= NUMBERED else 6.5
    axes.set_xticks(places, shown, rotation=90, fontsize=size)
    axes.set_yticks(places, shown, fontsize=size)
    which = f" (one of {step} is named)" if step > 1 else ""
    axes.set(xlabel="taken for", ylabel=f"class{which}")
    axes.tick_params(length=2)


def _write_counts(axes: Axes, counts: np.ndarray, parts: np.ndarray) -> None:
    size = 8 if len(counts) <= 12 else 7
    for y, x in np.argwhere(counts):
        colour = "white" if parts[y, x] > 35 else "black"
        axes.text(x, y, f"{counts[y, x]}", ha="center", va="center", color=colour, fontsize=size)


def _extremes(results: tuple[ClassResult, ...]) -> tuple[list[ClassResult], int]:
    """Return classes from the worst to the best, and how many are left out in their midst."""
    known = sorted((r for r in results if r.images), key=lambda r: (r.accuracy, r.label))
    if len(known) <= BARS:
        return known, 0
    return known[: BARS // 2] + known[-BARS // 2 :], len(known) - BARS


def _draw_bars(axes: Axes, results: list[ClassResult], places: list[int]) -> None:
    accuracies = [100 * (r.accuracy or 0) for r in results]
    ends = [r.interval for r in results]
    below = [a - 100 * low for a, (low, _) in zip(accuracies, ends, strict=True)]
    above = [100 * high - a for a, (_, high) in zip(accuracies, ends, strict=True)]
    axes.barh(places, accuracies, color="#9ecae1", edgecolor=BLUE, linewidth=0.6, height=0.7)
    axes.errorbar(accuracies, places, xerr=[np.clip(below, 0, None), np.clip(above, 0, None)],
                  fmt="none", ecolor="0.2", elinewidth=0.8, capsize=2)  # fmt: skip
