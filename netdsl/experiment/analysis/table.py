"""Rows to the bytes of a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence


def to_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return a table as CSV; numbers read back as they were, None is an empty cell.

    >>> to_csv(("class", "part"), [("a, b", 0.1), ("c", None)])
    b'class,part\\n"a, b",0.1\\nc,\\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
