"""Keys and values to the text that TOML has for them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping


def key(name: str) -> str:
    """Write a key; a dot inside would make tables of it.

    >>> key("lr"), key("BB.dropout")
    ('lr', '"BB.dropout"')
    """
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else value(name)


def value(of: object) -> str:
    """Write a value on one line.

    >>> value({"lr": 5e-4, "BB.dropout": 0, "augment": ("flip",), "exact": True})
    '{ lr = 0.0005, "BB.dropout" = 0, augment = ["flip"], exact = true }'
    """
    if isinstance(of, Mapping):
        pairs = ", ".join(f"{key(name)} = {value(one)}" for name, one in of.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(of, list | tuple):
        return f"[{', '.join(map(value, of))}]"
    if isinstance(of, float) and not math.isfinite(of):
        return str(of)
    # TOML refuses one character that JSON leaves as it is.
    return json.dumps(of, ensure_ascii=False).replace("\x7f", "\\u007f")
