"""What several networks are trained alike with: options, and what they say in a definition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netdsl.cli.experiment_options import narrowed
from netdsl.cli.kinds import TEXT
from netdsl.cli.notes import note
from netdsl.cli.slug import mark, slug
from netdsl.experiment.folder import DEFINITION

if TYPE_CHECKING:
    from netdsl.experiment.definition import Definition

_OPTIONS = (
    click.option("--data", type=TEXT, default="shapes", show_default=True, metavar="NAME|FOLDER",
                 help="What they are trained on."),
    click.option("--recipe", type=TEXT, metavar="NAME|FILE", help="How they are trained."),
    click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE",
                 help="Any key of a recipe, over the recipe; may be repeated."),
    click.option("--epochs", type=click.IntRange(1), help="How often every image is seen."),
    click.option("--seeds", type=click.IntRange(1, 10_000), default=3, show_default=True,
                 help="How many trainings of each network."),
    click.option("--input", "input_", type=TEXT, metavar="CxHxW", help="The shape of an image."),
    click.option("--classes", type=click.IntRange(2), help="The first so many classes."),
    click.option("--limit", type=click.IntRange(2), help="Use this many training images."),
    click.option("--fit", is_flag=True, help="Bring the images to what each network takes."),
    click.option("--name", type=TEXT, help="What the comparison is called."),
)  # fmt: skip


def shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of what is trained alike."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def taken(options: dict[str, Any], name: str) -> dict[str, object]:
    """Take those options out; return the part of a definition that holds for all networks."""
    from netdsl.experiment.definition import placed_images
    from netdsl.train.choices import parse_choices
    from netdsl.train.recipe import is_file

    chosen = dict(parse_choices(options.pop("assignments")))
    if "seed" in chosen:
        hint = "--seeds says how many trainings of each network, from seed 0 on"
        raise click.UsageError(f"--set seed=… is given: {hint}")
    if (epochs := options.pop("epochs")) is not None:
        if twice := sorted(chosen.keys() & {"epochs", "iterations"}):
            raise click.UsageError(f"--epochs and --set {twice[0]}=… are both given")
        chosen["epochs"] = epochs
    data, recipe = options.pop("data"), options.pop("recipe")
    return {
        "name": options.pop("name") or name,
        "data": placed_images(data, Path()),
        "recipe": absolute(recipe) if recipe and is_file(recipe) else recipe,
        "input": options.pop("input_"), "classes": options.pop("classes"),
        "limit": options.pop("limit"), "fit": options.pop("fit") or None,
        "seeds": list(range(options.pop("seeds"))), "set": chosen,
    }  # fmt: skip


def refuse_stdin(arches: Sequence[str]) -> None:
    """Raise for a network on standard input: its trainings could not read it there again."""
    if "-" in arches:
        fact = "`-` is read once, and every training of a comparison reads its network"
        raise click.UsageError(f"{fact}: put it into a file")


def refuse_unsound(top: Mapping[str, object], budget: str | None) -> None:
    """Raise for a name or a budget that cannot be, before anything is written."""
    from netdsl.experiment.budget import read_layers
    from netdsl.experiment.definition import checked_name

    checked_name(str(top["name"]), "--name")
    read_layers(budget or "")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a comparison will write into its folder once its plan stands.

    `texts` are the networks that are written beside the definition, by their paths.
    """

    folder: Path
    top: Mapping[str, object]
    networks: list[dict[str, object]]
    budget: str | None
    texts: Mapping[Path, str] = field(default_factory=dict)

    def run(self, data_dir: Path | None, options: dict[str, Any]) -> None:
        """Plan the comparison, write it, and run it."""
        from netdsl.cli.experiment_run import run_experiment
        from netdsl.shelf import as_if_written

        with as_if_written({path.resolve(): text.encode() for path, text in self.texts.items()}):
            run_experiment(self._defined(data_dir), self.folder, write=self._write, **options)

    def _defined(self, data_dir: Path | None) -> Definition:
        from netdsl.experiment.definition_text import unwritten_definition

        definition = unwritten_definition(self.folder / DEFINITION, self.top, self.networks)
        return narrowed(definition, self.budget, data_dir)

    def _write(self) -> None:
        """Write networks and definition; say what to know when it is run."""
        from netdsl.experiment.definition_text import write_definition
        from netdsl.train.files import write_file

        for path, text in self.texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, text.encode())
        path = self.folder / DEFINITION
        if aside := write_definition(path, self.top, self.networks):
            note(f"{path} was another: that is in {aside.name} now")
        if self.budget:
            note(f"{path} is not cut: who runs the folder gives --budget {self.budget} again")


def absolute(path: str) -> str:
    """Return a path that holds wherever the definition lies."""
    return str(Path(path).resolve())


def arch_of(arch: str) -> str:
    """Return how a definition names a network: a shipped one as it is, a file by where it lies."""
    from netdsl.shelf import find

    path, _ = find(arch)
    return absolute(arch) if path == Path(arch) else arch


def folder_name(words: Sequence[str]) -> str:
    """Return a name for the folder of a comparison of these.

    >>> folder_name(["nets/Net 1.arch", "net6"])
    'net-1-net6'
    >>> folder_name(["网络.arch"])
    'networks-eafd43'
    """
    whole = " ".join(words)
    return slug("-".join(Path(word).stem for word in words), whole) or f"networks-{mark(whole)}"
