"""Stable-Baselines3 and sb3-contrib on wrapped environments."""

import numpy as np
import pytest
from sb3_contrib import MaskablePPO
from stable_baselines3 import PPO

import blox_env
from blox_env import wrappers
from blox_env.adapters.sb3 import make_sb3

TINY = {"n_steps": 6, "batch_size": 12, "n_epochs": 1, "device": "cpu", "seed": 0}


def test_preferences_on_the_native_vector_environment():
    problem = blox_env.Problem("digits", "x86-ort-1t", budget=40)
    env = make_sb3(
        "blox_env/MOBlox-v0",
        4,
        problem=problem,
        wrap=wrappers.RandomWeightsVector,
        observation="onehot",
    )
    assert env.observation_space.shape == (137,)
    MaskablePPO("MlpPolicy", env, **TINY).learn(48)
    assert len(problem.history) == 16
    model = PPO("MlpPolicy", env, **TINY).learn(24)
    env.set_options({"weights": [1.0, 0.0]})
    observations = env.reset()
    np.testing.assert_array_equal(observations[:, -2:], np.tile([1.0, 0.0], (4, 1)))
    for _ in range(3):
        actions, _ = model.predict(observations, deterministic=True)
        observations, rewards, _, infos = env.step(actions)
    assert rewards[0] == pytest.approx(infos[0]["vector_reward"][0])
    assert infos[0]["reward_weights"].tolist() == [1.0, 0.0]


def test_single_environments_with_masks():
    env = wrappers.ScalarReward(blox_env.MOBloxEnv(granularity="operation"), [1.0, 0.1])
    MaskablePPO("MlpPolicy", env, **TINY).learn(12)


def test_vector_rewards_that_nobody_weighs_are_refused():
    with pytest.raises(ValueError, match=r"wrappers\.ScalarRewardVector"):
        make_sb3("blox_env/MOBlox-v0", 2)
    make_sb3("blox_env/MOBlox-v0", 2, wrap=lambda env: wrappers.ScalarRewardVector(env, [1, 0]))
