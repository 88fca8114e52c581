"""Results to tables: accuracies, differences, what the runs took, and every run by itself."""

from __future__ import annotations

from collections.abc import Iterator

from netdsl.amounts import duration
from netdsl.experiment.report.notes import (
    accuracy_notes,
    difference_notes,
    speed_notes,
)
from netdsl.experiment.report.outcome import Outcome
from netdsl.experiment.report.results import Difference, Result, Results
from netdsl.experiment.report.spread import Spread
from netdsl.experiment.report.table import Cell, Column, Line, Table
from netdsl.experiment.report.words import NOTHING, interval, percent, points, short

_SPREADS = {"train": "train %", "val": "val %", "gap": "gap", "best_val": "best val %"}
_COMPARED = {"val": "val", "train": "train", "gap": "gap"}


def tables_of(results: Results) -> tuple[Table, ...]:
    """Return the tables of an experiment; that of the differences only where some are compared."""
    found = [accuracy_table(results)]
    if results.differences:
        found.append(difference_table(results))
    return (*found, speed_table(results), runs_table(results))


def accuracy_table(results: Results) -> Table:
    """Return what was learnt: a line a network, residual or plain, and one a run that failed."""
    paper = _paper(results)
    columns = (
        Column("network", ("network", "change"), is_text=True),
        *([Column("shortcuts", ("shortcuts",), is_text=True)] if results.plan.has_twins else []),
        *(Column(name, (name.lower(),)) for name in ("depth", "params", "MACs")),
        *(Column(head, _keys(f"{name}_accuracy" if name != "gap" else name))
          for name, head in _SPREADS.items()),
        Column("best epoch", ("best_epoch_first", "best_epoch_last")),
        Column("runs", ("runs_finished", "runs_planned")),
        *(Column(f"paper {name} %", (f"paper_{name}",)) for name in paper),
    )  # fmt: skip
    lines = [line for row in results.rows for line in _accuracy_lines(row, results, paper)]
    return Table("table", results.plan.title, columns, tuple(lines), accuracy_notes(results))


def _accuracy_lines(row: Result, results: Results, paper: list[str]) -> Iterator[Line]:
    job = row.job
    epochs = [run.best for run in row.finished]
    first, last = (min(epochs), max(epochs)) if epochs else (None, None)
    span = f"{first}" if first == last else f"{first}–{last}"
    done, planned = len(row.finished), len(row.runs)
    yield Line((
        Cell(job.title, (job.label, job.change)),
        *([_shortcuts(row)] if results.plan.has_twins else []),
        Cell(str(job.depth), (job.depth,)),
        Cell(short(job.params), (job.params,)),
        Cell(short(job.macs), (job.macs,)),
        *(_spread(row.measure(name)) for name in _SPREADS),
        Cell(NOTHING if first is None else span, (first, last)),
        Cell(f"{done}" if done == planned else f"{done} of {planned}", (done, planned)),
        *(Cell(percent(job.paper.get(name)), (job.paper.get(name),)) for name in paper),
    ), row.number)  # fmt: skip
    for run in row.runs:
        if run.failure is not None:
            name = Cell(f"{row.name}, seed {run.job.seed}", (job.label, job.change))
            cells = (name, *([_shortcuts(row)] if results.plan.has_twins else []))
            yield Line(cells, row.number, run.job.seed, str(run.failure))


def difference_table(results: Results) -> Table:
    """Return residual less plain, or a change less its base, by seed."""
    ablation = results.plan.is_ablation
    names = {name: f"{head}, points" for name, head in _COMPARED.items()}
    columns = [Column("change" if ablation else "residual − plain", ("network",), is_text=True)]
    for name, head in names.items():
        columns.append(Column(head, (f"{name}_difference", f"{name}_difference_sd")))
        columns.append(Column("95 % interval", (f"{name}_low", f"{name}_high")))
    columns.append(Column("pairs", ("pairs",)))
    lines = tuple(_difference_line(found) for found in results.differences)
    base = results.differences[0].other.name
    what = f"Each change against {base}" if ablation else "Residual against plain"
    return Table(
        "differences", f"{what}, by seed", tuple(columns), lines, difference_notes(results)
    )


def _difference_line(found: Difference) -> Line:
    cells = [Cell(found.name, (found.name,))]
    for name in _COMPARED:
        value = found.measure(name)
        ends = (None, None) if value is None or value.interval is None else value.interval
        cells += [Cell(points(value), _raw(value)), Cell(interval(value), ends)]
    count = len(found.pairs)
    return Line((*cells, Cell(str(count), (count,))), found.result.number)


def speed_table(results: Results) -> Table:
    """Return what the runs took, which no two machines and no two days agree on."""
    columns = (
        Column("network", ("network",), is_text=True),
        *([Column("shortcuts", ("shortcuts",), is_text=True)] if results.plan.has_twins else []),
        Column("images/s", _keys("images_per_second")),
        Column("epoch", _keys("seconds_per_epoch")),
        Column("training", _keys("seconds")),
        Column("peak memory", ("peak_memory",)),
        Column("device", ("device",), is_text=True),
        Column("torch", ("torch",), is_text=True),
    )
    lines = tuple(_speed_line(row, results) for row in results.rows)
    return Table("speed", "What the runs took", columns, lines, speed_notes(results))


def _speed_line(row: Result, results: Results) -> Line:
    rate, epoch, whole = (
        row.measure(name) for name in ("images_per_second", "seconds_per_epoch", "seconds")
    )
    peak = max((max(r.peak_memory for r in run.rows) for run in row.finished), default=None)
    devices = " and ".join(sorted({run.device for run in row.finished})) or None
    torch = " ".join(sorted({run.torch for run in row.finished})) or None
    rates = NOTHING
    if rate is not None:
        tail = "" if rate.deviation is None else f" ± {rate.deviation:,.0f}"
        rates = f"{rate.mean:,.0f}{tail}"
    return Line((
        Cell(row.job.title, (row.job.title,)),
        *([_shortcuts(row)] if results.plan.has_twins else []),
        Cell(rates, _raw(rate)),
        Cell(NOTHING if epoch is None else duration(epoch.mean), _raw(epoch)),
        Cell(NOTHING if whole is None else duration(whole.mean), _raw(whole)),
        Cell(NOTHING if peak is None else f"{peak / 1e9:.2f} GB", (peak,)),
        Cell(devices or NOTHING, (devices,)),
        Cell(torch or NOTHING, (torch,)),
    ), row.number)  # fmt: skip


def runs_table(results: Results) -> Table:
    """Return every run by itself: what the means are made of."""
    columns = (
        Column("network", ("network",), is_text=True),
        *([Column("shortcuts", ("shortcuts",), is_text=True)] if results.plan.has_twins else []),
        Column("seed", ("seed",)),
        Column("state", ("state",), is_text=True),
        Column("epochs", ("epochs",)),
        *(Column(head, (f"{name}_accuracy" if name != "gap" else name,))
          for name, head in _SPREADS.items()),
        Column("best epoch", ("best_epoch",)),
        Column("run", ("run",), is_text=True),
    )  # fmt: skip
    lines = [_run_line(row, run, results) for row in results.rows for run in row.runs]
    return Table("runs", "Every run", columns, tuple(lines))


def _run_line(row: Result, run: Outcome, results: Results) -> Line:
    alone = Result(row.number, (run,))
    spreads = [alone.measure(name) for name in _SPREADS]
    best = run.best or None
    return Line((
        Cell(row.job.title, (row.job.title,)),
        *([_shortcuts(row)] if results.plan.has_twins else []),
        Cell(str(run.job.seed), (run.job.seed,)),
        Cell(run.state, (run.state,)),
        Cell(str(len(run.rows)), (len(run.rows),)),
        *(Cell(percent(value), (value.mean if value else None,)) for value in spreads),
        Cell(str(best or NOTHING), (best,)),
        Cell(run.job.folder, (run.job.folder,)),
    ), row.number, run.job.seed)  # fmt: skip


def _paper(results: Results) -> list[str]:
    return [name for name in ("train", "val") if any(name in r.job.paper for r in results.rows)]


def _shortcuts(row: Result) -> Cell:
    word = row.job.shortcuts
    return Cell(word, (word,))


def _spread(value: Spread | None) -> Cell:
    return Cell(percent(value), _raw(value))


def _raw(value: Spread | None) -> tuple[float | None, float | None]:
    return (None, None) if value is None else (value.mean, value.deviation)


def _keys(name: str) -> tuple[str, str]:
    return name, f"{name}_sd"
