"""Claims of the reports beside what was run of them: whether they hold, as far as chance lets one say."""

from __future__ import annotations

import importlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from netdsl.experiment.report.spread import Spread

ROOT = Path(__file__).parents[2]


@pytest.fixture
def claims(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for folder in ("examples", "docs"):
        monkeypatch.syspath_prepend(ROOT / folder)
    return importlib.import_module("claims")


@pytest.fixture
def folder(twins: Path, tmp_path: Path) -> Path:
    """An example that holds what is kept of an experiment x."""
    folder = tmp_path / "000-some"
    shutil.copytree(twins, folder / "results" / "x")
    return folder


@pytest.mark.parametrize(
    ("value", "expected", "said"),
    [
        (Spread(0.05, 0.01, 3), "better", "holds"),
        (Spread(-0.05, 0.01, 3), "worse", "holds"),
        (Spread(0.05, 0.01, 3), "worse", "refuted: better"),
        (Spread(-0.05, 0.01, 3), "better", "refuted: worse"),
        (Spread(-0.05, 0.01, 3), "alike", "refuted: worse"),
        (Spread(-0.05, 0.0121, 3), "alike", "open: worse, perhaps by less than 2"),
        (Spread(0.05, 0.1, 3), "better", "open"),
        (Spread(0.05, 0.1, 3), "alike", "open"),
        (Spread(0.03, 0.01, 3), "alike", "open: better, perhaps by less than 2"),
        (Spread(0.001, 0.001, 3), "alike", "holds"),
        (Spread(0.015, 0.001, 3), "alike", "holds"),
        (Spread(0.019, 0.001, 3), "alike", "open: better, perhaps by less than 2"),
        (Spread(0.05, None, 1), "better", "open: one seed"),
        (Spread(0.05, 0.0, 3), "better", "open: the same in 3 seeds"),
        (Spread(0.0, 0.0, 2), "alike", "open: the same in 2 seeds"),
        (Spread(0.01, 0.0, 3), "alike", "open: the same in 3 seeds"),
    ],
)
def test_an_interval_decides(claims: ModuleType, value: Spread, expected: str, said: str) -> None:
    items = importlib.import_module("items")
    assert claims.verdict(value, items.Claim("", "x", "a", "b", expected)) == said


@pytest.mark.parametrize(
    ("mean", "expected", "said"),
    [
        (0.05, "larger", "holds"),
        (0.05, "smaller", "refuted: larger"),
        (-0.05, "smaller", "holds"),
        (-0.05, "larger", "refuted: smaller"),
    ],
)
def test_a_claim_may_be_of_the_gap(
    claims: ModuleType, mean: float, expected: str, said: str
) -> None:
    items = importlib.import_module("items")
    claim = items.Claim("", "x", "a", "b", expected, measure="gap")
    assert claims.verdict(Spread(mean, 0.01, 3), claim) == said


def test_a_claim_is_told_with_difference_interval_and_seeds(
    claims: ModuleType, folder: Path
) -> None:
    items = importlib.import_module("items")
    made = [
        items.Claim("it helps", "x", "Net 1", "Net 1, plain", "better"),
        items.Claim("nobody ran it", "y", "Net 1", "Net 6", "better", central=True),
    ]
    example = items.Example(folder, "Report", (), tuple(made))
    wider = items.Claim("it overfits", "x", "Net 1", "Net 1, plain", "larger", measure="gap")
    (gap,) = claims.table([replace(example, claims=(wider,))]).splitlines()[2:]
    head, rule, ran, other = claims.table([example]).splitlines()
    assert head == "| report | claim | here | difference | 95 % interval | seeds |"
    assert rule == "| --- | --- | --- | ---: | ---: | ---: |"
    cells = [cell.strip() for cell in ran.strip("|").split("|")]
    assert cells[:2] == ["000", "it helps"]
    low, high = (float(end.replace("−", "-")) for end in cells[4].split(" to "))
    assert low < float(cells[3].replace("−", "-")) < high
    assert cells[5] == "3"
    assert [cell.strip() for cell in gap.strip("|").split("|")][3] != cells[3]
    assert other == "| 000 | **nobody ran it** | not run |  |  |  |"


def test_a_claim_may_compare_rows_of_two_experiments_and_all_are_counted(
    claims: ModuleType, twins: Path, tmp_path: Path
) -> None:
    items = importlib.import_module("items")
    folder = tmp_path / "000-some"
    for name in ("x", "y"):
        shutil.copytree(twins, folder / "results" / name)
    one = items.Claim("it helps", "x", "Net 1", "Net 1, plain", "better")
    other = replace(one, than_in="y")
    absent = replace(one, than_in="z")
    first, second, third = claims.table(
        [items.Example(folder, "Report", (), (one, other, absent))]
    ).splitlines()[2:]
    assert first == second
    assert third == "| 000 | it helps | not run |  |  |  |"
    itself = replace(one, than="Net 1", than_in="y", expected="alike")
    said = claims.counts([items.Example(folder, "Report", (), (itself, absent, absent))])
    assert said == "000: 1 open, 2 not run."


def test_a_claim_leads_to_the_first_item_of_its_experiment(
    claims: ModuleType, tmp_path: Path
) -> None:
    items = importlib.import_module("items")
    shown = [items.Item(name, "what 3×3 gives", experiment="x") for name in ("Table 1", "Figure 2")]
    claim = items.Claim("it helps", "x", "Net 1", "Net 6", "better", central=True)
    *_, line = claims.table(
        [items.Example(tmp_path, "Report", tuple(shown), (claim,))]
    ).splitlines()
    assert "| [**it helps**](#table-1-what-33-gives) | not run |" in line


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ("better", "open: precision differs in 2 of 3 pairs"),
        ("alike", "open: precision differs in 2 of 3 pairs"),
    ],
)
def test_a_claim_on_runs_of_different_precision_says_so(
    claims: ModuleType, folder: Path, expected: str, said: str
) -> None:
    items = importlib.import_module("items")
    for job in json.loads((folder / "results" / "x" / "plan.json").read_text())["jobs"][1:3]:
        path = folder / "results" / "x" / job["folder"] / "settings.json"
        path.write_text(path.read_text().replace('"precision": "fp32"', '"precision": "bf16"'))
    claim = items.Claim("it helps", "x", "Net 1", "Net 1, plain", expected)
    example = items.Example(folder, "Report", (), (claim,))
    (line,) = claims.table([example]).splitlines()[2:]
    assert f"| it helps | {said} |" in line
    assert claims.counts([example]) == "000: 1 open."
    told = claims._with_precision("refuted: worse", claims._differences(example, claim))
    assert told == "refuted: worse; precision differs in 2 of 3 pairs"


def test_a_claim_may_be_of_the_mean_over_pairs_of_rows_and_be_added_after_the_runs(
    claims: ModuleType, folder: Path
) -> None:
    items = importlib.import_module("items")
    first = items.Claim("it helps", "x", "Net 1", "Net 1, plain", "better")
    second = replace(first, row="Net 6", than="Net 6, plain")
    mean = replace(first, also=(("Net 6", "Net 6, plain"),), afterwards=True)
    example = items.Example(folder, "Report", (), (first, second, mean))
    lines = claims.table([example]).splitlines()[2:]
    assert lines[2].startswith("| 000 | it helps (added after the runs) | ")
    one, other, both = (
        float(line.split("|")[4].replace("−", "-")) for line in lines
    )  # fmt: skip
    assert both == pytest.approx((one + other) / 2, abs=0.011)
    assert lines[2].endswith(" | 3 |")
    (folder / "report.toml").write_text(
        'report = "A"\nitem = []\n[[claim]]\nsays = "it helps"\nexperiment = "x"\nrow = "Net 1"\n'
        'than = "Net 1, plain"\nexpected = "better"\nalso = [["Net 6", "Net 6, plain"]]\n'
        "afterwards = true\n"
    )
    assert items.read_example(folder).claims == (mean,)


def test_a_claim_that_one_difference_is_larger_is_of_the_difference_of_both(
    claims: ModuleType, folder: Path
) -> None:
    items = importlib.import_module("items")
    one = items.Claim("it helps", "x", "Net 1", "Net 1, plain", "better")
    more = replace(one, says="it helps more than itself", beyond=("Net 1", "Net 1, plain"))
    back = replace(one, says="it helps twice", beyond=("Net 1, plain", "Net 1"))
    example = items.Example(folder, "Report", (), (one, more, back))
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in claims.table([example]).splitlines()[2:]
    ]
    once, none, twice = (float(line[3].replace("−", "-")) for line in cells)
    assert none == 0
    assert twice == pytest.approx(2 * once, abs=0.011)
    assert once != 0
    assert [line[5] for line in cells] == ["3", "3", "3"]


def test_whose_a_claim_is_and_how_it_came_about_stands_behind_it_and_is_counted(
    claims: ModuleType, folder: Path
) -> None:
    items = importlib.import_module("items")
    one = items.Claim("it helps", "y", "Net 1", "Net 1, plain", "better")
    made = (
        one, replace(one, ours=True), replace(one, afterwards=True, ours=True),
        replace(one, note="with a seed more"),
    )  # fmt: skip
    example = items.Example(folder, "Report", (), made, stands_in="CIFAR-10")
    told = [line.split(" | ")[1] for line in claims.table([example]).splitlines()[2:]]
    assert told == [
        "it helps", "it helps (ours)", "it helps (ours, added after the runs)",
        "it helps (with a seed more)",
    ]  # fmt: skip
    assert claims.counts([example]) == (
        "000, on CIFAR-10: 4 not run (2). "
        "In brackets: how many of these are ours or were added after the runs."
    )
