"""What every figure of an analysis has in common: its fonts, its colours, its bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("svg", "png")
# Okabe and Ito 2008: told apart by those who see few colours, and by their greys in print.
BLUE, ORANGE = "#0072B2", "#D55E00"


@contextmanager
def drawing(*, math: bool = False) -> Iterator[None]:
    """Set matplotlib so that equal numbers give equal bytes; `$` is a letter without `math`."""
    import matplotlib as mpl

    with mpl.rc_context({
        "svg.hashsalt": "netdsl", "svg.fonttype": "none", "font.size": 9, "text.parse_math": math,
    }):  # fmt: skip
        yield


def saved(figure: Figure) -> dict[str, bytes]:
    """Return a figure in each of the formats."""
    return {name: _saved(figure, name) for name in FORMATS}


def _saved(figure: Figure, name: str) -> bytes:
    content = io.BytesIO()
    metadata = {"Date": None} if name == "svg" else {"Software": None}
    figure.savefig(content, format=name, dpi=150, metadata=metadata)
    return content.getvalue()
