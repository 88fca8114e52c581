"""The figures of a report: which are drawn, their numbers, and that no label covers another."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from netdsl.cli.experiment_shown import note_boxed
from netdsl.experiment.report.bars import draw_differences, draw_gap
from netdsl.experiment.report.epochs import ACCURACY, LOSS, draw_overview, draw_together
from netdsl.experiment.report.figures import CAPTIONS, draw_figures
from netdsl.experiment.report.notes import loss_notes
from netdsl.experiment.report.page import to_page
from netdsl.experiment.report.results import only
from netdsl.experiment.report.scatter import draw_against
from netdsl.experiment.report.spread import Spread
from netdsl.experiment.report.style import PLAIN, RESIDUAL, look_of, style
from netdsl.experiment.report.tables import tables_of
from netdsl.experiment.report.write import read_results, write_report
from netdsl.train.figure_bytes import figure_bytes

Make = Callable[..., Any]


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_twins_of_several_depths_have_every_figure(twins: Path, metrics: Make) -> None:
    drawn = {figure.name: figure for figure in draw_figures(read_results(twins))}
    assert tuple(drawn) == tuple(CAPTIONS)
    for figure in drawn.values():
        assert figure.files["svg"].startswith(b"<?xml")
        assert figure.files["png"].startswith(b"\x89PNG")
    jobs = [
        j
        for j in json.loads((twins / "plan.json").read_text())["jobs"]
        if j["label"] == "Net 6" and j["plain"]
    ]
    runs = np.stack([metrics(twins, j) for j in jobs])
    for name, column, what, unit in (
        ("accuracy", 7, "validation", 100),
        ("accuracy", 5, "training, evaluated", 100),
        ("loss", 6, "validation", 1),
        ("loss", 3, "training", 1),
    ):
        found = [
            line
            for line in lines(drawn[name].csv)
            if (line["network"], line["shortcuts"], line["what"]) == ("Net 6", "plain", what)
        ]
        assert [int(line["epoch"]) for line in found] == [1, 2, 3, 4]
        assert [float(line["mean"]) for line in found] == pytest.approx(
            unit * runs[:, :, column].mean(0)
        )
        assert [float(line["sd"]) for line in found] == pytest.approx(
            unit * runs[:, :, column].std(0, ddof=1)
        )


def is_framed(png: bytes) -> bool:
    """Say whether nothing touches an edge of a picture, where it would be cut off."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    return bool(min(pixels[edge].min() for edge in np.s_[0, -1, (..., 0), (..., -1)]) > 250)


def test_no_figure_is_cut_off_at_an_edge(twins: Path) -> None:
    for figure in draw_figures(read_results(twins)):
        assert is_framed(figure.files["png"]), figure.name


def test_a_network_without_blocks_looks_plain_and_has_no_shortcuts(
    experiment: Make, make_job: Make
) -> None:
    folder = experiment([make_job("Net 1", 0, blocks=6), make_job("Net 6", 0, blocks=0)])
    results = read_results(folder)
    assert [look_of(row) for row in results.rows] == [RESIDUAL, PLAIN]
    drawn = {figure.name: figure for figure in draw_figures(results)}
    said = {line["network"]: line["shortcuts"] for line in lines(drawn["gap"].csv)}
    assert said == {"Net 1": "residual", "Net 6": "none"}
    assert all(
        f"{word}, training" in drawn["gap"].files["svg"].decode() for word in ("residual", "plain")
    )
    accuracy = drawn["accuracy"].files["svg"].decode()
    assert all(f">{word}</text>" in accuracy for word in ("residual", "plain"))


@pytest.mark.parametrize("letters", [10, 40, 70])
def test_a_long_name_stays_within_its_figure(
    experiment: Make, make_job: Make, letters: int
) -> None:
    words = "a change that takes many words to tell what was done to the networks "
    names = [f"{n} {words}"[:letters].strip() for n in range(4)]
    wanted = {"name": "figure-13", "kind": "accuracy", "rows": names[1:], "title": "Figure 13"}
    for number in (2, 4):
        folder = experiment(
            [
                make_job(name, 0, change=name if n else None)
                for n, name in enumerate(names[:number])
            ],
            f"x{number}",
            figures=[wanted | {"rows": names[1:number]}],
        )
        for figure in draw_figures(read_results(folder)):
            assert is_framed(figure.files["png"]), (figure.name, number)


def test_a_band_holds_no_number_that_cannot_be() -> None:
    wide = Spread(mean=90.0, deviation=95.0, n=3)
    assert wide.band(ACCURACY[0].most) == (0.0, 100.0)
    assert wide.band(LOSS[0].most) == (0.0, 185.0)
    assert wide.reach(100.0) == ([90.0], [10.0])
    assert Spread(50.0, 2.0, 3).band(ACCURACY[1].most) == (48.0, 52.0)


@pytest.mark.parametrize(("least", "begins"), [(2.0, 1.95), (0.04, 0.0)])
def test_an_axis_that_is_cut_off_begins_below_what_is_left(
    experiment: Make, make_job: Make, change_run: Any, least: float, begins: float
) -> None:
    job = make_job("wild", 0)
    folder = experiment([job])
    run = folder / job["folder"] / "metrics.csv"
    head, *_ = run.read_text().splitlines()
    losses = [400.0, *[2.0] * 14, least]
    rows = [f"{n},0.1,1,{loss},0,0,{loss},0,0" for n, loss in enumerate(losses, 1)]
    run.write_text("\n".join([head, *rows]) + "\n")
    change_run.speed(folder, job, len(rows), 100)
    figure = draw_together(read_results(folder), LOSS, "loss")
    assert figure.axes[0].get_ylim() == pytest.approx((begins, 3.0))
    assert "cut off at 3" in figure.get_supylabel()


def test_an_axis_is_cut_off_where_the_band_of_a_few_epochs_would_fill_it(
    experiment: Make, make_job: Make, change_run: Any
) -> None:
    jobs = [make_job("wild", seed) for seed in (0, 1)]
    folder = experiment(jobs)
    for first, job in zip((1.0, 15.0), jobs, strict=True):
        run = folder / job["folder"] / "metrics.csv"
        head, *_ = run.read_text().splitlines()
        rows = [f"{n},0.1,1,2,0,0,{first if n == 1 else 2},0,0" for n in range(1, 9)]
        run.write_text("\n".join([head, *rows]) + "\n")
        change_run.speed(folder, job, len(rows), 100)
    figure = draw_together(read_results(folder), LOSS, "loss")  # 8 at first, and 18 with the band
    assert figure.axes[0].get_ylim()[1] == pytest.approx(3)


def test_whiskers_of_training_and_of_validation_do_not_lie_on_one_another(twins: Path) -> None:
    (axes,) = draw_gap(read_results(twins)).axes
    heights = [float(drawn.lines[0].get_ydata()[0]) for drawn in axes.containers]
    rows = len(read_results(twins).rows)
    assert len(set(heights)) == len(heights) == 2 * rows
    assert {round(height) for height in heights} == set(range(rows))


@pytest.mark.parametrize(("others", "curves"), [(0.01, ACCURACY), (0.0, ACCURACY), (0.0, LOSS)])
def test_the_one_that_learns_is_on_the_axis(
    experiment: Make, make_job: Make, change_run: Any, others: float, curves: Any
) -> None:
    jobs = [make_job(f"n{i}", 0) for i in range(12)]
    folder = experiment(jobs)
    for i, job in enumerate(jobs):
        number = 0.6 if i == 0 else others
        run = folder / job["folder"] / "metrics.csv"
        head, *_ = run.read_text().splitlines()
        rows = [f"{n},0.1,1{f',{number}' * 6}" for n in range(1, 16)]
        run.write_text("\n".join([head, *rows]) + "\n")
        change_run.speed(folder, job, len(rows), 100)
    figure = draw_together(read_results(folder), curves, "what")
    low, high = figure.axes[0].get_ylim()
    assert low <= 0.6 * (100 if curves is ACCURACY else 1) <= high
    assert figure.get_supylabel() == "what"


def test_an_ablation_has_differences_and_no_depth(experiment: Make, make_job: Make) -> None:
    folder = experiment([make_job(label, seed, change=change, group="g", depth=depth)
                         for label, change, depth in (("A", None, 4), ("_$B$", "norm_off $", 5)) for seed in (0, 1)])  # fmt: skip
    assert [figure.name for figure in draw_figures(read_results(folder))] == [
        "accuracy",
        "loss",
        "differences",
        "gap",
    ]


def test_a_label_that_begins_with_an_underscore_keeps_it(experiment: Make, make_job: Make) -> None:
    folder = experiment([make_job(label, seed, depth=depth, group=label)
                         for label, depth in (("_a", 4), ("b", 5)) for seed in (0, 1)])  # fmt: skip
    results = read_results(folder)
    against = draw_against(results, lambda row: row.job.params, "params", logarithmic=False)
    overview, together = draw_overview(results), draw_together(results, ACCURACY, "what")
    for figure in (overview, together):
        told = [text.get_text() for text in figure.legends[0].get_texts()]
        assert told[:2] == ["\N{ZERO WIDTH SPACE}_a", "b"]
    assert "_a" in figure_bytes(against)["svg"].decode()


def test_letters_that_figures_lack_are_told(
    experiment: Make, make_job: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    note_boxed(experiment([make_job("é β", 0)]))
    assert capsys.readouterr().err == ""
    note_boxed(experiment([make_job("雪 N", 0), make_job("雨 雪", 0)]))
    assert capsys.readouterr().err == (
        "PNG figures have boxes in place of 雪雨, which their font lacks; SVG has none\n"
    )


def test_one_run_has_curves_and_gap(experiment: Make, make_job: Make) -> None:
    folder = experiment([make_job("雪 N", 0)])
    assert [figure.name for figure in draw_figures(read_results(folder))] == [
        "accuracy",
        "loss",
        "gap",
    ]


def test_a_figure_that_is_asked_for_shows_its_rows_alone(
    twins: Path, change_run: Make, metrics: Make
) -> None:
    record = json.loads((twins / "plan.json").read_text())
    asked = [
        {"name": "fig8", "kind": "accuracy", "rows": ["Net 1", "Net 6, plain"], "title": "As in 8"},
        {"name": "fig9", "kind": "differences", "rows": ["Net 6"], "title": ""},
        {"name": "none", "kind": "differences", "rows": ["Net 6, plain"], "title": ""},
    ]
    change_run.plan(twins, record["jobs"], figures=asked)
    *own, curves, gained = draw_figures(read_results(twins))
    assert tuple(figure.name for figure in own) == tuple(CAPTIONS)
    assert (curves.name, gained.name) == ("fig8", "fig9")
    assert curves.caption == f"As in 8. {CAPTIONS['accuracy']}"
    assert gained.caption == CAPTIONS["differences"]
    assert {(line["network"], line["shortcuts"]) for line in lines(curves.csv)} == {
        ("Net 1", "residual"), ("Net 1", "plain"), ("Net 6", "plain"),
    }  # fmt: skip
    assert [line["network"] for line in lines(gained.csv)] == ["Net 6"]
    assert b"Net 6, plain" in curves.files["svg"]
    assert b"Net 6<" not in curves.files["svg"]
    assert all(is_framed(figure.files["png"]) for figure in (curves, gained))


def test_means_that_end_before_a_run_are_told_of(
    experiment: Make, make_job: Make, change_run: Any
) -> None:
    jobs = [make_job("N", seed) for seed in (0, 1)]
    asked = {"name": "fig8", "kind": "accuracy", "rows": [], "title": "As in 8"}
    folder = experiment(jobs, figures=[asked])
    told = "Means end with the last epoch that all seeds have."
    assert not any(told in figure.caption for figure in draw_figures(read_results(folder)))
    shutil.rmtree(folder / jobs[0]["folder"])
    change_run.run(folder, jobs[0], 2)
    drawn = {figure.name: figure for figure in draw_figures(read_results(folder))}
    assert [line["epoch"] for line in lines(drawn["fig8"].csv)] == ["1", "2"] * 2
    assert {name for name, figure in drawn.items() if told in figure.caption} == {
        "accuracy", "loss", "fig8",
    }  # fmt: skip
    assert drawn["fig8"].caption == f"As in 8. {CAPTIONS['accuracy']} {told}"
    assert f'<p class="hint">{told}</p>' in to_page(
        read_results(folder), tables_of(read_results(folder)), (), {}
    )


def test_long_names_below_each_other_do_not_touch(experiment: Make, make_job: Make) -> None:
    long = "a long name that goes on and on, " * 5
    names = ["A", "B", "C", long, f"{long} again", "D"]
    with style():
        figure = draw_gap(read_results(experiment([make_job(name, 0) for name in names])))
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    boxes = [one.get_window_extent(renderer) for one in figure.axes[0].get_yticklabels()]
    assert all(above.y0 > below.y1 for above, below in pairwise(boxes))


def test_a_single_epoch_or_depth_is_a_whole_number(twins: Path, change_run: Any) -> None:
    for job in json.loads((twins / "plan.json").read_text())["jobs"]:
        shutil.rmtree(twins / job["folder"])
        change_run.run(twins, job, 1)
    results = only(read_results(twins), ["Net 6"])
    with style():
        epoch = draw_together(results, ACCURACY, "accuracy in %")
        depth = draw_against(results, lambda row: row.job.depth, "depth", logarithmic=False)
    for figure, place in ((epoch, 1), (depth, 7)):
        low, high = figure.axes[0].get_xlim()
        assert [x for x in figure.axes[0].get_xticks() if low < x < high] == [place]


@pytest.mark.parametrize("name", ["label_smoothing", "mixup", "cutmix"])
def test_a_training_loss_of_other_labels_than_those_of_validation_is_told_of(
    experiment: Make, make_job: Make, name: str
) -> None:
    jobs = [make_job(label, 0) for label in ("A", "B")]
    folder = experiment(jobs)
    results = read_results(folder)
    assert loss_notes(results) == ()
    told = "Training loss{} is of smoothed or mixed labels, validation loss is not: the two are not to be compared."
    for job, which in zip(jobs, (" of A", ""), strict=True):
        path = folder / job["folder"] / "settings.json"
        record = json.loads(path.read_text())
        record["settings"][name] = 0.1
        path.write_text(json.dumps(record))
        assert loss_notes(results) == (told.format(which),)
    drawn = {figure.name: figure.caption for figure in draw_figures(results)}
    assert [name for name, caption in drawn.items() if told.format("") in caption] == ["loss"]


def test_an_interval_wider_than_all_differences_is_marked_to_go_on(
    experiment: Make, make_job: Make
) -> None:
    jobs = [make_job(label, seed, plain=plain) for label in "AB" for plain in (False, True) for seed in (0, 1)]  # fmt: skip
    folder = experiment(jobs)
    for job in jobs:
        path = folder / job["folder"] / "metrics.csv"
        *rows, last = path.read_text().splitlines()
        wide = 0.6 * (job["seed"] if job["plain"] else 1 - job["seed"])
        cells = last.split(",")
        cells[7] = str(wide if job["label"] == "A" else 0.5 + 0.001 * wide)
        path.write_text("\n".join([*rows, ",".join(cells)]) + "\n")
    (axes,) = draw_differences(read_results(folder)).axes
    marks = {
        (line.get_marker(), *map(float, line.get_xydata()[0]))
        for line in axes.lines
        if line.get_marker() in ("<", ">")
    }
    assert marks == {("<", -100.0, 0.0), (">", 100.0, 0.0)}
    assert axes.get_xlim() == (-100, 100)


def test_many_networks_share_the_looks_there_are(
    experiment: Callable[..., Path], make_job: Make
) -> None:
    jobs = [
        make_job(f"N{n}", 0, plain=plain, depth=n + 3) for n in range(17) for plain in (False, True)
    ]
    figure = draw_overview(read_results(experiment(jobs)))
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert told == [f"N{n}" for n in range(17)]


def test_both_panels_of_an_overview_have_the_same_axes(
    experiment: Callable[..., Path], make_job: Make, change_run: Make
) -> None:
    jobs = [make_job(label, 0, plain=plain) for label in "AB" for plain in (False, True)]
    folder = experiment(jobs)
    for job in (one for one in jobs if not one["plain"]):
        shutil.rmtree(folder / job["folder"])
        change_run.run(folder, job, 3)  # as where patience ends it
    plain, residual = draw_overview(read_results(folder)).axes
    assert [len(axes.lines[0].get_xdata()) for axes in (plain, residual)] == [4, 3]
    assert plain.get_xlim() == residual.get_xlim()
    assert plain.get_ylim() == residual.get_ylim()


def test_an_overview_of_networks_of_one_kind_has_one_panel(
    experiment: Callable[..., Path], make_job: Make
) -> None:
    (axes,) = draw_overview(read_results(experiment([make_job(n, 0) for n in "AB"]))).axes
    assert (axes.get_title(), len(axes.lines)) == ("residual", 2)


def test_networks_that_have_no_shortcuts_stand_with_the_plain_ones(
    experiment: Callable[..., Path], make_job: Make
) -> None:
    jobs = [make_job("A", 0), make_job("A", 0, plain=True), make_job("none", 0, blocks=0)]
    plain, residual = draw_overview(read_results(experiment(jobs))).axes
    assert (plain.get_title(), len(plain.lines)) == ("plain", 2)
    assert (residual.get_title(), len(residual.lines)) == ("residual", 1)


def test_a_figure_that_is_asked_for_no_more_is_removed_and_nothing_else(
    twins: Path, change_run: Make
) -> None:
    jobs = json.loads((twins / "plan.json").read_text())["jobs"]
    asked = {"name": "fig8", "kind": "accuracy", "rows": ["Net 1"], "title": ""}
    change_run.plan(twins, jobs, figures=[asked])
    write_report(twins)
    figures = twins / "report" / "figures"
    (figures / "mine.csv").write_text("x")
    assert (figures / "fig8.png").is_file()
    change_run.plan(twins, jobs)
    write_report(twins)
    assert {path.stem for path in figures.iterdir()} == {*CAPTIONS, "mine"}


def test_a_long_legend_covers_no_curve(experiment: Callable[..., Path], make_job: Make) -> None:
    jobs = [make_job(f"a network with a long label, number {n}", 0) for n in range(18)]
    results = read_results(experiment(jobs))
    with style():
        figure = draw_together(results, ACCURACY, "accuracy in %")
        FigureCanvasAgg(figure).draw()
    (legend,), (axes,) = figure.legends, figure.axes
    box, panel = legend.get_window_extent(), axes.get_window_extent()
    assert box.y0 >= panel.y1
    assert figure.bbox.y0 <= panel.y0 < box.y1 <= figure.bbox.y1
    assert panel.height > 0.5 * 3.9 * figure.dpi


def test_where_stages_begin_is_in_no_colour_of_a_network_and_told_by_the_legend(
    tmp_path: Path, make_job: Make, change_run: Make
) -> None:
    last = make_job("by stages", 0, folder="runs/k/2-all", key="k")
    whole = make_job("whole", 0)
    change_run.plan(tmp_path, [last, whole])
    for stage in ("1-head", "2-all"):
        change_run.run(tmp_path, last | {"folder": f"runs/k/{stage}"}, 3)
    change_run.run(tmp_path, whole)
    results = read_results(tmp_path)
    told = []
    for rows in (("by stages", "whole"), ("whole",)):
        figure = draw_together(only(results, rows), ACCURACY, "accuracy in %")
        (legend,), (axes,) = figure.legends, figure.axes
        told.append([text.get_text() for text in legend.get_texts()])
        begins = [line for line in axes.get_lines() if line.get_linestyle() == ":"]
        assert {(line.get_color(), line.get_xdata()[0]) for line in begins} == (
            {("0.5", 3.5)} if "by stages" in rows else set()
        )
    assert told[0] == ["by stages", "whole", "validation", "training, evaluated", "a stage begins"]
    assert "a stage begins" not in told[1]
