"""Report 003, tables 1 and 2: seconds a training step, one thing at a time.

    python steps.py                      by layout of images and place of preprocessing
    python steps.py --stochastic-depth   with stochastic depth and without

Batches of 100 made-up images of 64x64, in fp32 on one thread. The variants take their steps in
turn, so that all of them meet the same machine; medians, and the median of the ratios to the first.
The table is printed, and written to `experiments/`.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision import transforms

import netdsl
from netdsl.train.commit import commit
from netdsl.train.machine import name_device
from netdsl.train.transforms import Flip, random_numbers

BATCH, IMAGES = 100, 1000
MEAN, STD = 0.448, 0.275
FOLDER = Path(__file__).parent / "experiments"
Batches = Iterator[Tensor]
ROWS = torch.randint(0, 256, (IMAGES, 64, 64, 3), dtype=torch.uint8)


def one_by_one() -> Batches:
    """Flip and normalise image by image, through Pillow, as most scripts do."""
    steps = transforms.Compose([
        transforms.ToPILImage(), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
        transforms.Normalize((MEAN,) * 3, (STD,) * 3),
    ])  # fmt: skip
    while True:
        chosen = torch.randint(IMAGES, (BATCH,)).tolist()
        yield torch.stack([steps(ROWS[i].permute(2, 0, 1)) for i in chosen])


def at_once(memory: torch.memory_format) -> Batches:
    """Flip and normalise a batch of bytes at once, as netdsl does."""
    flip, step = Flip(), 0
    while True:
        rows = ROWS[torch.randint(IMAGES, (BATCH,))]
        rows, step = flip(rows, random_numbers(0, 0, step, BATCH, 1)), step + 1
        images = rows.float().sub_(255 * MEAN).div_(255 * STD).permute(0, 3, 1, 2)
        yield images.contiguous(memory_format=memory)


def stepper(arch: str, memory: torch.memory_format, batches: Batches) -> Callable[[], float]:
    """Return what takes a step and tells how many seconds it took, preprocessing included."""
    model: nn.Module = netdsl.load(arch).module(seed=0).train().to(memory_format=memory)
    optimiser = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    labels = torch.randint(200, (BATCH,))

    def step() -> float:
        start = time.perf_counter()
        optimiser.zero_grad()
        F.cross_entropy(model(next(batches)), labels).backward()
        optimiser.step()
        return time.perf_counter() - start

    return step


def layouts() -> dict[str, Callable[[], float]]:
    """Return the variants of table 1."""
    rows, last = torch.contiguous_format, torch.channels_last
    return {
        "NCHW, preprocessing image by image": stepper("tiny_resnet34", rows, one_by_one()),
        "NCHW, preprocessing by batches": stepper("tiny_resnet34", rows, at_once(rows)),
        "channels last, preprocessing by batches": stepper("tiny_resnet34", last, at_once(last)),
    }


def depths() -> dict[str, Callable[[], float]]:
    """Return the variants of table 2."""
    last = torch.channels_last
    return {
        "no stochastic depth": stepper("tiny_resnet34", last, at_once(last)),
        "stochastic depth": stepper("tiny_resnet34_sd", last, at_once(last)),
    }


def measure(variants: dict[str, Callable[[], float]], rounds: int) -> list[list[str]]:
    """Return a line a variant: median seconds a step, median ratio to the first, quartiles."""
    for step in variants.values():
        step()
    taken = [[step() for step in variants.values()] for _ in range(rounds)]
    lines = []
    for name, steps in zip(variants, zip(*taken, strict=True), strict=True):
        ratios = sorted(a / b for a, (b, *_) in zip(steps, taken, strict=True))
        low, high = (ratios[int(rounds * part)] for part in (0.25, 0.75))
        spread = f"{low:.3f} to {high:.3f}"
        lines.append([name, f"{median(steps):.2f}", f"{median(ratios):.3f}", spread, str(rounds)])
    return lines


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--stochastic-depth", action="store_true")
    parser.add_argument("--rounds", type=int, default=25)
    choice = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    variants = depths() if choice.stochastic_depth else layouts()
    where = f"{name_device('cpu')}, 1 thread, fp32, torch {torch.__version__}, commit {commit()}"
    head = [where, "s a step", "ratio", "quartiles", "steps"]
    lines = measure(variants, choice.rounds)
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / ("table2.csv" if choice.stochastic_depth else "table1.csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *lines])
    print(
        "\n".join(
            "  ".join(
                f"{cell:<{len(where)}}" if n == 0 else f"{cell:>16}" for n, cell in enumerate(line)
            ).rstrip()
            for line in [head, *lines]
        )
    )


if __name__ == "__main__":
    main()
