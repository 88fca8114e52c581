"""An experiment's folder to its report, which one process at a time writes."""

from __future__ import annotations

from pathlib import Path

from netdsl.experiment import report
from netdsl.experiment.locks import waiting


def write_report(folder: Path) -> Path:
    """Write the report of an experiment and return its page; nobody else writes it meanwhile."""
    with waiting(folder, "report"):
        return report.write_report(folder)


def show_report(folder: Path) -> str:
    """Return the tables of an experiment as text, for a terminal."""
    return report.show_report(folder)
