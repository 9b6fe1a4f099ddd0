"""The compiled agent spends and records as others do."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from blox_env import Problem, SearchSpace, search
from blox_env.agents.ppo_jax import PPOJax
from blox_env.jax.environment import of_problem
from blox_env.jax.population import Population
from blox_env.jax.ppo import PPO, Form, Hyper
from tests.toys import ToyBenchmark, ToyDevice, huge_space

SMALL = {"envs": 2, "episodes": 1, "epochs": 1, "minibatches": 1, "hidden": 8}


def problem(**arguments):
    space = SearchSpace((4, 3, 5))
    return Problem(ToyBenchmark(space), ToyDevice(space), **{"budget": 20, **arguments})


@pytest.mark.jax
def test_a_search_alone_is_the_search_in_a_population():
    alone = problem()
    history = search(alone, PPOJax(**SMALL), seed=3)
    assert len(history) == 20
    assert history.ended == "the budget is spent"
    env = of_problem(problem(), observation="onehot")
    form = Form(envs=2, steps=3, epochs=1, minibatches=1, hidden=8, budget=20, max_queries=400)
    number = int(np.random.default_rng(3).integers(2**31))
    keys = jax.random.key(number)[None]
    found = Population(PPO(env, form), env.default_params, keys, Hyper(), updates=4).run()
    assert np.array_equal(env.space.from_index(found.trace[0]), history.x)
    assert found.reward[0] == pytest.approx(history.reward, abs=1e-6)
    assert found.best()[0, -1] == pytest.approx(history.reward.max(), abs=1e-6)


def test_what_has_no_table_is_refused():
    huge = huge_space()
    with pytest.raises(ValueError, match="a model that is carried over"):
        search(Problem(ToyBenchmark(huge), None, budget=9), "ppo-jax")
    benchmark = ToyBenchmark()
    benchmark.provides = frozenset({"curves"})
    with pytest.raises(ValueError, match="requires table"):
        search(Problem(benchmark, None, budget=9), "ppo-jax")
