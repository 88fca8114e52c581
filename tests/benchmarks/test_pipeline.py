"""Images from a disk to batches: against Pillow and torchvision, one image after the other."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import usual_script
from PIL import Image
from side import short
from table import GOALS, Measured, interleaved, seconds, timed

from netdsl.train import Settings, load
from netdsl.train.batches import feed, shuffled
from netdsl.train.data.place import decoded_folder
from netdsl.train.machine import count_cores

Enter = Callable[[Measured], None]


def test_batches_against_pillow(measured: Enter, image_folders: dict[int, Path]) -> None:
    data = load(str(image_folders[64]))
    settings = Settings(augment=("flip", "crop_rescale"), threads=1)
    source = feed(data.train, data, settings, stays=True)
    usual = usual_script.loader(image_folders[64] / "train", 64, 128)
    measured(interleaved(
        timed(lambda: [None for _ in usual]),
        timed(lambda: [None for _ in shuffled(source, settings, 1)]),
        11, "input pipeline ÷ PIL path, images/s",
    ))  # fmt: skip


def _decoded(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_decoding_once(measured: Enter, image_folders: dict[int, Path], tmp_path: Path) -> None:
    root = tmp_path / "many"
    for copy in range(short(16)):  # enough that starting processes does not count
        for path in sorted((image_folders[64] / "train").rglob("*.jpg")):
            place = root / "train" / path.parent.name / f"{copy}-{path.name}"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    shutil.copytree(image_folders[64] / "val", root / "val")
    paths = sorted(root.rglob("*.jpg"))

    def bare() -> None:
        with Pool(count_cores()) as pool:
            for _ in pool.imap(_decoded, paths, chunksize=256):
                pass

    def ours() -> None:
        shutil.rmtree(decoded_folder(), ignore_errors=True)
        load(str(root))

    measured(interleaved(
        timed(ours), timed(bare), 5, "decoding into the cache ÷ bare parallel decode"
    ))  # fmt: skip
    taken = sorted(seconds(lambda: load(str(root))) for _ in range(5))
    name = "second start, seconds"
    measured(Measured(name, GOALS[name], taken[2], taken[1], taken[3], 5))
