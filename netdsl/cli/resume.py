"""A run that was begun to what goes on with it: the same network, images and settings, or no."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netdsl.amounts import sized
from netdsl.cli.asked import images_asked, images_here
from netdsl.cli.called import typed
from netdsl.cli.choices import FLAGS
from netdsl.cli.idle import note_idle_place
from netdsl.cli.images import load_images
from netdsl.cli.kinds import PLACE, TEXT, Number
from netdsl.cli.notes import note_threads
from netdsl.cli.plans import TrainingPlan
from netdsl.trained import asked_of

if TYPE_CHECKING:
    from netdsl.network import Network
    from netdsl.train import Choices, DataSet, RunFolder

OPTIONS = (
    click.option("--run-dir", type=PLACE, help="The folder of the run; a new "
                 "one below runs/ unless given."),
    click.option("--resume", type=TEXT, metavar="RUN|auto", help="Go on with the training in "
                 "that folder; auto: start, go on with or leave alone the one in --run-dir."),
    click.option("--plan", "only_planned", is_flag=True, help="Measure a few steps and say what "
                 "the training would take; leave no run behind."),
    click.option("--save-minutes", type=Number(0), default=10.0, show_default=True,
                 help="How often a checkpoint is written within an epoch."),
    click.option("--tensorboard", is_flag=True, help="Write event files too, into the run."),
)  # fmt: skip
_CALLED = {"limit_classes": "--classes", "shape": "the shape that images are brought to"}
_FREE = {"resume", "run_dir", "data_dir", "save_minutes", "tensorboard"}  # may change at a resume


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that choose a run."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def earlier_run(arch: str | None, resume: str | None, run_dir: Path | None) -> RunFolder | None:
    """Return the run that is to go on, if there is one."""
    from netdsl.train import RunFolder

    if resume == "auto":
        if arch is None or run_dir is None:
            raise click.UsageError("--resume auto needs ARCH and --run-dir")
        return RunFolder.begun(run_dir)
    if resume is None:
        if arch is None:
            raise click.UsageError("say what to train: ARCH, or --resume RUN")
        return None
    if run_dir is not None and run_dir.resolve() != Path(resume).resolve():
        raise click.UsageError("--resume RUN goes on in RUN: leave --run-dir away")
    if arch is not None and not typed().keys() - {"arch", *_FREE}:
        what = "with the network, images and settings of RUN"
        raise click.UsageError(f"--resume RUN goes on {what}: leave ARCH away")
    return RunFolder.open(Path(resume))


def machine_of(run: RunFolder | None) -> Choices:
    """Return what the run took from its machine, which another one need not choose alike."""
    from netdsl.train.machine import is_available

    if run is None:
        return {}
    before = run.undecided
    chosen: Choices = {
        "precision": before.precision, "threads": before.threads, "compile": before.compile,
    }  # fmt: skip
    if is_available(before.device):
        chosen["device"] = before.device
    return chosen


def replan(run: RunFolder, data_dir: Path | None, chosen: Choices) -> TrainingPlan:
    """Return the plan of a run, with the settings that the command line gives none the less."""
    from netdsl import train
    from netdsl.train.distributed import current

    free = (*_FREE, *FLAGS, "assignments")
    if others := [option for name, option in typed().items() if name not in free]:
        raise click.UsageError(f"{others[0]} goes with ARCH; a run has its own")
    network, images = reopen(run, data_dir)
    kept: Any = run.undecided.record()
    del kept["device"]
    settings = train.resolve(
        kept, machine_of(run), chosen, images=len(images.train), processes=current().size
    )
    note_threads(chosen, settings)
    return TrainingPlan(network, run.network, images, settings, asked_of(run))


def reopen(run: RunFolder, data_dir: Path | None) -> tuple[Network, DataSet]:
    """Read the network and the images of a run again."""
    from netdsl.network import rebuild

    asked, images = asked_of(run), images_here(run, data_dir)
    where = str(run.path / "network.arch")
    network = rebuild(run.network, asked.get("overrides", {}), asked.get("scale"), where)
    note_idle_place(images["data"], data_dir)
    kept = asked.get("data_dir")
    found = load_images(images, data_dir or (Path(kept) if kept else None))
    # A folder that was renamed is still the one that the run was trained on.
    return network, replace(found, name=str(run.origin.get("data", found.name)))


def reopen_unchanged(run: RunFolder, data_dir: Path | None) -> tuple[Network, DataSet]:
    """Read them again; raise where the images are not those that the run was trained with."""
    from netdsl.train import TrainError

    network, images = reopen(run, data_dir)
    if run.origin.get("images", images.fingerprint) != images.fingerprint:
        fact = f"the images are others than {run.path} was trained with"
        raise TrainError(fact, "name the folder of those by --data-dir")
    return network, images


def goes_on(run: RunFolder, plan: TrainingPlan) -> RunFolder:
    """Return the run if the plan is its own; raise and name all that differs if not."""
    from netdsl.train.origin import origin_of, refuse_changes

    images_asked(run)  # where it does not tell, nothing can be compared
    was_asked = asked_of(run)
    before, now = dict(_flat(was_asked)), dict(_flat(plan.asked))
    weights_before, weights_now = _first_weights(was_asked), _first_weights(plan.asked)
    if weights_before and weights_before == weights_now:  # by whatever name
        now["--init"] = before["--init"]
    either = dict.fromkeys([*before, *now])
    refuse_changes(
        either | before | dict(run.origin) | weights_before,
        either | now | dict(origin_of(plan.text, plan.images, plan.settings)) | weights_now,
        str(run.path),
    )
    return run


def _first_weights(asked: Mapping[str, Any]) -> dict[str, object]:
    """Return what the file of the first weights holds, if that is known."""
    digest = asked.get("init_sha256")
    return {} if digest is None else {"weights": digest}


def _flat(asked: Any) -> Iterator[tuple[str, object]]:
    """Give what decides what a run comes to; of the images only how they were chosen."""
    yield "--init", asked.get("init")
    yield "the stage before", asked.get("after")
    yield "what is frozen", ", ".join(asked.get("freeze", ()))
    yield "the scale", asked.get("scale")
    yield from ((f"-D {name}", _typed(name, v)) for name, v in asked.get("overrides", {}).items())
    for name, value in asked["data"].items():
        if name != "data":
            yield _CALLED.get(name, f"--{name.replace('_', '-')}"), _typed(name, value)


def _typed(name: str, value: Any) -> object:
    """Return a value as it is typed: a shape with x, anything else as it is."""
    is_shape = name in ("input", "shape") and value is not None
    return sized(value) if is_shape else value
