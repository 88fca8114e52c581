"""Image files to one uint8 tensor: any mode becomes RGB, all of one size, decoded in parallel."""

from __future__ import annotations

import io
import multiprocessing
import signal
import sys
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from netdsl.train.data.dataset import Decoded
from netdsl.train.data.store import Store
from netdsl.train.errors import TrainError
from netdsl.train.machine import count_cores

Pixels = NDArray[np.uint8]
SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
_CHUNK = 256
_WORTH_A_PROCESS = 5_000  # images; below, starting processes costs what they save


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


def read_images(
    store: Store, names: Sequence[str], decoded: Decoded, processes: int | None = None
) -> Tensor:
    """Return the images in the order of their names, uint8 (N, 3, H, W), pixels side by side."""
    first = Encoded(store.where(names[0]), store.read(names[0]))
    height, width, _ = decode(first).shape
    pixels = np.empty((len(names), height, width, 3), np.uint8)
    chunks = (
        [Encoded(store.where(name), store.read(name)) for name in names[begin : begin + _CHUNK]]
        for begin in range(0, len(names), _CHUNK)
    )
    count = _processes(len(names)) if processes is None else processes
    done = 0
    for block in _decode_all(chunks, Sample(first.where, height, width), count):
        pixels[done : done + len(block)] = block
        done += len(block)
        decoded(done, len(names))
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)


def decode(image: Encoded) -> Pixels:
    """Return an image of any mode as RGB, (H, W, 3); what cannot be read names its file."""
    try:
        with Image.open(io.BytesIO(image.content)) as opened:
            return np.asarray(_rgb(opened), np.uint8)
    except UnidentifiedImageError as error:
        raise TrainError(f"{image.where} is not an image") from error
    except Exception as error:  # Pillow's readers raise whatever they stumble on
        raise TrainError(f"{image.where} is a broken image: {error}") from error


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "I;16", "I;16B", "I;16L"):  # 16 bits: the upper eight are kept
        wide = np.asarray(image).astype(np.int64).clip(0, 65535)
        image = Image.fromarray((wide >> 8).astype(np.uint8))
    if image.mode == "P":  # a palette may hold transparency, which RGBA knows
        image = image.convert("RGBA")
    return image if image.mode == "RGB" else image.convert("RGB")


def _decode_all(
    chunks: Iterable[list[Encoded]], sample: Sample, processes: int
) -> Iterator[Pixels]:
    if processes < 2:
        yield from (_decode_chunk(chunk, sample) for chunk in chunks)
        return
    # NOTE: processes, since Pillow holds the lock of Python for more than half of a small image:
    # threads are slower than none. Forked, since a spawned one would run the caller's script.
    forked = multiprocessing.get_context("fork")
    waiting: deque[Future[Pixels]] = deque()
    with ProcessPoolExecutor(processes, forked, _leave_interrupts) as pool:
        for chunk in chunks:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
                waiting.append(pool.submit(_decode_chunk, chunk, sample))
            if len(waiting) > 2 * processes:
                yield waiting.popleft().result()
        yield from (future.result() for future in waiting)


def _decode_chunk(chunk: list[Encoded], sample: Sample) -> Pixels:
    block = np.empty((len(chunk), sample.height, sample.width, 3), np.uint8)
    for pixels, image in zip(block, chunk, strict=True):
        found = decode(image)
        if found.shape != pixels.shape:
            raise TrainError(
                f"{image.where} is {_size(*found.shape[:2])}, "
                f"but {sample.where} is {_size(sample.height, sample.width)}",
                "bring all images to one size",
            )
        pixels[:] = found
    return block


def _size(height: int, width: int) -> str:
    return f"{height}×{width}"


def _processes(images: int) -> int:
    can_fork = sys.platform == "linux"
    return count_cores() if can_fork and images >= _WORTH_A_PROCESS else 1


def _leave_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
