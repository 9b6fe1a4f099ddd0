import sys
import time

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from blox_env.problem.pareto import epsilon_additive, front, hypervolume, igd_plus


def brute_force(points):
    """The definition, pair by pair."""
    no_worse = (points[:, None] <= points[None]).all(axis=2)
    better = (points[:, None] < points[None]).any(axis=2)
    return ~(no_worse & better).any(axis=0)


def tables(objectives, values=(-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)):
    """Few values, so that ties and equal points are frequent."""
    shapes = array_shapes(min_dims=1, max_dims=1, min_side=0, max_side=25)
    return shapes.flatmap(
        lambda n: arrays(float, (*n, objectives), elements=st.sampled_from(values))
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


INFINITE = (-np.inf, -1.0, 0.0, 2.0, np.inf)


@pytest.mark.extra
@given(st.sampled_from([3, 4]).flatmap(lambda m: tables(m, INFINITE)))
@example(np.array([[2, -np.inf, 0], [2, -2, -1]]))  # a segmentation fault in moocore 0.3.2
@example(np.array([[np.inf, 2, np.inf], [np.inf, np.inf, -1]]))
@example(np.array([[1, 2, -np.inf, 0], [1, -1, -np.inf, -1]]))
def test_front_of_many_objectives_with_infinite_values(points):
    np.testing.assert_array_equal(front(points), brute_force(points))


@pytest.mark.extra
@given(st.sampled_from([2, 3, 4]).flatmap(lambda m: tables(m, INFINITE)))
def test_indicators_with_infinite_values(points):
    m = points.shape[1]
    inside = points[(points < 3).all(axis=1)]
    volume = hypervolume(points, [3.0] * m)
    if np.isinf(inside).any():
        assert volume == np.inf
    else:
        assert volume == hypervolume(inside, [3.0] * m)
    assert hypervolume(points, [-np.inf] * m) == 0
    true = np.zeros((1, m))
    worse = np.maximum(points, 0)
    assert igd_plus(points, true) == pytest.approx(
        np.sqrt((worse**2).sum(axis=1)).min(initial=np.inf)
    )
    assert epsilon_additive(points, true) == points.max(axis=1).min(initial=np.inf)


def test_a_front_to_compare_with_is_finite():
    for indicator in (igd_plus, epsilon_additive):
        with pytest.raises(ValueError, match="must be finite"):
            indicator([[0.0, 0.0]], [[0.0, np.inf]])


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


@pytest.mark.extra
def test_hypervolume_equals_counting_cells():
    pytest.importorskip("moocore")
    rng = np.random.default_rng(0)
    for m in (2, 3):
        points = rng.integers(0, 6, size=(8, m)).astype(float)
        cells = np.stack(np.meshgrid(*[np.arange(5)] * m), axis=-1).reshape(-1, m)
        covered = (points[None] <= cells[:, None]).all(axis=2).any(axis=1)
        assert hypervolume(points, [5.0] * m) == covered.sum()
        flipped = hypervolume(-points, [-5.0] * m, maximise=True)
        assert flipped == covered.sum()
    mixed = hypervolume([[1.0, 3.0]], [2.0, 1.0], maximise=[False, True])
    assert mixed == 2.0
    assert hypervolume([[9.0, 9.0]], [5.0, 5.0]) == 0.0


@pytest.mark.parametrize(
    ("points", "reference"), [([1, 2], [3]), ([[1, 2]], [3]), ([[1, np.nan]], [2, 2])]
)
def test_bad_hypervolumes(points, reference):
    with pytest.raises(ValueError, match="reference"):
        hypervolume(points, reference)


@pytest.mark.extra
def test_indicators_by_hand():
    true, found = [[4.0, 0.0], [0.0, 4.0]], [[4.0, 0.0], [0.0, 1.0]]
    assert igd_plus(found, true, maximise=True) == 1.5
    assert epsilon_additive(found, true, maximise=True) == 3.0
    assert igd_plus(true, found, maximise=True) == 0.0
    assert epsilon_additive(np.negative(true), np.negative(true)) == 0.0


@pytest.mark.parametrize("indicator", [igd_plus, epsilon_additive])
def test_bad_sets(indicator):
    assert indicator(np.zeros((0, 2)), [[1.0, 2.0]]) == np.inf
    for points, true in (([1.0], [[1.0]]), ([[1.0]], [[1.0, 2.0]]), ([[1.0]], np.zeros((0, 1)))):
        with pytest.raises(ValueError, match=r"expected points of shape \(n, m\) and a front"):
            indicator(points, true)
    with pytest.raises(ValueError, match="NaN"):
        indicator([[np.nan]], [[1.0]])


@pytest.mark.extra
@pytest.mark.parametrize("m", [2, 3, 4])
def test_large_sets_agree_with_moocore(m):
    moocore = pytest.importorskip("moocore")
    points = np.random.default_rng(m).integers(0, 50, size=(20_000 // m**2, m)).astype(float)
    expected = moocore.is_nondominated(points, keep_weakly=True, maximise=True)
    np.testing.assert_array_equal(front(points, maximise=True), expected)
    some = points[:200]
    assert hypervolume(some, [-1.0] * m, maximise=True) == moocore.hypervolume(
        some, ref=[-1.0] * m, maximise=True
    )
