"""Labels to the letters that the font of figures lacks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def boxed(texts: Iterable[str]) -> str:
    """Return the letters that a figure shows as boxes, each once and in their order.

    >>> boxed(["Net 1, β", "雪 and 雪"])
    '雪'
    """
    letters = dict.fromkeys("".join(texts))
    if all(letter.isascii() for letter in letters):
        return ""
    import matplotlib as mpl
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(Path(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")))
    known = font.get_charmap()
    return "".join(one for one in letters if not one.isspace() and ord(one) not in known)
