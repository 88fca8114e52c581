"""A figure to the bytes of its files, which are the same every time."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("svg", "png")
# Of matplotlib while it draws: names within an SVG are no random ones, and its letters are text.
SAME: Any = {"svg.hashsalt": "netdsl", "svg.fonttype": "none"}


def figure_bytes(figure: Figure, dpi: int = 150) -> dict[str, bytes]:
    """Return a figure in each of the formats, without a date; `dpi` is that of PNG."""
    return {name: _written(figure, name, dpi) for name in FORMATS}


def _written(figure: Figure, name: str, dpi: int) -> bytes:
    content = io.BytesIO()
    metadata = {"Date": None} if name == "svg" else {"Software": None}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # names may hold any letter
        figure.savefig(content, format=name, dpi=dpi, metadata=metadata)
    return content.getvalue()
