"""The errors that a network is most confident of to pictures: one sheet, or one image each."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from netdsl.backends.drawing import fonts
from netdsl.experiment.analysis.errors import Errors, Mistake
from netdsl.experiment.analysis.names import cut
from netdsl.train import DataSet
from netdsl.train.data.sheet import tile
from netdsl.train.synonyms import short_names

_COLUMNS = 6
_WIDTH = 136  # pixels of a column, at least
_GAP = 10
_LINE = 15
_LINES = 3
_TITLE = "most confident errors, the probability of each against that of what it is"
_INK, _PALE, _PAPER = (0, 0, 0), (90, 90, 90), (255, 255, 255)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw_gallery(found: Errors, data: DataSet) -> bytes:
    """Return a PNG with what each image is, what it is taken for and how surely; most sure first.

    Without any error it says so.
    """
    tiles = [tile(_pixels(data, mistake)) for mistake in found.gallery]
    size = max((side for image in tiles for side in image.size), default=_LINE)
    across, down = max(_WIDTH, size) + _GAP, size + _LINES * _LINE + _GAP
    columns, rows = min(_COLUMNS, max(2, len(tiles))), max(1, -(-len(tiles) // _COLUMNS))
    height = 2 * _GAP + _LINE + rows * down
    sheet = Image.new("RGB", (_GAP + columns * across, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    title = f"{data.name}: {_TITLE if tiles else 'no errors'}"
    draw.text((_GAP, _GAP), title, _INK, _font(bold=True))
    for place, (image, mistake) in enumerate(zip(tiles, found.gallery, strict=True)):
        left = _GAP + place % _COLUMNS * across
        top = 2 * _GAP + _LINE + place // _COLUMNS * down
        sheet.paste(image, (left, top))
        _write(draw, (left, top + size + 2), captions(mistake, found), across - _GAP)
    return _png(sheet)


def draw_tile(mistake: Mistake, data: DataSet) -> bytes:
    """Return one image as a PNG, enlarged where it is small."""
    return _png(tile(_pixels(data, mistake)))


def captions(mistake: Mistake, found: Errors) -> tuple[str, str, str]:
    """Say what an image is, what it is taken for, and the probability of that against its own."""
    names = short_names(found.classes)
    sure, true = mistake.probability, mistake.probability_of_true
    return (
        names[mistake.true],
        f"taken for {names[mistake.predicted]}",
        f"{sure:.1%} against {true:.1%}",
    )


def _pixels(data: DataSet, mistake: Mistake) -> np.ndarray:
    pixels: np.ndarray = data.val.images[mistake.image].permute(1, 2, 0).contiguous().numpy()
    return pixels


def _write(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], lines: tuple[str, ...], width: int
) -> None:
    """Write the lines below a tile, the first bold, each cut to the width."""
    left, top = at
    for number, line in enumerate(lines):
        font = _font(bold=number == 0)
        shown, most = line, len(line)
        while most > 1 and draw.textlength(shown, font) > width:
            most -= 1
            shown = cut(line, most)
        draw.text((left, top + number * _LINE), shown, _PALE if number == 2 else _INK, font)


def _font(*, bold: bool) -> Font:
    """Return the font of drawings, which has the letters of Europe; Pillow's own without it."""
    folder = fonts.folder()
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(folder / name, 11) if folder else ImageFont.load_default(11)


def _png(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()
