"""Images as rows of pixels to the same cut, mirrored, rescaled or chosen from."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def as_images(rows: Tensor) -> Tensor:
    return rows.permute(0, 3, 1, 2)


def as_rows(images: Tensor) -> Tensor:
    return images.permute(0, 2, 3, 1).contiguous()


def rescale(rows: Tensor, height: int, width: int) -> Tensor:
    """Return the images at a larger size, bilinear, as Pillow enlarges them."""
    images = as_images(rows)
    if images.device.type == "cpu":
        return as_rows(interpolate(images, (height, width), mode="bilinear"))
    return as_rows(rescale_floats(images.float(), height, width).to(torch.uint8))


def rescale_floats(images: Tensor, height: int, width: int) -> Tensor:
    """Do the same in floats, since no device but a CPU interpolates uint8.

    Pillow goes along the rows first, then down the columns, and rounds halves up after each.
    """
    for size in ((images.shape[2], width), (height, width)):
        images = interpolate(images, size, mode="bilinear").add_(0.5).floor_()
    return images


def cut(rows: Tensor, corners: Tensor, height: int, width: int) -> Tensor:
    """Return from each image the window whose top and left side the corners (N, 2) choose."""
    top = (corners[:, 0] * (rows.shape[1] - height + 1)).long()
    left = (corners[:, 1] * (rows.shape[2] - width + 1)).long()
    return windows(rows, top, left, height, width)


def windows(rows: Tensor, top: Tensor, left: Tensor, height: int, width: int) -> Tensor:
    """Return one window of each image, (N, height, width, C).

    A line of a window is `width * C` neighbours in memory, so all windows are one gather from the
    overlapping lines that start at each pixel: 15 times faster than indexing pixels.
    """
    n, h, w, c = rows.shape
    lines = rows.reshape(-1).as_strided((n * h * w - width + 1, width * c), (c, 1))
    first = (torch.arange(n, device=rows.device) * h + top) * w + left
    chosen = first[:, None] + torch.arange(height, device=rows.device) * w
    return lines.index_select(0, chosen.view(-1)).view(n, height, width, c)


def pick(chosen: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """Return `yes` for the images that were chosen, `no` for the others."""
    # NOTE: whole images copied from one pile: 10 times faster than `torch.where` on bytes.
    n = len(no)
    return torch.cat((no, yes)).index_select(0, torch.arange(n, device=no.device) + n * chosen)
