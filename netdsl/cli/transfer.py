"""`netdsl transfer`: the weights of another network, verified, as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netdsl.amounts import counted
from netdsl.cli.kinds import TEXT, OutputPath
from netdsl.cli.network import network_options, read, show_warnings

if TYPE_CHECKING:
    from netdsl.transfer import Transfer

HEADER = ("layer", "role", "gets the numbers of", "shapes")


@click.command("transfer")
@click.argument("arch")
@network_options
@click.option(
    "--from",
    "source",
    type=TEXT,
    required=True,
    metavar="SOURCE",
    help="torchvision:NAME, timm:NAME, or a file of weights (.safetensors, .pth).",
)
@click.option(
    "--weights",
    type=TEXT,
    metavar="FILE|none",
    help="The weights of the network of torchvision or timm, "
    "instead of the pre-trained ones that it downloads; none for random ones.",
)
@click.option("-o", "--output", type=OutputPath(".safetensors"), metavar="FILE.safetensors",
              help="Where to write the weights.")  # fmt: skip
@click.option(
    "--partial",
    is_flag=True,
    help="Leave what does not fit as it is initialised, in other layers than the last one too.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Of what stays as it is initialised.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")  # fmt: skip
def command(
    arch: str, source: str, weights: str | None, output: Path | None, partial: bool, seed: int,
    as_json: bool, **options: Any,
) -> None:  # fmt: skip
    """Give ARCH the weights of an equivalent network, which computes the same function.

    Layers are paired by their order of execution and their role. Where the source is a network of
    torchvision or timm, both are run with the same random weights first, and nothing is written
    unless they agree. If the number of classes differs, the last layer keeps its initial values.
    """
    network = read(arch, **options)
    show_warnings(network)
    from netdsl.train import save_weights
    from netdsl.transfer import open_source

    found = network.transfer(open_source(source, weights), partial=partial, seed=seed)
    another = network.trained_elsewhere(source, found)
    if output is not None:
        save_weights(found.module, output, {})
    if as_json:
        click.echo(json.dumps(record(found, another, output), indent=2))
    else:
        click.echo(table(found))
        for line in notes(found, source, another, output):
            click.echo(line)


def record(found: Transfer, another: str, output: Path | None) -> dict[str, object]:
    """Return what `--json` prints; keys are only ever added to it."""
    return {
        "pairs": [[pair.ours.name, pair.theirs.name, pair.fits] for pair in found.pairs],
        "matched": found.matched,
        "sorted_names": found.sorted_names,
        "params": found.params,
        "compared": found.compared or None,
        "uncompared": found.uncompared or None,
        "difference": found.difference,
        "trained_elsewhere": another or None,
        "initialised": list(found.initialised),
        "unused": list(found.unused),
        "output": None if output is None else str(output),
    }


def table(found: Transfer) -> str:
    """Return the pairs, a line each, in the order in which they run."""
    rows = [HEADER]
    for pair in found.pairs:
        shapes = pair.ours.shapes()
        if not pair.fits:
            shapes += f"; there {pair.theirs.shapes()}: left as initialised"
        role = pair.ours.role if pair.ours.role == "shortcut" else ""
        rows.append((pair.ours.name, role, pair.theirs.name, shapes))
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    return "\n".join([lines[0], "─" * (sum(widths[:3]) + 10), *lines[1:], ""])


def notes(found: Transfer, source: str, another: str, output: Path | None) -> list[str]:
    """Say in sentences what was done, what was compared, and what was left."""
    how = {"role": "by order and role", "order": "by order", "name": "by name"}[found.matched]
    lines = [
        f"{len(found.moved)} of {counted(len(found.pairs) + _alone(found), 'layer')} with "
        f"{counted(found.params, 'parameter')} from {source}, paired {how}"
    ]
    if found.difference is None:
        lines.append(found.caution or f"not compared: {found.uncompared}")
    elif found.difference == 0:
        lines.append(f"compared with random numbers: {found.compared} equal bit for bit")
    else:
        lines.append(
            f"compared with random numbers: {found.compared} differ by {found.difference:.1e} "
            "of the largest value"
        )
    if another:
        lines.append(another)
    if found.initialised:
        lines.append(f"left as initialised: {', '.join(found.initialised)}")
    if found.unused:
        lines.append(f"not used of the source: {', '.join(found.unused)}")
    if output is not None:
        lines.append(f"written to {output}")
    return lines


def _alone(found: Transfer) -> int:
    """How many layers of the network have no partner."""
    paired = {pair.ours.name for pair in found.pairs}
    return sum(name not in paired for name in found.initialised)
