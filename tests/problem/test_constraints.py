"""Constraints by name: what keeps to them, what it costs to break them, and the exact answers."""

import pickle

import numpy as np
import pytest

from blox_env import BloxSpace, Problem, search
from blox_env.problem.constraints import Constraints
from tests.toys import ToyBenchmark, ToyDevice, huge_space

LIMITS = {"params": 2.3e6, "latency_ms": 5.0}


@pytest.fixture(scope="module")
def problem():
    return Problem("digits", "x86-ort-1t", constraints=LIMITS, budget=60)


def plain(problem, rows):
    """Excess by hand."""
    params = problem.space.params(rows) / LIMITS["params"] - 1
    latency = problem.device.latency_ms(rows) / LIMITS["latency_ms"] - 1
    return np.maximum(params, 0) + np.maximum(latency, 0)


def test_optimum_regret_and_front_are_among_the_feasible(problem):
    rows = problem.space.all()
    cost = plain(problem, rows)
    free = Problem("digits", "x86-ort-1t").peek(rows)
    feasible = cost == 0
    assert 0 < feasible.sum() == problem.candidates.count < len(rows)
    assert "are within params <= 2.3e+06, latency_ms <= 5" in str(problem.candidates)
    row, best = problem.optimum()
    assert best == free.reward[feasible].max()
    assert problem.constraints.within(row[None]).all()
    worst = best - free.reward[feasible].min()
    some = np.flatnonzero(~feasible)[:3]
    np.testing.assert_array_equal(problem.regret(rows[some]), worst)
    front, values = problem.pareto_front()
    assert problem.constraints.within(front).all()
    assert (values[:, 1] <= 5.0).all()
    # the same front as among the feasible alone: each is better than all that are as fast
    order = np.lexsort((-free.val_acc, free.latency_ms))
    order = order[feasible[order]]
    best_so_far = np.maximum.accumulate(free.val_acc[order])
    alone = order[np.r_[True, np.diff(best_so_far) > 0]]
    np.testing.assert_array_equal(np.sort(values[:, 0]), np.sort(free.val_acc[alone]))


def test_what_breaks_a_constraint_is_worth_less_than_whatever_keeps_to_it():
    for reward in ("mnasnet", "tunas", "chebyshev", "linear", lambda a, t, target: a - t):
        problem = Problem("digits", "x86-ort-1t", reward, constraints=LIMITS)
        trials = problem.peek(problem.space.all())
        cost = problem.constraints.excess(trials.x, trials.latency_ms)
        np.testing.assert_allclose(cost, plain(problem, trials.x))
        broken = cost > 0
        assert trials.reward[broken].max() <= trials.reward[~broken].min()
        order = np.argsort(cost[broken])
        assert (np.diff(trials.reward[broken][order]) <= 0).all()


def test_searches_keep_to_them(problem):
    history = search(problem, "regularized-evolution", seed=0)
    assert problem.constraints.within(history.x).all()
    assert len(history) == 60
    assert history.met
    assert {goal.name for goal in history.goals} == {"latency target", "params", "latency_ms"}


def test_several_objectives_keep_to_them():
    problem = Problem(
        ToyBenchmark(huge_space()), ToyDevice(huge_space()), budget=5,
        objectives=("val_acc", "latency_ms"), constraints={"latency_ms": 3.0},
    )  # fmt: skip
    rows = problem.space.sample(np.random.default_rng(0), 50)
    trials = problem.peek(rows)
    values = problem.values(trials)
    over = trials.latency_ms > 3.0
    assert over.any()
    assert (values[over, 0] < 0).all()
    assert (values[over, 1] < -trials.latency_ms[over]).all()
    np.testing.assert_array_equal(values[~over, 1], -trials.latency_ms[~over])


def test_memory_is_weights_and_activations():
    space = BloxSpace()
    limits = Constraints({"memory_mb": 12}, ToyBenchmark(), None)
    rows = space.sample(np.random.default_rng(0), 5)
    expected = (4 * space.params(rows) + space.peak_activation_bytes(rows)) / 1e6
    np.testing.assert_allclose(limits.value("memory_mb", rows), expected)


def test_they_go_to_other_processes(problem):
    task = pickle.loads(pickle.dumps(problem.task))
    assert task.constraints.limits == LIMITS


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"param": 1.0}, "unknown constraint 'param'.*'params'"),
        ({"params": 0}, "constraint 'params' must be above 0, got 0"),
        ({"params": float("nan")}, "must be above 0, got nan"),
        ({"flops": 1e6}, "constraint 'flops': neither"),
        ({"latency_ms": 1.0}, "needs a device"),
    ],
)
def test_errors_say_what_is_wrong(limits, message):
    with pytest.raises(ValueError, match=message):
        Problem(ToyBenchmark(), None, constraints=limits)


def test_other_types_are_errors():
    for limits in ("params", {"params": "many"}, {"params": True}):
        with pytest.raises(TypeError):
            Problem(ToyBenchmark(), None, constraints=limits)


def test_nothing_within_is_an_error():
    with pytest.raises(ValueError, match=r"no architecture of .* is within params <= 10"):
        Problem("digits", None, constraints={"params": 10}, budget=5)


def test_formulas_get_columns_by_name():
    def small(accuracy, params, target):
        return accuracy - params / 1e7

    problem = Problem("digits", "x86-ort-1t", small)
    rows = problem.space.sample(np.random.default_rng(0), 4)
    trials = problem.peek(rows)
    np.testing.assert_allclose(trials.reward, trials.val_acc - problem.space.params(rows) / 1e7)
    with pytest.raises(ValueError, match="need the architectures: pass x="):
        problem.rewards(trials.val_acc, trials.latency_ms)
    with pytest.raises(ValueError, match=r"numpy.where\(latency < 4, a, 0\)"):
        Problem("digits", "x86-ort-1t", lambda accuracy, macs: accuracy if macs < 1e8 else 0.0)
