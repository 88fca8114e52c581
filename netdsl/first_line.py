"""What errors of somebody else's code have to say."""

from __future__ import annotations


def first_line(error: Exception) -> str:
    """Return what an error says first; some say nothing, which leaves its kind.

    >>> first_line(ValueError("no such layer\\nin line 3")), first_line(ValueError())
    ('no such layer', 'ValueError')
    """
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
