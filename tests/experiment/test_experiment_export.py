"""What of an experiment is kept with a source: its numbers, its report, nothing of the machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from netdsl.cli.experiment import command
from netdsl.experiment.export import export
from netdsl.experiment.labels import group_all, label_all
from netdsl.experiment.line import train_line
from netdsl.experiment.plan import read_plan
from netdsl.experiment.report import write_report
from netdsl.experiment.variant import Variant
from netdsl.train import TrainError

Make = Callable[..., Any]


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
    done = CliRunner().invoke(command, ["export", str(machine), "-o", str(out)])
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


def test_a_group_keeps_no_path(
    experiment: Callable[..., Path], make_job: Callable[..., Any], tmp_path: Path
) -> None:
    kept = {
        "net1|weights=/home/bob/lr=0.1/best.safetensors": "net1|weights=best.safetensors",
        "/home/bob/a=b/net.arch|n=3": "net.arch|n=3",
        "/home/bob/net.arch|n=3|weights=/disk/my own/w=1.pth|lr=0.1": "net.arch|n=3|weights=w=1.pth|lr=0.1",
        "a=b/net.arch|n=3": "a=b/net.arch|n=3",
    }
    jobs = [
        make_job(f"N{n}", 0, group=group, arch=group.partition("|")[0])
        for n, group in enumerate(kept)
    ]
    assert export(experiment(jobs), tmp_path / "copy") == 4
    found = json.loads((tmp_path / "copy" / "plan.json").read_text())["jobs"]
    assert [job["group"] for job in found] == [*kept.values()]
    assert [job["arch"] for job in found] == [group.partition("|")[0] for group in kept.values()]


def jobs_with_paths(make_job: Callable[..., Any], place: Path) -> tuple[list[Any], Variant]:
    """Return two runs as a plan has them whose files all lie below a place."""
    variant = Variant(
        f"{place}/aZq/net.arch", recipe=f"{place}/bZq/r.toml", weights=f"{place}/cZq/w.pth",
        data=f"{place}/imgs", data_dir=f"{place}/dZq", set={"lr": 0.1},
        params={"n": 3, "init": f"{place}/eZq/i.txt"},
    )  # fmt: skip
    variants = [variant, Variant("net1", data="digits")]
    labels, groups = label_all(variants, ["Net", "Net"]), group_all(variants)
    jobs = [
        make_job(label, 0, group=group, arch=one.arch, recipe=one.recipe, overrides=one.params,
                 set=one.set, command=train_line(one, 0, place / "elsewhereZq" / "runs" / "k"))
        for one, label, group in zip(variants, labels, groups, strict=True)
    ]  # fmt: skip
    return jobs, variant


@pytest.mark.parametrize("name", ["lr=0.1", "a|b, weights=1", 'my own: it\'s "(1)"'])
def test_no_name_of_a_folder_of_the_machine_is_kept_whatever_stands_in_it(
    experiment: Callable[..., Path], make_job: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    jobs, variant = jobs_with_paths(make_job, tmp_path / "homeZq" / name / "belowZq")
    figure = {"name": "mine", "kind": "gap", "rows": [jobs[0]["label"]], "title": ""}
    folder = experiment(
        jobs, f"homeZq/{name}/x", data=f"{variant.data}, digits", recipe=variant.recipe,
        budget={"data": variant.data, "epochs": 4}, figures=[figure],
    )  # fmt: skip
    run = folder / jobs[0]["folder"]
    (run / "summary.json").unlink()
    reason = f"cannot read '{variant.weights}': {run}/metrics.csv is no table. See {variant.data}."
    (run / "failed.json").write_text(json.dumps({"attempts": 1, "exit_code": 2, "reason": reason}))
    assert export(folder, tmp_path / "copy") == 1
    kept = {
        path: path.read_text() for path in (tmp_path / "copy").rglob("*.*") if path.suffix != ".png"
    }
    for told in (str(tmp_path), "Zq/", "Zq\\"):
        assert [path.name for path, text in kept.items() if told in text] == [], told
    record = json.loads(kept[tmp_path / "copy" / "plan.json"])
    first = record["jobs"][0]
    assert first["group"].startswith("net.arch|n=3|init=i.txt|lr=0.1|recipe=r.toml|data=imgs|")
    assert first["overrides"] == {"n": 3, "init": "i.txt"}
    assert (record["data"], record["recipe"], record["budget"]["data"]) == (
        "imgs, digits",
        "r.toml",
        "imgs",
    )
    told = json.loads(kept[tmp_path / "copy" / jobs[0]["folder"] / "failed.json"])["reason"]
    assert (
        told == f"cannot read 'w.pth': copy/{jobs[0]['folder']}/metrics.csv is no table. See imgs."
    )


def test_what_was_kept_is_kept_alike_once_more(machine: Path, tmp_path: Path) -> None:
    export(machine, Path("kept"))
    export(Path("kept"), tmp_path / "again")
    again = {
        path.relative_to(tmp_path / "again"): path.read_bytes()
        for path in (tmp_path / "again").rglob("*.*")
    }
    text = again[Path("plan.json")].decode().replace("again/runs/", "kept/runs/")
    assert text == Path("kept/plan.json").read_text()
    for path, content in again.items():
        if path.name not in {"plan.json", "report.html"}:  # these name the copy
            assert content == ("kept" / path).read_bytes(), path


def test_what_the_experiment_has_no_more_is_kept_no_more(
    experiment: Make, make_job: Make, tmp_path: Path
) -> None:
    folder, out = experiment([make_job(label, 0) for label in ("a", "b")]), tmp_path / "kept"
    a, b = (job.folder for job in read_plan(folder).jobs)
    assert export(folder, out) == 2
    shutil.copytree(out / a, out / "runs" / "formerly-planned")
    (out / a / "notes.txt").write_text("a person's own")
    shutil.rmtree(folder / a)
    assert export(folder, out) == 1
    assert [path.name for path in (out / a).iterdir()] == ["notes.txt"]
    assert sorted((out / "runs").iterdir()) == sorted([out / a, out / b])


def test_a_run_that_rows_share_is_counted_once(
    experiment: Make, make_job: Make, change_run: Any, tmp_path: Path
) -> None:
    one = make_job("a", 0)
    folder = experiment([one])
    change_run.plan(folder, [one, one | {"label": "b", "group": "b"}])
    done = CliRunner().invoke(command, ["export", str(folder), "-o", str(tmp_path / "kept")])
    assert done.stdout == f"1 run in {tmp_path / 'kept'}\n"
