"""The figures over depth and parameters: families, points that stand apart, labels that fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from netdsl.experiment.report.dodge import sideways
from netdsl.experiment.report.families import Family, families_of
from netdsl.experiment.report.results import Result
from netdsl.experiment.report.scatter import draw_against
from netdsl.experiment.report.style import PLAIN, RESIDUAL, style
from netdsl.experiment.report.write import read_results

Make = Callable[..., Any]


def depth(row: Result) -> float:
    return row.job.depth


def params(row: Result) -> float:
    return row.job.params


@contextmanager
def drawn(folder: Path, take: Callable[[Result], float]) -> Iterator[Figure]:
    with style():
        figure = draw_against(read_results(folder), take, "what", logarithmic=False)
        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()
        yield figure


def markers(axes: Any) -> list[Any]:
    return [bars[0] for bars in axes.containers]


def drawn_at(line: Any) -> Any:
    """Return where the points of a line are, in pixels."""
    return line.get_transform().transform(line.get_xydata())


def families(folder: Path) -> list[tuple[str, list[str], bool]]:
    found = families_of(read_results(folder).rows)
    return [(f.name, [row.name for row in f.rows], f.joined) for f in found]


def test_names_that_tell_the_depth_are_families(experiment: Make, make_job: Make) -> None:
    jobs = [
        make_job(f"{kind}-{n}", 0, plain=kind == "plain", arch=f"{kind}{n}", depth=n)
        for n in (20, 56)
        for kind in ("ResNet", "plain", "ResResNet")
    ]
    found = families_of(read_results(experiment(jobs)).rows)
    assert [(f.name, [row.name for row in f.rows], f.joined) for f in found] == [
        ("ResNet-n", ["ResNet-20", "ResNet-56"], True),
        ("plain-n", ["plain-20", "plain-56"], True),
        ("ResResNet-n", ["ResResNet-20", "ResResNet-56"], True),
    ]
    assert [f.look for f in found[:2]] == [RESIDUAL, PLAIN]
    assert len({f.look for f in found}) == 3


def test_twins_are_a_family_each(experiment: Make, make_job: Make) -> None:
    jobs = [make_job(f"{n} layers", 0, plain=plain, depth=n)
            for n in (7, 9) for plain in (False, True)]  # fmt: skip
    assert families(experiment(jobs)) == [
        ("n layers", ["7 layers", "9 layers"], True),
        ("n layers, plain", ["7 layers, plain", "9 layers, plain"], True),
    ]


@pytest.mark.parametrize(
    "names",
    [
        {"Net 1": 15, "Net 2": 12},  # a number that is not the depth
        {"ResNet-20": 20, "wide": 20},  # one that tells none
        {"a 5": 5, "b 7": 7},  # nothing to join
        {"5 of 5": 5, "7 of 7": 7},  # twice
        {"ResNet-20": 120, "ResNet-56": 156},  # a part of a number
        {"v1.20": 20, "v1.56": 56},
    ],
)
def test_names_that_do_not_tell_the_depth_are_no_families(
    experiment: Make, make_job: Make, names: dict[str, int]
) -> None:
    jobs = [make_job(name, 0, arch=name, depth=n) for name, n in names.items()]
    assert families(experiment(jobs)) == [("", list(names), False)]


def test_one_architecture_is_joined_whatever_its_rows_are_called(
    experiment: Make, make_job: Make
) -> None:
    jobs = [make_job(f"n={n}", 0, plain=plain, arch="resnet", depth=6 * n + 2)
            for n in (3, 5) for plain in (False, True)]  # fmt: skip
    assert families(experiment(jobs)) == [
        ("residual", ["n=3", "n=5"], True),
        ("plain", ["n=3, plain", "n=5, plain"], True),
    ]


def test_rows_of_one_architecture_at_one_depth_are_not_joined(
    experiment: Make, make_job: Make
) -> None:
    names = [f"n={n}, lr={lr}" for n in (3, 5) for lr in (0.1, 0.2)]
    jobs = [make_job(name, 0, arch="resnet", depth=6 * int(name[2]) + 2) for name in names]
    folder = experiment(jobs)
    assert families(folder) == [("", names, False)]
    found = families_of(read_results(folder).rows)
    moved = sideways(found, {row.number: row.job.depth for f in found for row in f.rows}, 1)
    assert moved[1, 0] != moved[2, 0]


def test_points_at_one_number_stand_apart_and_about_it(experiment: Make, make_job: Make) -> None:
    jobs = [make_job(f"{n} layers", seed, plain=plain, depth=n)
            for n in (7, 9) for plain in (False, True) for seed in (0, 1)]  # fmt: skip
    with drawn(experiment(jobs), depth) as figure:
        (axes,) = figure.axes
        points = np.concatenate([drawn_at(line) for line in markers(axes)])
        lines = [line for line in axes.lines if line.get_linestyle() in ("-", ":")]
        (legend,) = figure.legends
        for n in (7, 9):
            true = axes.transData.transform((n, 0))[0]
            here = sorted(point[0] for point in points if abs(point[0] - true) < 30)
            assert len(here) == 4
            assert min(np.diff(here)) > 4
            assert np.mean(here) == pytest.approx(true)
        # every point, bar and line is within the axes, and a line goes through its points
        assert all(axes.bbox.contains(*point) for point in points)
        joined = np.concatenate([drawn_at(line) for line in lines])
        assert sorted(map(tuple, joined.round(6))) == sorted(map(tuple, points.round(6)))
        assert [text.get_text() for text in legend.get_texts()] == [
            "n layers, validation", "n layers, training",
            "n layers, plain, validation", "n layers, plain, training",
        ]  # fmt: skip


def test_depths_are_written_where_the_axis_is_another(experiment: Make, make_job: Make) -> None:
    jobs = [make_job(f"ResNet-{n}", 0, arch=f"r{n}", depth=n, params=1000 * n) for n in (20, 56)]
    folder = experiment(jobs)
    for take, labels in ((depth, []), (params, ["20", "56"])):
        with drawn(folder, take) as figure:
            notes = [c for c in figure.axes[0].get_children() if isinstance(c, Annotation)]
            assert [note.get_text() for note in notes] == labels
            (legend,) = figure.legends
            one, other = (text.get_window_extent() for text in legend.get_texts())
            assert one.y0 == other.y0  # those of one family stand on one line


def _families(experiment: Make, make_job: Make) -> tuple[Family, ...]:
    jobs = [make_job(f"N{n}", 0, arch=f"a{n}", plain=n % 3 == 0) for n in range(6)]
    return families_of(read_results(experiment(jobs)).rows)


def test_what_is_about_at_one_number_is_moved_apart(experiment: Make, make_job: Make) -> None:
    found = _families(experiment, make_job)
    numbers = [row.number for family in found for row in family.rows]

    @given(st.lists(st.integers(0, 100), min_size=6, max_size=6))
    def check(places: list[int]) -> None:
        at = dict(zip(numbers, map(float, places), strict=True))
        moved = sideways(found, at, 2)
        span = max(places) - min(places)
        for place in set(places):
            here = [moved[n, m] for n in numbers if at[n] == place for m in range(2)]
            assert len(set(here)) == len(here)
        assert all(abs(right) <= 10 for right in moved.values())
        for one, other in combinations(sorted(set(places)), 2):
            if span and 300 / span * (other - one) > 16:  # their points do not mix
                most = max(moved[n, m] for n in numbers if at[n] == one for m in range(2))
                least = min(moved[n, m] for n in numbers if at[n] == other for m in range(2))
                assert 300 / span * one + most < 300 / span * other + least

    check()


def test_labels_of_points_cover_neither_each_other_nor_a_point(
    experiment: Make, make_job: Make
) -> None:
    folder = experiment(
        [make_job(f"Network {n}", 0, arch=f"a{n}", depth=10 + n % 3) for n in range(8)]
    )
    with drawn(folder, depth) as figure:
        (axes,) = figure.axes
        notes = [child for child in axes.get_children() if isinstance(child, Annotation)]
        boxes = [Text.get_window_extent(note) for note in notes]
    assert len(notes) == 8
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    points = [place for line in markers(axes) for place in drawn_at(line)]
    assert len(points) == 16
    assert not any(box.contains(*point) for box in boxes for point in points)
    frame = axes.bbox
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes)
