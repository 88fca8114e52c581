"""What `make bench` measured to the page that shows it: goals, ratios, spread, machine."""

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
    `make bench` measures every row of this table on your machine and prints it. Each number is a
    ratio of two things that are timed in turn within one run, which of the two comes first in turn
    too, and the median of the ratios; "quartiles" is their spread. The usual script is ImageFolder,
    Pillow, torchvision's transforms and a DataLoader in fp32 (`tests/benchmarks/usual_script.py`);
    the hand-written networks are in `tests/benchmarks/handwritten.py`. No test fails for being
    slow."""
# Why a goal is missed, and what was tried; by the name of the row.
REASONS: dict[str, str] = {}


def page() -> str:
    """Return the page as Markdown."""
    record = json.loads(MEASURED.read_text("utf-8"))
    about = textwrap.fill(" ".join(ABOUT.split()), 120)
    lines = [TITLE, "", about, "", _where(record), "", *_table(record["rows"])]
    reasons = [f"- {name}: {REASONS[name]}" for name in REASONS]
    missed = ["", "## Goals that are missed", "", *reasons] if reasons else []
    return "\n".join([*lines, *missed]) + "\n"


def _where(record: dict[str, Any]) -> str:
    machine = record["machine"]
    gpu = machine["gpu"] or "no GPU"
    return (
        f"Measured with commit {record['commit']} on {machine['processor']}, {machine['cores']} "
        f"cores, {machine['threads']} thread unless it says otherwise, {gpu}; Python "
        f"{machine['python']}, torch {machine['torch']}."
    )


def _table(rows: list[dict[str, Any]]) -> list[str]:
    head = ["| what | goal | measured | quartiles | pairs |", "| --- | --- | --- | --- | --- |"]
    return head + [_line(row) for row in rows]


def _line(row: dict[str, Any]) -> str:
    if row["value"] is None:
        return f"| {row['name']} | {row['goal']} | not run: {row['why']} | | |"
    measured = f"{row['value']:.3g}" if _is_reached(row) else f"**{row['value']:.3g}** missed"
    spread = f"{row['low']:.3g} to {row['high']:.3g}" if row["low"] is not None else ""
    return f"| {row['name']} | {row['goal']} | {measured} | {spread} | {row['pairs'] or ''} |"


def _is_reached(row: dict[str, Any]) -> bool:
    sign, goal = row["goal"].split()
    value, limit = float(row["value"]), float(goal)
    return value <= limit if sign == "≤" else value >= limit
