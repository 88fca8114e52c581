"""What every figure of an analysis has in common: its fonts, its colours, its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from netdsl.train.figure_bytes import SAME

# Okabe and Ito 2008: told apart by those who see few colours, and by their greys in print.
BLUE, ORANGE = "#0072B2", "#D55E00"


@contextmanager
def drawing(*, math: bool = False) -> Iterator[None]:
    """Set matplotlib so that equal numbers give equal bytes; `$` is a letter without `math`."""
    import matplotlib as mpl

    with mpl.rc_context({**SAME, "font.size": 9, "text.parse_math": math}):
        yield
