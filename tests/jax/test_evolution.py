"""Regularized evolution as a program finds what the plain one finds."""

import numpy as np
import pytest

from blox_env import Problem, SearchSpace, search
from tests.toys import ToyBenchmark, ToyDevice

jax = pytest.importorskip("jax")

from blox_env.jax.environment import of_problem
from blox_env.jax.evolution import Evolution, Form
from blox_env.jax.population import Population

pytestmark = pytest.mark.jax
SPACE = SearchSpace((12, 1, 9, 10))
LIMIT = {"constraints": {"latency_ms": 2.3}}


def problem(**arguments):
    return Problem(ToyBenchmark(SPACE), ToyDevice(SPACE), **{"budget": 60, **arguments})


@pytest.mark.parametrize("limits", [{}, LIMIT], ids=["everything", "constraints"])
def test_children_differ_in_one_slot_from_a_member_and_are_feasible(limits):
    env = of_problem(problem(**limits), observation="indices")
    form = Form(population=10, sample=4, budget=60, max_queries=1200)
    keys = jax.random.split(jax.random.key(0), 6)
    found = Population(Evolution(env, form), env.default_params, keys, updates=2).run()
    assert (found.trace[:, :30] >= 0).all()
    for trace in found.trace:
        known = env.space.from_index(trace[trace >= 0])
        assert len(np.unique(known, axis=0)) == len(known)
        apart = (known[:, None] != known[None]).sum(axis=2)
        assert all(apart[child, :child].min() == 1 for child in range(12, len(known)))
        if limits:
            assert problem(**limits).candidates.contains(known).all()


def test_it_finds_what_the_plain_agent_finds():
    seeds, at = 200, 50
    env = of_problem(problem(), observation="indices")
    form = Form(population=10, sample=4, budget=60, max_queries=1200)
    keys = jax.random.split(jax.random.key(1), seeds)
    ours = Population(Evolution(env, form), env.default_params, keys).run().best()[:, at - 1]
    options = {"population": 10, "sample": 4}
    plain = [
        search(problem(budget=at), "regularized-evolution", seed=s, options=options).reward.max()
        for s in range(seeds)
    ]
    stats = pytest.importorskip("scipy.stats")
    assert stats.ks_2samp(ours, np.round(plain, 7), method="exact").pvalue > 0.01
