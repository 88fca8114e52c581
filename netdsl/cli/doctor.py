"""`netdsl doctor`: what this machine has, what is wrong with it, and the way out."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netdsl.amounts import counted
from netdsl.cli.images import DATA_DIR

if TYPE_CHECKING:
    from netdsl.doctor import Finding

FAULT = 7  # exit code where something has to be mended


@click.command("doctor")
@DATA_DIR
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(data_dir: Path | None, as_json: bool) -> int:
    """Say what netdsl finds on this machine, and what to do about what is wrong.

    Exits with 7 if there is a fault; notes alone exit with 0.
    """
    from netdsl.doctor import examine

    found: list[Finding] = []
    for finding in examine(data_dir):
        found.append(finding)
        if not as_json:
            click.echo(line(finding))
    faults = sum(finding.state == "fault" for finding in found)
    if as_json:
        click.echo(json.dumps({"faults": faults, "findings": [*map(asdict, found)]}, indent=2))
    else:
        click.echo(counted(faults, "fault"))
    return FAULT if faults else 0


def line(finding: Finding) -> str:
    """Write a finding for people.

    >>> from netdsl.doctor import Finding
    >>> print(line(Finding("fault", "fonts", "none found", "install some")))
    fault  fonts        none found
      = help: install some
    """
    text = f"{finding.state:<6} {finding.topic:<12} {finding.text}"
    return text + (f"\n  = help: {finding.help}" if finding.help else "")
