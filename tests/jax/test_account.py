"""The compiled account counts what the ledger counts."""

import numpy as np
import pytest

from blox_env import Problem, SearchSpace
from tests.toys import ToyBenchmark

jax = pytest.importorskip("jax")
import jax.numpy as jnp

from blox_env.jax.account import booked, opened, over

SPACE = SearchSpace((4, 3, 5))


@pytest.mark.parametrize(("budget", "most"), [(12, 400), (40, 31), (60, 400)])
def test_batches_cost_what_they_cost_a_problem(budget, most):
    rng = np.random.default_rng(budget)
    problem = Problem(ToyBenchmark(SPACE), None, budget=budget, max_queries=most)
    account = opened(SPACE.size, budget)
    book = jax.jit(booked)
    for _ in range(70):
        index, asked = rng.integers(SPACE.size, size=6), rng.random(6) < 0.8
        problem.evaluate(SPACE.from_index(index[asked]))
        account = book(account, jnp.asarray(index), jnp.asarray(asked), most)
        assert int(account.spent) == problem.spent
        assert int(account.queries) == problem.queries
        assert bool(over(account, most)) == problem.done
    trace = np.asarray(account.trace)
    assert np.array_equal(SPACE.from_index(trace[trace >= 0]), problem.history.x)
