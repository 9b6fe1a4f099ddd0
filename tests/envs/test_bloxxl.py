"""Environments of a space of 45^12: everything works that works on a table."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import blox_env
from blox_env.testing import check_benchmark

DEVICE = "x86-ort-int8-1t-xl"


@pytest.mark.parametrize("granularity", ["block", "operation", "whole"])
@pytest.mark.parametrize("observation", ["indices", "onehot", "graph", "dict"])
def test_gymnasium_finds_nothing_to_say(granularity: str, observation: str) -> None:
    env = gym.make("blox_env/BloxXL-v0", granularity=granularity, observation=observation)
    check_env(env.unwrapped, skip_render_check=True)


def test_its_defaults_are_a_model_and_a_device() -> None:
    env: Any = gym.make("blox_env/BloxXL-v0")
    problem = env.unwrapped.problem
    assert problem.benchmark.name == "bloxxl-digits"
    assert problem.device.name == DEVICE
    env.reset(seed=0)
    for _ in range(12):
        _, reward, done, _, info = env.step(env.action_space.sample())
    assert done
    assert 0 < reward < 1
    assert info["latency_ms"] > 0
    check_benchmark(problem.benchmark)


def test_edits_vector_rewards_and_batches() -> None:
    edit: Any = gym.make("blox_env/BloxXLEdit-v0")
    edit.reset(seed=0)
    assert np.isfinite(edit.step(edit.action_space.sample())[1])
    many: Any = gym.make("blox_env/MOBloxXL-v0", objectives=("val_acc", "latency_ms"))
    many.reset(seed=0)
    for _ in range(12):
        _, reward, *_ = many.step(many.action_space.sample())
    assert reward.shape == (2,)
    how: Any = {"num_envs": 64, "vectorization_mode": "vector_entry_point"}
    batch: Any = gym.make_vec("blox_env/BloxXL-v0", **how)
    batch.reset(seed=0)
    for _ in range(12):
        _, rewards, ended, _, _ = batch.step(batch.action_space.sample())
    assert ended.all()
    assert (rewards > 0).all()


def test_limits_mask_exactly() -> None:
    device = blox_env.load_device(DEVICE)
    low = float(device.quantiles_ms((0.05,))[0])
    env: Any = gym.make("blox_env/BloxXL-v0", constraints={"latency_ms": low})
    rng = np.random.default_rng(0)
    for seed in range(5):
        _, info = env.reset(seed=seed)
        done = False
        while not done:
            action = rng.choice(np.flatnonzero(info["action_mask"]))
            _, _, done, _, info = env.step(action)
        assert info["latency_ms"] <= low * (1 + 1e-9)
