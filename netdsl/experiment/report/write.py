"""The folder of an experiment to its report: tables, figures, page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from netdsl.experiment.folder import REPORT
from netdsl.experiment.plan import read_plan
from netdsl.experiment.report import figures, formats, headline, page, tables
from netdsl.experiment.report.outcome import read_outcomes
from netdsl.experiment.report.results import Results, results_of
from netdsl.experiment.report.table import Table
from netdsl.train.files import make_folder, write_file

_TOGETHER = ("table", "differences")  # what `table.md` and its like hold


def read_results(folder: Path) -> Results:
    """Return what an experiment has come to so far, from its plan and its run folders alone."""
    plan = read_plan(folder)
    return results_of(plan, read_outcomes(folder, plan))


def write_report(folder: str | Path) -> Path:
    """Write `report/` in the folder of an experiment and return the page in it.

    The same run folders give the same bytes. `table.*`, `differences.csv`, `runs.csv` and the
    figures hold nothing that depends on how long anything took; `speed.*` and the page do.
    """
    folder = Path(folder)
    results = read_results(folder)
    found = tables.tables_of(results)
    drawn = figures.draw_figures(results)
    texts = table_texts(found)
    texts["report.html"] = page.to_page(results, found, drawn, dict(texts))
    report = folder / REPORT
    make_folder(report / "figures")
    _remove_stale(report, {figure.name for figure in drawn}, texts)
    for figure in drawn:
        for suffix, content in {**figure.files, "csv": figure.csv.encode()}.items():
            write_file(report / "figures" / f"{figure.name}.{suffix}", content)
    for name, text in texts.items():
        write_file(report / name, text.encode())
    return report / "report.html"


def show_report(folder: str | Path) -> str:
    """Return accuracies and differences as plain text, for a terminal."""
    results = read_results(Path(folder))
    found = [table for table in tables.tables_of(results) if table.name in _TOGETHER]
    shown = "\n".join(formats.to_text(table) for table in found)
    return f"{headline.summary(results)}\n\n{shown}"


def table_texts(found: tuple[Table, ...]) -> dict[str, str]:
    """Return the tables in every format, by the name of their file."""
    together = [table for table in found if table.name in _TOGETHER]
    (speed,) = (table for table in found if table.name == "speed")
    texts = {f"{table.name}.csv": formats.to_csv(table) for table in found}
    for suffix, form in {**formats.TEXTS, "html": page.to_html}.items():
        texts[f"table.{suffix}"] = "\n".join(form(table) for table in together)
        texts[f"speed.{suffix}"] = form(speed)
    return texts


def _remove_stale(report: Path, drawn: set[str], texts: Mapping[str, str]) -> None:
    """Remove what an earlier report had and this one has not, and nothing else.

    A figure is three files of one name, which is how those of an earlier report are known.
    """
    for numbers in (report / "figures").glob("*.csv"):
        files = [numbers.with_suffix(f".{suffix}") for suffix in ("svg", "png", "csv")]
        if numbers.stem not in drawn and all(file.is_file() for file in files):
            for file in files:
                file.unlink()
    if "differences.csv" not in texts:
        (report / "differences.csv").unlink(missing_ok=True)
