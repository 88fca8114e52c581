"""An experiment's folder to its report, which one process at a time writes."""

from __future__ import annotations

from pathlib import Path

from netdsl.experiment.locks import waiting
from netdsl.experiment.report import write_report


def renew_report(folder: Path) -> Path:
    """Write the report of an experiment and return its page; nobody else writes it meanwhile."""
    with waiting(folder, "report"):
        return write_report(folder)
