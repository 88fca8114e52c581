"""What was run again beside what is kept: equal, within the deviation, outside of it."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, Path], list[str]]:
    monkeypatch.syspath_prepend(ROOT / "examples")
    module = importlib.import_module("compare")
    return lambda now, kept: list(module.compared(now, kept))


def shifted(folder: Path, by: float) -> None:
    """Change the validation accuracy of every epoch of every run."""
    for path in folder.glob("runs/*/metrics.csv"):
        head, *lines = path.read_text().splitlines()
        place = head.split(",").index("val_accuracy")
        cells = [line.split(",") for line in lines]
        for row in cells:
            row[place] = str(float(row[place]) + by)
        path.write_text("\n".join([head, *(",".join(row) for row in cells)]) + "\n")


def without_others(folder: Path) -> None:
    """Leave one finished run a network, that of seed 0."""
    for job in json.loads((folder / "plan.json").read_text())["jobs"]:
        if job["seed"] > 0:
            (folder / job["folder"] / "summary.json").unlink()


def test_the_same_runs_are_equal(
    twins: Path, tmp_path: Path, compared: Callable[[Path, Path], list[str]]
) -> None:
    again = shutil.copytree(twins, tmp_path / "again")
    lines = compared(again, twins)
    assert len(lines) == 4
    assert all(line.endswith(", equal") for line in lines)


def test_seeds_that_both_have_are_compared_by_themselves(
    twins: Path, tmp_path: Path, compared: Callable[[Path, Path], list[str]]
) -> None:
    kept = Path(shutil.copytree(twins, tmp_path / "kept"))
    without_others(kept)
    lines = compared(twins, kept)
    assert len(lines) == 4
    assert all(line.endswith(", equal in seed 0, which both have") for line in lines)


def test_other_runs_are_within_the_deviation_or_outside(
    twins: Path, tmp_path: Path, compared: Callable[[Path, Path], list[str]]
) -> None:
    again = shutil.copytree(twins, tmp_path / "again")
    shifted(again, 0.001)
    ends = {line.partition(" now, ")[2] for line in compared(again, twins)}
    assert ends == {"+0.10 points, within 3 standard errors"}
    shifted(again, 10.0)
    ends = {line.partition(" now, ")[2] for line in compared(again, twins)}
    assert ends == {"+1000.10 points, outside 3 standard errors"}


def test_a_run_alone_is_compared_by_the_deviation_of_those_that_are_kept(
    twins: Path, tmp_path: Path, compared: Callable[[Path, Path], list[str]]
) -> None:
    again = Path(shutil.copytree(twins, tmp_path / "again"))
    shifted(again, 10.0)
    without_others(again)
    assert all(
        line.endswith(" points, outside 3 standard errors") for line in compared(again, twins)
    )
    kept = Path(shutil.copytree(twins, tmp_path / "kept"))
    without_others(kept)
    ends = {line.partition(" now, ")[2] for line in compared(again, kept)}
    assert ends == {"+1000.00 points; one seed says nothing of chance"}


def test_runs_that_are_not_finished_are_passed_over(
    twins: Path, tmp_path: Path, compared: Callable[[Path, Path], list[str]]
) -> None:
    again = shutil.copytree(twins, tmp_path / "again")
    for summary in again.rglob("summary.json"):
        summary.unlink()
    assert compared(again, twins) == []
