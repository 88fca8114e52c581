"""A run to the folders of its stages, without what `netdsl reproduce` has put beside them."""

from __future__ import annotations

from pathlib import Path

from netdsl.experiment.plan import Job

_AGAIN = "-again"  # `netdsl reproduce 1-head` trains 1-head-again


def stages_of(folder: Path, job: Job) -> tuple[Path, ...]:
    """Return where the stages of a run lie, by their numbers; or the one folder that it has.

    The last one always, those before it where they have begun: the plan knows the last alone.
    """
    path = folder / job.folder
    _, _, *stage = Path(job.folder).parts
    if not stage:
        return (path,)
    numbered = {_number(one): one for one in path.parent.glob("[0-9]*") if not _is_again(one)}
    before = sorted(number for number in numbered if 0 < number < _number(path))
    return (*(numbered[number] for number in before), path)


def _number(stage: Path) -> int:
    """Return the number that the name of a stage begins with; 0 of what is none."""
    number, _, _ = stage.name.partition("-")
    return int(number) if number.isdecimal() else 0


def _is_again(path: Path) -> bool:
    """Say whether a folder is what another one beside it was reproduced as.

    A stage may be called `again`; then there is none that it was reproduced of.
    """
    name = path.name.removesuffix(_AGAIN)
    return name != path.name and path.with_name(name).is_dir()
