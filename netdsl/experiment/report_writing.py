"""An experiment's folder to its report, where this netdsl has reports."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from netdsl.experiment.locks import waiting
from netdsl.train import ExitCode, TrainError

_MODULE = "netdsl.experiment.report"


def write_report(folder: Path) -> Path:
    """Write the report of an experiment; no other process writes it meanwhile."""
    if find_spec(_MODULE) is None:
        raise TrainError("this netdsl writes no reports", None, ExitCode.USAGE)
    with waiting(folder, "report"):
        written: Path = import_module(_MODULE).write_report(folder)
        return written
