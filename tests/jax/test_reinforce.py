"""The controller proposes what is feasible, and learns."""

import numpy as np
import pytest

from blox_env import Problem, SearchSpace
from tests.toys import ToyBenchmark, ToyDevice

jax = pytest.importorskip("jax")

from blox_env.jax.environment import of_problem
from blox_env.jax.population import Population
from blox_env.jax.reinforce import Form, Hyper, Reinforce

pytestmark = pytest.mark.jax
SPACE = SearchSpace((12, 1, 9, 10))


def test_it_proposes_what_is_feasible_and_learns():
    problem = Problem(ToyBenchmark(SPACE), ToyDevice(SPACE), constraints={"latency_ms": 2.3})
    env = of_problem(problem, observation="indices")
    form = Form(batch=4, hidden=16, budget=150, max_queries=400)
    searches, keys = 24, jax.random.split(jax.random.key(0), 24)
    # one half of the searches learns, the other does not: an array of hyper-parameters
    rate = np.where(np.arange(searches) < searches // 2, 0.02, 0.0).astype(np.float32)
    population = Population(
        Reinforce(env, form), env.default_params, keys, Hyper(rate, 0.01), updates=25
    )
    found = population.run()
    for trace in found.trace:
        rows = env.space.from_index(trace[trace >= 0])
        assert problem.candidates.contains(rows).all()
    late = np.nanmean(found.reward[:, 50:], axis=1)
    learns = rate > 0
    assert late[learns].mean() > late[~learns].mean() + 0.01
