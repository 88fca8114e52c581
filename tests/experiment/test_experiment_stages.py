"""A training by stages in an experiment: its own folders count, not what was reproduced there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from netdsl.cli.resolve_line import resolve_line
from netdsl.experiment.attempt import checkpoint_times, line_of
from netdsl.experiment.definition import read_definition
from netdsl.experiment.export import export
from netdsl.experiment.outlook import seconds_left
from netdsl.experiment.plan import Job, read_plan, write_plan
from netdsl.experiment.planning import make_plan
from netdsl.experiment.report.write import read_results
from netdsl.experiment.stages import stages_of
from netdsl.experiment.state import Phase, look
from netdsl.train import Settings

Make = Callable[..., Any]


@pytest.fixture
def staged(change_run: Any, make_job: Make, tmp_path: Path) -> Path:
    """An experiment of a training by stages, of two and of three epochs."""
    last = make_job("N", 0, epochs=5, work=100)
    key = last["key"]
    stages = [last | {"folder": f"runs/{key}/{name}"} for name in ("1-head", "2-all-groups")]
    change_run.plan(tmp_path / "x", [stages[1]])
    for stage, epochs in zip(stages, (2, 3), strict=True):
        change_run.run(tmp_path / "x", stage, epochs)
    return tmp_path / "x"


def reproduce(stage: Path) -> None:
    """Leave what `netdsl reproduce STAGE` does."""
    shutil.copytree(stage, stage.with_name(f"{stage.name}-again"))


def the_job(folder: Path) -> Job:
    (job,) = read_plan(folder).jobs
    return job


@pytest.mark.parametrize("name", ["1-head", "2-all-groups", "both"])
def test_what_was_reproduced_is_no_stage(staged: Path, tmp_path: Path, name: str) -> None:
    job = the_job(staged)
    run = staged / "runs" / job.key
    own = [run / "1-head", run / "2-all-groups"]
    before = read_results(staged)
    for stage in own:
        if name in (stage.name, "both"):
            reproduce(stage)
            reproduce(stage.with_name(f"{stage.name}-again"))
    assert list(stages_of(staged, job)) == own
    state = look(staged, job)
    assert (state.phase, state.epochs) == (Phase.FINISHED, 5)
    assert read_results(staged) == before
    assert export(staged, tmp_path / "copy") == 1
    kept = {path.parent.name for path in (tmp_path / "copy" / "runs").rglob("metrics.csv")}
    assert kept == {"1-head", "2-all-groups"}
    other = Job(**{field: getattr(job, field) for field in job.__slots__} | {
        "key": "o", "folder": "runs/o"})  # fmt: skip
    assert seconds_left(staged, [job, other], 1) == 25.0


def test_a_stage_that_was_reproduced_before_the_next_began_is_no_stage(staged: Path) -> None:
    job = the_job(staged)
    run = staged / "runs" / job.key
    shutil.rmtree(run / "2-all-groups")
    reproduce(run / "1-head")
    (run / "1-head" / "resume.pt").touch()
    (run / "1-head-again" / "resume.pt").touch()
    state = look(staged, job)
    assert (state.phase, state.epochs) == (Phase.CUT, 2)
    (outcome,) = read_results(staged).runs
    assert (outcome.state, len(outcome.epochs)) == ("unfinished", 2)
    assert len(checkpoint_times(staged, job)) == 1


def test_the_best_accuracy_of_a_run_is_that_of_all_its_stages(staged: Path) -> None:
    job = the_job(staged)
    first = staged / "runs" / job.key / "1-head" / "metrics.csv"
    head, *lines = first.read_text().splitlines()
    lines[1] = ",".join([*lines[1].split(",")[:7], "0.999", "1.0"])
    first.write_text("\n".join([head, *lines]) + "\n")
    (run,) = read_results(staged).runs
    assert look(staged, job).best == run.best_epoch.val_accuracy == 0.999


def test_a_stage_may_be_called_again(staged: Path) -> None:
    job = the_job(staged)
    run = staged / "runs" / job.key
    (run / "1-head").rename(run / "1-head-again")
    reproduce(run / "1-head-again")
    assert [stage.name for stage in stages_of(staged, job)] == ["1-head-again", "2-all-groups"]


def test_a_stage_that_has_not_begun_has_the_threads_of_those_that_have(staged: Path) -> None:
    job = the_job(staged)
    run = staged / "runs" / job.key
    shutil.rmtree(run / "2-all-groups")
    path = run / "1-head" / "settings.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "settings": Settings(threads=1, device="cpu").record()}))
    assert line_of(staged, job, 2) == (*job.command, "--threads", "1")
    shutil.rmtree(run)
    assert line_of(staged, job, 2) == (*job.command, "--threads", "2")
    assert line_of(staged, job, None) == job.command


def test_threads_of_a_recipe_are_those_that_its_runs_have(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text("[train]\nthreads = 1\n")
    (tmp_path / "tiny.arch").write_text("input 1x8x8 Conv 4 GAP FC classes")
    path = tmp_path / "x.toml"
    path.write_text('data = "digits"\nrecipe = "r.toml"\n[[network]]\narch = "tiny.arch"\n')
    plan, _ = make_plan(read_definition(path), tmp_path / "x", resolve_line)
    write_plan(plan, tmp_path / "x")
    job = the_job(tmp_path / "x")
    assert line_of(tmp_path / "x", job, 2) == job.command


def test_a_plan_of_an_older_version_tells_threads_by_its_settings(staged: Path) -> None:
    path = staged / "plan.json"
    plan = json.loads(path.read_text())
    (job,) = plan["jobs"]
    path.write_text(json.dumps({**plan, "jobs": [{**job, "set": {"threads": 3}}]}))
    assert (the_job(staged).has_threads, "has_threads" in job) == (True, False)
