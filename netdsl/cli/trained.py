"""How the network of a run or of a file of weights computes, and what is said of its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netdsl.cli.kinds import TEXT
from netdsl.cli.notes import note_threads
from netdsl.trained import Trained, asked_of, load_trained

if TYPE_CHECKING:
    from netdsl.train import Choices, RunFolder, Settings
    from netdsl.train.inference import About

OPTIONS = (
    click.option("--weights", type=click.Choice(["best", "last"]),
                 help="Which weights of a run; the best unless given."),
    click.option("--precision", type=click.Choice(["bf16", "fp32"]), help="What to compute in."),
    click.option("--device", type=TEXT, help="cpu, cuda or mps."),
    click.option("--threads", type=click.IntRange(1),
                 help="Of the CPU; as many as there are cores, unless given."),
    click.option("--batch-size", type=click.IntRange(2), help="Images at once."),
)  # fmt: skip
FLAGS = ("precision", "device", "threads", "batch_size")
_OF_MACHINE = ("precision", "device", "threads")


def trained_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that choose weights and how they compute."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def open_trained(path: Path, which: str | None) -> Trained:
    """Return what a run folder or a file of weights holds; `which` chooses weights of a run."""
    if path.is_file() and which is not None:
        raise click.UsageError(f"--weights {which} chooses of a run, and {path} is a file")
    return load_trained(path, which)


def holdout_of(trained: Trained) -> float:
    """Return the part of the images that was held back; the usual one where that is unknown."""
    asked = asked_of(trained.run) if trained.run else {}
    images = asked.get("data") or {}
    return float(images.get("holdout", trained.about.holdout))


def settings_of(trained: Trained, chosen: Choices, *, fast: bool) -> Settings:
    """Return how to compute: as the command line says, else as the run did.

    What is fast leaves device, precision and threads to this machine, whatever the run had.
    """
    from netdsl import train
    from netdsl.train.machine import is_available

    kept: Any = trained.run.settings.record() if trained.run else {}
    kept.pop("sync_bn", None)  # of several processes that learn
    if fast:
        kept = {name: value for name, value in kept.items() if name not in _OF_MACHINE}
    device = kept.get("device")
    if device is not None and chosen.get("device") is None and not is_available(device):
        click.echo(f"{trained.path} was trained on {device}, which is not here", err=True)
        del kept["device"]
    settings = train.resolve(kept, chosen)
    note_threads(chosen, settings)
    return settings


def how_chosen(run: RunFolder, which: str) -> str | None:
    """Say that weights were chosen by the validation images of their run; None where they were not.

    The last weights were not, nor are those that are the last as well any better than these.
    """
    from netdsl.train.weights import read_about

    if which != "best":
        return None
    epoch = read_about(run.best).get("epochs")
    if epoch is not None and run.last.is_file() and read_about(run.last).get("epochs") == epoch:
        return None
    these = "these weights" if epoch is None else f"these weights, of epoch {epoch},"
    return (
        f"{these} were chosen by the very images that they are evaluated on, and look too good "
        "for that reason; tables of experiments are of the last epoch (--weights last)"
    )


def take_flags(options: dict[str, Any]) -> Choices:
    """Take the options out that choose how to compute, and return what they choose."""
    said: Any = {name: options.pop(name) for name in FLAGS}
    return said  # type: ignore[no-any-return]


def how_computed(model: Any, settings: Settings) -> dict[str, object]:
    """Return what `--json` prints of how it was computed; keys are only ever added to it."""
    from netdsl.train.inference import Fast

    fast = model if isinstance(model, Fast) else None
    return {
        "device": settings.device,
        "precision": settings.precision,
        "fast": fast is not None,
        "norms": fast.norms if fast else None,
        "folded": fast.folded if fast else None,
        "not_folded": fast.reason if fast else None,
    }


def tell_left_out(bad: Mapping[str, str], rescaled: int, total: int, about: About) -> None:
    """Say on standard error what happened to images before the network saw them."""
    from netdsl.train.inference.answers import tell_rescaled

    if rescaled:
        click.echo(tell_rescaled(rescaled, total, about), err=True)
    for fact in bad.values():
        click.echo(f"left out: {fact}", err=True)
