"""Rows that differ in their labels alone share their runs, and each run counts once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from torch import nn

from netdsl.cli.experiment import command as experiment
from netdsl.cli.experiment_shown import closing
from netdsl.experiment.plan import Job, distinct, in_turn, read_plan
from netdsl.experiment.report.notes import progress, speed_notes
from netdsl.experiment.report.write import read_results
from netdsl.train import TrainError
from netdsl.train.prepare import prepare
from netdsl.train.training import Training

Make = Callable[..., Any]
FILE = """data = "digits"
limit = 300
set = { epochs = 3, threads = 1 }
seeds = [0, 1]
[[network]]
arch = "tiny.arch"
label = "A"
[[network]]
arch = "tiny.arch"
label = "B"
set = { lr = 0.1 }  # as it is
"""


@pytest.fixture
def shared(change_run: Any, make_job: Make, tmp_path: Path) -> Path:
    """Two rows of two seeds each, all finished, of which the second shares the first's runs."""
    first = [make_job("A", seed) for seed in (0, 1)]
    change_run.plan(
        tmp_path / "x", [*first, *(one | {"label": "B", "group": "B"} for one in first)]
    )
    for one in first:
        change_run.run(tmp_path / "x", one)
    return tmp_path / "x"


@pytest.fixture
def planned(tmp_path: Path) -> Path:
    (tmp_path / "x.toml").write_text(FILE)
    (tmp_path / "tiny.arch").write_text("input 1x8x8 Conv 4 BB 8 GAP FC classes")
    return tmp_path / "x.toml"


def jobs_of(folder: Path) -> tuple[Job, ...]:
    return read_plan(folder).jobs


def test_a_run_goes_by_the_name_of_its_first_row(shared: Path) -> None:
    jobs = jobs_of(shared)
    assert [job.name for job in distinct(jobs)] == ["A seed 0", "A seed 1"]
    assert [job.name for job in in_turn(jobs)] == ["A seed 0", "A seed 1"]
    assert [job.name for job in distinct(jobs[2:])] == ["B seed 0", "B seed 1"]


def test_what_runs_took_is_summed_once(shared: Path) -> None:
    results = read_results(shared)
    assert "All finished runs together took 25.0 s." in " ".join(speed_notes(results))
    assert progress(results) == "2 of 2 runs are finished"


def test_finished_runs_are_counted_once(shared: Path) -> None:
    assert list(closing(shared, jobs_of(shared))) == [
        f"2 of 2 runs are finished; all of it in {shared}"
    ]
    (shared / jobs_of(shared)[0].folder / "summary.json").unlink()
    left, count = closing(shared, jobs_of(shared))
    assert left.startswith("A seed 0: ")
    assert count.startswith("1 of 2 runs is finished; ")
    done = CliRunner().invoke(experiment, ["status", str(shared)])
    assert done.stdout.splitlines()[-1] == f"t: 2 runs, 1 cut, 1 finished; in {shared}"


def test_a_damaged_run_hides_no_other_at_the_end(shared: Path) -> None:
    first, second = (shared / job.folder for job in distinct(jobs_of(shared)))
    for folder in (first, second):
        (folder / "summary.json").unlink()
    (first / "metrics.csv").write_text("junk")
    lines = closing(shared, jobs_of(shared))
    assert next(lines) == "A seed 0: damaged"
    assert next(lines).startswith("A seed 1: cut, ")
    assert next(lines) == f"0 of 2 runs are finished; all of it in {shared}"
    with pytest.raises(TrainError, match="is not a table of epochs"):
        next(lines)


def test_a_line_for_other_engines_stands_there_once(planned: Path) -> None:
    done = CliRunner().invoke(experiment, ["run", str(planned), "--print-jobs"])
    assert len(done.stdout.splitlines()) == 2
    only = ["--only", "B"]
    done = CliRunner().invoke(experiment, ["run", str(planned), "--print-jobs", *only])
    assert len(done.stdout.splitlines()) == 2


def test_what_all_of_it_takes_is_that_of_each_run_once(
    planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netdsl.experiment.forecasting.forecast", lambda *_: Took())
    done = CliRunner().invoke(experiment, ["plan", str(planned)])
    *_, row, total = done.stdout.splitlines()
    assert row == "A: 10.0 s a run, 1.00 GB, 2 runs to go"
    assert total == "all of it: 20.0 s, 1.00 GB with 1 at once"
    assert "other processes" not in done.stderr


def test_a_forecast_beside_other_processes_says_so_once(
    planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned.write_text(FILE.replace("lr = 0.1", "lr = 0.2"))
    took = Took(waited=0.37, is_disturbed=True)
    monkeypatch.setattr("netdsl.experiment.forecasting.forecast", lambda *_: took)
    done = CliRunner().invoke(experiment, ["plan", str(planned)])
    assert len(done.stdout.splitlines()) == 9  # two rows with their runs, two forecasts, and more
    assert done.stderr == (
        "other processes had the cores for 37% of the time that this was measured in: alone, a "
        "training is faster\n"
    )


def test_a_forecast_has_the_threads_of_each_of_several_runs_at_once(
    planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netdsl.experiment.shares.count_cores", lambda: 8)
    monkeypatch.setattr(
        "netdsl.experiment.forecasting.forecast", lambda _, __, settings: Took(settings.threads)
    )
    chosen = ["--only", "A", "--jobs", "4"]
    done = CliRunner().invoke(experiment, ["plan", str(planned), *chosen])
    assert done.stdout.splitlines()[-2].startswith("A: 1.0 s a run, ")  # the file says how many
    planned.write_text(FILE.replace(", threads = 1", ""))
    done = CliRunner().invoke(experiment, ["plan", str(planned), *chosen])
    assert done.stdout.splitlines()[-2].startswith("A: 2.0 s a run, ")


def test_a_forecast_is_of_what_learns_in_each_stage(
    planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning = []

    def watched(model: nn.Module, *rest: Any, **more: Any) -> Training:
        learning.append(sum(weight.requires_grad for weight in model.parameters()))
        return prepare(model, *rest, **more)

    monkeypatch.setattr(import_module("netdsl.train.forecast"), "prepare", watched)
    stages = "[[stage]]\nname = 'head'\nfreeze = ['body']\n[[stage]]\nname = 'all'\n"
    planned.with_name("staged.toml").write_text(f"about = 'by stages'\n{stages}")
    planned.write_text(f"recipe = 'staged.toml'\n{FILE}")
    done = CliRunner().invoke(experiment, ["plan", str(planned), "--only", "A"])
    assert (done.exit_code, learning) == (0, [2, 11]), done.output


@dataclass(frozen=True, slots=True)
class Took:
    """What a row is said to take."""

    seconds: float = 10.0
    peak_memory: float = 1e9
    waited: float = 0.0
    is_disturbed: bool = False
