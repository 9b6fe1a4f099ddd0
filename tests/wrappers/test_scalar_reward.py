import numpy as np
import pytest

from blox_env import (
    MOBloxEnv,
    wrappers,
)
from tests.wrappers.building import HIGH, LOW, TOYS, build


def test_weighted_sum_keeps_the_vector():
    env = wrappers.ScalarReward(MOBloxEnv(**TOYS), [1.0, 0.1])
    _, reward, _, _, info = build(env)
    np.testing.assert_array_equal(info["vector_reward"], build(MOBloxEnv(**TOYS))[1])
    assert reward == pytest.approx(info["val_acc"] - 0.1 * info["latency_ms"])
    assert info["reward_weights"].tolist() == [1.0, 0.1]
    assert env.reward_space is None


def test_scales_from_low_to_high():
    linear = wrappers.ScalarReward(MOBloxEnv(**TOYS), [0.25, 0.75], low=LOW, high=HIGH)
    _, reward, _, _, info = build(linear)
    accuracy, latency = (info["val_acc"] - 0.4) / 0.5, (5 - info["latency_ms"]) / 3
    assert reward == pytest.approx(0.25 * accuracy + 0.75 * latency)
    weights = [0.5, 0.5]
    worst = wrappers.ScalarReward(MOBloxEnv(**TOYS), weights, "chebyshev", LOW, HIGH)
    assert build(worst)[1] == pytest.approx(1 - 0.5 * max(1 - accuracy, 1 - latency))


@pytest.mark.parametrize("how", ["linear", "chebyshev"])
def test_what_earns_nothing_is_zero_on_every_scale(how):
    env = wrappers.ScalarReward(
        MOBloxEnv(**TOYS, granularity="operation"), [0.5, 0.5], how, LOW, HIGH
    )
    env.reset()
    rewards = [env.step(action)[1] for action in (0, 1, 0)]  # the last one is masked
    assert rewards == [0.0, 0.0, 0.0]
