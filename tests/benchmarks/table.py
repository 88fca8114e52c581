"""Ratios within one run to a table with goals: what `make bench` prints and keeps.

Pairs are interleaved, which of the two comes first too, and the median of the ratios counts, since
other work may share the machine. Nothing fails for being slow.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

GOALS = {
    "step ÷ hand-written, ResNet-20": "≤ 1.01",
    "step ÷ hand-written, Net 1": "≤ 1.01",
    "default step ÷ fp32 NCHW eager, ResNet-20": "≤ 0.48",
    "default step ÷ fp32 NCHW eager, Net 1": "≤ 0.25",
    "step with stochastic depth ÷ without, ResNet-34": "≤ 0.87",
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
    "GPU: end to end ÷ bare step, images/s, ResNet-20": "≥ 0.97",
    "GPU: end to end ÷ usual script, images/s, ResNet-20": "≥ 10",
}
_RATIO = "÷"


@dataclass(frozen=True, slots=True)
class Measured:
    """A row: the median, its quartiles, and of how many pairs; no number where it was not run."""

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
        sign, number = self.goal.split()
        return self.value <= float(number) if sign == "≤" else self.value >= float(number)


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def interleaved(
    ours: Callable[[], float], theirs: Callable[[], float], pairs: int, name: str
) -> Measured:
    """Return the ratio of what two functions measure, taken in turn."""
    ours(), theirs()
    ratios = []
    for i in range(pairs):
        if i % 2:
            a, b = ours(), theirs()
        else:
            b, a = theirs(), ours()
        ratios.append(a / b)
    low, middle, high = statistics.quantiles(ratios, n=4)
    return Measured(name, GOALS[name], middle, low, high, pairs)


def timed(function: Callable[[], object]) -> Callable[[], float]:
    return lambda: seconds(function)


def machine() -> dict[str, object]:
    """Return where this is measured."""
    lines = Path("/proc/cpuinfo")
    names = lines.read_text().splitlines() if lines.exists() else []
    models = (line.partition(":")[2].strip() for line in names if line.startswith("model name"))
    return {
        "processor": next(models, platform.processor()),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def show(rows: list[Measured], console: Console) -> None:
    """Print the whole table, rows that were not run too."""
    found = {row.name: row for row in rows}
    table = Table("what", "goal", "measured", "quartiles", "pairs", "", box=None)
    for name, goal in GOALS.items():
        row = found.get(name, Measured(name, goal))
        reached = {True: "reached", False: "missed", None: row.why or "not run"}[row.is_reached]
        spread = f"{row.low:.3g} to {row.high:.3g}" if row.low and row.high else ""
        value = f"{row.value:.3g}" if row.value is not None else ""
        table.add_row(name, goal, value, spread, str(row.pairs or ""), reached)
    console.print(table)


def keep(rows: list[Measured], path: Path, commit: str) -> None:
    """Write the rows, the machine and the commit, for `docs/performance.py` to make a page of."""
    record = {"commit": commit, "machine": machine(), "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
