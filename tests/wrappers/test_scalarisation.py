import gymnasium as gym
import numpy as np
import pytest

from blox_env.wrappers._scalarisation import Scalarisation


class Vector(gym.Env):
    reward_space = gym.spaces.Box(-10, 10, (2,))


def test_linear_and_chebyshev_by_hand():
    rewards = np.array([[2.0, 4.0], [0.0, 0.0], [6.0, 1.0]])
    weights = np.array([0.25, 0.75])
    assert Scalarisation(Vector())(rewards, weights).tolist() == [3.5, 0.0, 2.25]
    scaled = Scalarisation(Vector(), "chebyshev", [0, 0], [10, 5])
    expected = [1 - max(0.25 * 0.8, 0.75 * 0.2), 0.0, 1 - max(0.25 * 0.4, 0.75 * 0.8)]
    np.testing.assert_allclose(scaled(rewards, weights), expected)


def test_every_row_may_have_weights_of_its_own():
    weights = np.array([[1.0, 0.0], [0.0, 1.0]])
    scalars = Scalarisation(Vector())(np.array([[2.0, 4.0], [2.0, 4.0]]), weights)
    assert scalars.tolist() == [2.0, 4.0]


@pytest.mark.parametrize("weights", [[1.0], [-1.0, 2.0], [0.0, 0.0], [np.nan, 1.0], "ab", None])
def test_weights_are_checked(weights):
    with pytest.raises(ValueError, match="weights must be"):
        Scalarisation(Vector()).weights(weights)


def test_the_same_weights_for_many():
    assert Scalarisation(Vector()).weights([1, 3], n=2).tolist() == [[1, 3], [1, 3]]
