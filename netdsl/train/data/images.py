"""Image files to blocks of pixels: any mode becomes RGB, all of one size, decoded in parallel."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image, UnidentifiedImageError

from netdsl.train.data.parallel import in_parallel
from netdsl.train.data.source import Block, Pixels, Positions, Wanted, fit
from netdsl.train.data.store import Store
from netdsl.train.errors import TrainError

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
_CHUNK = 256
_WORTH_KEEPING = 2**22  # bytes of files; fewer are decoded again before anybody notices


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
        for pixels, bad in in_parallel(work, self._chunks(chosen), len(chosen), self.processes):
            yield Block(pixels, {seen + place: fact for place, fact in bad.items()})
            seen += len(pixels) + len(bad)

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
        for begin in range(0, len(chosen), _CHUNK):
            yield [self._read(position) for position in chosen[begin : begin + _CHUNK]]

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


def decode(image: Encoded, shape: tuple[int, int, int] | None = None) -> Pixels:
    """Return an image of any mode as RGB, (H, W, 3), or in the shape (C, H, W) that is given.

    What cannot be read names its file.
    """
    try:
        with Image.open(io.BytesIO(image.content)) as opened:
            found = _rgb(opened, image.where)
            return fit(found, shape) if shape else np.asarray(found, np.uint8)
    except UnidentifiedImageError as error:
        raise TrainError(f"{image.where} is not an image") from error
    except (MemoryError, TrainError):
        raise
    except Exception as error:  # Pillow's readers raise whatever they stumble on
        raise TrainError(f"{image.where} is a broken image: {error}") from error


def _rgb(image: Image.Image, where: str) -> Image.Image:
    if image.mode == "F":
        raise TrainError(
            f"{where} holds numbers with fractions, and no format says which of them is white",
            "save it with whole numbers from 0 to 255, or of 16 bits",
        )
    if image.mode == "I" or image.mode.startswith("I;16"):
        image = Image.fromarray(_upper_eight(image))
    if image.mode == "P":  # a palette may hold transparency, which RGBA knows
        image = image.convert("RGBA")
    return image if image.mode == "RGB" else image.convert("RGB")


def _upper_eight(image: Image.Image) -> Pixels:
    """Return the upper eight of 16 bits; of 32 bits up to 255, what the numbers are.

    Pillow opens PNG and PGM files of 16 bits as 32 in some versions: there a dark image is dark.
    """
    wide = np.asarray(image).astype(np.int64).clip(0, 65535)
    is_of_16_bits = image.mode != "I" or image.format in ("PNG", "PPM")
    narrow = wide >> 8 if is_of_16_bits or wide.max(initial=0) > 255 else wide
    return narrow.astype(np.uint8)


def _given(read: Encoded | str) -> Encoded:
    if isinstance(read, str):
        raise TrainError(read)
    return read


def _decode_chunk(
    chunk: list[Encoded | str], wanted: Wanted, sample: Sample | None
) -> tuple[Pixels, dict[int, str]]:
    """Return the images of a chunk, and what is wrong with those left out, by their place."""
    found: list[Pixels] = []
    bad: dict[int, str] = {}
    for place, image in enumerate(chunk):
        try:
            pixels = decode(_given(image), wanted.shape)
        except TrainError as error:
            if not wanted.skip:
                raise
            bad[place] = str(error)
            continue
        _check_size(_given(image), pixels, sample)
        found.append(pixels)
    return np.stack(found) if found else np.empty((0, 0, 0, 0), np.uint8), bad


def _check_size(image: Encoded, pixels: Pixels, sample: Sample | None) -> None:
    if sample and pixels.shape[:2] != (sample.height, sample.width):
        height, width, _ = pixels.shape
        raise TrainError(
            f"{image.where} is {height}×{width}, "
            f"but {sample.where} is {sample.height}×{sample.width}",
            "bring all images to one size, or have it done: `--fit`",
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
    with Image.open(io.BytesIO(given.content)) as opened:
        return pixels, opened.mode
