"""How every figure looks: colours, lines, markers, fonts; and a figure to files."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from netdsl.experiment.report.results import Result
from netdsl.train.figure_bytes import SAME, figure_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito 2008, distinct for colour-blind eyes; without yellow, which paper swallows.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
MARKERS = "osD^vPX"
INK = "0.25"

_STYLE: Any = {
    **SAME, "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana"], "font.size": 10, "axes.titlesize": 10,
    "axes.labelsize": 10, "xtick.labelsize": 9, "ytick.labelsize": 9, "legend.fontsize": 9,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": INK,
    "axes.axisbelow": True, "text.parse_math": False, "legend.frameon": False, "figure.dpi": 100,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """The colour and the marker of a network: both tell it apart, for print has one colour.

    `name` is what a legend calls the networks that look so, where it is always the same.
    """

    colour: str
    marker: str
    name: str = ""


RESIDUAL = Look(COLOURS[0], "o", "residual")
PLAIN = Look(COLOURS[1], "s", "plain")


def look_of(result: Result) -> Look:
    """Return how a network looks beside its twin; one without blocks looks plain."""
    return RESIDUAL if result.job.shortcuts == "residual" else PLAIN


@contextmanager
def style() -> Iterator[None]:
    """Draw what is drawn inside in the style of the reports."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a label may hold any letter
        yield


def save(figure: Figure) -> dict[str, bytes]:
    """Return a figure in each of the formats; the same figure gives the same bytes."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out once, or each format would do it again
    return figure_bytes(figure, dpi=200)


def safe(text: str, width: int = 0) -> str:
    """Return a label on lines of at most `width` letters, as matplotlib shows any.

    Of a legend it would leave one out that begins with _: a space of no width goes before.
    """
    label = "\n".join(textwrap.wrap(text, width) if width else [text]) or " "
    return f"\N{ZERO WIDTH SPACE}{label}" if label.startswith("_") else label


def grid(axes: Axes, axis: Literal["both", "x", "y"] = "both") -> None:
    """Draw pale lines behind everything."""
    axes.grid(True, axis=axis, color="0.9", linewidth=0.8)
    axes.tick_params(color=INK)
