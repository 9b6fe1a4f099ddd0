import numpy as np
import pytest

from blox_env import (
    MOBloxEnv,
    MOBloxVectorEnv,
    wrappers,
)
from tests.toys import ToyBenchmark, ToyDevice
from tests.wrappers.building import HIGH, LOW, TOYS, build


def test_weights_are_drawn_evenly_and_shown():
    env = wrappers.RandomWeightsVector(
        MOBloxVectorEnv(4000, **TOYS, objectives=("val_acc", "latency_ms", "params"))
    )
    observations, infos = env.reset(seed=0)
    weights = infos["reward_weights"]
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    np.testing.assert_allclose(observations[:, -3:], weights, rtol=1e-6)
    # even over the triangle: each weight is below x with probability 1 - (1 - x)^2
    for x in (0.1, 0.3, 0.6):
        np.testing.assert_allclose((weights < x).mean(axis=0), 1 - (1 - x) ** 2, atol=0.03)


def test_weights_of_ones_own():
    env = wrappers.RandomWeights(MOBloxEnv(**TOYS), low=LOW, high=HIGH)
    for accuracy in (0.0, 0.25, 1.0):
        given_ = [accuracy, 1 - accuracy]
        _, reward, _, _, info = build(env, options={"weights": given_})
        assert info["reward_weights"].tolist() == given_
        share = (info["val_acc"] - 0.4) / 0.5, (5 - info["latency_ms"]) / 3
        assert reward == pytest.approx(np.dot(given_, share))
    assert build(env)[4]["reward_weights"].tolist() != given_  # of that episode alone
    many = wrappers.RandomWeightsVector(MOBloxVectorEnv(3, **TOYS))
    asked = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    observations, _ = many.reset(options={"weights": asked})
    np.testing.assert_allclose(observations[:, -2:], asked)


def test_weights_and_goals_are_drawn_apart():
    other = ToyDevice()
    other.name = "other"
    env = wrappers.RandomWeightsVector(
        MOBloxVectorEnv(3000, benchmark=ToyBenchmark(), goal="device", goals=[ToyDevice(), other])
    )
    observations, infos = env.reset(seed=0)
    device = observations[:, -4] > 0
    assert abs(np.corrcoef(device, infos["reward_weights"][:, 0])[0, 1]) < 0.06
