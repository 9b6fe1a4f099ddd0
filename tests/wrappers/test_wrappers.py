"""What each wrapper is for."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv

from blox_env import (
    BloxEditEnv,
    BloxEnv,
    MOBloxEnv,
    wrappers,
)
from tests.toys import ToyBenchmark
from tests.wrappers.building import HIGH, LOW, TOYS


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: wrappers.ScalarReward(BloxEnv(**TOYS), [1, 1]), "must have vector rewards"),
        (lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [1]), "weights must be 2 numbers"),
        (lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [1, 2, 3]), "weights must be 2 numbers"),
        (lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [0, 0]), "one of them above"),
        (lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [1, -1]), "at least 0"),
        (lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [1, 1], "sum"), "unknown how 'sum'"),
        (lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [1, 1], "chebyshev"), "needs low and"),
        (lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [1, 1], low=LOW), "pass both or none"),
        (
            lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [1, 1], low=HIGH, high=LOW),
            "below high",
        ),
        (lambda: wrappers.RandomWeights(MOBloxEnv(**TOYS), low=[0], high=[1]), "low must be 2"),
        (
            lambda: wrappers.RandomWeights(MOBloxEnv(**TOYS, observation="indices")),
            "to show weights in",
        ),
        (
            lambda: wrappers.RandomWeights(MOBloxEnv(**TOYS)).reset(options={"weights": [1, 1]}),
            "must sum up to 1",
        ),
        (
            lambda: wrappers.RandomWeights(MOBloxEnv(**TOYS)).reset(options={"weights": [1]}),
            "must be 2 numbers",
        ),
        (lambda: wrappers.LatencyCost(BloxEnv(**TOYS), 0), "must be above 0, got 0"),
        (lambda: wrappers.LatencyCost(BloxEnv(ToyBenchmark(), None), 1), "with a device"),
        (lambda: wrappers.LatencyCost(BloxEnv(**TOYS, reward="constraint"), 1), "a cost already"),
        (lambda: wrappers.EvaluationLimit(BloxEnv(**TOYS), 0), "budget must be at least 1"),
        (
            lambda: wrappers.EvaluationLimit(BloxEditEnv(**TOYS), 3).reset(),
            "when an episode starts",
        ),
        (lambda: wrappers.NoisyEvaluation(BloxEnv(**TOYS), -1), "at least 0, got -1"),
        (lambda: wrappers.NoisyEvaluation(BloxEditEnv(**TOYS), 0.1), "works out the rewards"),
        (
            lambda: wrappers.NoisyEvaluation(wrappers.RandomWeights(MOBloxEnv(**TOYS)), 0.1),
            "goes inside of what changes the reward",
        ),
        (
            lambda: wrappers.NondominatedArchive(BloxEnv(**TOYS), ["val_acc", "reward"]),
            "must not be the reward",
        ),
        (lambda: wrappers.NondominatedArchive(BloxEnv(ToyBenchmark(), None)), "needs a device"),
        (
            lambda: wrappers.NondominatedArchiveVector(SyncVectorEnv([lambda: BloxEnv(**TOYS)])),
            "wrap the single environments",
        ),
    ],
)
def test_errors_say_what_was_expected(make, message):
    with pytest.raises(ValueError, match=message):
        make()


class Plain(gym.Env):
    """An environment of other people: two objectives, and none of this package's infos."""

    observation_space = gym.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)
    reward_space = gym.spaces.Box(-1, 1, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        reward = np.array([action, -0.5], np.float32)
        return np.zeros(2, np.float32), reward, bool(action), False, {"mine": action}


def test_environments_of_others():
    env = wrappers.RandomWeights(wrappers.EvaluationLimit(wrappers.LatencyCost(Plain(), 1.0), 3))
    observation, info = env.reset(seed=0)
    assert observation in env.observation_space
    _, reward, terminated, _, info = env.step(1)
    assert terminated
    assert (info["cost"], info["mine"]) == (0.0, 1)
    assert reward == pytest.approx(np.dot(info["reward_weights"], [1, -0.5]))
