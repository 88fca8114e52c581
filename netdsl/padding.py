"""The usual padding along one axis: what the layers take that are given none."""

from __future__ import annotations


def same_padding(kernel: int, stride: int = 1, dilation: int = 1) -> int | None:
    """Return how much a convolution is padded on either side, so that it gives size / stride.

    That is rounded up, or down with an even kernel. None where no padding that is the same on both
    sides gives it: an even kernel with an odd stride.

    >>> same_padding(3), same_padding(7, stride=2), same_padding(4, stride=2), same_padding(4)
    (1, 3, 1, None)
    """
    width = dilation * (kernel - 1) + 1  # from the first position that it reads to the last one
    if width % 2:
        return width // 2
    return max(width - stride, 0) // 2 if stride % 2 == 0 else None


def pool_padding(kernel: int, stride: int) -> int:
    """Return how much a pool is padded: one of a stride below its kernel keeps the map up to it."""
    return (kernel - 1) // 2 if stride < kernel else 0


def transposed_padding(kernel: int, stride: int) -> tuple[int, int]:
    """Return padding and output padding of a transposed convolution that gives stride * size.

    That is (size - 1) stride - 2 padding + kernel + output padding.

    >>> transposed_padding(2, 2), transposed_padding(3, 2)
    ((0, 0), (1, 1))
    """
    over = kernel - stride
    padding = -(-max(over, 0) // 2)
    return padding, 2 * padding - over
