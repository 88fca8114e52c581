"""A run or a file of weights to the trained network: its module, its classes, how it computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netdsl.amounts import sized
from netdsl.cli.asked import asked_of
from netdsl.cli.kinds import TEXT
from netdsl.cli.notes import note_threads

if TYPE_CHECKING:
    from netdsl.network import Network
    from netdsl.train import Choices, RunFolder, Settings
    from netdsl.train.inference import About

OPTIONS = (
    click.option("--weights", type=click.Choice(["best", "last"]),
                 help="Which weights of a run; the best unless given."),
    click.option("--precision", type=click.Choice(["bf16", "fp32"]), help="What to compute in."),
    click.option("--device", type=TEXT, help="cpu, cuda or mps."),
    click.option("--threads", type=click.IntRange(1), help="As many as there are cores."),
    click.option("--batch-size", type=click.IntRange(2), help="Images at once."),
)  # fmt: skip
FLAGS = ("precision", "device", "threads", "batch_size")
_OF_MACHINE = ("precision", "device", "threads")


def trained_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that choose weights and how they compute."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Trained:
    """A network with weights: `which` says in a word which ones; `run` is theirs, if known."""

    path: Path
    which: str
    weights: Path
    run: RunFolder | None
    about: About

    @property
    def holdout(self) -> float:
        """The part of the images that was held back; the usual one where that is unknown."""
        asked = asked_of(self.run) if self.run else {}
        images = asked.get("data") or {}
        return float(images.get("holdout", self.about.holdout))

    def module(self) -> Any:
        """Return the network with its weights."""
        from netdsl import train

        module = self.network().module()
        train.load_weights(module, self.weights)
        return module

    def network(self) -> Network:
        """Return the network, which takes the images and tells the classes of the file."""
        from netdsl.api import rebuild
        from netdsl.train import TrainError

        about = self.about
        found = rebuild(about.network, about.overrides, about.scale, str(self.weights))
        expected = (about.shape, (len(about.classes),))
        if (found.input_shape, found.output_shape) != expected:
            raise TrainError(
                f"{self.weights} is for {sized(about.shape)} images "
                f"of {len(about.classes)} classes, but its network makes "
                f"{sized(found.output_shape)} of {sized(found.input_shape)}"
            )
        return found

    def settings(self, chosen: Choices, *, fast: bool) -> Settings:
        """Return how to compute: as the command line says, else as the run did.

        What is fast leaves device, precision and threads to this machine, whatever the run had.
        """
        from netdsl import train
        from netdsl.train.machine import is_available

        kept: Any = self.run.settings.record() if self.run else {}
        kept.pop("sync_bn", None)  # of several processes that learn
        if fast:
            kept = {name: value for name, value in kept.items() if name not in _OF_MACHINE}
        device = kept.get("device")
        if device is not None and chosen.get("device") is None and not is_available(device):
            click.echo(f"{self.path} was trained on {device}, which is not here", err=True)
            del kept["device"]
        settings = train.resolve(kept, chosen)
        note_threads(chosen, settings)
        return settings


def open_trained(path: Path, which: str | None) -> Trained:
    """Return what a run folder or a file of weights holds; `which` chooses weights of a run."""
    from netdsl.train import ExitCode, RunFolder, TrainError
    from netdsl.train.inference import about_weights

    if path.is_file():
        if which is not None:
            raise click.UsageError(f"--weights {which} chooses of a run, and {path} is a file")
        return Trained(path, path.name, path, None, about_weights(path))
    if not path.is_dir():
        fact = f"there is no run and no file of weights {path}"
        raise TrainError(fact, None, ExitCode.IO)
    run = RunFolder.open(path)
    which = which or "best"
    weights = weights_of(run, which)
    asked = asked_of(run)
    # A run says itself how its network is built, whatever its weights say.
    about = about_weights(weights)
    about = replace(
        about,
        network=run.network,
        overrides=asked.get("overrides", about.overrides),
        scale=asked.get("scale", about.scale),
    )
    return Trained(path, which, weights, run, about)


def weights_of(run: RunFolder, which: str) -> Path:
    """Return the file of a run's best or last weights; raise where it has none yet."""
    from netdsl.train import ExitCode, TrainError

    weights = run.best if which == "best" else run.last
    if not weights.is_file():
        fact = f"{run.path} has no weights yet: no epoch of it is done"
        if run.is_finished:
            fact = f"the weights of {run.path} were not kept: there is no {weights.name}"
        raise TrainError(fact, None, ExitCode.IO)
    return weights


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
