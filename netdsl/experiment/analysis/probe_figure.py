"""Probes to a figure: norms by depth on a logarithmic scale, the twins in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from netdsl.experiment.analysis.figure import BLUE, ORANGE, drawing, saved
from netdsl.experiment.analysis.probe import Probe
from netdsl.experiment.analysis.probe_table import by_twin

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

    Points are residual blocks, and layers outside of them.
    """
    from matplotlib.figure import Figure

    twins = by_twin(probes)
    with drawing():
        figure = Figure(figsize=(10.5, 3.6), layout="constrained")
        figure.suptitle(title)
        for axes, (what, name) in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
            for twin, of in twins.items():
                _draw(axes, twin, of, what)
            axes.set(yscale="log", xlabel="depth in layers", title=name)
            axes.title.set_size(10)
            axes.locator_params("x", integer=True)
            axes.grid(color="0.9")
            if len(twins) > 1:
                axes.legend()
        return saved(figure)


def _draw(axes: Axes, twin: str, probes: list[Probe], what: str) -> None:
    depths = [reading.spot.depth for reading in probes[0].readings]
    values = [
        [float(getattr(reading, what)) for reading in readings]
        for readings in zip(*(probe.readings for probe in probes), strict=True)
    ]
    every = max(1, len(depths) // _MARKED)
    axes.plot(
        depths, [median(v) for v in values], label=twin, linewidth=1.4, markersize=3.5,
        markevery=every, **_LOOKS[twin],
    )  # fmt: skip
    if len(probes) > 1:
        low, high = [min(v) for v in values], [max(v) for v in values]
        axes.fill_between(depths, low, high, color=_LOOKS[twin]["color"], alpha=0.2, linewidth=0)
