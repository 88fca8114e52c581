"""The page of a report: its numbers, its links, its safety, and what a browser makes of it."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from netdsl.experiment.report.chart import chart_data
from netdsl.experiment.report.figures import Drawn
from netdsl.experiment.report.page import to_page
from netdsl.experiment.report.tables import tables_of
from netdsl.experiment.report.write import read_results, table_texts

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
needs_browser = pytest.mark.skipif(
    BROWSER is None, reason="no chromium here: nobody opened the page of the report"
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


class Reader(HTMLParser):
    """Every cell with its table, its line, its raw value and its text; ids, links, addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[list[str]] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.addresses: list[str] = []
        self.table, self.line, self.inside = "", 0, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids += [found["id"]] if "id" in found else []
        self.addresses += [found[name] for name in ("src", "href", "action") if name in found]
        if tag == "a":
            self.links.append(found["href"])
        if tag == "table":
            self.table, self.line = found.get("class", ""), -2  # the head is a line too
        if tag == "tr":
            self.line += 1
        if tag == "td" and "data-value" in found:
            self.inside = True
            self.cells.append([self.table, str(self.line), found["data-value"], ""])

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "td"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.cells[-1][3] += data


def page_of(folder: Path) -> str:
    results = read_results(folder)
    tables = tables_of(results)
    figures = (Drawn("accuracy", "Accuracy per epoch.", {"svg": SVG, "png": b""}, "a,b\n"),)
    return to_page(results, tables, figures, table_texts(tables))


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def test_a_run_of_one_epoch_so_far_is_told_as_such(twins: Path) -> None:
    first = json.loads((twins / "plan.json").read_text())["jobs"][0]
    run = twins / first["folder"]
    (run / "summary.json").unlink()
    for name in ("metrics.csv", "speed.csv"):
        (run / name).write_text("".join((run / name).read_text().splitlines(keepends=True)[:2]))
    assert "unfinished, 1 epoch so far" in page_of(twins)


@pytest.mark.parametrize("name", ["table", "differences", "speed"])
def test_numbers_on_the_page_are_those_of_the_csv(twins: Path, name: str) -> None:
    tables = {table.name: table for table in tables_of(read_results(twins))}
    texts = table_texts(tuple(tables.values()))
    lines = list(csv.DictReader(io.StringIO(texts[f"{name}.csv"])))
    cells = [cell for cell in read(page_of(twins)).cells if cell[0] == name]
    columns = tables[name].columns
    assert len(cells) == len(lines) * len(columns)
    for number, (_, line, raw, text) in enumerate(cells):
        column = columns[number % len(columns)]
        found = lines[int(line)]
        assert raw == found[column.keys[0]]
        if column.heading in ("train %", "val %", "best val %"):
            assert text == f"{100 * float(raw):.2f} ± {100 * float(found[column.keys[1]]):.2f}"
        if column.heading == "val, points":
            assert text == f"{100 * float(raw):+.2f}".replace("-", "−")


def test_every_number_leads_to_the_runs_that_it_comes_from(twins: Path) -> None:
    page = page_of(twins)
    reader = read(page)
    inside = {link[1:] for link in reader.links if link.startswith("#")}
    assert {link for link in inside if link.startswith("from")} == {
        "from-1", "from-2", "from-3", "from-4",
    }  # fmt: skip
    assert inside >= {"network-1", "network-3"}  # a row's source is beside its drawing
    assert page.count("netdsl 0.1.0, commit c0ffee012345.") == 5
    assert inside <= set(reader.ids)
    assert len(reader.ids) == len(set(reader.ids))
    for job in json.loads((twins / "plan.json").read_text())["jobs"]:
        assert f"netdsl reproduce x/runs/{job['key']}" in page
        assert f"netdsl train tiny --run-dir x/runs/{job['key']}" in page


def test_a_page_needs_no_network(twins: Path) -> None:
    page = page_of(twins)
    assert all(address.startswith(("data:", "#")) for address in read(page).addresses)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|\bimport\s*\(", page)


def test_networks_are_drawn_with_their_twins_beside_their_source(twins: Path) -> None:
    page = page_of(twins)
    assert page.count('alt="Drawing of Net') == 2
    assert "(BB 8)x n" in page


def test_a_network_that_cannot_be_drawn_is_said(twins: Path) -> None:
    for run in (twins / "runs").iterdir():
        (run / "network.arch").write_text("Conv 4 GAP FC 10\n")
    assert "Net 1: it could not be drawn: the input is not known." in page_of(twins)


def test_what_comes_from_outside_is_text(experiment: Callable[..., Path], make_job: Any) -> None:
    bad = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    folder = experiment(
        [make_job(bad, 0, group=bad, recipe=bad, key="k", command=["netdsl", bad])],
        title=bad,
        data=bad,
    )
    page = page_of(folder)
    assert page.count("<script") == page.count("</script>") == 2
    assert "<img src=x" not in page
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert json.loads(data)["rows"][0]["name"] == bad


def test_a_row_without_a_recipe_is_told_none_of_the_others(
    experiment: Callable[..., Path], make_job: Any
) -> None:
    recipes = {"A": "", "B": "quick", "C": "/home/ada/slow.toml"}
    jobs = {name: make_job(name, 0, recipe=recipe) for name, recipe in recipes.items()}
    page = page_of(experiment([*jobs.values()], recipe="quick, /home/ada/slow.toml"))
    assert re.findall(r"<p>Recipe: (.*?)\. netdsl", page) == ["none", "quick", "slow"]
    assert "with 1 seed each, trained by quick, slow or by none, cut to 4 epochs." in page
    page = page_of(experiment([jobs["A"], jobs["B"]], name="y"))
    assert ", trained by the recipe quick or by none, cut to 4 epochs." in page


def open_page(page: str, folder: Path, tail: str = "") -> str:
    """Return the page as the browser has it after its scripts ran."""
    path = folder / "page.html"
    path.write_text(page)
    assert BROWSER is not None
    done = subprocess.run(
        [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         "--window-size=500,900", f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=4000", "--dump-dom",
         f"file://{path}{tail}"],
        capture_output=True, text=True, timeout=240, check=True,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert said == []
    return done.stdout


@needs_browser
def test_the_page_opens_draws_its_curves_and_reveals_an_origin(twins: Path, tmp_path: Path) -> None:
    page = open_page(page_of(twins), tmp_path, "#from-2-1")
    assert '<html lang="en" data-ready="yes">' in page
    assert page.count('class="line"') == 4
    assert re.search(r'<details class="origin" id="from-2" open="">', page)
    assert re.search(r'<details class="origin" id="from-3">', page)


STEPS = """<script>
addEventListener("load", () => {
  const column = (n) => [...document.querySelectorAll("table.table tbody tr")].map((row) => row.cells[n].dataset.value);
  const heads = document.querySelectorAll("table.table thead button");
  const said = {};
  heads[3].click(); said.up = column(3);
  heads[3].click(); said.down = column(3);
  heads[0].click(); said.names = column(0);
  const curves = document.querySelector("#curves"), lines = () => curves.querySelectorAll("polyline").length;
  const boxes = curves.querySelectorAll(".legend input");
  boxes[0].click(); said.without = lines();
  curves.querySelector("[name=seeds]").click(); said.seeds = lines();
  curves.querySelector("[name=none]").click(); said.none = lines();
  curves.querySelector("[name=all]").click(); said.all = lines();
  const measure = curves.querySelector("[name=measure]");
  said.uneven = [...measure.options].flatMap((option) => [0, 1].map((seeds) => {
    measure.value = option.value;
    curves.querySelector("[name=seeds]").click();
    const ticks = [...curves.querySelectorAll("text[text-anchor=end]")].map((text) => [+text.textContent, +text.getAttribute("y")]);
    const pitch = ticks.slice(1).map(([value, y], i) => (y - ticks[i][1]) / (value - ticks[i][0]));
    const even = pitch.length > 0 && pitch.every((one) => Math.abs(one / pitch[0] - 1) < 1e-6);
    return even ? "" : `${option.textContent} ${JSON.stringify(ticks)}`;
  })).filter(Boolean);
  said.beyond = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  document.body.dataset.said = JSON.stringify(said);
});
</script></body>"""


@pytest.fixture
def clicked(twins: Path, tmp_path: Path) -> Any:
    """What a reader who clicks around sees; the page's own policy would refuse the clicker."""
    page = re.sub("<meta http-equiv=.*?>", "", page_of(twins)).replace("</body>", STEPS)
    (said,) = re.findall(r'data-said="(.*?)"', open_page(page, tmp_path))
    return json.loads(said.replace("&quot;", '"'))


@needs_browser
def test_on_a_narrow_screen_tables_sort_and_curves_are_switched_on_and_off(
    clicked: dict[str, Any],
) -> None:
    assert clicked == {
        "up": ["802000", "802000", "6647176", "6647176"],
        "down": ["6647176", "6647176", "802000", "802000"],
        "names": ["Net 1", "Net 1", "Net 6", "Net 6"],
        "without": 3, "seeds": 9, "none": 0, "all": 12, "uneven": [],
        "beyond": 0,  # nothing of the page is out of sight at the side
    }  # fmt: skip


def test_top5_is_shown_where_it_says_something(
    experiment: Callable[..., Path], make_job: Callable[..., Any]
) -> None:
    folder = experiment([make_job("a", 0)])

    def shown() -> set[str]:
        measures: Any = chart_data(read_results(folder))["measures"]
        return {one["key"] for one in measures}

    assert "val_top5" in shown()
    (path,) = folder.glob("runs/*/metrics.csv")
    header, *rows = path.read_text().splitlines()
    ones = [",".join([*row.split(",")[:-1], "1.0"]) for row in rows]
    path.write_text("\n".join([header, *ones]) + "\n")
    assert "val_top5" not in shown()
    assert "val_accuracy" in shown()


def test_no_two_of_many_networks_have_lines_alike(
    experiment: Callable[..., Path], make_job: Callable[..., Any]
) -> None:
    labels = "abcdefghijklmnopqrstu"
    folder = experiment(
        [make_job(one, 0, plain=plain) for one in labels for plain in (False, True)]
    )
    rows: Any = chart_data(read_results(folder))["rows"]
    assert len({(row["colour"], row["dash"]) for row in rows}) == len(rows) == 42
