"""Training ends with the budget and leaves the process as it was."""

import random

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("stable_baselines3")

from blox_env import Problem
from blox_env.agents._sb3 import own_random_state, train
from tests.toys import ToyBenchmark


class Model:
    """Counts what it is asked to learn; one step an episode of each environment."""

    def __init__(self, problem):
        self.problem, self.num_timesteps, self.calls = problem, 0, []

    def learn(self, steps, callback, reset_num_timesteps):
        self.calls.append((steps, reset_num_timesteps))
        self.num_timesteps += 8
        self.problem.evaluate(self.problem.space.from_index(np.arange(8) + 8 * len(self.calls)))


def test_learning_goes_on_until_the_problem_is_done():
    problem = Problem(ToyBenchmark(), None, budget=20)
    models = []

    def make(env, seed):
        assert env.num_envs == 4
        models.append(Model(problem))
        return models[0]

    train(problem, 0, make, envs=4, steps=7)
    assert problem.done
    assert models[0].calls == [(7, True), (7, False), (7, False)]


def test_random_states_are_put_back():
    before = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    with own_random_state():
        random.random()
        np.random.random()
        torch.manual_seed(1)
        assert torch.get_num_threads() == 1
    assert random.getstate() == before[0]
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])
    assert torch.equal(torch.get_rng_state(), before[2])
