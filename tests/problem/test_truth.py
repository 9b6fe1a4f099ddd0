"""Exact answers against their definitions, on small made-up tables."""

from functools import partial
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from blox_env import Benchmark, Device, Evaluation, Problem, SearchSpace
from tests.toys import ToyBenchmark, ToyDevice, huge_space

NAMES = ("val_acc", "latency_ms", "params", "macs")
SIGNS = np.array([1.0, -1.0, -1.0, -1.0])  # of what is to be maximised


class Table(Benchmark):
    name = "table-of-a-test"
    columns = NAMES

    def __init__(self, columns):
        self.space = SearchSpace((len(columns),))
        self.data = columns

    def evaluate(self, x, *, epochs=None, best=False, seed=None):
        acc, n = self.data[self.space.check(x)[:, 0], 0], len(x)
        return Evaluation(acc, acc, np.zeros(n), np.zeros(n), np.full(n, "trained"))

    def column(self, name, x):
        return self.data[self.space.check(x)[:, 0], NAMES.index(name)]


class Clock(Device):
    name = "clock-of-a-test"

    def __init__(self, benchmark):
        self.space, self.table = benchmark.space, benchmark

    def latency_ms(self, x):
        return self.table.column("latency_ms", x)

    def measured(self, x):
        return np.ones(len(x), bool)


def small_problem(columns, objectives, **arguments):
    benchmark = Table(np.asarray(columns, dtype=float))
    arguments.setdefault("latency_target_ms", 1.0)
    return Problem(benchmark, Clock(benchmark), objectives=objectives, **arguments)


def tables(m):
    """Small whole numbers: ties, equal rows and constant columns are frequent."""
    return st.integers(1, 7).flatmap(
        lambda n: arrays(float, (n, m), elements=st.integers(1, 4).map(float))
    )


def worst_to_best(columns):
    """Values in the sense of ``Problem.values``."""
    return np.column_stack([columns[:, 0], -columns[:, 1:]])


def dominated(point, points):
    return any((p >= point).all() and (p > point).any() for p in points)


def volume(points, reference):
    """Cell by cell of the grid through all coordinates."""
    edges = [sorted({*column, low}) for column, low in zip(points.T, reference, strict=True)]
    total = 0.0
    for cell in product(*(pairwise(e) for e in edges)):
        low, high = np.array(cell).T
        if (low >= reference).all() and (points >= high).all(axis=1).any():
            total += float(np.prod(high - low))
    return total


MORE = [2, *(pytest.param(m, marks=pytest.mark.extra) for m in (3, 4))]


@pytest.mark.parametrize("m", MORE)
def test_front_equals_brute_force(m):
    @given(tables(m))
    def check(columns):
        problem = small_problem(np.hstack([columns, np.ones((len(columns), 4 - m))]), NAMES[:m])
        values = worst_to_best(columns)
        rows, told = problem.pareto_front()
        front = told * SIGNS[:m]
        expected = {tuple(v) for v in values if not dominated(v, values)}
        assert {tuple(v) for v in front} == expected
        assert len(front) == len(expected)
        np.testing.assert_array_equal(values[rows[:, 0]], front)
        assert all(front[:-1, 0] >= front[1:, 0])

    check()


@pytest.mark.extra
@pytest.mark.parametrize("m", [2, 3, 4])
def test_volume_equals_brute_force(m):
    @given(tables(m))
    def check(columns):
        problem = small_problem(np.hstack([columns, np.ones((len(columns), 4 - m))]), NAMES[:m])
        values = worst_to_best(columns)
        spread = np.ptp(values, axis=0)
        reference = values.min(axis=0) - np.where(spread > 0, 0.1 * spread, 1.0)
        np.testing.assert_array_equal(problem.reference_point() * SIGNS[:m], reference)
        expected = volume(values, reference)
        assert problem.hypervolume(values) == pytest.approx(expected)
        assert problem.hypervolume(problem.pareto_front()[1]) == pytest.approx(expected)

    check()


@pytest.mark.extra
@given(tables(3), st.data())
def test_front_regret_equals_its_definitions(columns, data):
    problem = small_problem(np.hstack([columns, np.ones((len(columns), 1))]), NAMES[:3])
    values = worst_to_best(columns)
    some = data.draw(st.lists(st.integers(0, len(columns) - 1), min_size=1, max_size=4))
    found = problem.front_regret(x=np.array(some)[:, None])
    signs = SIGNS[:3]
    reference, front = problem.reference_point() * signs, problem.pareto_front()[1] * signs
    assert found.exact == pytest.approx(volume(values, reference))
    assert found.hypervolume == pytest.approx(volume(values[some], reference))
    assert 0 <= found.relative < 1
    spread = np.ptp(values, axis=0)
    lack = np.maximum(front[:, None] - values[some][None], 0) / np.where(spread > 0, spread, 1)
    distances = np.sqrt((lack**2).sum(axis=2)).min(axis=1)
    assert found.igd_plus == pytest.approx(distances.mean(), abs=1e-12)
    assert found.epsilon == pytest.approx(lack.max(axis=2).min(axis=1).max(), abs=1e-12)
    same = problem.front_regret(values[some])
    assert same == found
    whole = problem.front_regret(front)
    assert (whole.regret, whole.relative, whole.igd_plus, whole.epsilon) == (0, 0, 0, 0)


@given(tables(2), st.integers(0, 4), st.data())
def test_feasible_answers_equal_a_plain_reading(columns, budget, data):
    columns = np.hstack([columns, np.ones((len(columns), 2))])
    problem = small_problem(columns, NAMES[:2], reward="tunas")
    latency = columns[:, 1]
    reward = columns[:, 0] - 0.07 * abs(latency - 1)
    within = latency <= budget
    answers = data.draw(st.lists(st.integers(0, len(columns) - 1), max_size=4))
    x = np.array(answers, dtype=int)[:, None]
    if not within.any():
        for ask in (problem.optimum, problem.pareto_front, partial(problem.regret, x)):
            with pytest.raises(ValueError, match=f"latency_budget_ms={budget}: the fastest takes"):
                ask(latency_budget_ms=budget)
        return
    best = reward[within].max()
    row, value = problem.optimum(latency_budget_ms=budget)
    assert value == best == reward[row[0]]
    assert latency[row[0]] <= budget
    worst = best - reward[within].min()
    expected = [best - reward[i] if within[i] else worst for i in answers]
    np.testing.assert_array_equal(problem.regret(x, latency_budget_ms=budget), expected)
    over = problem.regret(x, latency_budget_ms=budget, infeasible=np.inf)
    np.testing.assert_array_equal(np.isinf(over), ~within[answers])
    values = worst_to_best(columns[within][:, :2])
    _, front = problem.pareto_front(latency_budget_ms=budget)
    assert {tuple(v) for v in front * SIGNS[:2]} == {
        tuple(v) for v in values if not dominated(v, values)
    }


@pytest.mark.extra
def test_what_is_over_the_budget_adds_nothing_to_a_front():
    problem = small_problem([[3, 3, 1, 1], [2, 2, 1, 1], [1, 1, 1, 1]], NAMES[:2])
    found = problem.front_regret(x=[[0], [1], [2]], latency_budget_ms=2)
    assert found.regret == found.igd_plus == found.epsilon == 0
    nothing = problem.front_regret(x=[[0]], latency_budget_ms=2)
    assert nothing.relative == 1
    assert nothing.hypervolume == 0
    assert nothing.igd_plus == nothing.epsilon == np.inf


def test_regret_is_to_the_optimum():
    problem = Problem(ToyBenchmark(), ToyDevice())
    row, _ = problem.optimum()
    regret = problem.regret([row, [44, 44, 44]])
    assert regret[0] == 0 < regret[1]
    assert problem.spent == len(problem.history) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either values or x"),
        ({"values": [[1.0, 2.0]], "x": [[0, 0, 0]]}, "either values or x"),
        ({"values": [[1.0]]}, r"shape \(n, 2\), one column for each of val_acc, latency_ms, got"),
        ({"values": [1.0, 2.0]}, r"got shape \(2,\)"),
    ],
)
def test_points_are_checked(arguments, message):
    problem = Problem(ToyBenchmark(), ToyDevice(), objectives=("val_acc", "latency_ms"))
    for ask in (problem.hypervolume, problem.front_regret):
        with pytest.raises(ValueError, match=message):
            ask(**arguments)


def test_what_cannot_be_told_is_an_error():
    bare = Problem(ToyBenchmark(), None)
    with pytest.raises(ValueError, match="needs a device"):
        bare.optimum(latency_budget_ms=3.0)
    with pytest.raises(ValueError, match="pass x="):
        Problem(ToyBenchmark(), ToyDevice()).front_regret([[1.0]], latency_budget_ms=3.0)
    large = Problem(ToyBenchmark(huge_space()), ToyDevice(huge_space()))
    for ask in (large.optimum, large.pareto_front, large.reference_point):
        with pytest.raises(ValueError, match="too large to find its"):
            ask()


@pytest.mark.extra
def test_a_space_too_large_to_list_takes_a_reference_of_its_own():
    space = huge_space()
    problem = Problem(ToyBenchmark(space), ToyDevice(space), objectives=("val_acc", "latency_ms"))
    assert problem.hypervolume([[0.5, -3.0]], reference=[0.0, -5.0]) == pytest.approx(1.0)


def test_what_carries_the_name_of_a_unit_is_in_that_unit():
    problem = Problem("digits", "x86-ort-1t", objectives=("val_acc", "latency_ms", "params"))
    rows, values = problem.pareto_front(objectives=("val_acc", "latency_ms"))
    known = problem.peek(rows)
    np.testing.assert_array_equal(values, np.column_stack([known.val_acc, known.latency_ms]))
    reference = problem.reference_point()
    assert reference[1] > problem.peek(problem.space.all()).latency_ms.max()
    assert reference[2] > problem.space.params(problem.space.all()).max()


@pytest.mark.extra
def test_points_and_reference_may_be_as_agents_see_them_or_in_units():
    problem = Problem(ToyBenchmark(), ToyDevice(), objectives=NAMES[:2])
    rows, values = problem.pareto_front()
    seen = problem.values(problem.peek(rows))
    np.testing.assert_array_equal(seen, values * SIGNS[:2])
    exact = problem.front_regret(x=rows)
    assert problem.front_regret(values) == problem.front_regret(seen) == exact
    assert problem.hypervolume(values) == problem.hypervolume(seen) == exact.exact
    volume = problem.hypervolume(values, reference=[0.0, 9.0])
    assert volume == problem.hypervolume(values, reference=[0.0, -9.0]) > 0


def test_a_problem_with_a_device_has_the_front_of_accuracy_and_latency():
    problem = Problem(ToyBenchmark(), ToyDevice())
    asked = Problem(ToyBenchmark(), ToyDevice(), objectives=NAMES[:2])
    for ours, theirs in zip(problem.pareto_front(), asked.pareto_front(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert problem.pareto_front(objectives="reward")[1].shape == (1, 1)
    assert Problem(ToyBenchmark(), None).pareto_front()[1].shape == (1, 1)
