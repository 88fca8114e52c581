"""Held-out and limited images: every class its share, the same each time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdsl.train.data.split import hold_out, spread

LABELS = st.lists(st.integers(0, 5), min_size=2, max_size=80).map(np.array)


@given(LABELS, st.data())
def test_each_class_gets_its_share_to_one_image(labels: np.ndarray, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, len(labels)))
    taken = np.bincount(labels[spread(labels, count)], minlength=6)
    shares = np.bincount(labels, minlength=6) * count / len(labels)
    assert taken.sum() == count
    assert np.abs(taken - shares).max() < 1.5


@given(LABELS, st.data())
def test_more_images_keep_those_that_fewer_had(labels: np.ndarray, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, len(labels)))
    assert set(spread(labels, count - 1)) < set(spread(labels, count))


def test_the_first_images_of_a_class_are_taken() -> None:
    labels = np.array([2, 0, 0, 2, 2, 0, 2, 2])
    assert spread(labels, 3).tolist() == [0, 1, 3]


@pytest.mark.parametrize("seed", [0, 1])
def test_holding_out_is_a_matter_of_the_seed(seed: int) -> None:
    labels = np.repeat([0, 1, 2], [50, 10, 5])
    held = hold_out(labels, 0.2, seed)
    assert np.array_equal(held, hold_out(labels, 0.2, seed))
    assert not np.array_equal(held, hold_out(labels, 0.2, seed + 1))
    assert np.bincount(labels[held]).tolist() == [10, 2, 1]
