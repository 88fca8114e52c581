"""Decoded images to a memory map that all runs share, and back, verified."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from netdsl.train.data.gather import Found, gather
from netdsl.train.data.kept import note_use
from netdsl.train.data.place import alone, decoded_folder, lock_of
from netdsl.train.data.source import Images, Pixels, Positions, Wanted
from netdsl.train.data.told import Told

VERSION = 3  # of what lies in the folders, and of how images are decoded
_SAMPLES = 32  # blocks looked at when decoded images are opened: all of a gigabyte take a second


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Images as an array, uint8 (N, H, W, C), what was found meanwhile, and what to tell of it."""

    pixels: Pixels
    found: Found
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _About:
    """What lies beside the pixels: `sums` has the length and the checksum of each block."""

    version: int
    shape: tuple[int, ...]
    found: dict[str, Any]
    sums: list[tuple[int, int]]


def read_decoded(
    name: str, images: Images, chosen: Positions, counted: int, wanted: Wanted,
    told: Told,
) -> Decoded:  # fmt: skip
    """Return the images at these positions, those at the first `counted` counted by grey level.

    What costs time to decode is kept in a folder of `decoded_folder`, under a name that changes
    with the images, with what is wanted of them, and with the version of the format.
    """
    stamp = images.stamp(chosen)
    if stamp is None:
        return _in_memory(images, chosen, counted, wanted, told)
    key = hashlib.sha256(f"{VERSION} {stamp} {counted} {wanted}".encode()).hexdigest()
    folder = decoded_folder() / f"{name}-{key[:20]}"
    try:
        with alone(lock_of(folder)):
            damaged = folder.exists()
            if kept := _open(folder):
                note_use(folder)
                return kept
            _keep(folder, images, chosen, counted, wanted, told)
            kept = _open(folder)
    except OSError as error:
        note = f"decoded images are not kept for the next run: {folder.parent}: {error.strerror}"
        return _in_memory(images, chosen, counted, wanted, told, (note,))
    assert kept is not None, folder
    note = f"the decoded images in {folder} were damaged and have been made anew"
    return Decoded(kept.pixels, kept.found, (note,) if damaged else ())


def _in_memory(
    images: Images, chosen: Positions, counted: int, wanted: Wanted,
    told: Told, notes: tuple[str, ...] = (),
) -> Decoded:  # fmt: skip
    memory = _Memory(len(chosen))
    found = gather(images.blocks(chosen, wanted), len(chosen), counted, memory.write, told)
    return Decoded(memory.pixels[: memory.done], found, notes)


@dataclass(slots=True)
class _Memory:
    """An array that blocks are put into."""

    count: int
    done: int = 0
    pixels: Pixels = field(default_factory=lambda: np.empty((0, 0, 0, 0), np.uint8))

    def write(self, block: Pixels) -> None:
        if not self.done:
            self.pixels = np.empty((self.count, *block.shape[1:]), np.uint8)
        self.pixels[self.done : self.done + len(block)] = block
        self.done += len(block)


@dataclass(slots=True)
class _File:
    """A file that blocks are appended to."""

    # NOTE: written, never mapped for writing: a full disk would end the process by a signal.
    file: IO[bytes]
    count: int
    sums: list[tuple[int, int]] = field(default_factory=list)

    def write(self, block: Pixels) -> None:
        if not self.sums:
            _check_room(Path(self.file.name), self.count * block[0].nbytes)
        content = np.ascontiguousarray(block).data.cast("B")
        self.file.write(content)
        self.sums.append((len(content), zlib.crc32(content)))


def _keep(
    folder: Path, images: Images, chosen: Positions, counted: int, wanted: Wanted,
    told: Told,
) -> None:  # fmt: skip
    """Write a folder beside, on the disk, then give it its name."""
    beside = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(beside, ignore_errors=True)  # of a process that was killed
    beside.mkdir(parents=True)
    try:
        with (beside / "pixels").open("wb") as file:
            sink = _File(file, len(chosen))
            found = gather(images.blocks(chosen, wanted), len(chosen), counted, sink.write, told)
            _to_disk(file)
        about = _About(VERSION, (found.count, *found.shape), asdict(found), sink.sums)
        with (beside / "about.json").open("w", encoding="utf-8") as text:
            json.dump(asdict(about), text)
            _to_disk(text)
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _open(folder: Path) -> Decoded | None:
    """Return the images in a folder; None where there are none, or not what was written."""
    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        shape, found = tuple(about["shape"]), Found.restored(about["found"])
        if about["version"] != VERSION or (folder / "pixels").stat().st_size != math.prod(shape):
            return None
        # A private map: torch wants to be able to write, and nothing that is written gets out.
        pixels = np.memmap(folder / "pixels", np.uint8, "c", shape=shape)
        return Decoded(pixels, found) if _is_sound(pixels, about["sums"]) else None
    except (OSError, KeyError, TypeError, ValueError):
        return None


def _is_sound(pixels: Pixels, sums: list[list[int]]) -> bool:
    """Say whether the first blocks, the last one and some between are as they were written."""
    flat = pixels.reshape(-1)
    ends = np.cumsum([length for length, _ in sums])
    for i in sorted({round(k) for k in np.linspace(0, len(sums) - 1, _SAMPLES)}):
        length, checksum = sums[i]
        if zlib.crc32(flat[ends[i] - length : ends[i]].data) != checksum:
            return False
    return True


def _check_room(path: Path, size: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if size > free:
        raise OSError(None, f"{size:,} bytes are needed, {free:,} are free")


def _to_disk(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())
