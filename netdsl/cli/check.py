"""`netdsl check`: what is wrong with each file; nothing on success."""

from __future__ import annotations

import json
from typing import Any

import click

from netdsl.cli.network import network_options, open_source, overrides
from netdsl.cli.notes import OF_FORMS, TRANSLATED, note
from netdsl.collector import paused


@click.command("check")
@click.argument("archs", nargs=-1, required=True, metavar="ARCH...")
@network_options
@click.option(
    "--format", "layout", type=click.Choice(["text", "json"]), default="text", help="How to print."
)
@paused()
def command(archs: tuple[str, ...], layout: str, **options: Any) -> int:
    """Check every ARCH (a path, a shipped name, or -) and print what is wrong with it.

    Exits with 2 if there is an error; warnings alone exit with 0.
    """
    from netdsl.checking import check
    from netdsl.errors import Diagnostic, NetDSLError

    findings: list[Diagnostic] = []
    said = overrides(*(options[k] for k in ("plain", "definitions", "scale", "input_", "classes")))
    for arch in archs:
        try:
            findings += check(*open_source(arch).with_overrides(said))
        except NetDSLError as error:
            findings += error.diagnostics
    if layout == "json":
        click.echo(json.dumps([finding.record() for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.show()}\n", err=True)
        if any(finding.code == OF_FORMS for finding in findings):
            note(TRANSLATED)
    return 2 if any(finding.severity == "error" for finding in findings) else 0
