"""What people call things to names of folders that every system takes."""

from __future__ import annotations

import re
from hashlib import sha256

_LONGEST = 80  # letters, before the mark that a name is cut with


def slug(text: str, whole: str = "") -> str:
    """Return a text in small ASCII letters, digits and hyphens; nothing is left of some.

    A long one is cut and ends in the mark of the whole, which is the text unless given.

    >>> slug("Net 1 (wide)"), slug("网络")
    ('net-1-wide', '')
    >>> slug("a" * 300) == "a" * 74 + "-" + mark("a" * 300)
    True
    """
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if len(name) <= _LONGEST:
        return name
    end = mark(whole or text)
    return f"{name[: _LONGEST - len(end)].strip('-')}-{end}"


def mark(text: str) -> str:
    """Return six letters that tell a text from others.

    >>> mark("网络.arch")
    'eafd43'
    """
    return sha256(text.encode(errors="surrogateescape")).hexdigest()[:6]
