"""How `scale` and squeeze-and-excitation round channel counts."""

from __future__ import annotations

from fractions import Fraction


def round_channels(channels: Fraction | int, multiple: int = 8) -> int:
    """Return the nearest multiple, never below 0.9 of the number (MobileNet, EfficientNet).

    >>> round_channels(Fraction(32) * Fraction("1.1")), round_channels(12)
    (32, 16)
    """
    rounded = max(multiple, int(channels + Fraction(multiple, 2)) // multiple * multiple)
    return rounded + multiple if rounded < Fraction(9, 10) * channels else rounded
