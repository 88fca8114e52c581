"""An experiment's folder to its report, which one process at a time writes."""

from __future__ import annotations

from pathlib import Path

from netdsl.experiment.folder import REPORT
from netdsl.experiment.locks import waiting
from netdsl.experiment.report import write_report
from netdsl.train.files import remove_leftovers


def renew_report(folder: Path) -> Path:
    """Write the report of an experiment and return its page; nobody else writes it meanwhile."""
    with waiting(folder, REPORT):
        for place in (folder / REPORT, folder / REPORT / "figures"):
            if place.is_dir():
                remove_leftovers(place)  # of processes that were killed: nobody else writes here
        return write_report(folder)
