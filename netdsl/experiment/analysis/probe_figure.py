"""Probes to a figure: norms by depth on a logarithmic scale, the twins in one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from netdsl.experiment.analysis.figure import BLUE, ORANGE, drawing
from netdsl.experiment.analysis.probe import Probe
from netdsl.experiment.analysis.probe_table import by_twin
from netdsl.train.figure_bytes import figure_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANELS = (
    ("activation", "activations"),
    ("gradient", "gradient by the output"),
    ("pull", "gradient by the weights ÷ weights"),
)
_LOOKS: dict[str, dict[str, Any]] = {
    "residual": {"color": BLUE, "linestyle": "-", "marker": "o"},
    "plain": {"color": ORANGE, "linestyle": "--", "marker": "s"},
}
_MARKED = 24  # spots: more markers would run together


def draw_probes(probes: Sequence[Probe], title: str) -> dict[str, bytes]:
    """Return the figure in each of the formats: medians over seeds, and a band from least to most.

    The line is that of residual blocks, hollow points are layers outside of them; where there are
    no blocks it is that of layers.
    """
    from matplotlib.figure import Figure

    twins = by_twin(probes)
    with drawing(math=True):  # for powers of ten
        figure = Figure(figsize=(10.5, 3.6), layout="constrained")
        blocks = {r.spot.kind == "block" for p in probes for r in p.readings}
        title = title.replace("$", r"\$")
        figure.suptitle(title + ("; hollow: layers outside the blocks" if len(blocks) > 1 else ""))
        for axes, (what, name) in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
            for twin, of in twins.items():
                _draw(axes, twin, of, what)
            _scale(axes)
            axes.set(xlabel="depth in layers", title=name)
            axes.title.set_size(10)
            axes.grid(color="0.9")
            if len(twins) > 1:
                axes.legend()
        return figure_bytes(figure)


def _draw(axes: Axes, twin: str, probes: list[Probe], what: str) -> None:
    """Draw a twin: its blocks as a line, layers outside of them as hollow points."""
    look = _LOOKS[twin]
    points = [
        (readings[0].spot, [float(getattr(reading, what)) for reading in readings])
        for readings in zip(*(probe.readings for probe in probes), strict=True)
    ]
    has_blocks = any(spot.kind == "block" for spot, _ in points)
    joined = [point for point in points if point[0].kind == "block" or not has_blocks]
    depths = [spot.depth for spot, _ in joined]
    axes.plot(
        depths, [median(values) for _, values in joined], label=twin, linewidth=1.4,
        markersize=3.5, markevery=max(1, len(joined) // _MARKED), **look,
    )  # fmt: skip
    for spot, values in points:
        if has_blocks and spot.kind == "layer":
            hollow = {**look, "linestyle": "none", "markerfacecolor": "white"}
            axes.plot([spot.depth], [median(values)], markersize=4.5, **hollow)
    if len(probes) > 1:
        low, high = ([end(values) for _, values in joined] for end in (min, max))
        axes.fill_between(depths, low, high, color=look["color"], alpha=0.2, linewidth=0)


def _scale(axes: Axes) -> None:
    """Scale the norms by powers of ten: at least one, or small differences would look large."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    if high < 10 * low:
        middle = math.sqrt(low * high)
        low, high = axes.set_ylim(middle / math.sqrt(10), middle * math.sqrt(10))
    if high < 300 * low:
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.locator_params("x", integer=True, min_n_ticks=1)
