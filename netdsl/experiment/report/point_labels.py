"""Labels beside the points of a figure, where they cover neither points nor each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from netdsl.experiment.report.style import INK, safe

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox, Transform

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


class Label(NamedTuple):
    """What is written at the point x, y of the axes, which `place` puts on the figure."""

    text: str
    x: float
    y: float
    place: Transform


def write_labels(figure: Figure, axes: Axes, labels: Sequence[Label]) -> None:
    """Write each label where it covers nothing; leave it away where there is no such place."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    canvas: Any = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # what was measured must stay where it is
    taken = _points(axes)
    for label in labels:
        for place in _PLACES:
            note = _note(axes, label, place)
            note.update_positions(renderer)
            box = Text.get_window_extent(note, renderer).padded(1)  # without the line to its point
            if _is_inside(box, axes.bbox) and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            note.remove()


def _note(axes: Axes, label: Label, place: tuple[Any, ...]) -> Any:
    right, up, side, end = place
    return axes.annotate(
        safe(label.text), (label.x, label.y), xycoords=label.place, xytext=(right, up),
        textcoords="offset points", ha=side, va=end, fontsize=8.5, color=INK,
        arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.6,
                    "shrinkA": 0, "shrinkB": 4} if abs(up) > 15 else None,
    )  # fmt: skip


def _points(axes: Axes) -> list[Bbox]:
    """Return the boxes of all markers, bars and pieces of lines, in pixels."""
    import numpy as np
    from matplotlib.transforms import Bbox

    boxes = []
    for bars in axes.containers:
        line, _, (marks,) = bars
        places = line.get_transform().transform(line.get_xydata())
        for place, segment in zip(places, marks.get_segments(), strict=True):
            ends = np.vstack([place, line.get_transform().transform(segment)])
            boxes.append(Bbox([ends.min(0) - _MARKER, ends.max(0) + _MARKER]))
    for line in axes.lines:
        if line.get_linestyle() != "None":
            places = line.get_transform().transform(line.get_xydata())
            for here, there in pairwise(places):
                steps = np.linspace(here, there, _PIECES)
                boxes += [Bbox([step - 1, step + 1]) for step in steps]
    return boxes


def _is_inside(box: Bbox, frame: Bbox) -> bool:
    return bool(
        box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1
    )
