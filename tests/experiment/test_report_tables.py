"""The tables of a report: each cell against the run folders, every format, what is not finished."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netdsl.experiment.plan import KINDS, Job, read_plan, write_plan
from netdsl.experiment.report import show_report, write_report
from netdsl.experiment.report.bars import draw_differences
from netdsl.experiment.report.headline import findings, summary
from netdsl.experiment.report.notes import difference_notes
from netdsl.experiment.report.page import to_page
from netdsl.experiment.report.tables import tables_of
from netdsl.experiment.report.write import read_results, table_texts
from netdsl.train import TrainError

T2 = 4.302652729911275  # Student's t, two degrees of freedom, 95 %
SAMPLE, VAL = 5, 7  # columns of metrics.csv
Make = Callable[..., Any]


def table(folder: Path, name: str = "table") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "report" / f"{name}.csv").read_text())))


def write_tables(folder: Path) -> None:
    """Write the tables of a report alone: pictures take seconds."""
    (folder / "report").mkdir(exist_ok=True)
    for name, text in table_texts(tables_of(read_results(folder))).items():
        (folder / "report" / name).write_text(text)


def plan(folder: Path) -> list[dict[str, Any]]:
    return list(json.loads((folder / "plan.json").read_text())["jobs"])


def of_row(folder: Path, line: dict[str, str], metrics: Make) -> np.ndarray:
    """The metrics of the seeds of a line: seeds x epochs x columns."""
    jobs = [
        j
        for j in plan(folder)
        if (j["label"], j["plain"]) == (line["network"], line["shortcuts"] == "plain")
    ]
    return np.stack([metrics(folder, j) for j in jobs])


def test_every_accuracy_is_that_of_the_run_folders(twins: Path, metrics: Make) -> None:
    write_tables(twins)
    lines = table(twins)
    assert [(line["network"], line["shortcuts"]) for line in lines] == [
        ("Net 1", "residual"), ("Net 1", "plain"), ("Net 6", "residual"), ("Net 6", "plain"),
    ]  # fmt: skip
    for line in lines:
        runs = of_row(twins, line, metrics)
        last = runs[:, -1]
        gap = last[:, SAMPLE] - last[:, VAL]
        best = runs[:, :, VAL].max(1)
        epochs = runs[:, :, VAL].argmax(1) + 1
        for name, numbers in (
            ("train_accuracy", last[:, SAMPLE]),
            ("val_accuracy", last[:, VAL]),
            ("gap", gap),
            ("best_val_accuracy", best),
        ):
            assert float(line[name]) == pytest.approx(numbers.mean(), abs=1e-12)
            assert float(line[f"{name}_sd"]) == pytest.approx(numbers.std(ddof=1), abs=1e-12)
        assert (int(line["best_epoch_first"]), int(line["best_epoch_last"])) == (
            epochs.min(),
            epochs.max(),
        )
        assert (line["runs_finished"], line["runs_planned"]) == ("3", "3")


def test_network_and_paper_are_those_of_the_plan(twins: Path) -> None:
    write_tables(twins)
    first, _, third, _ = table(twins)
    assert [first[key] for key in ("depth", "params", "macs", "paper_train", "paper_val")] == [
        "15",
        "6647176",
        "5678900",
        "0.72",
        "0.49",
    ]
    assert (third["paper_train"], third["paper_val"]) == ("", "")


def test_twins_differ_by_seed(twins: Path, metrics: Make) -> None:
    write_tables(twins)
    lines = table(twins, "differences")
    assert lines
    for line in lines:
        pair = [
            of_row(twins, {"network": line["network"], "shortcuts": word}, metrics)[:, -1]
            for word in ("residual", "plain")
        ]
        for name, take in (
            ("val", lambda m: m[:, VAL]),
            ("train", lambda m: m[:, SAMPLE]),
            ("gap", lambda m: m[:, SAMPLE] - m[:, VAL]),
        ):
            found = take(pair[0]) - take(pair[1])
            half = T2 * found.std(ddof=1) / math.sqrt(3)
            assert float(line[f"{name}_difference"]) == pytest.approx(found.mean(), abs=1e-12)
            assert float(line[f"{name}_low"]) == pytest.approx(found.mean() - half, abs=1e-9)
            assert float(line[f"{name}_high"]) == pytest.approx(found.mean() + half, abs=1e-9)
        assert line["pairs"] == "3"


def test_only_seeds_that_both_twins_have_are_paired(
    experiment: Make, make_job: Make, metrics: Make
) -> None:
    jobs = [
        make_job("N", seed, plain=plain)
        for plain, seeds in ((False, (2, 0)), (True, (0, 1, 2)))
        for seed in seeds
    ]
    folder = experiment(jobs)
    write_tables(folder)
    (line,) = table(folder, "differences")
    by_seed = {(j["plain"], j["seed"]): metrics(folder, j)[-1, VAL] for j in jobs}
    found = [by_seed[False, seed] - by_seed[True, seed] for seed in (0, 2)]
    assert (line["pairs"], line["pairs_planned"]) == ("2", "3")
    text = (folder / "report/table.md").read_text()
    assert text.count("| 2 of 3 |") == 1
    assert (
        "Where pairs are fewer than runs, the means above are of other seeds too, and their "
        "difference may be another one."
    ) in text
    assert float(line["val_difference"]) == pytest.approx(np.mean(found), abs=1e-12)


@pytest.mark.parametrize(
    ("rows", "headline", "compared"),
    [
        (["A", "A plain", "B", "B plain"], "2 networks, residual and plain", ["A", "B"]),
        (["A", "A plain", "B"], "2 networks, 1 of them with its plain twin", ["A"]),
        (["A", "A plain", "B", "B plain", "C"],
         "3 networks, 2 of them with their plain twins", ["A", "B"]),
        (["A", "B plain"], "2 networks", []),
        (["A", "A plain", "A same"], "2 networks, 1 of them with its plain twin", ["A"]),
        (["A", "A other plain"], "1 network, residual and plain", ["A"]),
    ],
)  # fmt: skip
def test_the_headline_counts_the_networks_that_have_twins(
    experiment: Make, make_job: Make, rows: list[str], headline: str, compared: list[str]
) -> None:
    names = [(row.removesuffix(" plain"), row.endswith(" plain")) for row in rows]
    jobs = [make_job(label, 0, plain=plain, group=label[0]) for label, plain in names]
    results = read_results(experiment(jobs))
    assert summary(results).partition(", on ")[0] == headline
    assert [found.name for found in results.differences] == compared


def test_changes_are_compared_with_the_base(
    experiment: Make, make_job: Make, metrics: Make
) -> None:
    jobs = [make_job(label, seed, change=change, group="g", plain=label == "B")
            for label, change in (("A", None), ("B", "shortcuts off"), ("C", "norm off")) for seed in (0, 1, 2)]  # fmt: skip
    folder = experiment(jobs)
    write_tables(folder)
    lines = table(folder, "differences")
    last = {(j["label"], j["seed"]): metrics(folder, j)[-1, VAL] for j in jobs}
    assert [line["network"] for line in lines] == ["shortcuts off", "norm off"]
    for line, label in zip(lines, "BC", strict=True):
        expected = np.mean([last[label, seed] - last["A", seed] for seed in (0, 1, 2)])
        assert float(line["val_difference"]) == pytest.approx(expected, abs=1e-12)


def test_twins_that_differ_in_stochastic_depth_too_are_told(
    experiment: Make, make_job: Make
) -> None:
    jobs = [make_job(label, 0, plain=plain, stochastic_depth=label == "A" and not plain)
            for label in "AB" for plain in (False, True)]  # fmt: skip
    assert difference_notes(read_results(experiment(jobs)))[-1] == (
        "A: stochastic depth goes with the shortcuts, so residual − plain is of both; "
        "with drop_path 0, of shortcuts alone."
    )
    base, off = (make_job(label, 0, group="g", plain=label == "B", stochastic_depth=label == "A",
                          change="off" if label == "B" else None) for label in "AB")  # fmt: skip
    notes = " ".join(difference_notes(read_results(experiment([base, off], "y"))))
    assert "stochastic" not in notes


def test_intervals_are_said_to_be_over_seeds_alone(twins: Path, change_run: Any) -> None:
    told = (
        "They are over seeds alone, each time on the same validation images: other images would "
        "add to them."
    )
    assert told in tables_of(read_results(twins))[1].notes
    change_run.plan(twins, [job | {"val_images": 360} for job in plan(twins)])
    counted = told.replace("validation images", "360 validation images")
    assert counted in tables_of(read_results(twins))[1].notes
    change_run.plan(twins, [job for job in plan(twins) if job["seed"] == 0])
    assert told not in tables_of(read_results(twins))[1].notes


def test_a_run_that_diverged_is_named_beside_what_is_compared_without_it(
    experiment: Make, make_job: Make
) -> None:
    jobs = [make_job("N", seed, plain=plain) for plain in (False, True) for seed in (0, 1, 2)]
    folder = experiment(jobs)
    for job, code in ((jobs[2], 4), (jobs[4], 5)):
        (folder / job["folder"] / "summary.json").unlink()
        record = {"attempts": 3, "exit_code": code, "reason": "as it is"}
        (folder / job["folder"] / "failed.json").write_text(json.dumps(record))
    (said,) = findings(read_results(folder))
    assert said.endswith("; one seed says nothing of chance. Diverged: N, seed 2.")


def test_equal_differences_say_nothing_of_chance(experiment: Make, make_job: Make) -> None:
    jobs = [make_job("N", seed, plain=plain) for plain in (False, True) for seed in (0, 1, 2)]
    folder = experiment(jobs)
    for job, plain in zip(jobs, (5000, 5013, 5077) * 2, strict=True):
        path = folder / job["folder"] / "metrics.csv"
        *lines, last = path.read_text().splitlines()
        cells = last.split(",")
        cells[VAL] = str((plain if job["plain"] else plain + 258) / 10_000)
        path.write_text("\n".join([*lines, ",".join(cells)]) + "\n")
    assert findings(read_results(folder)) == (
        "N, residual − plain: +2.58 points in validation, alike in 3 seeds, which says nothing of "
        "chance.",
    )
    write_tables(folder)
    (line,) = table(folder, "differences")
    assert (line["val_difference_sd"], line["val_low"], line["val_high"]) == ("0.0", "", "")
    for name in ("table.md", "table.tex", "table.html"):
        text = (folder / "report" / name).read_text()
        assert "none (alike)" in text
        assert "Differences that are alike in all seeds say nothing of chance." in text
    figure = draw_differences(read_results(folder))
    assert len(figure.axes[0].containers) == 1  # the bar, and no interval
    assert "none (alike)" in {text.get_text() for text in figure.axes[0].texts}


def test_one_seed_gives_no_interval(experiment: Make, make_job: Make) -> None:
    folder = experiment([make_job("N", 0, plain=plain) for plain in (False, True)])
    write_tables(folder)
    (line,) = table(folder, "differences")
    assert (line["val_difference_sd"], line["val_low"], line["val_high"]) == ("", "", "")
    text = (folder / "report/table.md").read_text()
    assert "| none (n = 1) |" in text
    assert "One pair gives no interval." in text
    assert "A row of one run has no deviation." in text


def test_runs_that_did_not_finish_are_counted_and_not_averaged(
    twins: Path, metrics: Make, change_run: Any
) -> None:
    cut, failed, waiting = (job for job in plan(twins) if job["label"] == "Net 1" and job["plain"])
    change = twins / failed["folder"]
    for name in ("summary.json",):
        (twins / cut["folder"] / name).unlink()
        (change / name).unlink()
    for file in (twins / waiting["folder"]).iterdir():
        file.unlink()
    reason = "the loss became nan in step 7\nand | so on"
    (change / "failed.json").write_text(
        json.dumps({"attempts": 2, "exit_code": 4, "reason": reason})
    )
    write_tables(twins)
    residual, plain, why, *_ = table(twins)
    assert (plain["runs_finished"], plain["runs_planned"], plain["val_accuracy"]) == ("0", "3", "")
    assert residual["runs_finished"] == "3"
    assert (why["network"], why["failed_seed"], why["failure"]) == (
        "Net 1",
        "1",
        "failed (exit 4, 2 attempts): the loss became nan in step 7 and | so on",
    )
    assert [run["state"] for run in table(twins, "runs")[3:6]] == [
        "unfinished",
        "failed",
        "waiting",
    ]
    markdown = (twins / "report/table.md").read_text()
    assert (
        "9 of 12 runs are finished; 1 has begun and is not finished; 1 has not begun; 1 failed; only finished runs are in the means."
        in markdown
    )
    assert r"the loss became nan in step 7 and \| so on" in markdown
    assert r"Net 1, plain, seed 1 & \multicolumn{12}" in (twins / "report/table.tex").read_text()
    assert findings(read_results(twins))[0] == (
        "Net 1, residual − plain: no seed is finished in both. Diverged: Net 1, plain, seed 1."
    )


def test_a_run_that_was_killed_has_not_failed(twins: Path) -> None:
    killed = plan(twins)[0]
    (twins / killed["folder"] / "summary.json").unlink()
    failure = {"attempts": 1, "exit_code": 137, "reason": "killed by SIGKILL"}
    (twins / killed["folder"] / "failed.json").write_text(json.dumps(failure))
    write_tables(twins)
    assert [run["state"] for run in table(twins, "runs")[:2]] == ["unfinished", "finished"]


def test_a_report_of_nothing_says_so(tmp_path: Path, make_job: Make, change_run: Any) -> None:
    change_run.plan(tmp_path, [make_job("N", 0)])
    page = write_report(str(tmp_path)).read_text()
    assert "0 of 1 run is finished; 1 has not begun" in page
    assert not list((tmp_path / "report/figures").iterdir())


def test_the_same_folders_give_the_same_bytes_and_time_changes_speed_alone(
    twins: Path, change_run: Any
) -> None:
    def files() -> dict[str, bytes]:
        write_report(twins)
        return {
            path.name: path.read_bytes()
            for path in (twins / "report").rglob("*.*")
            if path.is_file()
        }

    first = files()
    assert len(first) > 25
    for job in plan(twins):
        change_run.speed(twins, job, 4, 77)
    changed = {name for name, content in files().items() if first[name] != content}
    assert changed == {"speed.csv", "speed.md", "speed.tex", "speed.html", "report.html"}
    results = read_results(twins)
    one, other = (to_page(results, tables_of(results), (), {}) for _ in range(2))
    assert one == other


def test_speed_is_that_of_the_runs(twins: Path) -> None:
    write_tables(twins)
    line, *_ = table(twins, "speed")
    assert float(line["images_per_second"]) == 200  # seeds 0, 1 and 2 run at 100, 200 and 300
    assert float(line["images_per_second_sd"]) == 100
    assert [
        line[key] for key in ("seconds_per_epoch", "seconds", "peak_memory", "device", "torch")
    ] == ["2.5", "12.5", "700000004", "cpu", "2.15.0"]


def test_a_network_without_residual_blocks_has_no_shortcuts(
    experiment: Make, make_job: Make
) -> None:
    jobs = [
        make_job("A", 0, blocks=3), make_job("A", 0, plain=True, blocks=0), make_job("B", 0, blocks=0),
        make_job("C", 0),
    ]  # fmt: skip
    folder = experiment(jobs)
    write_tables(folder)
    words = [line["shortcuts"] for line in table(folder)]
    assert words == ["residual", "plain", "none", "residual"]


def test_where_all_networks_are_plain_each_table_says_so(experiment: Make, make_job: Make) -> None:
    folder = experiment([make_job("A", 0, plain=True)])
    write_tables(folder)
    assert [row["shortcuts"] for row in table(folder)] == ["plain"]
    assert [row["shortcuts"] for row in table(folder, "speed")] == ["plain"]


def test_speed_says_on_what(twins: Path) -> None:
    settings = {"threads": 1, "precision": "bf16"}
    for job in json.loads((twins / "plan.json").read_text())["jobs"][:2]:
        path = twins / job["folder"] / "summary.json"
        told = {"device_name": "AMD EPYC", "settings": settings}
        path.write_text(json.dumps(json.loads(path.read_text()) | told))
        settings = settings | {"threads": 2}
    write_tables(twins)
    line, *_ = table(twins, "speed")
    assert line["device"] == "AMD EPYC, 1 thread, bf16 and AMD EPYC, 2 threads, bf16 and cpu"


def test_the_first_note_says_what_was_trained_on_and_what_it_was_cut_to(
    experiment: Make, make_job: Make, change_run: Any
) -> None:
    jobs = [make_job("N", seed, work=4 * 5_678_900 * 300, paper={"val": 0.9}) for seed in (0, 1)]
    folder = experiment(jobs, budget={})
    first, paper = (
        "Trained for 4 epochs on 300 images of digits (10 classes)",
        "Paper is the number that the paper gives",
    )
    write_tables(folder)
    for name in ("table.md", "table.tex", "table.html"):
        text = (folder / "report" / name).read_text()
        assert f"{first}." in text
        assert f"{paper}." in text
    for job in jobs:  # as an experiment's file may say itself
        path = folder / job["folder"] / "settings.json"
        record = json.loads(path.read_text())
        record["asked"]["data"] = {"data": "digits", "limit": 300, "limit_classes": 10}
        path.write_text(json.dumps(record))
    whole = f"{paper}, for its whole data and training: nothing there was cut to this."
    results = read_results(folder)
    notes = tables_of(results)[0].notes
    cut = "Trained for 4 epochs on digits (10 classes), cut to 300 training images."
    assert (notes[0], whole in notes) == (cut, True)
    assert summary(results).endswith(", cut to 300 training images.")
    assert cut in to_page(results, tables_of(results), (), {})
    budget = {"classes": 5, "epochs": 4, "batch_size": 64, "seeds": 2}
    change_run.plan(folder, jobs, budget=budget)
    (note, *_), *_ = (table.notes for table in tables_of(read_results(folder)))
    on = "Trained for 4 epochs on digits"
    assert note == f"{on}, cut to the first 5 classes, 300 training images, batch_size 64."


def test_what_a_plan_does_not_tell_of_the_images_is_left_out(
    experiment: Make, make_job: Make
) -> None:
    jobs = [make_job("N", 0), make_job("M", 0, epochs=8, work=8 * 5_678_900 * 300)]
    folder = experiment(jobs, budget={"seeds": 1})
    assert tables_of(read_results(folder))[0].notes[0] == (
        "Trained for 4 to 8 epochs on digits (10 classes)."
    )


def test_an_end_that_validation_chose_is_said_with_the_epochs_of_each_row(
    experiment: Make, make_job: Make, change_run: Any
) -> None:
    jobs = [make_job(label, seed) for label in ("A", "B") for seed in (0, 1)]
    folder = experiment(jobs)
    last = "Accuracies are those of the last epoch: "
    even, *_ = tables_of(read_results(folder))
    assert f"{last}nothing is chosen by looking at validation. " in even.notes[1]
    assert "epochs" not in {column.heading for column in even.columns}
    shutil.rmtree(folder / jobs[0]["folder"])
    change_run.run(folder, jobs[0], 2)
    for job in jobs[:2]:
        path = folder / job["folder"] / "settings.json"
        record = json.loads(path.read_text())
        record["settings"]["patience"] = 1
        path.write_text(json.dumps(record))
    write_tables(folder)
    first, second, *_ = tables_of(read_results(folder))[0].notes
    assert first.startswith("Trained for at most 4 epochs on digits")
    assert second.startswith(
        f"{last}which one that is of A was chosen by looking at validation (patience). "
    )
    assert [(line["epochs_least"], line["epochs_most"]) for line in table(folder)] == [
        ("2", "4"),
        ("4", "4"),
    ]
    assert "| 2–4 |" in (folder / "report/table.md").read_text()


def test_runs_of_two_precisions_are_told(twins: Path) -> None:
    told = (
        "Computed in bf16 (2 runs) and fp32 (10 runs): part of a difference between these may come "
        "from that."
    )
    write_tables(twins)
    assert "Computed in" not in (twins / "report/table.md").read_text()
    for job in json.loads((twins / "plan.json").read_text())["jobs"][:2]:
        path = twins / job["folder"] / "settings.json"
        record = json.loads(path.read_text())
        record["settings"]["precision"] = "bf16"
        path.write_text(json.dumps(record))
    write_tables(twins)
    assert told in (twins / "report/table.md").read_text()


def test_runs_of_several_devices_versions_and_commits_are_told_in_one_sentence(
    twins: Path,
) -> None:
    for job in plan(twins)[:5]:
        run = twins / job["folder"]
        record = json.loads((run / "settings.json").read_text())
        record["settings"]["device"] = "cuda"
        record["made"]["commit"] = "beef01234567"
        (run / "settings.json").write_text(json.dumps(record))
        summary = json.loads((run / "summary.json").read_text())
        (run / "summary.json").write_text(json.dumps(summary | {"torch": "2.14.0"}))
    assert (
        "Computed on cuda (5 runs) and cpu (7 runs), by torch 2.14.0 (5 runs) and 2.15.0 (7 runs), "
        "at 2 commits of netdsl: part of a difference between these may come from that."
    ) in tables_of(read_results(twins))[0].notes


def test_runs_that_only_guess_are_named(experiment: Make, make_job: Make) -> None:
    jobs = [make_job(label, seed) for label in ("A", "B") for seed in (0, 1, 2)]
    folder = experiment(jobs)
    for one in (jobs[1], jobs[3], jobs[5]):
        path = folder / one["folder"]
        head, *_ = (path / "metrics.csv").read_text().splitlines()
        lines = [f"{n},0.1,0.2,2.31,0.1,0.11,2.3,0.1,0.5" for n in range(1, 5)]
        (path / "metrics.csv").write_text("\n".join([head, *lines]) + "\n")
    told = (
        "Hardly better than guessing at the end (losses at most 2 % lower), which the means "
        "include: A, seed 1; B, seeds 0, 2."
    )
    write_tables(folder)  # of runs that do not tell their classes: their network does
    assert told in (folder / "report/table.md").read_text()
    for one in jobs:
        path = folder / one["folder"] / "summary.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"classes": 1000}))
    write_tables(folder)
    assert "guessing" not in (folder / "report/table.md").read_text()


def test_a_network_that_cannot_be_read_tells_no_guessing(experiment: Make, make_job: Make) -> None:
    folder = experiment([make_job("A", 0)])
    run = folder / plan(folder)[0]["folder"]
    head, *_ = (run / "metrics.csv").read_text().splitlines()
    lines = [f"{n},0.1,0.2,2.31,0.1,0.11,2.3,0.1,0.5" for n in range(1, 5)]
    (run / "metrics.csv").write_text("\n".join([head, *lines]) + "\n")
    assert [one.guesses for one in read_results(folder).runs] == [True]
    (run / "network.arch").write_text("of another language")
    assert [one.guesses for one in read_results(folder).runs] == [False]


def test_formats_escape_what_would_break_them(experiment: Make, make_job: Make) -> None:
    label = r"50% of a_b & $x$ {#1} | <script>alert(1)</script> \end *bold*"
    folder = experiment([make_job(label, seed) for seed in (0, 1)], title=label)
    write_report(folder)
    report = folder / "report"
    assert table(folder)[0]["network"] == label
    latex = r"50\% of a\_b \& \$x\$ \{\#1\} \textbar{} \textless{}script\textgreater{}alert(1)\textless{}/script\textgreater{} \textbackslash{}end *bold*"
    assert f"    {latex} & 4 & " in (report / "table.tex").read_text()
    assert (
        r"| 50% of a\_b & $x$ {#1} \| \<script>alert(1)\</script> \\end \*bold\* | 4 |"
        in (report / "table.md").read_text()
    )
    assert "<script>alert" not in (report / "table.html").read_text()
    page = (report / "report.html").read_text()
    assert page.count("<script") == page.count("</script>") == 2
    assert "alert(1)" in page


def test_terminal_and_markdown_and_latex_say_the_same(
    tmp_path: Path, make_job: Make, change_run: Any
) -> None:
    change_run.plan(tmp_path, [make_job("Net 1", 0), make_job("Net 1", 1)])
    for number, job in enumerate(plan(tmp_path)):
        change_run.run(tmp_path, job, 1)
        metrics = tmp_path / job["folder"] / "metrics.csv"
        head = metrics.read_text().splitlines()[0]
        metrics.write_text(
            f"{head}\n1,0.1,1.5,0.5,0.75,{0.75 + number / 8},0.5,{0.5 + number / 8},1.0\n"
        )
    write_tables(tmp_path)
    assert (tmp_path / "report/table.md").read_text().splitlines()[:5] == [
        "**A table**", "",
        "| network | depth | params | MACs | train % | val % | gap | best val % | best epoch | runs |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| Net 1 | 4 | 1.23 k | 5.68 M | 81.25 ± 8.84 | 56.25 ± 8.84 | 25.00 ± 0.00 | 56.25 ± 8.84 | 1 | 2 |",
    ]  # fmt: skip
    assert (
        r"Net 1 & 4 & 1.23 k & 5.68 M & 81.25 $\pm$ 8.84 & 56.25 $\pm$ 8.84 & 25.00 $\pm$ 0.00 & 56.25 $\pm$ 8.84 & 1 & 2 \\"
        in (tmp_path / "report/table.tex").read_text()
    )
    shown = show_report(str(tmp_path)).splitlines()
    assert shown[:7] == [
        "1 network, on digits, with 2 seeds each, trained by the recipe quick, cut to 4 epochs.", "",
        "A table", "",
        "network  depth  params    MACs       train %         val %           gap    best val %  best epoch  runs",
        "─" * 104,
        "Net 1        4  1.23 k  5.68 M  81.25 ± 8.84  56.25 ± 8.84  25.00 ± 0.00  56.25 ± 8.84           1     2",
    ]  # fmt: skip


def error(folder: Path) -> str:
    with pytest.raises(TrainError) as caught:
        write_tables(folder)
    return str(caught.value)


def test_a_folder_without_a_plan_is_refused(tmp_path: Path) -> None:
    assert error(tmp_path) == f"{tmp_path} is not an experiment: it has no plan.json"


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ('{"format": 2}', "its format is 2, and only 1 is known"),
        ('{"format": 1, "name": "n"}', "it has no data"),
        ('{"format": 1, "name": "n", "data": "d", "version": "1", "jobs": [{}]}', "it has no label"),
    ],
)  # fmt: skip
def test_a_damaged_plan_is_named(tmp_path: Path, text: str, fact: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    assert error(tmp_path) == f"{tmp_path / 'plan.json'} is damaged: {fact}"


def test_a_plan_is_json_or_stays_as_it_was(twins: Path) -> None:
    before, read = (twins / "plan.json").read_bytes(), read_plan(twins)
    job = replace(read.jobs[0], paper={"val": math.nan})
    with pytest.raises(ValueError, match=r"^Out of range float values are not JSON compliant"):
        write_plan(replace(read, jobs=(job,)), twins)
    assert (twins / "plan.json").read_bytes() == before


@pytest.mark.parametrize("value", [None, True, -0.5, [3], {"a": 1}, "x"])
def test_a_value_of_another_kind_in_a_run_of_a_plan_is_named(twins: Path, value: object) -> None:
    path = twins / "plan.json"
    sound = json.loads(path.read_text())
    assert {field.name for field in fields(Job)} == KINDS.keys()
    may_be = {"paper": {type(None)}, "change": {type(None), str}, "blocks": {type(None)}}
    for key, one in sound["jobs"][0].items():
        if type(value) in {type(one), *may_be.get(key, ())}:
            continue
        path.write_text(json.dumps({**sound, "jobs": [{**sound["jobs"][0], key: value}]}))
        with pytest.raises(TrainError) as caught:
            read_plan(twins)
        assert str(caught.value) == f"{path} is damaged: {key} of a run is {value!r}"


def test_damaged_numbers_of_a_finished_run_are_named(twins: Path) -> None:
    run = twins / plan(twins)[0]["folder"]
    (run / "metrics.csv").write_text("epoch\n1\n")
    with pytest.raises(TrainError) as caught:
        read_results(twins)
    assert (str(caught.value), caught.value.help) == (
        f"{run / 'metrics.csv'} is not a table of epochs",
        f"remove {run}, and `netdsl experiment run` trains it again",
    )


@pytest.mark.parametrize(
    ("asked", "fact"),
    [({"overrides": [1]}, "overrides is [1]"), ({"data": [1]}, "data is [1]")],
)
def test_what_a_run_cannot_have_been_asked_for_is_named(
    asked: dict[str, object], fact: str, twins: Path
) -> None:
    path = twins / plan(twins)[0]["folder"] / "settings.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"asked": record["asked"] | asked}))
    with pytest.raises(TrainError) as caught:
        write_report(twins)
    assert str(caught.value) == f"{path} is damaged: {fact}"


def test_a_damaged_number_of_classes_is_named(twins: Path) -> None:
    path = twins / plan(twins)[0]["folder"] / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"classes": "ten"}))
    with pytest.raises(TrainError) as caught:
        read_results(twins)
    assert str(caught.value).startswith(f"{path} is damaged: invalid literal for int()")


def test_a_run_that_is_writing_its_epochs_is_no_error(twins: Path) -> None:
    run = twins / plan(twins)[0]["folder"]
    (run / "summary.json").unlink()
    (run / "speed.csv").unlink()
    write_tables(twins)
    assert table(twins)[0]["runs_finished"] == "2"


def test_a_training_by_stages_is_one_run_of_all_their_epochs(
    tmp_path: Path, make_job: Any, change_run: Any
) -> None:
    last = make_job("Net 1", 0, folder="runs/k/10-all", key="k")
    change_run.plan(tmp_path, [last])
    for stage, epochs in (("2-two", 3), ("10-all", 4), ("11-left-over", 2)):
        change_run.run(tmp_path, last | {"folder": f"runs/k/{stage}"}, epochs)
    metrics = tmp_path / "runs/k/2-two/metrics.csv"
    head, first, *others = metrics.read_text().splitlines()
    cells = first.split(",")
    cells[VAL] = "1.0"
    metrics.write_text("\n".join([head, ",".join(cells), *others]) + "\n")
    (run,) = read_results(tmp_path).runs
    assert [row.epoch for row in run.epochs] == [1, 2, 3, 4, 5, 6, 7]
    accuracies = [
        float(line.split(",")[VAL])
        for stage in ("2-two", "10-all")
        for line in (tmp_path / f"runs/k/{stage}/metrics.csv").read_text().splitlines()[1:]
    ]
    assert run.best_epoch.val_accuracy == max(accuracies)
    assert (run.best, run.seconds) == (1 + accuracies.index(max(accuracies)), 25.0)
    assert run.best <= 3  # of the first stage, whose weights are not those of the end
    assert run.ends == (3,)
    assert run.last.val_accuracy == accuracies[-1]
    (tmp_path / "runs/k/10-all/summary.json").unlink()
    (run,) = read_results(tmp_path).runs
    assert (run.state, len(run.epochs)) == ("unfinished", 7)
    for file in (tmp_path / "runs/k/10-all").iterdir():
        file.unlink()
    (run,) = read_results(tmp_path).runs
    assert (run.state, len(run.epochs)) == ("unfinished", 3)


def test_of_many_changes_those_clear_of_zero_are_told(
    tmp_path: Path, make_job: Any, change_run: Any
) -> None:
    changes = {None: 0.5, "norm off": 0.2, "half width": 0.5, "a": 0.5, "b": 0.5, "c": 0.5}
    jobs = [
        make_job("Net" if change in (None, "norm off") else change, seed, change=change,
                 plain=change == "norm off", group="g")
        for change in changes for seed in (0, 1, 2)
    ]  # fmt: skip
    change_run.plan(tmp_path, jobs)
    for number, job in enumerate(jobs):
        change_run.run(tmp_path, job, 1)
        metrics = tmp_path / job["folder"] / "metrics.csv"
        head, _ = metrics.read_text().splitlines()
        off = 0.01 * (number % 3) * (number // 3 % 2)  # by seed, of every other row
        metrics.write_text(f"{head}\n1,0.1,1,1,1,1,1,{changes[job['change']] + off},1\n")
    write_tables(tmp_path)
    assert findings(read_results(tmp_path)) == (
        "norm off: −29.00 points in validation, 95 % interval −31.48 to −26.52, 3 seeds: clear of zero.",
        "1 of 3 intervals is clear of zero; by chance alone about 0.2 would be.",
        "2 differences are alike in all seeds, with no interval.",
    )
    assert (
        "Each interval stands for itself: of twenty, one misses by chance; all share the base, so "
        "those that miss do it together."
    ) in (tmp_path / "report/table.md").read_text()
    rows = (tmp_path / "report/table.md").read_text().splitlines()[4:10]
    assert [row.split(" | ")[0] for row in rows] == [
        "| Net", "| norm off", "| half width", "| a", "| b", "| c",
    ]  # fmt: skip


def test_a_base_without_a_finished_run_is_said_to_have_none(
    tmp_path: Path, make_job: Any, change_run: Any
) -> None:
    base, changed = make_job("Net", 0), make_job("no norm", 0, change="norm off", group="Net")
    change_run.plan(tmp_path, [base, changed])
    change_run.run(tmp_path, changed)
    *_, last = tables_of(read_results(tmp_path))[1].notes
    assert last == "Net has no finished run, so nothing is compared with it."
    change_run.run(tmp_path, base)
    *_, last = tables_of(read_results(tmp_path))[1].notes
    assert last.startswith("Net reaches ")


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        (
            [3, 3, 3, 3, 3],
            ["0 of 5 intervals are clear of zero; by chance alone about 0.3 would be."],
        ),
        ([0, 1, 1, 1, 1], ["5 differences have fewer than two pairs, and no interval."]),
        (
            [3, 3, 3, 3, 1],
            [
                "0 of 4 intervals are clear of zero; by chance alone about 0.2 would be.",
                "1 difference has fewer than two pairs, and no interval.",
            ],
        ),
    ],
)
def test_of_many_differences_those_without_an_interval_are_told_apart(
    tmp_path: Path, make_job: Any, change_run: Any, pairs: list[int], told: list[str]
) -> None:
    both, seeds = (False, True), (0, 1, 2)
    jobs = [
        make_job(label, seed, plain=plain) for label in "abcde" for plain in both for seed in seeds
    ]
    change_run.plan(tmp_path, jobs)
    for job in jobs:
        if job["seed"] < pairs["abcde".index(job["label"])]:
            change_run.run(tmp_path, job)
    assert list(findings(read_results(tmp_path))) == told


def test_all_classes_of_another_data_set_are_no_cut(experiment: Make, make_job: Make) -> None:
    budget = {"data": "digits", "classes": 10, "limit": 300}
    folder = experiment([make_job("N", 0, work=4 * 5_678_900 * 300)], budget=budget)
    assert tables_of(read_results(folder))[0].notes[0] == (
        "Trained for 4 epochs on digits (10 classes), cut to 300 training images."
    )
