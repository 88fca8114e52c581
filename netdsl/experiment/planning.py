"""A definition to its plan: every row resolved, labelled, and a run a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from netdsl.errors import Diagnostic, NetDSLError
from netdsl.experiment.definition import Definition
from netdsl.experiment.folder import RUNS
from netdsl.experiment.grid import expand
from netdsl.experiment.key import Resolved, key_of
from netdsl.experiment.labels import group_all, label_all
from netdsl.experiment.line import Line, train_line
from netdsl.experiment.plan import Job, Plan, choose, compared, names_of
from netdsl.experiment.sources import digest_of_sources
from netdsl.experiment.variant import Variant, show
from netdsl.experiment.wanted import refuse_unknown_rows
from netdsl.train import ExitCode, TrainError
from netdsl.transfer import is_here

Resolve = Callable[[Line], Resolved]  # a line of `netdsl train` to what it would train


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row of the comparison as it was resolved, for whoever wants to measure it."""

    variant: Variant
    label: str
    stages: Resolved


@dataclass(frozen=True, slots=True)
class Absent:
    """Weights that a row begins with and that are not here; `why` none can be had, else empty."""

    label: str
    source: str
    why: str = ""
    help: str | None = None

    def __str__(self) -> str:
        """Say so in one line."""
        if self.why:
            return f"{self.label} begins with weights of {self.source}: {self.why}"
        when = "it is downloaded when a run begins"
        return f"{self.label} begins with {self.source}, which is not here: {when}"


def make_plan(
    definition: Definition, folder: Path, resolve: Resolve
) -> tuple[Plan, tuple[PlannedRow, ...]]:
    """Return the runs of an experiment in a folder, and its rows; nothing is written."""
    first = definition.seeds[0]
    resolved = [
        (variant, _resolved(variant, train_line(variant, first, folder), resolve, definition.file))
        for variant in expand(definition)
    ]
    found = without_needless_twins(resolved)
    variants, stages = [variant for variant, _ in found], [one for _, one in found]
    labels = label_all(variants, [one[0].network.name for one in stages])
    groups = group_all(variants)
    rows = tuple(
        PlannedRow(v, label, s) for v, label, s in zip(variants, labels, stages, strict=True)
    )
    jobs = tuple(
        _job(row, group, seed, folder)
        for row, group in zip(rows, groups, strict=True)
        for seed in definition.seeds
    )
    refuse_unknown_rows(definition.figures, names_of(jobs))
    plan = Plan(
        definition.name, definition.title, _all(v.data for v in variants),
        _all(v.recipe for v in variants), definition.budget, version("netdsl"), jobs,
        definition.figures, definition.digest, digest_of_sources(definition),
    )  # fmt: skip
    _refuse_without_pairs(plan)
    _refuse_overview_of_changes(plan)
    return plan, rows


def without_needless_twins(
    found: Sequence[tuple[Variant, Resolved]],
) -> list[tuple[Variant, Resolved]]:
    """Leave out the plain twins of networks without shortcuts: they are the same once more."""
    own = {variant.identity for variant, stages in found if stages[-1].network.blocks == 0}
    return [
        (variant, stages)
        for variant, stages in found
        if not (variant.plain and replace(variant, plain=False).identity in own)
    ]


def absent_weights(rows: Sequence[PlannedRow], jobs: Sequence[Job]) -> tuple[Absent, ...]:
    """Return what these runs are to begin with that is not here, each row and weights once."""
    asked = {(job.label, job.plain) for job in jobs}
    found: dict[Absent, None] = {}
    for row in rows:
        source = row.stages[0].asked["init"]
        if source is not None and (row.label, row.variant.plain) in asked:
            try:
                if not is_here(source):
                    found[Absent(row.label, source)] = None
            except NetDSLError as error:
                (why,) = error.diagnostics
                found[Absent(row.label, source, why.message, why.help)] = None
    return tuple(found)


def _resolved(variant: Variant, line: Line, resolve: Resolve, file: str) -> Resolved:
    """Return what a line stands for; what is wrong with it is so in a file, of one network."""
    try:
        return resolve(line)
    except TrainError as error:
        name = variant.label or (Path(variant.arch).name if file else variant.arch)
        where = ", ".join(filter(None, (file, name)))
        raise TrainError(f"{where}: {error}", error.help, error.exit_code) from error
    except NetDSLError as error:
        raise NetDSLError(*(_named(one, variant) for one in error.diagnostics)) from error


def _named(found: Diagnostic, variant: Variant) -> Diagnostic:
    """Return a finding with the network that it is of, unless its place or words tell which."""
    params = ", ".join(f"{name}={show(value)}" for name, value in variant.params.items())
    name = variant.label or f"{variant.arch} {params}".rstrip()
    is_told = name == variant.arch and (found.span is not None or name in found.message)
    return found if is_told else replace(found, message=f"{name}: {found.message}")


def _job(row: PlannedRow, group: str, seed: int, folder: Path) -> Job:
    variant, stages = row.variant, row.stages
    key, last = key_of(stages, seed), stages[-1]
    run_dir = (folder / RUNS / key).resolve()
    return Job(
        label=row.label, group=group, plain=variant.plain, seed=seed, key=key,
        folder=Path(RUNS, key, last.folder).as_posix(),
        command=train_line(variant, seed, run_dir), arch=variant.arch,
        overrides=dict(variant.params), recipe=variant.recipe, set=dict(variant.set),
        depth=last.network.depth, params=last.network.params, macs=last.network.macs,
        epochs=sum(stage.settings.epochs for stage in stages),
        work=sum(s.network.macs * s.settings.epochs * len(s.images.train) for s in stages),
        paper={k: float(str(v)) for k, v in variant.paper_numbers.items()},
        change=variant.change or None, blocks=last.network.blocks,
        has_threads=any("threads" in stage.chosen for stage in stages),
        stochastic_depth=last.network.expected_blocks < last.network.blocks,
        val_images=len(last.images.val),
    )  # fmt: skip


def _refuse_without_pairs(plan: Plan) -> None:
    """Raise where a figure is to show differences, and no two of its rows are compared."""
    for figure in plan.figures:
        if figure.kind == "differences":
            rows = {job.identity for job in choose(plan, figure.rows)}
            if not any({*pair} <= rows for pair in compared(plan).items()):
                fact = "no two of its rows are compared, so it has no differences"
                help = "twins are, and the changes of an ablation with its base"
                raise TrainError(f"[[figure]] {figure.name}: {fact}", help, ExitCode.USAGE)


def _refuse_overview_of_changes(plan: Plan) -> None:
    """Raise where a figure is to part residual networks from plain ones, and all are changes."""
    for figure in plan.figures:
        if figure.kind == "overview" and plan.is_ablation:
            fact = "an overview is of networks with their plain twins, not of an ablation"
            help = 'kind = "accuracy" shows the rows together'
            raise TrainError(f"[[figure]] {figure.name}: {fact}", help, ExitCode.USAGE)


def _all(values: Iterable[str]) -> str:
    """Return what all of them say, in their order."""
    return ", ".join(dict.fromkeys(filter(None, values)))
