"""A data set and settings to a contact sheet: images as they are and as a training sees them."""

from __future__ import annotations

import io
import math

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from netdsl.train.data.dataset import DataSet
from netdsl.train.data.source import Pixels, Positions
from netdsl.train.data.split import spread
from netdsl.train.mixing import draw, mix
from netdsl.train.settings import Settings
from netdsl.train.transforms import make, random_numbers

_TILE = 96  # pixels a side, at least
_GAP = 6
_LINE = 16
_INK, _PAPER = (0, 0, 0), (255, 255, 255)


def draw_sheet(data: DataSet, settings: Settings, *, rows: int = 8, columns: int = 8) -> bytes:
    """Return a PNG: a training image a row, first as it is, then in different epochs.

    Each class has its share of the rows, which are labelled with it; what is done is written
    above. Where nothing is done, a row shows different images of its class. Images are mixed with
    the one of the row above. The sheet is as wide as its images or as what is written above; a
    label that is wider is cut.
    """
    labels = data.train.labels
    first = spread(labels.numpy(), rows)
    images = _rows(data, first)
    done = what_is_done(settings)
    if done:
        drawn = [_changed(images, settings, epoch) for epoch in range(1, columns)]
    else:
        drawn = [_rows(data, _next(labels, first, step)) for step in range(1, columns)]
    tiles = [[tile(image.numpy()) for image in row] for row in zip(images, *drawn, strict=True)]
    names = [data.classes[int(label)] for label in labels[torch.from_numpy(first)]]
    content = io.BytesIO()
    _paste(tiles, names, f"{data.name}: {done or 'no augmentation'}").save(content, "PNG")
    return content.getvalue()


def what_is_done(settings: Settings) -> str:
    """Write how training images are changed; nothing where they are not.

    >>> what_is_done(Settings(augment=("flip",), mixup=0.2))
    'flip, mixup 0.2'
    """
    mixed = (("mixup", settings.mixup), ("cutmix", settings.cutmix))
    return ", ".join((*settings.augment, *(f"{name} {alpha:g}" for name, alpha in mixed if alpha)))


def _rows(data: DataSet, positions: Positions) -> torch.Tensor:
    return data.train.images[torch.from_numpy(positions)].permute(0, 2, 3, 1).contiguous()


def _next(labels: torch.Tensor, positions: Positions, step: int) -> Positions:
    """Return for each image the one so many further in its class, from the beginning at its end."""
    found = []
    for position in positions:
        own = torch.nonzero(labels == labels[position]).flatten()
        place = int(torch.searchsorted(own, int(position)))
        found.append(int(own[(place + step) % len(own)]))
    return np.array(found)


def _changed(images: torch.Tensor, settings: Settings, epoch: int) -> torch.Tensor:
    """Augment and mix images (N, H, W, C) as the first batch of an epoch."""
    for stream, transform in enumerate(map(make, settings.augment), start=1):
        numbers = random_numbers(settings.seed, epoch, stream, len(images), transform.draws)
        images = transform(images, numbers)
    drawn = draw(settings, epoch, 0)
    if drawn is None:
        return images
    labels = torch.zeros(len(images), dtype=torch.int64)
    mixed, _ = mix(images.permute(0, 3, 1, 2).float(), labels, drawn)
    return mixed.round().to(torch.uint8).permute(0, 2, 3, 1)


def tile(pixels: Pixels) -> Image.Image:
    """Return an image with grey or colours, enlarged without smoothing where it is small."""
    grey = pixels.shape[2] != 3
    image = Image.fromarray(np.ascontiguousarray(pixels[:, :, 0]) if grey else pixels)
    times = -(-_TILE // max(image.size))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


def _paste(tiles: list[list[Image.Image]], labels: list[str], title: str) -> Image.Image:
    width, height = tiles[0][0].size
    across, down = width + _GAP, height + _LINE + _GAP
    font = ImageFont.load_default(12)
    wide = max(across * len(tiles[0]), math.ceil(font.getlength(title)) + _GAP)
    sheet = Image.new("RGB", (_GAP + wide, _LINE + 2 * _GAP + down * len(tiles)), _PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((_GAP, _GAP), title, _INK, font)
    for y, (row, label) in enumerate(zip(tiles, labels, strict=True)):
        top = _LINE + 2 * _GAP + y * down
        pen.text((_GAP, top), _fitted(label, wide - _GAP, font), _INK, font)
        for x, image in enumerate(row):
            sheet.paste(image, (_GAP + x * across, top + _LINE))
    return sheet


def _fitted(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Return a text that is no wider than so many pixels, with an ellipsis where it was cut."""
    if font.getlength(text) <= width:
        return text
    ends = range(len(text), 0, -1)
    cut = (f"{text[:end].rstrip(' ,')}…" for end in ends)
    return next((one for one in cut if font.getlength(one) <= width), "…")
