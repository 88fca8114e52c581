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
    "the goals were set on a processor with AMX. One of Intel's without it gains nothing: in bf16 "
    "ResNet-20 and Net 1 train 1.3 and 1.4 times slower than in fp32 there, and predict 1.4 "
    "and 1.5 times slower, so that fp32 is the default on it"
)
REASONS: dict[str, str] = {
    "default step ÷ fp32 NCHW eager": _NO_AMX,
    "end to end ÷ usual script, images/s": _NO_AMX,
    "predict in bf16 ÷ fp32 eager": _NO_AMX,
    "decoding into the cache": (
        "numpy counted the grey levels and a path was made for every file; since Pillow counts and "
        "none is made it is 1.01, measured by itself after this table was"
    ),
    "peak memory ÷ float32 in memory": (
        "fp32 is the default on such a processor without AMX, and keeps activations twice as "
        "large: 4.6 GB where bf16 takes 3.4"
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
