"""`netdsl compare`: several networks trained alike, as an experiment of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from netdsl.cli.experiment_options import definition_options, experiment_folder, run_options
from netdsl.cli.shared_training import (
    Draft,
    arch_of,
    folder_name,
    refuse_stdin,
    refuse_unsound,
    shared_options,
    taken,
)

_PLAIN = {"no": False, "yes": True, "both": "both"}


@click.command("compare")
@click.argument("arches", metavar="ARCH…", nargs=-1, required=True)
@click.option("--plain", type=click.Choice(list(_PLAIN)), default="no", show_default=True,
              help="The networks, their plain twins, or both.")  # fmt: skip
@shared_options
@definition_options
@run_options
def command(
    arches: tuple[str, ...], plain: str, budget: str | None, dir: Path | None,
    data_dir: Path | None, **options: Any,
) -> None:  # fmt: skip
    """Train networks alike, each with several seeds, and compare them.

    What is run stands in experiments/NAME/experiment.toml: change it, and run it again.
    """
    refuse_stdin(arches)
    top = taken(options, folder_name(arches))
    refuse_unsound(top, budget)
    folder = dir or experiment_folder(str(top["name"]))
    networks: list[dict[str, object]] = [
        {"arch": arch_of(arch), "plain": _PLAIN[plain]} for arch in arches
    ]
    Draft(folder, top, networks, budget).run(data_dir, options)
