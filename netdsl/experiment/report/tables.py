"""Results to tables: accuracies, differences, what the runs took, and every run by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from netdsl.amounts import duration
from netdsl.experiment.report.notes import accuracy_notes, difference_notes, speed_notes
from netdsl.experiment.report.results import Difference, Result, Results
from netdsl.experiment.report.spread import Spread
from netdsl.experiment.report.table import Cell, Column, Line, Table
from netdsl.experiment.report.words import NOTHING, interval, percent, points, short

_ACCURACIES = {"train": "train %", "val": "val %", "gap": "gap", "best_val": "best val %"}
_COMPARED = ("val", "train", "gap")

Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class Field(Generic[Told]):
    """A column, and what its cell says of that which a line tells of."""

    column: Column
    cell: Callable[[Told], Cell]


def tables_of(results: Results) -> tuple[Table, ...]:
    """Return the tables of an experiment; that of the differences only where some are compared."""
    found = [accuracy_table(results)]
    if results.differences:
        found.append(difference_table(results))
    return (*found, speed_table(results), runs_table(results))


def accuracy_table(results: Results) -> Table:
    """Return what was learnt: a line a network, residual or plain, and one a run that failed."""
    fields = tuple(_accuracy_fields(results))
    lines = [line for row in results.rows for line in _accuracy_lines(row, fields)]
    notes = accuracy_notes(results)
    return Table("table", results.plan.title, _columns(fields), tuple(lines), notes)


def _accuracy_fields(results: Results) -> Iterator[Field[Result]]:
    yield Field(
        Column("network", ("network", "change"), is_text=True),
        lambda row: Cell(row.job.title, (row.job.label, row.job.change)),
    )
    yield from _shortcuts(results)
    yield Field(Column("depth", ("depth",)), lambda row: Cell(str(row.job.depth), (row.job.depth,)))
    yield Field(Column("params", ("params",)), lambda r: Cell(short(r.job.params), (r.job.params,)))
    yield Field(Column("MACs", ("macs",)), lambda row: Cell(short(row.job.macs), (row.job.macs,)))
    for name, heading in _ACCURACIES.items():
        yield _measured(heading, name, _key(name), percent)
    if len({len(run.epochs) for row in results.rows for run in row.finished}) > 1:
        yield Field(Column("epochs", ("epochs_least", "epochs_most")), _epochs_of_seeds)
    yield Field(Column("best epoch", ("best_epoch_first", "best_epoch_last")), _best_epochs)
    yield Field(Column("runs", ("runs_finished", "runs_planned")), _finished)
    for name in ("train", "val"):
        if any(name in row.job.paper for row in results.rows):
            yield _paper(name)


def _accuracy_lines(row: Result, fields: Iterable[Field[Result]]) -> Iterator[Line]:
    yield _line(row, fields, row.number)
    _, *others = (field.cell(row) for field in fields if field.column.is_text)
    for run in row.runs:
        if run.failure is not None:
            name = Cell(f"{row.name}, seed {run.job.seed}", (row.job.label, row.job.change))
            yield Line((name, *others), row.number, run.job.seed, str(run.failure))


def _best_epochs(row: Result) -> Cell:
    return _from_to([run.best for run in row.finished])


def _epochs_of_seeds(row: Result) -> Cell:
    return _from_to([len(run.epochs) for run in row.finished])


def _from_to(epochs: Sequence[int]) -> Cell:
    if not epochs:
        return Cell(NOTHING, (None, None))
    first, last = min(epochs), max(epochs)
    return Cell(f"{first}" if first == last else f"{first}–{last}", (first, last))


def _finished(row: Result) -> Cell:
    return _part(len(row.finished), len(row.runs))


def _part(done: int, planned: int) -> Cell:
    return Cell(f"{done}" if done == planned else f"{done} of {planned}", (done, planned))


def _paper(name: str) -> Field[Result]:
    column = Column(f"paper {name} %", (f"paper_{name}",))
    return Field(
        column, lambda row: Cell(percent(row.job.paper.get(name)), (row.job.paper.get(name),))
    )


def difference_table(results: Results) -> Table:
    """Return residual less plain, or a change less its base, by seed."""
    ablation = results.plan.is_ablation
    fields = tuple(_difference_fields("change" if ablation else "residual − plain"))
    lines = tuple(_line(found, fields, found.result.number) for found in results.differences)
    base = results.differences[0].other.name
    what = f"Each change against {base}" if ablation else "Residual against plain"
    notes = difference_notes(results)
    return Table("differences", f"{what}, by seed", _columns(fields), lines, notes)


def _difference_fields(what: str) -> Iterator[Field[Difference]]:
    yield Field(
        Column(what, ("network",), is_text=True), lambda found: Cell(found.name, (found.name,))
    )
    for name in _COMPARED:
        yield _difference(name)
        yield _interval(name)
    yield Field(
        Column("pairs", ("pairs", "pairs_planned")),
        lambda found: _part(len(found.pairs), found.planned),
    )


def _difference(name: str) -> Field[Difference]:
    column = Column(f"{name}, points", _with_deviation(f"{name}_difference"))
    return Field(column, lambda found: _spread(found.measure(name), points))


def _interval(name: str) -> Field[Difference]:
    def cell(found: Difference) -> Cell:
        value = found.measure(name)
        ends = (None, None) if value is None or value.interval is None else value.interval
        return Cell(interval(value), ends)

    return Field(Column("95 % interval", (f"{name}_low", f"{name}_high")), cell)


def speed_table(results: Results) -> Table:
    """Return what the runs took, which no two machines and no two days agree on."""
    fields = tuple(_speed_fields(results))
    lines = tuple(_line(row, fields, row.number) for row in results.rows)
    notes = speed_notes(results)
    return Table("speed", "What the runs took", _columns(fields), lines, notes)


def _speed_fields(results: Results) -> Iterator[Field[Result]]:
    yield _title()
    yield from _shortcuts(results)
    yield _measured("images/s", "images_per_second", "images_per_second", _rate)
    yield _measured("epoch", "seconds_per_epoch", "seconds_per_epoch", _mean_duration)
    yield _measured("training", "seconds", "seconds", _mean_duration)
    yield Field(Column("peak memory", ("peak_memory",)), _peak_memory)
    yield Field(Column("device", ("device",), is_text=True), _devices)
    yield Field(Column("torch", ("torch",), is_text=True), _torch)


def _rate(value: Spread | None) -> str:
    if value is None:
        return NOTHING
    tail = "" if value.deviation is None else f" ± {value.deviation:,.0f}"
    return f"{value.mean:,.0f}{tail}"


def _mean_duration(value: Spread | None) -> str:
    return NOTHING if value is None else duration(value.mean)


def _peak_memory(row: Result) -> Cell:
    peak = max((epoch.peak_memory for run in row.finished for epoch in run.epochs), default=None)
    return Cell(NOTHING if peak is None else f"{peak / 1e9:.2f} GB", (peak,))


def _devices(row: Result) -> Cell:
    devices = " and ".join(sorted({run.device for run in row.finished})) or None
    return Cell(devices or NOTHING, (devices,))


def _torch(row: Result) -> Cell:
    torch = " ".join(sorted({run.torch for run in row.finished})) or None
    return Cell(torch or NOTHING, (torch,))


def runs_table(results: Results) -> Table:
    """Return every run by itself: what the means are made of."""
    fields = tuple(_run_fields(results))
    alone = [Result(row.number, (run,)) for row in results.rows for run in row.runs]
    lines = tuple(_line(row, fields, row.number, row.job.seed) for row in alone)
    return Table("runs", "Every run", _columns(fields), lines)


def _run_fields(results: Results) -> Iterator[Field[Result]]:
    """Yield what is told of a row that has one run alone."""
    yield _title()
    yield from _shortcuts(results)
    yield Field(Column("seed", ("seed",)), lambda row: Cell(str(row.job.seed), (row.job.seed,)))
    yield Field(Column("state", ("state",), is_text=True), _state)
    yield Field(Column("epochs", ("epochs",)), _epochs)
    for name, heading in _ACCURACIES.items():
        yield _accuracy(heading, name)
    yield Field(Column("best epoch", ("best_epoch",)), _best_epoch)
    yield Field(
        Column("run", ("run",), is_text=True), lambda row: Cell(row.job.folder, (row.job.folder,))
    )


def _accuracy(heading: str, name: str) -> Field[Result]:
    def cell(row: Result) -> Cell:
        value = row.measure(name)
        return Cell(percent(value), (value.mean if value else None,))

    return Field(Column(heading, (_key(name),)), cell)


def _state(row: Result) -> Cell:
    (run,) = row.runs
    return Cell(run.state, (run.state,))


def _epochs(row: Result) -> Cell:
    (run,) = row.runs
    return Cell(str(len(run.epochs)), (len(run.epochs),))


def _best_epoch(row: Result) -> Cell:
    (run,) = row.runs
    best = run.best or None
    return Cell(str(best or NOTHING), (best,))


def _title() -> Field[Result]:
    column = Column("network", ("network",), is_text=True)
    return Field(column, lambda row: Cell(row.job.title, (row.job.title,)))


def _shortcuts(results: Results) -> Iterator[Field[Result]]:
    """Yield the field for them where some were removed, which titles do not say."""
    if any(row.job.plain for row in results.rows):
        column = Column("shortcuts", ("shortcuts",), is_text=True)
        yield Field(column, lambda row: Cell(row.job.shortcuts, (row.job.shortcuts,)))


def _measured(
    heading: str, name: str, key: str, write: Callable[[Spread | None], str]
) -> Field[Result]:
    """Return the field for one of the `MEASURES`, over the seeds of a row."""
    column = Column(heading, _with_deviation(key))
    return Field(column, lambda row: _spread(row.measure(name), write))


def _spread(value: Spread | None, write: Callable[[Spread | None], str]) -> Cell:
    return Cell(write(value), (None, None) if value is None else (value.mean, value.deviation))


def _key(name: str) -> str:
    return name if name == "gap" else f"{name}_accuracy"


def _with_deviation(key: str) -> tuple[str, str]:
    return key, f"{key}_sd"


def _columns(fields: Iterable[Field[Told]]) -> tuple[Column, ...]:
    return tuple(field.column for field in fields)


def _line(told: Told, fields: Iterable[Field[Told]], origin: int, seed: int | None = None) -> Line:
    return Line(tuple(field.cell(told) for field in fields), origin, seed)
