"""The formulas of Bayesian optimisation against slow and plain ones."""

import numpy as np
import pytest

from blox_env import Problem, SearchSpace, search
from tests.toys import ToyBenchmark, ToyDevice, huge_space

pytestmark = pytest.mark.extra
optimize = pytest.importorskip("scipy.optimize")
moocore = pytest.importorskip("moocore")
pytest.importorskip("threadpoolctl")

from blox_env.agents import gp_bo
from blox_env.agents._distances import slot_distances


def process(x, y, problem):
    model = gp_bo._Process(slot_distances(problem.space, "auto"), 1.0, 0.3)
    model.scale(y, -np.inf)
    return model, model.scaled(y)


def test_hypervolume_improvement_equals_sampling():
    rng = np.random.default_rng(0)
    known = rng.normal(size=(12, 2))
    mean, deviation = rng.normal(size=(2, 6)) + 0.5, rng.uniform(0.2, 1, size=(2, 6))
    exact = gp_bo._hypervolume_improvement(mean, deviation, known, 0.1)
    low, high = known.min(0), known.max(0)
    corner = low - 0.1 * (high - low)

    def volume(points):
        return moocore.hypervolume(-points, ref=-corner)

    for j in range(6):
        drawn = mean[:, j] + deviation[:, j] * rng.normal(size=(4000, 2))
        gains = [max(0.0, volume(np.vstack([known, one])) - volume(known)) for one in drawn]
        error = np.std(gains) / np.sqrt(len(gains))
        assert abs(exact[j] - np.mean(gains)) < 5 * error + 1e-9


def test_gradient_of_the_likelihood():
    rng = np.random.default_rng(1)
    problem = Problem(ToyBenchmark(), ToyDevice(), budget=30)
    x = problem.space.sample(rng, 20)
    model, y = process(x, problem.peek(x).val_acc, problem)
    one, other = np.tril_indices(20, -1)
    apart = np.concatenate([d[:, x[one, i], x[other, i]] for i, d in enumerate(model.distances)])
    slow = optimize.approx_fprime(model.theta, lambda t: model._loss(t, apart, y)[0], 1e-6)
    np.testing.assert_allclose(model._loss(model.theta, apart, y)[1], slow, atol=1e-4)


@pytest.mark.parametrize("space", [huge_space(), SearchSpace((2, 2, 2, 2))])
@pytest.mark.parametrize(
    "objectives", ["reward", ("val_acc", "latency_ms"), ("reward", "val_acc", "latency_ms")]
)
def test_any_number_of_objectives(space, objectives):
    problem = Problem(ToyBenchmark(space), ToyDevice(space), budget=25, objectives=objectives)
    history = search(problem, "gp-bo", seed=0, options={"batch": 4})
    assert problem.done
    assert len(history) == min(25, space.size)


def test_finds_the_best_of_a_small_space_sooner_than_random_search():
    space = SearchSpace((4,) * 5)
    found = {}
    for agent in ("gp-bo", "random-search"):
        problem = Problem(ToyBenchmark(space), budget=40)
        best = problem.optimum()[1]
        found[agent] = best - search(problem, agent, seed=0).reward.max()
    assert found["gp-bo"] < found["random-search"]
