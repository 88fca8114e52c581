"""Items of the examples, with what is kept of their runs, to the sections of `docs/reports.md`."""

from __future__ import annotations

import csv
import os
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat, takewhile
from pathlib import Path

from netdsl.amounts import counted, duration
from netdsl.experiment.report.basis import cut, shared_budget
from netdsl.experiment.report.figures import CAPTIONS
from netdsl.experiment.report.headline import subject_of
from netdsl.experiment.report.networks import commits_of, settings_of
from netdsl.experiment.report.notes import guessing_notes, pooling_notes
from netdsl.experiment.report.results import Result, Results, only
from netdsl.experiment.report.words import interval, percent, points
from netdsl.experiment.report.write import read_results

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "examples"))

from items import RUN, Example, Item, examples, typed  # noqa: E402

NOT_RUN = "Not run yet."
CORES = 2  # with a run on each, as the kept ones were made
_MEASURES = {"train": "train, %", "val": "val, %"}


def sections(report: str, networks: dict[str, str]) -> Iterator[str]:
    """Yield what there is to say of a report: an overview, then a section an item.

    `networks` holds the tables of networks by title; an item that names one has it.
    """
    example = next(example for example in examples() if example.report == report)
    yield _overview(example)
    for item in example.items:
        yield f"### {item.heading}"
        if item.commands:
            yield "\n".join(f"    {typed(command)}" for command in item.commands)
        if any(RUN in command.split() for command in item.commands):
            yield _filled(_run_of(example, item))
        if item.printed:
            yield _filled(f"The report: {item.printed}.")
        if item.ours:
            yield _filled(f"Ours, as the report does not say it: {item.ours}.")
        results = results_of(example, item)
        yield from outcome(example, item, results)
        for title, figure in _figures(example, item, results):
            yield f"![{title}]({_link(figure)})"
        if item.networks:
            yield networks[item.networks]


def _run_of(example: Example, item: Item) -> str:
    """Say what stands for RUN: a run of the first of the rows of an item."""
    results = results_of(example, item)
    assert results is not None  # nothing else gives a run
    row = results.rows[0]
    folder = f"experiments/{item.experiment}/{row.runs[0].job.folder}"
    return f"RUN is a finished run of {item.rows[0]} in {item.experiment}.toml, such as `{folder}`."


def experiments(example: Example) -> str:
    """Return the experiments of an example and what is kept of them, as Markdown."""
    head = ("experiment", "runs", "budget", "training", "device", "tables")
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for name in example.experiments:
        file = f"[{name}.toml]({name}.toml)"
        found = kept(example, name)
        if found is None:
            lines.append(f"| {file} | none | | | | |")
            continue
        runs = [run for run in found.runs if run.state == "finished"]
        cells = (
            f"{len(runs)} of {len(found.runs)}", cut(shared_budget(found)) or "whole",
            duration(sum(run.seconds for run in runs)), _joined(run.device for run in runs),
            f"[table](results/{name}/report/table.md)",
        )  # fmt: skip
        lines.append(f"| {file} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _overview(example: Example) -> str:
    folder = _link(example.folder)
    lines = [
        f"Commands are typed in [examples/{example.folder.name}]({folder}), whose README says how "
        "far they were run.",
        "",
        "| in the report | shows | what came out |",
        "| --- | --- | --- |",
    ]
    for item in example.items:
        link = f"[{item.name}](#{anchor(item.heading)})"
        lines.append(f"| {link} | {item.shows} | {lead(item.verdict) or NOT_RUN} |")
    return "\n".join(lines)


def lead(verdict: str) -> str:
    """Return how a verdict begins, which an overview has room for.

    >>> lead("alike; deeper ones are not. All have one seed")
    'alike'
    """
    return verdict.partition(". ")[0].partition("; ")[0]


def hours(found: Sequence[Example]) -> str:
    """Say how long the budgets for a CPU take, from what is kept: all seeds, and one of each."""
    return _filled(
        f"On two cores of an AMD EPYC the experiments take about {_hours(found)} within the budget "
        f"for a CPU, with all seeds of all networks. With the first seed of each, "
        f"`--budget cpu,seeds=1`, they take {_hours(found, one_seed=True)}; `--budget cpu` later "
        "adds the others to them. This is reckoned from the runs that are kept."
    )


def _hours(found: Sequence[Example], *, one_seed: bool = False) -> str:
    said = []
    for example in found:
        parts = {name: kept(example, name) for name in example.experiments}
        seconds = [planned(one, one_seed=one_seed) for one in parts.values() if one is not None]
        without = "".join(f", without {name}.toml" for name, one in parts.items() if one is None)
        unit = "" if said else " hours"
        said.append(f"{sum(seconds) / CORES / 3600:.1f}{unit} ({example.folder.name}{without})")
    *most, last = said
    return f"{', '.join(most)} and {last}"


def planned(results: Results, *, one_seed: bool = False) -> float:
    """Return the seconds of all planned runs, or of a seed a row, one after the other.

    Seeds of a row take what those that were run took, a row without a run what the others took for
    as many multiply-adds.
    """
    ran = [(row.job.work, run.seconds) for row in results.rows for run in row.finished]
    works, took = (sum(numbers) for numbers in zip(*ran, strict=True))
    total = 0.0
    for row in results.rows:
        seconds = row.measure("seconds")
        each = took * row.job.work / works if seconds is None else seconds.mean
        total += each * (1 if one_seed else len(row.runs))
    return total


def outcome(example: Example, item: Item, results: Results | None) -> Iterator[str]:
    """Yield what came out of an item: its table, how far it was run, what of it is told apart."""
    if results is not None:
        yield table(results)
        yield _filled(extent(results))
        pooled = pooling_notes(results, commits=False)  # which stand with the extent
        yield from map(_filled, (*guessing_notes(results), *pooled))
        yield from (_filled(text) for text in compared(results))
    numbers = example.folder / item.numbers
    if numbers.is_file():
        yield numbers_table(csv.reader(numbers.read_text("utf-8").splitlines()))
    verdict = item.verdict or ("" if results is not None else NOT_RUN)
    if verdict:
        first, stop, rest = verdict.partition(". ")
        yield _filled(f"**{_sentence(first)}**{stop[1:]}{_sentence(rest)}")
    yield from (_filled(f"- {_sentence(detail)}", "  ") for detail in item.details)


def _sentence(text: str) -> str:
    """Return a text that begins with a capital and ends with a stop; nothing of nothing."""
    return f"{text[0].upper()}{text[1:].removesuffix('.')}." if text else ""


def _figures(example: Example, item: Item, results: Results | None) -> Iterator[tuple[str, Path]]:
    """Yield titles and files of an item's figures; curves are there as soon as anything was run."""
    for figure in item.figures:
        title = item.shows if len(item.figures) == 1 else f"{item.shows}: {Path(figure).stem}"
        yield title, example.folder / figure
    if results is None:
        return
    planned = {figure.name: figure for figure in results.plan.figures}
    for name in item.curves:
        path = example.results(item.experiment) / "report" / "figures" / f"{name}.svg"
        if path.is_file():
            title = planned[name].title if name in planned else CAPTIONS[name]
            absent = _absent(results, planned[name].rows) if name in planned else []
            yield title + (f" (not run: {', '.join(absent)})" if absent else ""), path


def _absent(results: Results, rows: Sequence[str]) -> list[str]:
    """Return which rows of a figure have no finished run."""
    return [row.job.label for row in only(results, rows).rows if not row.finished]


def results_of(example: Example, item: Item) -> Results | None:
    """Return what is kept of the runs of an item, of its rows alone; None where nothing is."""
    found = kept(example, item.experiment) if item.experiment else None
    return None if found is None else only(found, item.rows)


def kept(example: Example, experiment: str) -> Results | None:
    """Return what is kept of the runs of an experiment; None where nothing is."""
    folder = example.results(experiment)
    return read_results(folder) if (folder / "plan.json").is_file() else None


def table(results: Results) -> str:
    """Return accuracies beside the report's, as Markdown; what was not run stays empty."""
    papers = [row.job.paper for row in results.rows]
    printed = {name: _printed(papers, name) for name in _MEASURES if any(name in p for p in papers)}
    head = ["network", "parameters", "epochs", *(f"report, {_MEASURES[name]}" for name in printed),
            *_MEASURES.values(), "gap, points", "a run took", "seeds"]  # fmt: skip
    columns = zip(*printed.values(), strict=True) if printed else repeat(())
    lines = (_line(row, list(said)) for row, said in zip(results.rows, columns, strict=False))
    return markdown([head, *lines])


def _printed(papers: Iterable[Mapping[str, float]], name: str) -> list[str]:
    """Return what a report prints in a column, with no more decimals than it needs."""
    cells = [percent(paper[name]) if name in paper else "" for paper in papers]
    needed = max(len(cell.rstrip("0").partition(".")[2]) for cell in cells)
    return [cell[: len(cell) - 2 + needed].rstrip(".") for cell in cells]


def markdown(lines: Iterable[list[str]], texts: int = 1) -> str:
    """Return lines of cells as a table, its head first; behind `texts` cells are numbers."""
    head, *rest = lines
    rule = ["---"] * texts + ["---:"] * (len(head) - texts)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *rest))


def numbers_table(lines: Iterable[list[str]]) -> str:
    """Return lines of a CSV file as a table: decimals alike in a column, texts at the left."""
    head, *rest = lines
    columns = [_alike(column) for column in zip(*rest, strict=True)]
    texts = list(takewhile(lambda column: not column[0][:1].isdigit(), columns))
    return markdown([head, *map(list, zip(*columns, strict=True))], texts=len(texts))


def _alike(cells: Sequence[str]) -> Sequence[str]:
    """Return a column with as many decimals in each number as the longest has."""
    decimals = [len(cell.partition(".")[2]) for cell in cells]
    if not all(cell.replace(".", "", 1).isdigit() for cell in cells):
        return cells
    return [f"{float(cell):.{max(decimals)}f}" for cell in cells]


def _line(row: Result, printed: list[str]) -> list[str]:
    known = [_name(row), f"{row.job.params:,}", str(row.job.epochs), *printed]
    seconds = row.measure("seconds")
    if seconds is None:
        return [*known, "", "", "", "", ""]
    ours = [percent(row.measure(name)) for name in (*_MEASURES, "gap")]
    return [*known, *ours, duration(seconds.mean), str(len(row.finished))]


def _name(row: Result) -> str:
    """Return what the report calls a row, and what was changed in it."""
    label, change = row.job.label, row.job.change
    if change is None:
        return row.name
    return label if change.casefold() == label.casefold() else f"{label} ({change})"


def extent(results: Results) -> str:
    """Say how far the runs of an experiment went, on what, and how long they took."""
    runs = [run for row in results.rows for run in row.finished]
    plan = results.plan
    budget = f"cut to {cut(shared_budget(results))}" if plan.budget else "the whole budget"
    where = f"{_joined(run.device for run in runs)}, torch {_joined(run.torch for run in runs)}"
    commits = ", ".join(commits_of(runs))
    made = f", commit {commits}" if commits else ""
    total = duration(sum(run.seconds for run in runs))
    planned = sum(len(row.runs) for row in results.rows)
    compiled = ", compiled" if runs and all(settings_of(run).get("compile") for run in runs) else ""
    several = any(len(row.finished) > 1 for row in results.rows)
    deviations = "± is the standard deviation over seeds; " if several else ""
    read = f"{deviations}accuracies are those of the last epoch."
    return (
        f"{len(runs)} of {counted(planned, 'run')}, {budget}; {total} of training on {where}"
        f"{compiled}{made}. {read[0].upper()}{read[1:]}"
    )


def compared(results: Results) -> Iterator[str]:
    """Say how far networks are from their twins or changes from their base, in validation."""
    for found in results.differences:
        value = found.measure("val")
        if value is None:
            continue
        tail = "" if value.interval is None else f", 95 % interval {interval(value)}"
        seeds = counted(value.n, "seed")
        subject = subject_of(found, results)
        yield f"- {subject}: {points(value)} points in validation{tail}, {seeds}."


def _joined(texts: Iterator[str]) -> str:
    return " and ".join(dict.fromkeys(texts))


def _link(path: Path) -> str:
    return Path(os.path.relpath(path, ROOT / "docs")).as_posix()


def anchor(heading: str) -> str:
    """Return what a heading is linked by: small letters, hyphens for spaces, nothing else."""
    kept = "".join(c for c in heading.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


def _filled(text: str, indent: str = "") -> str:
    """Return a paragraph, of which lines behind the first are indented."""
    options = {"break_on_hyphens": False, "break_long_words": False}
    return textwrap.fill(text, 120, subsequent_indent=indent, **options)
