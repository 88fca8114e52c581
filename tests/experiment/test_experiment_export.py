"""What of an experiment is kept with a source: its numbers, its report, nothing of the machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from netdsl.cli.experiment import command as experiment
from netdsl.experiment.export import export
from netdsl.experiment.report import write_report
from netdsl.train import TrainError


@pytest.fixture
def machine(
    tmp_path: Path, make_job: Any, experiment: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An experiment with paths of all kinds, in a folder that is the present one."""
    monkeypatch.chdir(tmp_path)
    jobs = []
    for seed in (0, 1):
        job = make_job("Net 1", seed)
        run = str(tmp_path / "x" / job["folder"])
        command = ["netdsl", "train", f"{tmp_path}/nets/a.arch", "--data-dir", "/disk/data",
                   "--recipe", "/home/ada/slow.toml", "--run-dir", run]  # fmt: skip
        group = f"{command[2]}|weights=/home/ada/my weights.pth"
        jobs.append(job | {"command": command, "arch": command[2], "recipe": command[6],
                           "group": group})  # fmt: skip
    folder = experiment(jobs, recipe="/home/ada/slow.toml", data="digits, /disk/images")
    for job in jobs:
        settings = folder / job["folder"] / "settings.json"
        record = json.loads(settings.read_text())
        record["asked"] |= {"data_dir": "/disk/data", "data": {"data": "/disk/images", "limit": 3}}
        settings.write_text(json.dumps(record))
        (folder / job["folder"] / "last.safetensors").write_bytes(b"weights")
    return folder


def test_no_weights_and_no_paths_of_the_machine_are_kept(machine: Path, tmp_path: Path) -> None:
    out = Path("kept")
    done = CliRunner().invoke(experiment, ["export", str(machine), "-o", str(out)])
    assert (done.exit_code, done.stdout) == (0, "2 runs in kept\n")
    texts = [path.read_bytes() for path in out.rglob("*") if path.is_file()]
    for place in (str(tmp_path), "/disk", "/home/ada", "--data-dir", "weights\x00"):
        assert not any(place.encode() in text for text in texts), place
    assert not list(out.rglob("*.safetensors"))
    first = json.loads((out / "plan.json").read_text())["jobs"][0]
    assert first["group"] == "nets/a.arch|weights=my weights.pth"
    assert first["command"] == [
        "netdsl", "train", "nets/a.arch", "--recipe", "slow.toml",
        "--run-dir", f"kept/{first['folder']}",
    ]  # fmt: skip


def test_a_report_of_what_was_kept_is_that_of_the_experiment(machine: Path) -> None:
    out = Path("kept")
    write_report(machine)
    export(machine, out)
    for path in sorted((machine / "report").rglob("*.*")):
        if path.name != "report.html":  # it names the runs by where they lie
            assert (out / path.relative_to(machine)).read_bytes() == path.read_bytes(), path.name
    before = {path: path.read_bytes() for path in (out / "report").rglob("*.*")}
    write_report(out)
    assert {path: path.read_bytes() for path in (out / "report").rglob("*.*")} == before


def test_an_experiment_is_not_exported_onto_itself(machine: Path) -> None:
    with pytest.raises(TrainError) as caught:
        export(machine, Path("x"))
    assert str(caught.value) == "x is the experiment itself, or in it"


def test_a_label_keeps_no_path_and_its_figure_finds_it(
    experiment: Callable[..., Path], make_job: Callable[..., Any], tmp_path: Path
) -> None:
    label = "Net 1 weights=/home/ada/w.pth"
    folder = experiment([make_job(label, 0)])
    record = json.loads((folder / "plan.json").read_text())
    figure = {"name": "mine", "kind": "gap", "rows": [label], "title": ""}
    (folder / "plan.json").write_text(json.dumps({**record, "figures": [figure]}))
    assert export(folder, tmp_path / "copy") == 1
    kept = json.loads((tmp_path / "copy" / "plan.json").read_text())
    assert kept["jobs"][0]["label"] == "Net 1 weights=w.pth"
    assert kept["figures"] == [{**figure, "rows": ["Net 1 weights=w.pth"]}]
    assert (tmp_path / "copy" / "report" / "figures" / "mine.svg").is_file()


def test_why_a_run_failed_is_told_without_the_places_of_a_machine(
    experiment: Callable[..., Path], make_job: Callable[..., Any], tmp_path: Path
) -> None:
    folder = experiment([make_job("N", 0)])
    job = json.loads((folder / "plan.json").read_text())["jobs"][0]
    reason = "cannot read '/home/ada/w.pth': no answer from https://example.org/w.pth, 3/4 tried"
    failure = {"attempts": 1, "exit_code": 2, "reason": reason}
    (folder / job["folder"] / "failed.json").write_text(json.dumps(failure))
    (folder / job["folder"] / "summary.json").unlink()
    assert export(folder, tmp_path / "copy") == 0
    kept = json.loads((tmp_path / "copy" / job["folder"] / "failed.json").read_text())
    assert kept == {**failure, "reason": reason.replace("/home/ada/", "")}
