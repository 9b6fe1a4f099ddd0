import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from blox_env.pareto import front


def brute_force(points):
    """The definition, pair by pair."""
    no_worse = (points[:, None] <= points[None]).all(axis=2)
    better = (points[:, None] < points[None]).any(axis=2)
    return ~(no_worse & better).any(axis=0)


def tables(objectives):
    """Small integers, so that ties and equal points are frequent."""
    shapes = array_shapes(min_dims=1, max_dims=1, min_side=0, max_side=25)
    return shapes.flatmap(
        lambda n: arrays(float, (*n, objectives), elements=st.integers(-3, 3).map(float))
    )


@pytest.mark.parametrize("objectives", [1, 2])
def test_front_is_what_nothing_dominates(objectives):
    @given(tables(objectives))
    def check(points):
        before = points.copy()
        np.testing.assert_array_equal(front(points), brute_force(points))
        np.testing.assert_array_equal(points, before)

    check()


@pytest.mark.extra
@given(st.sampled_from([3, 4]).flatmap(tables))
def test_front_of_many_objectives(points):
    np.testing.assert_array_equal(front(points), brute_force(points))


@given(
    arrays(float, (12, 2), elements=st.floats(allow_nan=False)),
    st.tuples(st.booleans(), st.booleans()),
)
def test_maximising_is_minimising_the_negative(points, up):
    signs = np.where(up, -1.0, 1.0)
    np.testing.assert_array_equal(front(points, maximise=up), brute_force(points * signs))
    np.testing.assert_array_equal(front(points, maximise=True), front(-points))


def test_equal_points_are_in_the_front_together():
    points = [[1, 2], [2, 1], [1, 2], [2, 2]]
    assert front(points).tolist() == [True, True, True, False]


def test_a_whole_space_is_quick():
    points = np.random.default_rng(0).normal(size=(91_125, 2))
    started = time.perf_counter()
    front(points)
    assert time.perf_counter() - started < 1  # 0.02 s on an idle machine


@pytest.mark.parametrize("points", [[1.0, 2.0], np.zeros((2, 2, 2)), np.zeros((3, 0))])
def test_wrong_shape(points):
    with pytest.raises(ValueError, match=r"shape \(n, m\), got shape"):
        front(points)


def test_nan_is_named():
    with pytest.raises(ValueError, match="row 1, column 0"):
        front([[1.0, 2.0], [np.nan, 2.0]])


def test_wrong_number_of_directions():
    with pytest.raises(ValueError, match="one bool or 2"):
        front([[1.0, 2.0]], maximise=[True, False, True])


def test_three_objectives_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "moocore", None)
    with pytest.raises(ImportError, match=r"blox-env\[moo\]"):
        front(np.zeros((2, 3)))
    assert front([[1.0, 2.0]]).tolist() == [True]
