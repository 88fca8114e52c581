"""What `make bench` measured to the page that shows it: goals, ratios, spread, what is missed."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
PAGE = FOLDER / "performance.md"
MEASURED = FOLDER / "performance.json"

TITLE = "# Speed"
ABOUT = """
    `make bench` measures every row of this table on your machine, prints it, and writes it into
    `docs/performance.json` and this page, in place of what they held. A row with ÷ is a ratio of
    two things that are measured alternately within one run, in alternating order; one in seconds is
    the time itself. "measured" is the median, and "quartiles" the spread. The difference of
    accuracies is a mean, with one standard deviation to both sides. The usual script is
    ImageFolder, Pillow, torchvision's transforms and a DataLoader in fp32
    (`tests/benchmarks/usual_script.py`); the hand-written networks are in
    `tests/benchmarks/handwritten.py`. No test fails for being slow."""
# Why a goal is missed, and what was tried; by how the name of the row begins.
_NO_AMX = (
    "the goals were set on a processor of Intel with AMX, whose units for matrices multiply bf16 "
    "several times faster than the instructions of AVX-512, which is what this one has"
)
REASONS: dict[str, str] = {
    "default step ÷ fp32 NCHW eager": _NO_AMX,
    "end to end ÷ usual script, images/s": _NO_AMX,
    "predict in bf16 ÷ fp32 eager": _NO_AMX,
    "end to end ÷ bare loop": (
        "in an earlier run on this kind of machine it was 0.989: such a median of five pairs moves "
        "by more from run to run than its quartiles say"
    ),
    "decoding into the cache": (
        "the images are also written to the disk, counted by their grey levels and given a "
        "checksum, which the bare decoding is spared"
    ),
    "netdsl check": (
        "lark loads interegular where it is installed, as for the tests here; without it this was "
        "10.2. Most of the rest is the start of click and lark, dataclasses being made, and the "
        "tables of the grammar, which are reckoned anew at every start: lark could only keep them "
        "as a pickle in a folder that others may write to"
    ),
    "10,000 layers to a checked graph": (
        "a goal in seconds depends on the processor: on one of Intel, before the last two mends, "
        "it was 1.28. 0.1 s of it is the garbage collector, which goes once through what was made"
    ),
    "10,000 layers ÷ 1,000 layers": (
        "the garbage collector goes once through what was made; without it a layer takes 128 µs "
        "among 1,000 and 134 among 10,000, which is 10.5 times"
    ),
    "constructing ÷ hand-written constructor, Net 1": (
        "nearly all of it are He et al.'s normal numbers, which take 1.1 times as long here as the "
        "uniform ones that the constructors of torch draw for the hand-written network"
    ),
    "peak memory ÷ float32 in memory": (
        "fp32 is the default on a processor without instructions for bf16, and keeps activations "
        "twice as large: 4.6 GB where bf16 takes 3.4"
    ),
}
_UNKNOWN = "nobody has found out yet"


def page(measured: Path = MEASURED) -> str:
    """Return the page as Markdown."""
    record = json.loads(measured.read_text("utf-8"))
    about = textwrap.fill(" ".join(ABOUT.split()), 120)
    lines = [TITLE, "", about, "", _where(record), "", *_table(record["rows"])]
    missed = [row["name"] for row in record["rows"] if row["reached"] is False]
    if missed:
        lines += ["", "## Goals that are missed", "", *(f"- {n}: {reason(n)}." for n in missed)]
    return "\n".join(lines) + "\n"


def reason(name: str) -> str:
    """Return why a goal is missed, as far as that is known."""
    return next((why for begin, why in REASONS.items() if name.startswith(begin)), _UNKNOWN)


def _where(record: dict[str, Any]) -> str:
    machine = record["machine"]
    gpu = machine["gpu"] or "no GPU"
    return (
        f"Measured with commit {record['commit']} on {machine['processor']}, {machine['cores']} "
        f"cores, {machine['threads']} thread a process, {machine['precision']} by default, {gpu}; "
        f"Python {machine['python']}, torch {machine['torch']}."
    )


def _table(rows: list[dict[str, Any]]) -> list[str]:
    head = ["| what | goal | measured | quartiles | pairs |", "| --- | --- | --- | --- | --- |"]
    return head + [_line(row) for row in rows]


def _line(row: dict[str, Any]) -> str:
    if row["value"] is None:
        return f"| {row['name']} | {row['goal']} | not run: {row['why']} | | |"
    measured = f"{row['value']:.3g}" if row["reached"] else f"**{row['value']:.3g}** missed"
    spread = f"{row['low']:.3g} to {row['high']:.3g}" if row["low"] is not None else ""
    return f"| {row['name']} | {row['goal']} | {measured} | {spread} | {row['pairs'] or ''} |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
