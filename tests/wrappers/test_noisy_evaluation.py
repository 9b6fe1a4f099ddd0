import numpy as np
import pytest

from blox_env import (
    BloxEnv,
    BloxVectorEnv,
    MOBloxEnv,
    wrappers,
)
from tests.toys import ToyBenchmark
from tests.wrappers.building import TOYS, build


def test_noise_has_its_deviation_and_is_new_every_time():
    n = 4000
    env = wrappers.NoisyEvaluationVector(BloxVectorEnv(n, **TOYS, granularity="whole"), 0.02)
    env.reset(seed=0)
    row = np.tile([5, 17, 44], (n, 1))
    infos = env.step(row)[4]
    truth = ToyBenchmark().evaluate([[5, 17, 44]]).val_acc[0]
    error = infos["val_acc"] - truth
    assert error.std() == pytest.approx(0.02, rel=0.05)
    assert abs(error.mean()) < 0.001
    assert len(np.unique(error)) == n
    env.step(row)
    again = env.step(row)[4]["val_acc"] - truth
    assert abs(np.corrcoef(error, again)[0, 1]) < 0.05


def test_rewards_follow_the_noisy_accuracy():
    env = wrappers.NoisyEvaluation(BloxEnv(**TOYS, goal="latency_target", goals=(2.0, 4.0)), 0.05)
    _, reward, _, _, info = build(env)
    expected = env.unwrapped.problem.rewards(
        np.array([info["val_acc"]]), np.array([info["latency_ms"]]), info["latency_target_ms"]
    )
    assert reward == expected[0]
    assert info["val_acc"] != ToyBenchmark().evaluate(info["arch"]).val_acc[0]
    vector = wrappers.NoisyEvaluation(MOBloxEnv(**TOYS, objectives=("latency_ms", "val_acc")), 0.05)
    _, reward, _, _, info = build(vector)
    np.testing.assert_array_equal(reward, np.float32([-info["latency_ms"], info["val_acc"]]))


def test_no_noise_changes_nothing():
    env, plain = wrappers.NoisyEvaluation(BloxEnv(**TOYS), 0.0), BloxEnv(**TOYS)
    assert build(env)[1] == build(plain)[1]
