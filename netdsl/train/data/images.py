"""Image files to blocks of pixels: any mode becomes RGB, all of one size, decoded in parallel."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from netdsl.train.data.parallel import in_parallel
from netdsl.train.data.source import Block, Pixels, Positions, Wanted, fit
from netdsl.train.data.store import Store
from netdsl.train.errors import TrainError

_SUFFIXES = (".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif",
             ".tiff", ".webp")  # fmt: skip
ENDINGS = f"images end in {', '.join(_SUFFIXES)}"
MIXED_SIZES = "bring all images to one size, or have it done: give their `shape`"
_FILES, _BYTES = 256, 2**22  # of a chunk, of which a few for each process are in memory
_WORTH_KEEPING = 2**22  # bytes of files; fewer are decoded again before anybody notices
# What brings an image upright, by the orientation of its EXIF.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Encoded:
    """An image file: what a person calls it, and its bytes."""

    where: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """The image whose size all others must have."""

    where: str
    height: int
    width: int


@dataclass(frozen=True, slots=True, eq=False)
class ImageFiles:
    """The images in the files of a store."""

    store: Store
    names: Sequence[str]
    processes: int | None = None  # as many as are worth it

    def blocks(self, chosen: Positions, wanted: Wanted) -> Iterator[Block]:
        """Yield these images in their order, RGB unless another shape is wanted."""
        sample = None if wanted.shape else self._sample(chosen, wanted)
        work = partial(_decode_chunk, wanted=wanted, sample=sample)
        seen = 0
        for block in in_parallel(work, self._chunks(chosen), len(chosen), self.processes):
            yield replace(block, bad={seen + place: fact for place, fact in block.bad.items()})
            seen += len(block.pixels) + len(block.bad)

    def stamp(self, chosen: Positions) -> str | None:
        """Return what changes with the name, size or time of a file, wherever the folder lies.

        None for so few that they are decoded in no time.
        """
        sizes, digest = 0, hashlib.sha256()
        for position in chosen:
            name = self.names[position]
            size, version = self.store.state(name)
            sizes += size
            # NOTE: a name need not be UTF-8, and Python keeps other bytes as surrogates.
            digest.update(f"{name}\0{size}\0{version}\n".encode(errors="surrogateescape"))
        return digest.hexdigest() if sizes > _WORTH_KEEPING else None

    def raw(self, chosen: Positions) -> Iterator[tuple[Pixels | None, str]]:
        """Yield these images one by one, each in its own size."""
        for part in in_parallel(_look_chunk, self._chunks(chosen), len(chosen), self.processes):
            yield from part

    def _chunks(self, chosen: Positions) -> Iterator[list[Encoded | str]]:
        return chunks(map(self._read, chosen))

    def _read(self, position: int) -> Encoded | str:
        """Return a file's bytes, or what keeps them from being read."""
        name = self.names[position]
        try:
            return Encoded(self.store.where(name), self.store.read(name))
        except TrainError as error:
            return str(error)

    def _sample(self, chosen: Positions, wanted: Wanted) -> Sample | None:
        """Return the first image that can be read."""
        for position in chosen:
            try:
                image = _given(self._read(position))
                height, width, _ = decode(image).shape
            except TrainError:
                if wanted.skip:
                    continue
                raise
            return Sample(image.where, height, width)
        return None


def chunks(files: Iterable[Encoded | str]) -> Iterator[list[Encoded | str]]:
    """Yield files by the hundreds, large ones by a few: a chunk ends where it exceeds 4 MB."""
    chunk: list[Encoded | str] = []
    size = 0
    for file in files:
        chunk.append(file)
        size += len(file.content) if isinstance(file, Encoded) else 0
        if len(chunk) == _FILES or size > _BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def is_image(name: str) -> bool:
    """Say whether a file is an image by its name, letter case aside.

    >>> is_image("cat/1.JPG"), is_image("cat/labels.csv"), is_image("cat/png")
    (True, False, False)
    """
    return os.path.splitext(name)[1].lower() in _SUFFIXES  # noqa: PTH122


def decode(image: Encoded, shape: tuple[int, int, int] | None = None) -> Pixels:
    """Return an image of any mode as RGB, (H, W, 3), or in the shape (C, H, W) that is given.

    What cannot be read names its file.
    """
    with _silent():
        return _decode(image, shape)[0]


def _decode(image: Encoded, shape: tuple[int, int, int] | None) -> tuple[Pixels, tuple[int, int]]:
    """Return an image, and the height and width that it had, upright."""
    try:
        with Image.open(io.BytesIO(image.content)) as opened:
            found = _rgb(opened, image.where)
            pixels = fit(found, shape) if shape else np.asarray(found, np.uint8)
            return pixels, (found.height, found.width)
    except UnidentifiedImageError as error:
        raise TrainError(f"{image.where} is not an image") from error
    except (MemoryError, TrainError):
        raise
    except Exception as error:  # Pillow's readers raise whatever they stumble on
        raise TrainError(f"{image.where} is a broken image: {error}") from error


@contextmanager
def _silent() -> Iterator[None]:
    """Keep Pillow from warning of what a viewer bears too, as damage behind the pixels of a photo.

    Its warnings name no file.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _rgb(image: Image.Image, where: str) -> Image.Image:
    """Return an image as a viewer shows it: upright, and white where it is transparent."""
    image.load()  # Pillow turns a TIFF as it reads it, and then has no orientation any more
    # NOTE: not ImageOps.exif_transpose, which writes EXIF anew and raises where a value that has
    # nothing to do with it is of a kind that it should not be.
    turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    if image.mode == "F":
        raise TrainError(
            f"{where} holds numbers with fractions, and no format says which of them is white",
            "save it with whole numbers from 0 to 255, or of 16 bits",
        )
    if image.mode == "I" or image.mode.startswith("I;16"):
        image = Image.fromarray(_upper_eight(image))
    if image.has_transparency_data:
        image = _on_white(image.convert("RGBA"))
    found = image if image.mode == "RGB" else image.convert("RGB")
    return found if turn is None else found.transpose(turn)


def _on_white(image: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def _upper_eight(image: Image.Image) -> Pixels:
    """Return the upper eight of 16 bits; of 32 bits up to 255, what the numbers are.

    Pillow opens PNG and PGM files of 16 bits as 32 in some versions: there a dark image is dark.
    """
    wide = np.asarray(image).astype(np.int64).clip(0, 65535)
    is_of_16_bits = image.mode != "I" or image.format in ("PNG", "PPM")
    narrow = wide >> 8 if is_of_16_bits or wide.max(initial=0) > 255 else wide
    found = narrow.astype(np.uint8)
    # NOTE: an array has no level that is transparent: what has it is white from here on.
    found[wide == image.info.get("transparency", -1)] = 255
    return found


def _given(read: Encoded | str) -> Encoded:
    if isinstance(read, str):
        raise TrainError(read)
    return read


def _decode_chunk(chunk: list[Encoded | str], wanted: Wanted, sample: Sample | None) -> Block:
    """Return the images of a chunk; those left out are named by their place in it."""
    found: list[Pixels] = []
    bad: dict[int, str] = {}
    rescaled = 0
    with _silent():  # once for all: around each it would take a tenth of the time of decoding
        for place, image in enumerate(chunk):
            try:
                pixels, stored = _decode(_given(image), wanted.shape)
            except TrainError as error:
                if not wanted.skip:
                    raise
                bad[place] = str(error)
                continue
            _check_size(_given(image), stored, sample)
            rescaled += pixels.shape[:2] != stored
            found.append(pixels)
    return Block(np.stack(found) if found else _no_images(wanted.shape), bad, rescaled)


def _no_images(shape: tuple[int, int, int] | None) -> Pixels:
    channels, height, width = shape or (0, 0, 0)
    return np.empty((0, height, width, channels), np.uint8)


def _check_size(image: Encoded, stored: tuple[int, int], sample: Sample | None) -> None:
    if sample and stored != (sample.height, sample.width):
        height, width = stored
        raise TrainError(
            f"{image.where} is {height}×{width}, "
            f"but {sample.where} is {sample.height}×{sample.width}",
            MIXED_SIZES,
        )


def _look_chunk(chunk: list[Encoded | str]) -> list[tuple[Pixels | None, str]]:
    return [_look(image) for image in chunk]


def _look(image: Encoded | str) -> tuple[Pixels | None, str]:
    """Return an image with its mode, or what is wrong with it."""
    try:
        given = _given(image)
        pixels = decode(given)
    except TrainError as error:
        return None, str(error)
    with _silent(), Image.open(io.BytesIO(given.content)) as opened:
        return pixels, opened.mode
