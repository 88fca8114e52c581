"""Mean, deviation and interval, against published quantiles, numpy and mpmath."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from netdsl.amounts import duration
from netdsl.experiment.report.formats import to_latex, to_text
from netdsl.experiment.report.spread import spread, student_t
from netdsl.experiment.report.table import Cell, Column, Line, Table
from netdsl.experiment.report.words import short

# Fisher and Yates, table III, two-sided 5 %; 1 % and 10 % for a few.
PUBLISHED = {
    (1, 0.95): 12.706, (2, 0.95): 4.303, (3, 0.95): 3.182, (4, 0.95): 2.776, (5, 0.95): 2.571,
    (6, 0.95): 2.447, (7, 0.95): 2.365, (8, 0.95): 2.306, (9, 0.95): 2.262, (10, 0.95): 2.228,
    (15, 0.95): 2.131, (20, 0.95): 2.086, (29, 0.95): 2.045, (30, 0.95): 2.042, (60, 0.95): 2.000,
    (120, 0.95): 1.980, (1, 0.99): 63.657, (2, 0.99): 9.925, (10, 0.99): 3.169, (1, 0.9): 6.314,
    (2, 0.9): 2.920, (30, 0.9): 1.697,
}  # fmt: skip


@pytest.mark.parametrize(("key", "published"), PUBLISHED.items(), ids=str)
def test_quantiles_are_those_of_the_tables(key: tuple[int, float], published: float) -> None:
    assert student_t(*key) == pytest.approx(published, abs=6e-4)


@settings(max_examples=40)
@given(st.integers(1, 200), st.floats(0.5, 0.999))
def test_the_quantile_holds_what_it_promises(degrees: int, level: float) -> None:
    mpmath = pytest.importorskip("mpmath", reason="mpmath came with torch until now")
    t = student_t(degrees, level)
    outside = mpmath.betainc(degrees / 2, 0.5, 0, degrees / (degrees + t * t), regularized=True)
    assert 1 - float(outside) == pytest.approx(level, abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9))
@example([0.5, 0.5])
def test_mean_deviation_and_interval_are_those_of_numpy(numbers: list[float]) -> None:
    found = spread(numbers)
    assert found is not None
    half = student_t(len(numbers) - 1) * np.std(numbers, ddof=1) / math.sqrt(len(numbers))
    assert found.mean == pytest.approx(np.mean(numbers), abs=1e-12)
    assert found.deviation == pytest.approx(np.std(numbers, ddof=1), abs=1e-9)
    ends = (np.mean(numbers) - half, np.mean(numbers) + half)
    assert found.interval == (pytest.approx(ends, abs=1e-7) if found.deviation else None)


@given(st.permutations([0.1, 0.2, 0.3, 0.7, 0.9, 1e-17]))
def test_the_order_of_seeds_changes_no_bit(numbers: list[float]) -> None:
    assert spread(numbers) == spread(sorted(numbers))


def test_three_pairs_by_hand() -> None:
    # Differences 1, 2 and 3: mean 2, deviation 1, half width 4.3027 / sqrt(3) = 2.4841.
    found = spread([1, 2, 3])
    assert found is not None
    assert (found.mean, found.deviation, found.n) == (2, 1, 3)
    assert found.interval == pytest.approx((-0.4841, 4.4841), abs=1e-4)


@given(
    st.integers(0, 9_000), st.lists(st.integers(0, 1_000), min_size=2, max_size=5), st.booleans()
)
def test_equal_differences_do_not_deviate(more: int, images: list[int], is_percent: bool) -> None:
    # Accuracies are fractions of images: equal differences of them differ in the last bits.
    scale = 100 if is_percent else 1
    pairs = [(scale * (one + more) / 10_000, scale * one / 10_000) for one in images]
    found = spread([a - b for a, b in pairs])
    assert found is not None
    assert found.deviation == 0
    assert found.interval is None


def test_one_image_of_a_million_is_a_deviation() -> None:
    found = spread([0.5, 0.5, 0.5 + 1e-6])
    assert found is not None
    assert found.deviation == pytest.approx(1e-6 / math.sqrt(3), rel=1e-6)


def test_one_number_has_neither_deviation_nor_interval() -> None:
    found = spread([0.5])
    assert found is not None
    assert (found.mean, found.deviation, found.interval) == (0.5, None, None)


def test_no_number_has_no_mean() -> None:
    assert spread([]) is None


def test_large_numbers_that_only_rounding_tells_apart_do_not_deviate() -> None:
    found = spread([1e6, 1e6 + 2e-7])
    assert found is not None
    assert found.deviation == 0.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59.94, "59.9 s"), (59.96, "1 min 0 s"), (3599.6, "1 h 0 min"), (7199.0, "2 h 0 min")],
)
def test_a_time_is_rounded_before_its_units_are_chosen(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_count_has_three_digits_after_rounding_too() -> None:
    assert [short(n) for n in (9_994_000, 9_996_000, 99_940_000, 99_960_000)] == [
        "9.99 M", "10.0 M", "99.9 M", "100 M"
    ]  # fmt: skip


@pytest.mark.parametrize("failure", ["", "why"])
def test_a_row_of_latex_begins_with_no_option_of_the_one_above(failure: str) -> None:
    names = ("[One] a", "*ours", "x[1]*")
    lines = tuple(Line((Cell(name, (name,)),), 1, 0, failure) for name in names)
    table = Table("table", "a", (Column("network", ("network",), is_text=True),), lines)
    _, below = to_latex(table).split(r"\midrule")
    begin = [line.strip().split(" ")[0] for line in below.splitlines()[1:4]]
    assert begin == ["{}[One]", "{}*ours", "x[1]*"]


def test_signs_of_latex_in_a_name_are_written_out() -> None:
    line = Line((Cell("x^2_~{a}", ("x",)),), 1)
    table = Table("table", "a", (Column("network", ("network",), is_text=True),), (line,))
    assert r"    x\textasciicircum{}2\_\textasciitilde{}\{a\} \\" in to_latex(table).splitlines()


def test_quotes_and_hyphens_of_a_name_need_no_encoding_of_latex() -> None:
    line = Line((Cell('"a" ---b-c –', ("x",)),), 1)
    table = Table("table", "a", (Column("network", ("network",), is_text=True),), (line,))
    assert r"    {\char34}a{\char34} -{}-{}-b-c -- \\" in to_latex(table).splitlines()


def test_names_of_wide_letters_leave_the_columns_of_a_terminal_as_they_are() -> None:
    columns = (Column("network", ("network",), is_text=True), Column("runs", ("runs",)))
    cells = (("网络 1", "3"), ("Net 1", "12"))
    lines = tuple(Line(tuple(Cell(text, (text,)) for text in row), 1) for row in cells)
    shown = to_text(Table("table", "a", columns, lines)).splitlines()
    assert shown[2:6] == ["network  runs", "─────────────", "网络 1      3", "Net 1      12"]
