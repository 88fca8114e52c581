"""A definition to its plan: every row resolved, labelled, and a run a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from netdsl.errors import NetDSLError
from netdsl.experiment.definition import Definition
from netdsl.experiment.grid import expand
from netdsl.experiment.key import Resolved, key_of
from netdsl.experiment.labels import group_all, label_all
from netdsl.experiment.line import Line, train_line
from netdsl.experiment.plan import Job, Plan, choose, names_of
from netdsl.experiment.variant import Variant
from netdsl.experiment.wanted import refuse_unknown_rows
from netdsl.train import ExitCode, TrainError
from netdsl.transfer import is_here

Resolve = Callable[[Line], Resolved]  # a line of `netdsl train` to what it would train


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the comparison as it was resolved, for whoever wants to measure it."""

    variant: Variant
    label: str
    stages: Resolved


def make_plan(
    definition: Definition, folder: Path, resolve: Resolve
) -> tuple[Plan, tuple[Row, ...]]:
    """Return the runs of an experiment in a folder, and its rows; nothing is written."""
    first = definition.seeds[0]
    resolved = [
        (variant, _resolved(variant, train_line(variant, first, folder), resolve))
        for variant in expand(definition)
    ]
    found = [pair for pair in resolved if not _is_there_already(pair[0], resolved)]
    variants, stages = [variant for variant, _ in found], [one for _, one in found]
    labels = label_all(variants, [one[0].network.name for one in stages])
    groups = group_all(variants)
    rows = tuple(Row(v, label, s) for v, label, s in zip(variants, labels, stages, strict=True))
    jobs = tuple(
        _job(row, group, seed, folder)
        for row, group in zip(rows, groups, strict=True)
        for seed in definition.seeds
    )
    refuse_unknown_rows(definition.figures, names_of(jobs))
    plan = Plan(
        definition.name, definition.title, _all(v.data for v in variants),
        _all(v.recipe for v in variants), definition.budget, version("netdsl"), jobs,
        definition.figures,
    )  # fmt: skip
    _refuse_without_pairs(plan)
    return plan, rows


def to_download(rows: Sequence[Row]) -> tuple[tuple[str, str], ...]:
    """Return which rows begin with weights that are not here yet, and with which.

    Raises `TrainError` where nothing is called so, or a file is not there.
    """
    found = []
    for row in rows:
        source = row.stages[0].asked["init"]
        try:
            if source is not None and not is_here(source):
                found.append((row.label, source))
        except NetDSLError as error:
            (why,) = error.diagnostics
            fact = f"{row.label} begins with weights of {source}: {why.message}"
            raise TrainError(fact, why.help, ExitCode.USAGE) from error
    return tuple(dict.fromkeys(found))


def _is_there_already(variant: Variant, found: Sequence[tuple[Variant, Resolved]]) -> bool:
    """Say whether a row is the plain twin of a network without shortcuts: the same once more."""
    twins = [stages for other, stages in found if other == replace(variant, plain=False)]
    return variant.plain and any(twin[-1].network.blocks == 0 for twin in twins)


def _resolved(variant: Variant, line: Line, resolve: Resolve) -> Resolved:
    try:
        return resolve(line)
    except TrainError as error:
        named = f"{variant.label or variant.arch}: {error}"
        raise TrainError(named, error.help, error.exit_code) from error


def _job(row: Row, group: str, seed: int, folder: Path) -> Job:
    variant, stages = row.variant, row.stages
    key, last = key_of(stages, seed), stages[-1]
    run_dir = (folder / "runs" / key).resolve()
    return Job(
        label=row.label, group=group, plain=variant.plain, seed=seed, key=key,
        folder=Path("runs", key, last.folder).as_posix(),
        command=train_line(variant, seed, run_dir), arch=variant.arch,
        overrides=dict(variant.params), recipe=variant.recipe, set=dict(variant.set),
        depth=last.network.depth, params=last.network.params, macs=last.network.macs,
        epochs=sum(stage.settings.epochs for stage in stages),
        work=sum(s.network.macs * s.settings.epochs * len(s.images.train) for s in stages),
        paper={k: float(str(v)) for k, v in variant.paper_numbers.items()},
        change=variant.change or None, blocks=last.network.blocks,
    )  # fmt: skip


def _refuse_without_pairs(plan: Plan) -> None:
    """Raise where a figure is to show differences, and none of its rows is compared with another.

    Those of an ablation are compared with its base, all others with their twins.
    """
    for figure in plan.figures:
        if figure.kind == "differences":
            sides = {_side(plan, job) for job in choose(plan, figure.rows)}
            if not any((group, not other) in sides for group, other in sides):
                fact = "no two of its rows are compared, so it has no differences"
                help = "twins are, and the changes of an ablation with its base"
                raise TrainError(f"[[figure]] {figure.name}: {fact}", help, ExitCode.USAGE)


def _side(plan: Plan, job: Job) -> tuple[str, bool]:
    """Return what a run is compared within, and on which side of the comparison it is."""
    return ("", job.change is None) if plan.is_ablation else (job.group, job.plain)


def _all(values: Iterable[str]) -> str:
    """Return what all of them say, in their order."""
    return ", ".join(dict.fromkeys(filter(None, values)))
