"""Stable-Baselines3 and sb3-contrib on the environment, unchanged."""

import gymnasium as gym
import pytest

import blox_env  # noqa: F401 (registers the environment)

pytestmark = pytest.mark.clients
sb3 = pytest.importorskip("stable_baselines3")
contrib = pytest.importorskip("sb3_contrib")


@pytest.mark.parametrize("algorithm", ["PPO", "A2C", "DQN"])
def test_stable_baselines3(algorithm):
    model = getattr(sb3, algorithm)("MlpPolicy", "blox_env:blox_env/Blox-v0", seed=0)
    model.learn(3000)
    env = gym.make("blox_env/Blox-v0")
    observation, _ = env.reset(seed=0)
    done = False
    while not done:
        action, _ = model.predict(observation, deterministic=True)
        observation, reward, terminated, truncated, info = env.step(action)
        done = terminated or truncated
    assert reward > 0
    assert info["arch"].shape == (3,)


@pytest.mark.parametrize("algorithm", ["MaskablePPO", "RecurrentPPO"])
def test_sb3_contrib(algorithm):
    policy = "MlpLstmPolicy" if algorithm == "RecurrentPPO" else "MlpPolicy"
    model = getattr(contrib, algorithm)(policy, gym.make("blox_env/Blox-v0"), seed=0, n_steps=128)
    model.learn(1000)
