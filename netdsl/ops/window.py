"""Sliding windows: how large their output is, and whether they fit."""

from __future__ import annotations

from netdsl.amounts import counted, sized
from netdsl.errors import Misfit
from netdsl.ir import Shape, Size


def need_map(x: Shape, who: str) -> None:
    """Refuse a vector where a feature map is needed."""
    if not x.is_map:
        raise Misfit("E0307", f"{who} needs a feature map, and {x} is a vector")


def need_parts(
    channels: int, parts: int, what: str, noun: str = "channel", *, help: str | None = None
) -> None:
    """Refuse channels that cannot be dealt out evenly over so many parts, as `what` calls them."""
    if channels % parts:
        do = "does" if channels == 1 else "do"
        fact = f"{counted(channels, noun)} {do} not divide into {parts} {what}"
        raise Misfit("E0306", fact, help=help)


def out_size(
    hw: Size, kernel: Size, stride: Size, padding: Size, dilation: Size = (1, 1), ceil: bool = False
) -> Size:
    """Return height and width after a window slid over the padded map, as torch counts them."""
    h, w = (
        _out(n, k, s, p, d, ceil)
        for n, k, s, p, d in zip(hw, kernel, stride, padding, dilation, strict=True)
    )
    return h, w


def fit(who: str, x: Shape, kernel: Size, padding: Size, dilation: Size = (1, 1)) -> None:
    """Refuse a window that is larger than the padded map."""
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    if any(r > n + 2 * p for r, n, p in zip(reach, x.hw, padding, strict=True)):
        size = f"{x.height}x{x.width}"
        padded = f", {x.height + 2 * padding[0]}x{x.width + 2 * padding[1]} with padding"
        raise Misfit(
            "E0301",
            f"{who} does not fit: its input is only {size}{padded if any(padding) else ''}",
        )


def short(size: Size) -> int | Size:
    """Return one number where both are the same.

    >>> short((3, 3)), short((3, 5))
    (3, (3, 5))
    """
    return size[0] if size[0] == size[1] else size


def size_text(size: Size) -> str:
    """Write a size as it is typed: one number where both are the same.

    >>> size_text((3, 3)), size_text((3, 5))
    ('3', '3x5')
    """
    return sized(size[:1] if size[0] == size[1] else size)


def _out(n: int, k: int, s: int, p: int, d: int, ceil: bool) -> int:
    room = n + 2 * p - d * (k - 1) - 1
    if not ceil:
        return room // s + 1
    y = -(-room // s) + 1
    return y - 1 if (y - 1) * s >= n + p else y  # torch drops a window that starts in the padding
