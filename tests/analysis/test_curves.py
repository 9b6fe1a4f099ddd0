from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from blox_env.analysis.curves import (
    AXES,
    EVALUATIONS,
    GPU_HOURS,
    SIMULATED,
    WALL,
    along,
    anytime,
    curves,
    grid,
    hypervolume_along,
    is_geometric,
    positions,
    regret_along,
    steady,
)
from blox_env.analysis.statistics import regret_curves
from blox_env.problem.pareto import hypervolume
from tests.experiment.made_up import make_run

NAN = np.nan


def test_axes_are_labelled_with_what_they_are():
    labels = [axis.label for axis in AXES]
    assert len(set(labels)) == len({axis.key for axis in AXES}) == 4
    assert [("simulated" in label) for label in labels] == [False, True, True, False]
    assert "seconds" in WALL.label
    assert "GPU-hours" in GPU_HOURS.label


def test_positions():
    run = make_run([0.1, 0.2, 0.3], cost=[1, 0.5, 1], meta={"trial_wall_s": [0.1, 0.2, 0.4]})
    assert_array_equal(positions(run, EVALUATIONS), [1, 1.5, 2.5])
    assert_array_equal(positions(run, GPU_HOURS), [0.5, 1.0, 1.5])
    assert_array_equal(positions(run, WALL), [0.1, 0.2, 0.4])
    assert positions(run, SIMULATED) is None
    assert positions(make_run([0.1]), WALL) is None
    assert positions(make_run([0.1], meta={"trial_wall_s": [1, 2]}), WALL) is None


def test_simulated_workers_finish_in_their_own_order():
    run = make_run([0.1, 0.2, 0.3], extra={"sim_end_s": np.array([7200.0, 3600.0, 3600.0])})
    assert_array_equal(positions(run, SIMULATED), [2.0, 1.0, 1.0])
    assert_array_equal(positions(run, GPU_HOURS), [1.5, 0.5, 1.0])
    regret = regret_along(run, positions(run, SIMULATED), np.array([0.5, 1.0, 2.0]), 1.0)
    assert_allclose(regret, [NAN, 0.7, 0.7])


def test_an_axis_that_one_run_does_not_know_is_not_drawn():
    known = make_run([0.1, 0.2], meta={"trial_wall_s": [1.0, 2.0]})
    groups = {"a": [known], "b": [make_run([0.1, 0.2])]}
    assert along([known], WALL) is not None
    assert curves(groups, WALL, lambda run, where, x: 0 * x) is None
    zero = make_run([0.1], extra={"sim_end_s": np.array([0.0])})
    assert along([zero], SIMULATED) is None  # nothing took any time


REWARDS = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(REWARDS, st.data())
def test_regret_along_evaluations_is_that_of_the_statistics(rewards, data):
    cost = data.draw(st.lists(st.sampled_from([0.25, 0.5, 1.0]), min_size=len(rewards),
                              max_size=len(rewards)))  # fmt: skip
    run = make_run(rewards, cost=cost, budget=15)
    evaluations, expected = regret_curves([run], best=1.0)
    where = positions(run, EVALUATIONS)
    assert where is not None
    found = regret_along(run, where, evaluations.astype(float), 1.0)
    assert_allclose(found, expected[0])


def test_grids():
    assert_array_equal(grid([np.array([1.0, 2.0])], EVALUATIONS, 5), [1, 2, 3, 4, 5])
    long = grid([np.arange(1.0, 501)], EVALUATIONS, 500)
    assert len(long) == 80
    assert (long[0], long[-1]) == (1, 500)
    assert_array_equal(long, long.round())
    hours = grid([np.array([0.5, 4.0]), np.array([2.0])], GPU_HOURS, 2, points=4)
    assert_array_equal(hours, [1, 2, 3, 4])


@given(arrays(float, (10, 2), elements=st.floats(0, 1).map(lambda v: round(v, 2))))
def test_hypervolume_is_that_of_what_was_found_so_far(points):
    run = make_run(points[:, 0], latency=points[:, 1], cost=np.ones(10))
    corner = np.array([-0.1, 1.1])
    where = positions(run, EVALUATIONS)
    assert where is not None
    x = np.array([0.5, 1, 2, 5, 9, 10, 99])
    found = hypervolume_along(run, where, x, corner, 2.0)
    expected = [
        hypervolume(points[: int(min(n, 10))], corner, maximise=(True, False)) / 2.0
        if n >= 1 else 0.0
        for n in x
    ]  # fmt: skip
    assert_allclose(found, expected, atol=1e-12)
    assert (np.diff(found) >= -1e-12).all()


def test_hypervolumes_of_long_runs_are_compared_in_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    run = make_run(rng.random(300), latency=rng.random(300).round(2), cost=np.ones(300))
    where, x, corner = np.arange(1.0, 301), np.arange(1.0, 301, 7), np.array([-0.1, 1.1])
    whole = hypervolume_along(run, where, x, corner)
    monkeypatch.setattr("blox_env.analysis.curves._BLOCK", 10)
    assert_array_equal(hypervolume_along(run, where, x, corner), whole)


def test_partial_trainings_and_missing_latencies_are_not_in_the_hypervolume():
    run = make_run(
        [0.9, 0.5, 0.8], latency=[0.1, 0.5, NAN], epochs=[1, 4, 4], cost=[0.25, 1, 1]
    )  # fmt: skip
    run = replace(run, facts=replace(run.facts, epochs=4))
    where = positions(run, EVALUATIONS)
    assert where is not None
    (found,) = hypervolume_along(run, where, np.array([9.0]), np.array([0.0, 1.0]))
    assert found == pytest.approx(0.5 * 0.5)


def test_curves_are_interquartile_means_with_intervals():
    runs = [make_run([0.1 * s, 0.1 * s + 0.05], seed=s, budget=3) for s in range(8)]
    found = curves(
        {"a": runs}, EVALUATIONS, lambda run, where, x: regret_along(run, where, x, 1.0)
    )  # fmt: skip
    assert found is not None
    curve = found["a"]
    assert_array_equal(curve.x, [1, 2, 3])
    assert_allclose(curve.value, [0.65, 0.6, 0.6])
    assert (curve.low < curve.value).all()
    assert (curve.value < curve.high).all()
    assert curve.runs == 8


@pytest.mark.parametrize("sign", [1, -1])
def test_limits_of_a_curve_that_only_falls_or_rises_do_so_too(sign):
    rng = np.random.default_rng(0)
    value = np.concatenate([[np.nan], np.sort(rng.uniform(0, 1, 50))[::-1]]) * sign
    low, high = value - rng.uniform(0, 0.2, 51), value + rng.uniform(0, 0.2, 51)
    lower, higher = steady(value, low, high)
    assert np.isnan([lower[0], higher[0]]).all()
    for limits, before in ((lower, low), (higher, high)):
        assert (sign * np.diff(limits[1:]) <= 0).all()
        assert_array_equal(np.sort(limits), np.sort(before))
    assert (lower[1:] <= value[1:]).all()
    assert (value[1:] <= higher[1:]).all()


def test_limits_of_a_curve_that_turns_stay():
    value = np.array([1.0, 3.0, 2.0])
    low, high = value - np.array([0.5, 0.1, 0.4]), value + 0.2
    for kept, before in zip(steady(value, low, high), (low, high), strict=True):
        assert_array_equal(kept, before)


def test_a_curve_ends_where_its_last_run_ends():
    short = [make_run([0.5, 0.6], agent="a", seed=s) for s in range(5)]
    long = [make_run([0.5] * 8, agent="b", seed=s) for s in range(5)]
    found = curves(
        {"a": short, "b": long}, GPU_HOURS, lambda run, where, x: regret_along(run, where, x, 1.0)
    )
    assert found is not None
    assert found["a"].x[~np.isnan(found["a"].value)].max() == pytest.approx(1.0, abs=0.06)
    assert not np.isnan(found["b"].value[-1])


def test_the_area_under_a_curve_is_its_mean():
    regret = np.array([[1.0, 0.5, 0.0, 0.5], [NAN, NAN, 0.4, 0.2], [0.6, 0.2, NAN, NAN]])
    assert_allclose(anytime(regret), [0.5, 0.35, 0.4])


def test_wall_times_that_differ_much_are_spaced_by_equal_ratios():
    quick, slow = np.array([0.001, 0.01]), np.array([1.0, 10.0])
    found = grid([quick, slow], WALL, 2, points=41)
    assert is_geometric(found)
    assert_allclose(found[[0, -1]], [0.001, 10.0])
    assert not is_geometric(grid([slow, slow], WALL, 2, points=41))
