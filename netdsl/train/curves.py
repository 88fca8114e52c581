"""Epochs to a figure: loss and accuracy, training dashed, its sample dotted, validation solid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netdsl.train.figure_bytes import SAME, figure_bytes
from netdsl.train.metrics import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_curves(rows: Sequence[Row], title: str) -> dict[str, bytes]:
    """Return the curves in each of the formats, readable in black and white.

    The same rows give the same bytes. The title is taken letter by letter: a `$` begins no formula,
    and what is no character of Unicode, as in names that are not UTF-8, becomes `?`.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({**SAME, "text.parse_math": False}):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        figure.suptitle(title.encode(errors="replace").decode())
        loss, accuracy = figure.subplots(1, 2)
        _draw(loss, rows, "loss", [(row.train_loss, row.val_loss) for row in rows])
        percent = [(100 * row.train_accuracy, 100 * row.val_accuracy) for row in rows]
        _draw(accuracy, rows, "accuracy in %", percent)
        _draw_sample(accuracy, rows)
        return figure_bytes(figure)


def _draw(axes: Axes, rows: Sequence[Row], what: str, values: list[tuple[float, float]]) -> None:
    epochs = [row.epoch for row in rows]
    train, val = zip(*values, strict=True)
    marker = "o" if len(rows) == 1 else None  # a single point has no line
    axes.plot(epochs, train, "--", color="0.45", marker=marker, label="training")
    axes.plot(epochs, val, "-", color="black", marker=marker, label="validation")
    axes.set(xlabel="epoch", ylabel=what)
    axes.locator_params("x", integer=True, min_n_ticks=1)
    axes.grid(color="0.9")
    axes.legend()


def _draw_sample(axes: Axes, rows: Sequence[Row]) -> None:
    """Add what compares with validation: training images, evaluated as those are."""
    percent = [100 * row.sample_accuracy for row in rows]
    marker = "x" if len(rows) == 1 else None
    axes.plot(
        [row.epoch for row in rows], percent, ":", color="0.2", marker=marker,
        label="training, evaluated",
    )  # fmt: skip
    axes.legend()
