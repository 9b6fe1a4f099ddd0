from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from blox_env.analysis.fronts import Points, found_front
from blox_env.problem.pareto import front
from tests.experiment.made_up import Board, make_run

GRID = st.integers(0, 5).map(lambda v: v / 5)


@given(arrays(float, st.tuples(st.integers(1, 20), st.just(2)), elements=GRID))
def test_the_front_has_what_nothing_dominates_fastest_first(values):
    points = Points(values[:, 0], values[:, 1])
    line = points.front()
    assert (np.diff(line.latency_ms) > 0).all()
    assert (np.diff(line.val_acc) > 0).all()
    assert line.val_acc[-1] == points.val_acc.max()
    assert line.latency_ms[0] == points.latency_ms.min()
    assert points.on_front().tolist() == front(values, maximise=(False, True)).tolist()


def test_the_reference_point_lies_beyond_the_worst():
    points = Points(np.array([1.0, 3.0]), np.array([0.5, 0.9]))
    assert_allclose(points.reference(), [0.46, 3.2])
    alone = Points(np.array([2.0]), np.array([0.5])).reference()
    assert alone[0] < 0.5
    assert alone[1] > 2.0


@given(st.lists(st.lists(st.tuples(GRID, GRID), min_size=1, max_size=6), min_size=1, max_size=3))
def test_a_found_front_is_that_of_all_runs_with_its_architectures(many):
    runs = [
        make_run([acc for acc, _ in rows], latency=[ms for _, ms in rows], seed=seed)
        for seed, rows in enumerate(many)
    ]
    found = found_front(runs)
    line = Points.of(runs).front()
    assert [p.latency_ms for p in found] == line.latency_ms.tolist()
    assert [p.val_acc for p in found] == line.val_acc.tolist()
    for point in found:
        assert point.seed is not None
        row = point.row[0]  # made-up architectures are (row of the run, seed)
        assert point.row[1] == point.seed
        assert many[point.seed][row] == (point.val_acc, point.latency_ms)
        assert point.source == runs[point.seed].columns["source"][row]
        assert point.latency_source == "source not recorded"


def test_a_device_says_which_latencies_were_measured():
    run = make_run([0.1, 0.2, 0.3, 0.4], latency=[1, 2, 3, 4])
    points = found_front([run], Board())
    origins = Board().provenance(np.array([p.row for p in points]))
    assert [p.latency_source for p in points] == origins
    assert {p.latency_source for p in points} == {"measured", "predicted"}


def test_partial_trainings_are_in_no_front():
    run = make_run([0.9, 0.5], latency=[1, 2], epochs=[1, 4], cost=[0.25, 1])
    run = replace(run, facts=replace(run.facts, epochs=4))
    assert [p.val_acc for p in found_front([run])] == [0.5]
    run.columns["latency_ms"][:] = np.nan
    assert found_front([run]) == []
