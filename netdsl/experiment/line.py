"""A variant and a seed to the one shell line that trains it, however often it is called."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from netdsl.experiment.variant import Variant, show

Line = tuple[str, ...]


def train_line(variant: Variant, seed: int, run_dir: Path) -> Line:
    """Return the command: it starts the run, goes on with it, or leaves a finished one alone.

    >>> variant = Variant("net1", plain=True, params={"n": 3}, data="digits", set={"lr": 0.1})
    >>> " ".join(train_line(variant, 2, Path("runs"))[2:])
    'net1 --plain -D n=3 --data digits --set lr=0.1 --seed 2 --run-dir runs --resume auto'
    """
    said = ("netdsl", "train", variant.arch, *_network(variant), *_images(variant))
    return (*said, *_training(variant), "--seed", str(seed), "--run-dir", str(run_dir),
            "--resume", "auto")  # fmt: skip


def _network(variant: Variant) -> Iterator[str]:
    if variant.plain:
        yield "--plain"
    for name, value in variant.params.items():
        text = ("on" if value else "off") if isinstance(value, bool) else show(value)
        yield from ("-D", f"{name}={text}")
    if variant.scale:
        yield from ("--scale", variant.scale)
    if variant.input:
        yield from ("--input", variant.input)
    if variant.classes is not None:
        yield from ("--classes", str(variant.classes))


def _images(variant: Variant) -> Iterator[str]:
    yield from ("--data", variant.data)
    if variant.data_dir:
        yield from ("--data-dir", variant.data_dir)
    if variant.limit is not None:
        yield from ("--limit", str(variant.limit))
    if variant.holdout is not None:
        yield from ("--holdout", show(variant.holdout))
    if variant.fit:
        yield "--fit"


def _training(variant: Variant) -> Iterator[str]:
    if variant.weights:
        yield from ("--init", variant.weights)
    if variant.recipe:
        yield from ("--recipe", variant.recipe)
    for name, value in variant.set.items():
        yield from ("--set", f"{name}={show(value)}")
