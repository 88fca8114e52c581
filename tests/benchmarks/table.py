"""Ratios within one run to a table with goals: what `make bench` prints and keeps.

Sides are measured in turn, which of them comes first changes, and the median of the ratios counts,
since other work may share the machine. Nothing fails for being slow.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from side import THREADS, short

from netdsl.train.machine import name_device, pick_precision

GOALS = {
    "step ÷ hand-written, ResNet-20": "≤ 1.01",
    "step ÷ hand-written, Net 1": "≤ 1.01",
    "default step ÷ fp32 NCHW eager, ResNet-20": "≤ 0.48",
    "default step ÷ fp32 NCHW eager, Net 1": "≤ 0.25",
    "end to end ÷ bare loop, images/s, ResNet-20": "≥ 0.97",
    "end to end ÷ bare loop, images/s, Net 1": "≥ 0.97",
    "end to end ÷ usual script, images/s, ResNet-20": "≥ 2.2",
    "end to end ÷ usual script, images/s, Net 1": "≥ 4",
    "end to end ÷ usual script, both fp32, images/s, ResNet-20": "≥ 1.2",
    "end to end ÷ usual script, both fp32, images/s, Net 1": "≥ 1.2",
    "input pipeline ÷ PIL path, images/s": "≥ 6",
    "decoding into the cache ÷ bare parallel decode": "≤ 1.1",
    "second start, seconds": "≤ 1",
    "peak memory ÷ float32 in memory, Net 1 on Tiny ImageNet": "≤ 0.4",
    "netdsl --help ÷ python -c pass": "≤ 5",
    "netdsl check ÷ python -c pass": "≤ 10",
    "10,000 layers to a checked graph, seconds": "≤ 1.5",
    "10,000 layers ÷ 1,000 layers": "≤ 11",
    "constructing ÷ hand-written constructor, ResNet-20": "≤ 1.1",
    "constructing ÷ hand-written constructor, Net 1": "≤ 1.1",
    "predict in bf16 ÷ fp32 eager, images/s, ResNet-20": "≥ 4",
    "predict in bf16 ÷ fp32 eager, images/s, Net 1": "≥ 4",
    "predict in fp32 ÷ fp32 eager, images/s, ResNet-20": "≥ 1.3",
    "predict in fp32 ÷ fp32 eager, images/s, Net 1": "≥ 1.3",
    "accuracy in bf16 − of --exact --precision fp32, points, digits": (
        "≥ -0.3 or within the deviation"
    ),
    "GPU: end to end ÷ bare step, images/s, ResNet-20": "≥ 0.97",
    "GPU: end to end ÷ usual script, images/s, ResNet-20": "≥ 10",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A row: the median, its quartiles, and of how many pairs; no number where it was not run.

    Of accuracies it is the mean, and the deviation to both sides of it.
    """

    name: str
    goal: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    pairs: int = 0
    why: str = ""

    @property
    def is_reached(self) -> bool | None:
        """Say whether the goal is reached; None where nothing was measured."""
        if self.value is None:
            return None
        sign, number, *or_within = self.goal.split()
        if or_within and self.high is not None and self.high >= 0:
            return True
        return self.value <= float(number) if sign == "≤" else self.value >= float(number)


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def timed(function: Callable[[], object]) -> Callable[[], float]:
    return lambda: seconds(function)


def interleaved(
    ours: Callable[[], float], theirs: Callable[[], float], pairs: int, name: str
) -> Measured:
    """Return the ratio of what two functions measure, taken in turn."""
    return row(name, [a / b for a, b in rounds((ours, theirs), pairs)])


def rounds(sides: Sequence[Callable[[], float]], count: int) -> list[tuple[float, ...]]:
    """Return what the sides measure, so often, after each did once what is thrown away.

    Who comes first changes from round to round.
    """
    for side in sides:
        side()
    found = []
    for number in range(short(count)):
        places = list(range(len(sides)))
        begin = number // 2 % len(sides)
        turned = places[begin:] + places[:begin]
        values = {place: sides[place]() for place in (turned[::-1] if number % 2 else turned)}
        found.append(tuple(values[place] for place in places))
    return found


def row(name: str, values: Sequence[float]) -> Measured:
    """Return a row of the median of the values."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return Measured(name, GOALS[name], middle, low, high, len(values))


def machine() -> dict[str, object]:
    """Return where this is measured."""
    return {
        "processor": name_device("cpu"),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "threads": THREADS,
        "precision": pick_precision("cuda" if torch.cuda.is_available() else "cpu"),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def show(rows: list[Measured], console: Console) -> None:
    """Print the whole table, rows that were not run too."""
    table = Table("what", "goal", "measured", "quartiles", "pairs", "", box=None)
    for row in _all(rows):
        reached = {True: "reached", False: "missed", None: row.why or "not run"}[row.is_reached]
        spread = f"{row.low:.3g} to {row.high:.3g}" if row.low is not None else ""
        value = f"{row.value:.3g}" if row.value is not None else ""
        table.add_row(row.name, row.goal, value, spread, str(row.pairs or ""), reached)
    console.print(table)


def keep(rows: list[Measured], path: Path, commit: str) -> None:
    """Write the rows, the machine and the commit, for `docs/performance.py` to make a page of."""
    record = {"commit": commit, "machine": machine(), "rows": [_record(row) for row in _all(rows)]}
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _all(rows: list[Measured]) -> list[Measured]:
    """Return a row for every goal, in their order."""
    found = {row.name: row for row in rows}
    return [found.get(name, Measured(name, goal, why="not run")) for name, goal in GOALS.items()]


def _record(row: Measured) -> dict[str, object]:
    return {**asdict(row), "reached": row.is_reached}
