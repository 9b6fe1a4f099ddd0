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
from blox_env.agents._process import Process, Size, Trends


def process(x, y, problem, trends=0):
    model = Process(slot_distances(problem.space, "auto"), 1.0, 0.3, trends, 0.5)
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


@pytest.mark.parametrize("trends", [0, 2])
def test_gradient_of_the_likelihood(trends):
    rng = np.random.default_rng(1)
    problem = Problem(ToyBenchmark(), ToyDevice(), budget=30)
    x = problem.space.sample(rng, 20)
    model, y = process(x, problem.peek(x).val_acc, problem, trends)
    one, other = np.tril_indices(20, -1)
    apart = np.concatenate([d[:, x[one, i], x[other, i]] for i, d in enumerate(model.distances)])
    given = apart, rng.normal(size=(20, trends)), y
    slow = optimize.approx_fprime(model.theta, lambda t: model._loss(t, *given)[0], 1e-6)
    np.testing.assert_allclose(model._loss(model.theta, *given)[1], slow, atol=1e-4)


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


@pytest.mark.parametrize("trends", [0, 2])
def test_the_process_is_the_textbook_one(trends):
    """Mean and variance after trials and one more, by the formulas with plain inverses."""
    rng = np.random.default_rng(3)
    problem = Problem(ToyBenchmark(), ToyDevice(), budget=30)
    x = np.unique(problem.space.sample(rng, 40), axis=0)
    values, trend = problem.peek(x).val_acc, rng.normal(size=(len(x), trends))
    n, m = 12, len(x) - 12
    model, y = process(x[:n], values[:n], problem, trends)
    model.fit(x[:n], trend[:n], y)
    model.condition(x[:n], trend[:n], values[:n], x[n:], trend[n:], 2)
    weights, slopes, nugget = model._weights(model.theta)
    apart = np.sum(
        [
            np.tensordot(w, d, 1)[x[:, i, None], x[:, i]]
            for i, (w, d) in enumerate(zip(weights, model.distances, strict=True))
        ],
        axis=0,
    )
    prior = np.exp(-apart) + (trend * slopes) @ trend.T
    inverse = np.linalg.inv(prior[:n, :n] + nugget * np.eye(n))
    centre = inverse.sum(0) @ y / inverse.sum()
    variance = (y - centre) @ inverse @ (y - centre) / n + 1e-9
    for known in (n, n + 1):  # centre and variance stay those of the last conditioning
        inverse = np.linalg.inv(prior[:known, :known] + nugget * np.eye(known))
        across = prior[:known, known:]
        told = model.scaled(values[:known]) - centre
        mean = centre + across.T @ inverse @ told
        rest = np.diag(prior)[known:] - np.einsum("ij,ij->j", across, inverse @ across)
        np.testing.assert_allclose(model.mean[known - n :], mean, atol=1e-6)
        np.testing.assert_allclose(
            model.deviation()[known - n :], np.sqrt(variance * (rest + nugget)), atol=1e-6
        )
        if known == n:
            model.add(0)
            model.learn(values[n : n + 1])
    assert len(model.mean) == m


def test_sizes_are_trends_where_they_are_told():
    problem = Problem("digits", None)
    rows = problem.space.sample(np.random.default_rng(0), 500)
    trends = Trends(problem, rows)
    assert len(trends) == 2
    found = trends.of(rows)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(found.std(axis=0), 1)
    params = problem.space.size_of("params", rows)
    assert (np.argsort(found[:, 0], kind="stable") == np.argsort(params, kind="stable")).all()
    assert len(Trends(problem, rows[:0])) == 0
    plain = SearchSpace((3,) * 4)
    toy = Problem(ToyBenchmark(plain), ToyDevice(plain))
    assert Trends(toy, plain.all()).of(plain.all()[:7]).shape == (7, 0)


def test_an_objective_that_is_told_needs_no_process():
    problem = Problem("digits", None, objectives=("val_acc", "params"), budget=30)
    history = search(problem, "gp-bo", seed=0)
    assert problem.done
    rows = problem.space.sample(np.random.default_rng(0), 50)
    size = Size(problem, "params")
    values = problem.values(problem.peek(history.x))
    size.scale(values[:, 1], -np.inf)
    size.condition(rows, np.zeros((50, 0)), values[:, 1], rows, np.zeros((50, 0)), 1)
    np.testing.assert_allclose(
        size.mean * values[:, 1].std() + values[:, 1].mean(), -problem.space.size_of("params", rows)
    )
    assert (size.deviation() < 1e-5).all()


@pytest.mark.parametrize("scale", [-1.0, float("nan")])
def test_a_bad_trend_scale_is_refused(scale):
    with pytest.raises(ValueError, match="trend_scale must be at least 0, got"):
        gp_bo.GPBO(trend_scale=scale)
