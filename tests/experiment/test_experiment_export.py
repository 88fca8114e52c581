"""An experiment kept beside a text: the same tables from it, no weights, no places of a machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netdsl.experiment.export import export
from netdsl.experiment.report import write_report
from netdsl.train import TrainError


@pytest.fixture
def away(twins: Path) -> Path:
    """Give a finished experiment as a machine leaves it: with weights, logs and its own places."""
    folder = twins
    plan = json.loads((folder / "plan.json").read_text())
    for job in plan["jobs"]:
        run = folder / job["folder"]
        job["command"] = [
            "netdsl",
            "train",
            "/nets/tiny.arch",
            "--data-dir",
            "/data",
            "--run-dir",
            str(run.resolve()),
        ]
        job["arch"] = "/nets/tiny.arch"
        (run / "last.safetensors").write_bytes(b"weights")
        settings = json.loads((run / "settings.json").read_text())
        settings["asked"] |= {"data_dir": "/data", "init": "/weights/first.safetensors"}
        (run / "settings.json").write_text(json.dumps(settings))
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / "logs").mkdir()
    (folder / "logs" / "x.txt").write_text("epoch 1")
    return folder


def test_the_same_tables_come_from_what_is_kept(away: Path, tmp_path: Path) -> None:
    write_report(away)
    write_report(export(away, tmp_path / "kept"))
    for name in (
        "table.md",
        "table.csv",
        "runs.csv",
        "speed.csv",
        "differences.csv",
        "figures/accuracy.svg",
    ):
        assert (tmp_path / "kept" / "report" / name).read_bytes() == (
            away / "report" / name
        ).read_bytes()


def test_neither_weights_nor_logs_nor_places_are_kept(away: Path, tmp_path: Path) -> None:
    kept = export(away, tmp_path / "kept")
    files = [path for path in kept.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {
        "plan.json", "network.arch", "settings.json", "metrics.csv", "speed.csv", "summary.json",
    }  # fmt: skip
    text = "".join(path.read_text() for path in files)
    assert str(tmp_path) not in text
    assert "/data" not in text
    job = json.loads((kept / "plan.json").read_text())["jobs"][0]
    assert job["command"] == ["netdsl", "train", "tiny.arch", "--run-dir", job["folder"]]
    asked = json.loads((kept / job["folder"] / "settings.json").read_text())["asked"]
    assert (asked["data_dir"], asked["init"]) == (None, "first.safetensors")


def test_what_has_no_finished_run_is_not_kept(away: Path, tmp_path: Path) -> None:
    for summary in away.rglob("summary.json"):
        summary.unlink()
    with pytest.raises(TrainError) as caught:
        export(away, tmp_path / "kept")
    assert str(caught.value) == f"{away} has no finished run"
    assert not (tmp_path / "kept").exists()
    with pytest.raises(TrainError, match="is the experiment itself"):
        write_summary_and_export(away)


def write_summary_and_export(folder: Path) -> None:
    job = json.loads((folder / "plan.json").read_text())["jobs"][0]
    (folder / job["folder"] / "summary.json").write_text("{}")
    export(folder, folder)
