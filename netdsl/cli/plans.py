"""What a line of `netdsl train` asks for to the plan of its training, or of each of its stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netdsl.amounts import counted
from netdsl.cli.called import called
from netdsl.cli.choices import with_recipe
from netdsl.cli.idle import note_idle, note_idle_images
from netdsl.cli.images import folder_of, wanted_images
from netdsl.cli.meet import meet
from netdsl.cli.network import note_own_twin, overrides
from netdsl.cli.notes import note, note_threads
from netdsl.cli.stages import alone, planning, refuse_unfreezable

if TYPE_CHECKING:
    from netdsl.network import Network
    from netdsl.shelf import Arch
    from netdsl.train import Choices, DataSet, Settings
    from netdsl.train.recipe import Recipe


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What is to be trained on what, and what the run remembers of how it was asked for."""

    network: Network
    text: str
    images: DataSet
    settings: Settings
    asked: Mapping[str, Any]


def plan_stages(
    source: Arch, machines: Sequence[Choices], chosen: Choices, recipe: Recipe,
    folders: Sequence[Path], options: Mapping[str, Any],
) -> tuple[TrainingPlan, ...]:  # fmt: skip
    """Return the plans of all stages; raise for what is wrong with any, before one is trained."""
    from netdsl.train.distributed import current, refuse_unfit

    plans: list[TrainingPlan] = []
    for number, (stage, machine) in enumerate(zip(recipe.stages, machines, strict=True), 1):
        after = folders[number - 2].name if plans else None
        said = {**options, "init": None} if plans else options
        with planning(number, stage):
            plan = planned(source, machine, chosen, alone(recipe, number), **said)
            refuse_unfreezable(plan.network, stage)
            refuse_unfit(plan.settings, len(plan.images.train), current())
        asked = {**plan.asked, "after": after, "freeze": list(stage.freeze)}
        plans.append(replace(plan, asked=asked))
    return tuple(plans)


def planned(
    source: Arch,
    machine: Choices,
    chosen: Choices,
    recipe: Recipe,
    *,
    data_dir: Path | None,
    fit: bool,
    init: str | None,
    **options: Any,
) -> TrainingPlan:
    """Return what the command line asks for."""
    from netdsl import train
    from netdsl.train.batches import try_transforms
    from netdsl.train.distributed import current
    from netdsl.train.files import hash_of
    from netdsl.train.idle import idle, idle_in_recipe, young_average
    from netdsl.train.schedule import refuse_long_warmup
    from netdsl.train.steps import count_steps

    plain = options["plain"]
    keys = ("plain", "definitions", "scale", "input_", "classes")
    said = with_recipe(overrides(*(options.pop(key) for key in keys)), recipe)
    where = wanted_images(options, said)
    note_idle_images(where, data_dir)
    network, images = meet(source, said, where, data_dir, fit)
    note_own_twin(network, plain)
    _note_idle_limit(where, len(images.train))
    for fact in images.lacks:
        note(f"{images.name}: {fact}")
    suited: Choices = {**images.defaults, "augment": images.augment}
    count, processes = len(images.train), current().size
    settings = train.resolve(
        machine, suited, recipe.train, chosen, images=count, processes=processes
    )
    steps = count_steps(count, settings.batch_size, processes)
    refuse_long_warmup(steps, settings)
    try_transforms(settings, images.shape)
    for name, why in idle(chosen, settings, count, processes).items():
        note_idle(name, why)
    of_recipe = idle_in_recipe(recipe, settings, machine, suited, images=count, processes=processes)
    for name, why in of_recipe.items():
        note_idle(f"recipe {recipe.name}: {name}", why)
    note_threads({**recipe.train, **chosen}, settings)
    if young := young_average(settings, count, processes):
        note(young)
    _note_rounded(chosen.get("iterations"), settings.epochs, steps)
    init = init or recipe.weights or None
    asked: dict[str, Any] = {
        "network": network.name, "overrides": dict(network.overrides.names),
        "scale": network.overrides.scale, "data": where,
        "data_dir": str(data_dir.resolve()) if data_dir else None, "folder": folder_of(where),
        "init": init, "init_sha256": hash_of(Path(init)) if init and Path(init).is_file() else None,
        "after": None,
        "recipe": recipe.name or None, "freeze": [],
    }  # fmt: skip
    return TrainingPlan(network, network.standalone(), images, settings, asked)


def _note_rounded(iterations: int | None, epochs: int, steps: int) -> None:
    """Say that so many iterations are more, since epochs of so many steps are whole."""
    if iterations is not None and (taken := epochs * steps) != iterations:
        whole = f"{counted(epochs, 'epoch')} of {counted(steps, 'step')}"
        note(f"iterations={iterations} is rounded up to {taken:,}: {whole}")


def _note_idle_limit(where: Mapping[str, Any], images: int) -> None:
    """Say that a limit is no limit; where images are left out, nobody knows how many there were."""
    if where["limit"] is not None and where["limit"] > images and where["on_bad_image"] == "error":
        note_idle(called("--limit"), f"there are {counted(images, 'training image')}")
