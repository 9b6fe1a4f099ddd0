import numpy as np

from blox_env import Problem
from blox_env.envs.episode.rewards import ScalarReward, VectorReward
from tests.toys import ToyBenchmark, ToyDevice

NAMES = ("latency_ms", "val_acc", "params")


def test_a_vector_reward_is_the_problems_values():
    problem = Problem(ToyBenchmark(), ToyDevice(), objectives=NAMES)
    reward = VectorReward([problem], NAMES)
    trials = problem.peek(problem.space.sample(np.random.default_rng(0), 20))
    values = reward.of(trials.x, trials)
    np.testing.assert_array_equal(values, problem.values(trials).astype(np.float32))
    assert all(value in reward.space for value in values)
    assert reward.nothing(4).shape == (4, 3)
    assert reward.nothing(4).dtype == np.float32


def test_a_scalar_reward_is_the_formulas():
    trials = Problem(ToyBenchmark(), ToyDevice(), "tunas").peek([[0, 0, 0], [1, 2, 3]])
    assert ScalarReward().of(trials.x, trials) is trials.reward
    assert ScalarReward().nothing(3).tolist() == [0, 0, 0]
