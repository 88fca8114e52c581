"""A run or a file of weights to the trained network, which takes the images that it learnt from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from netdsl.amounts import sized
from netdsl.trained.asked import asked_of

if TYPE_CHECKING:
    from netdsl.backends.pytorch import Network as Module
    from netdsl.network import Network
    from netdsl.train import RunFolder
    from netdsl.train.inference import About

WHICH = ("best", "last")


@dataclass(frozen=True, slots=True)
class Trained:
    """A network with weights: `which` says in a word which ones; `run` is theirs, if known.

    `about` holds the classes that it tells, and the mean and std that images are normalised by.
    """

    path: Path
    which: str
    weights: Path
    run: RunFolder | None
    about: About

    def module(self) -> Module:
        """Return the network with its weights as a torch module in training mode.

        Raises what `network` does, and `TrainError` for weights that do not fit.
        """
        from netdsl import train  # torch takes a second to import

        module = self.network().module()
        train.load_weights(module, self.weights)
        return module

    def network(self) -> Network:
        """Return the network, which takes the images and tells the classes of the file.

        Raises `TrainError` where it does not, `NetDSLError` where its text is no network.
        """
        from netdsl.network import rebuild
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


def load_trained(path: str | Path, which: str | None = None) -> Trained:
    """Return what a run folder or a file of weights holds, as it was trained.

    `which` chooses the "best" or the "last" weights of a run; the best unless given. The network is
    that of the training, with all that was said in place of its file. Raises `TrainError` for what
    cannot be read, is no run, or does not fit.
    """
    from netdsl.train import ExitCode, RunFolder, TrainError
    from netdsl.train.inference import about_weights

    path = Path(path)
    if which not in (None, *WHICH):
        fact = f"weights of a run are {' or '.join(WHICH)}, not {which!r}"
        raise TrainError(fact, None, ExitCode.USAGE)
    if path.is_file():
        if which is not None:
            fact = f"{which} weights are those of a run, and {path} is a file"
            raise TrainError(fact, None, ExitCode.USAGE)
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
