"""How far something that takes long has got, to whoever wants to hear of it."""

from __future__ import annotations

from collections.abc import Callable

Told = Callable[[int, int], None]  # images or bytes so far, and in all
