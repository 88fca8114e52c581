"""The examples: each experiment can be read, each command exists, each row that is named is there."""

from __future__ import annotations

import importlib
import json
import re
import shlex
from collections import defaultdict
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from click import Group
from click.testing import CliRunner

from netdsl.cli.draw import command as draw
from netdsl.cli.main import LazyGroup, group
from netdsl.experiment.definition import Definition, read_definition, within
from netdsl.experiment.export import export
from netdsl.experiment.grid import expand
from netdsl.experiment.labels import display, label_all
from netdsl.experiment.report.figures import CAPTIONS
from netdsl.experiment.report.results import only
from netdsl.experiment.report.tables import tables_of
from netdsl.experiment.report.write import read_results, table_texts
from netdsl.experiment.wanted import KINDS, refuse_unknown_rows
from netdsl.shelf import open_arch
from netdsl.train.recipe import read_recipe

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / "examples").glob("*/report.toml"))
FILES = [path for folder in FOLDERS for path in sorted(folder.glob("*.toml")) if path.name != "report.toml"]  # fmt: skip


@pytest.fixture
def items(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "examples")
    return importlib.import_module("items")


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for folder in ("examples", "docs"):
        monkeypatch.syspath_prepend(ROOT / folder)
    return importlib.import_module("results")


def rows(definition: Definition) -> set[str]:
    """Return what the rows of an experiment may be called by."""
    variants = expand(definition)
    labels = label_all(variants, [variant.arch for variant in variants])
    named = [display(label, plain=v.plain) for label, v in zip(labels, variants, strict=True)]
    return {*labels, *named}


def test_there_is_an_example_for_every_report() -> None:
    assert [folder.name[:3] for folder in FOLDERS] == ["000", "002", "003", "004"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_experiment_can_be_read_within_every_budget(path: Path) -> None:
    definition = read_definition(path)
    assert definition.name == path.stem
    assert len(definition.seeds) >= 3
    refuse_unknown_rows(definition.figures, rows(definition))
    for budget in ("", "cpu"):
        for variant in expand(within(definition, budget)):
            assert open_arch(variant.arch).file.body
            assert read_recipe(variant.recipe).train
    assert definition.budgets.keys() == {"cpu"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_item_names_what_there_is(folder: Path, items: ModuleType) -> None:
    example = items.read_example(folder)
    assert set(example.experiments) == {path.stem for path in FILES if path.parent == folder}
    names = [item.name for item in example.items]
    assert len(set(names)) == len(names)
    for item in example.items:
        assert item.commands or item.experiment
        if item.rows:
            assert {*item.rows} <= rows(read_definition(folder / f"{item.experiment}.toml"))
        for figure in item.figures:
            assert (folder / figure).is_file()
            place = items.made(figure)
            named = (place.as_posix(), place.parent.as_posix())
            assert any(word.endswith(named) for line in item.commands for word in line.split())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_claim_names_two_rows_of_an_experiment(folder: Path, items: ModuleType) -> None:
    for claim in items.read_example(folder).claims:
        ours, others = claim.experiment, claim.than_in or claim.experiment
        pairs = (*claim.pairs, claim.beyond) if claim.beyond else claim.pairs
        for row, than in pairs:
            assert row in rows(read_definition(folder / f"{ours}.toml"))
            assert than in rows(read_definition(folder / f"{others}.toml"))
        mine, theirs = (read_definition(folder / f"{name}.toml") for name in (ours, others))
        assert (mine.budgets, mine.seeds) == (theirs.budgets, theirs.seeds)
        assert claim.row != claim.than
        sides = {"val": {"better", "worse", "alike"}, "gap": {"larger", "smaller"}}
        assert claim.expected in sides[claim.measure]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_figure_of_an_experiment_belongs_to_an_item(path: Path, items: ModuleType) -> None:
    example = items.read_example(path.parent)
    named = [name for item in example.items if item.experiment == path.stem for name in item.curves]
    asked = [figure.name for figure in read_definition(path).figures]
    assert sorted(name for name in named if name not in KINDS) == sorted(asked)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_command_of_an_item_can_be_typed(
    folder: Path, items: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for item in items.read_example(folder).items:
        for line in item.commands:
            program, *words = shlex.split(line)
            if program != "netdsl":
                assert (folder / program).is_file()
                continue
            parsed = parse(words, monkeypatch)
            for word in words:
                if re.search(r"\.(arch|toml)$", word):
                    assert (folder / word).is_file()
            assert parsed


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_drawing_that_is_kept_is_what_its_command_draws(
    folder: Path, items: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    lines = [line for item in items.read_example(folder).items for line in item.commands]
    drawn = [shlex.split(line) for line in lines if line.startswith("netdsl draw ")]
    assert drawn != []
    for _, _, *options, kept in drawn:
        done = CliRunner().invoke(draw, [*options, str(tmp_path / "now.svg")])
        assert done.exit_code == 0, done.output
        texts = [re.findall(r"<text[^>]*>([^<]*)", path.read_text("utf-8"))
                 for path in (tmp_path / "now.svg", folder / kept)]  # fmt: skip
        assert texts[0] == texts[1] != [], kept


def parse(words: list[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the options of a command line, read as the command reads them; files may be missing."""
    command: Any = LazyGroup.get_command(group, None, words[0])  # type: ignore[arg-type]
    if isinstance(command, Group):
        words, command = words[1:], command.commands[words[1]]
    for parameter in command.params:
        if hasattr(parameter.type, "exists"):
            monkeypatch.setattr(parameter.type, "exists", False)
    found: dict[str, Any] = command.make_context(words[0], words[1:]).params
    return found


def test_curves_of_what_was_run_and_claims_stand_on_the_page(items: ModuleType) -> None:
    page = (ROOT / "docs" / "reports.md").read_text("utf-8")
    shown = re.findall(r"^!\[.+\]\((.*)\)$", page, re.M)
    assert all((ROOT / "docs" / path).is_file() for path in shown)
    drawn = {
        f"../examples/{example.folder.name}/{path.relative_to(example.folder).as_posix()}"
        for example in items.examples()
        for item in example.items
        for name in item.curves
        for path in example.results(item.experiment).glob(f"report/figures/{name}.svg")
    }
    assert drawn != set()
    assert drawn <= set(shown)
    for example in items.examples():
        assert all(f"[{claim.says}](#" in page.replace("**", "") for claim in example.claims)


def test_figures_of_every_report_are_called_what_they_show() -> None:
    page = (ROOT / "docs" / "reports.md").read_text("utf-8")
    shown = re.findall(r"^!\[(.+)\]\(.*/results/.*/(.*)\.svg\)$", page, re.M)
    own = {(title, name) for title, name in shown if name in CAPTIONS}
    assert own == {(CAPTIONS[name], name) for _, name in own} != set()


def test_the_parts_of_a_report_stand_on_the_page(items: ModuleType) -> None:
    page = (ROOT / "docs" / "reports.md").read_text("utf-8")
    headings = re.findall(r"^### (.*)$", page, re.M)
    assert headings == [item.heading for example in items.examples() for item in example.items]


def test_links_within_the_page_and_to_it_lead_to_a_heading(
    results: ModuleType, items: ModuleType
) -> None:
    page = (ROOT / "docs" / "reports.md").read_text("utf-8")
    anchors = [results.anchor(heading) for heading in re.findall(r"^#+ (.*)$", page, re.M)]
    assert len({*anchors}) == len(anchors)
    assert {*re.findall(r"\]\(#([^)]*)\)", page)} <= {*anchors}
    for example in items.examples():
        readme = (example.folder / "README.md").read_text("utf-8")
        assert re.findall(r"docs/reports\.md#([^)]*)\)", readme) == [results.anchor(example.report)]


def test_one_seed_of_each_network_takes_its_part_of_the_hours(
    results: ModuleType, twins: Path
) -> None:
    found = read_results(twins)  # every run takes as long
    seeds = {len(row.runs) for row in found.rows}
    assert len(seeds) == 1
    whole, part = results.planned(found), results.planned(found, one_seed=True)
    assert part > 0
    assert whole == pytest.approx(part * seeds.pop())


def test_what_is_chosen_by_a_number_is_every_item_that_has_it(items: ModuleType) -> None:
    (example,) = (one for one in items.examples() if one.folder.name == "002-cifar10")

    def names(said: str) -> list[str]:
        return [item.name for item in items.chosen(example.items, said)]

    assert names("Figure 9") == ["Figures 1, 5, 6, 8 and 9", "Figure 9, for longer"]
    assert names("Figure 9, for longer") == ["Figure 9, for longer"]
    assert names("table i") == names("Figure 4") == ["Table I and figure 4"]
    assert names("Section II") == ["Section II"]
    assert names("Figure 10") == ["Section III.B, figure 10"]
    assert names("Figure") == names("Figure 11") == []


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in (ROOT / "examples").glob("*/results/*/plan.json")),
    ids=lambda folder: folder.name,
)  # fmt: skip
def test_the_tables_that_are_kept_are_those_of_the_runs_beside_them(folder: Path) -> None:
    texts = table_texts(tables_of(read_results(folder)))
    assert {name: (folder / "report" / name).read_text("utf-8") for name in texts} == texts


def test_whatever_stands_for_a_run_is_told_where_a_command_has_it(
    results: ModuleType, items: ModuleType
) -> None:
    (example,) = (one for one in items.examples() if one.folder.name == "003-resnet34")
    page = "\n".join(results.sections(example.report, defaultdict(str)))
    (told,) = {line for line in page.splitlines() if line.startswith("RUN is ")}
    folder = re.search(r"`experiments/improved/(runs/\w+)`", page)
    assert folder is not None
    assert told.startswith("RUN is a finished run of final in improved.toml, such as ")
    (final,) = only(read_results(example.results("improved")), ("final",)).rows
    assert folder[1] in [run.job.folder for run in final.finished]


def test_a_verdict_is_bold_where_it_begins_and_has_a_point_for_each_detail(
    results: ModuleType, items: ModuleType, tmp_path: Path
) -> None:
    item = items.Item(
        "Figure 1", "a thing", ours="the rate", verdict="it is so; at 3.5 too. The rest is open",
        details=("more of it", "much " * 30),
    )  # fmt: skip
    example = items.Example(tmp_path, "Report", (item,))
    found = list(results.outcome(example, item, None))
    assert found[:2] == ["**It is so; at 3.5 too.** The rest is open.", "- More of it."]
    assert found[2].count("\n  much") == 1


def test_an_overview_has_how_a_verdict_begins(results: ModuleType, items: ModuleType) -> None:
    assert results.lead("it helps") == "it helps"
    assert results.lead("it helps (0.5 points); more later") == "it helps (0.5 points)"
    assert results.lead("it helps. It would; perhaps") == "it helps"
    leads = [results.lead(item.verdict) for one in items.examples() for item in one.items]
    assert all(lead.count("(") == lead.count(")") for lead in leads)
    assert max(len(lead.split()) for lead in leads) < 60


def test_hours_are_of_all_that_is_planned(
    results: ModuleType, items: ModuleType, make_job: Any, change_run: Any, tmp_path: Path
) -> None:
    jobs = [make_job("small", seed, work=1000) for seed in range(4)]
    wide = [make_job("wide", seed, work=3000) for seed in range(2)]
    known = items.Example(
        tmp_path / "000-known", "A", (items.Item("A", "a", experiment="x"), items.Item("B", "b"))
    )
    change_run.plan(known.results("x"), [*jobs, *wide])
    for one in jobs[:2]:
        change_run.run(known.results("x"), one)  # of 12.5 s each
    assert results.planned(results.kept(known, "x")) == pytest.approx(4 * 12.5 + 2 * 37.5)
    other = items.Example(tmp_path / "001-other", "B", (items.Item("C", "c", experiment="y"),))
    assert "about 0.0 hours (000-known) and 0.0 (001-other, without y.toml)" in (
        results.hours([known, other]).replace("\n", " ")
    )


def test_numbers_of_a_file_have_as_many_decimals_and_texts_stand_at_the_left(
    results: ModuleType,
) -> None:
    lines = [["true", "taken for", "part", "range"], ["a", "b", "0.24", "1 to 2"], ["c", "d 1", "0.1", "3 to 4"]]  # fmt: skip
    assert results.numbers_table(lines).splitlines() == [
        "| true | taken for | part | range |",
        "| --- | --- | ---: | ---: |",
        "| a | b | 0.24 | 1 to 2 |",
        "| c | d 1 | 0.10 | 3 to 4 |",
    ]


def test_a_table_has_parameters_time_and_what_was_changed(
    results: ModuleType, make_job: Any, change_run: Any, tmp_path: Path
) -> None:
    jobs = [
        make_job("base", 0, paper={"train": 0.9, "val": 0.505}),
        make_job("wide", 0, change="twice as wide", paper={"val": 0.682}),
    ]
    change_run.plan(tmp_path, [*jobs, make_job("deep", 0, change="deep")])
    for one in jobs:
        change_run.run(tmp_path, one)
    head, _, base, wide, deep = results.table(read_results(tmp_path)).splitlines()
    assert head == (
        "| network | parameters | epochs | report, train, % | report, val, % | train, % | val, % | gap, points | a run took | seeds |"
    )
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in (base, wide, deep)]
    assert [line[:5] for line in cells] == [
        ["base", "1,234", "4", "90", "50.5"], ["wide (twice as wide)", "1,234", "4", "", "68.2"],
        ["deep", "1,234", "4", "", ""],
    ]  # fmt: skip
    assert [line[-2:] for line in cells] == [["12.5 s", "1"], ["12.5 s", "1"], ["", ""]]


def test_how_far_runs_went_is_told_with_what_they_have_in_common(
    results: ModuleType, make_job: Any, change_run: Any, tmp_path: Path
) -> None:
    jobs = [make_job("A", 0), make_job("B", 0), make_job("B", 1)]
    change_run.plan(tmp_path, jobs)
    for one in jobs[:2]:
        change_run.run(tmp_path, one)
    single = results.extent(read_results(tmp_path))
    assert single.startswith("2 of 3 runs, cut to 4 epochs; 25.0 s of training on cpu, torch ")
    assert single.endswith("2.15.0, commit c0ffee012345. Accuracies are those of the last epoch.")
    change_run.run(tmp_path, jobs[2])
    for one in jobs:
        path = tmp_path / one["folder"] / "settings.json"
        record = json.loads(path.read_text())
        record["settings"]["compile"] = True
        path.write_text(json.dumps(record))
    several = results.extent(read_results(tmp_path))
    assert several.endswith(
        "2.15.0, compiled, commit c0ffee012345. ± is the standard deviation over seeds; accuracies "
        "are those of the last epoch."
    )


def test_a_figure_names_its_rows_that_were_not_run(items: ModuleType) -> None:
    page = (ROOT / "docs" / "reports.md").read_text("utf-8")
    for example in items.examples():
        for name in example.experiments:
            if not example.results(name).is_dir():
                continue
            kept = read_results(example.results(name))
            ran = {run.job.label for run in kept.runs if run.state == "finished"}
            for figure in kept.plan.figures:
                absent = [label for label in figure.rows if label not in ran]
                told = f" (not run: {', '.join(absent)})" if absent else ""
                assert f"![{figure.title}{told}](" in page


def test_what_is_kept_of_an_example_is_kept_alike_once_more(
    items: ModuleType, tmp_path: Path
) -> None:
    kept = items.read_example(FOLDERS[0]).results("net1")
    assert export(kept, tmp_path / "again") == 2
    files = [path.relative_to(kept) for path in kept.rglob("*.*") if "report" not in path.parts]
    assert len(files) == 11
    for path in files:
        assert (tmp_path / "again" / path).read_bytes() == (kept / path).read_bytes(), path


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ({"limit": 5000, "epochs": 8, "unit": "epochs", "milestones": []}, "5,000 training images, 8 epochs"),
        ({"classes": 10, "input": "3x32x32", "fit": True, "lr": 0.05}, "the first 10 classes, images of 3x32x32, lr 0.05"),
        ({"data": "cifar10", "seeds": 1, "unit": "epochs", "milestones": [2]}, "images of cifar10, 1 seed, unit epochs, milestones 2"),
        ({"data": "cifar10", "classes": 10, "epochs": 10}, "images of cifar10, 10 epochs"),
        ({"data": "cifar10", "classes": 5}, "images of cifar10, the first 5 classes"),
        ({}, ""),
    ],
)  # fmt: skip
def test_a_budget_is_told_in_words(
    budget: dict[str, object], said: str, results: ModuleType
) -> None:
    assert results.cut(budget) == said


def test_what_differs_in_precision_is_told_beside_a_table(
    results: ModuleType, items: ModuleType, twins: Path, tmp_path: Path
) -> None:
    example = items.Example(tmp_path, "A", ())
    item = items.Item("Table 1", "a", experiment="x")
    told = "Computed in bf16 (2 runs) and fp32 (10 runs): part of a difference between these may come\nfrom that."  # fmt: skip
    assert not any(
        "Computed" in part for part in results.outcome(example, item, read_results(twins))
    )
    for job in json.loads((twins / "plan.json").read_text())["jobs"][:2]:
        path = twins / job["folder"] / "settings.json"
        path.write_text(path.read_text().replace('"precision": "fp32"', '"precision": "bf16"'))
    found = [
        part for part in results.outcome(example, item, read_results(twins)) if "Computed" in part
    ]
    assert [part.replace("\n", " ") for part in found] == [told.replace("\n", " ")]


def test_a_budget_says_not_how_long_where_rows_differ(results: ModuleType) -> None:
    said = results.shared_budget
    budget = {"limit": 5000, "epochs": 12, "milestones": [8]}
    of = {n: SimpleNamespace(job=SimpleNamespace(epochs=n)) for n in (12, 36)}
    for rows, left in (((12, 12), budget), ((12, 36), {"limit": 5000}), ((36,), {"limit": 5000})):
        found = SimpleNamespace(plan=SimpleNamespace(budget=budget), rows=[of[n] for n in rows])
        assert said(found) == left
